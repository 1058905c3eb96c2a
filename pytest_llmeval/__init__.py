"""Evaluate language models with pytest: YAML recipes become test items, thresholds become gates.

The names below are the public ones; everything else may change without notice. They are loaded at first use, so that
a suite without recipes pays nothing for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .core.assertable import Grade, Measured, Result
    from .core.errors import EndpointStopped, InvalidRequest, Refused, RequestError, ScoreError, Transient, Unmeasurable
    from .core.events import GateEvent, ProgressEvent, RequestEvent, ResponseEvent, ScoreEvent
    from .core.exchange import RateLimits, Request, Response
    from .core.extension import Asker, Connector, Metric, Report, Source
    from .core.options import Document, EnvironmentText, PathText, SecretText, expand
    from .core.registry import Registry
    from .core.result import Score
    from .core.sample import Message, Sample
    from .plugin.fixture import Llmeval

_HOME = {
    "Asker": "core.extension",
    "Connector": "core.extension",
    "Document": "core.options",
    "EndpointStopped": "core.errors",
    "EnvironmentText": "core.options",
    "GateEvent": "core.events",
    "Grade": "core.assertable",
    "InvalidRequest": "core.errors",
    "Llmeval": "plugin.fixture",
    "Measured": "core.assertable",
    "Message": "core.sample",
    "Metric": "core.extension",
    "PathText": "core.options",
    "ProgressEvent": "core.events",
    "RateLimits": "core.exchange",
    "Refused": "core.errors",
    "Registry": "core.registry",
    "Report": "core.extension",
    "Request": "core.exchange",
    "RequestError": "core.errors",
    "RequestEvent": "core.events",
    "Response": "core.exchange",
    "ResponseEvent": "core.events",
    "Result": "core.assertable",
    "Sample": "core.sample",
    "Score": "core.result",
    "ScoreError": "core.errors",
    "ScoreEvent": "core.events",
    "SecretText": "core.options",
    "Source": "core.extension",
    "Transient": "core.errors",
    "Unmeasurable": "core.errors",
    "expand": "core.options",
}

__all__ = [
    "Asker",
    "Connector",
    "Document",
    "EndpointStopped",
    "EnvironmentText",
    "GateEvent",
    "Grade",
    "InvalidRequest",
    "Llmeval",
    "Measured",
    "Message",
    "Metric",
    "PathText",
    "ProgressEvent",
    "RateLimits",
    "Refused",
    "Registry",
    "Report",
    "Request",
    "RequestError",
    "RequestEvent",
    "Response",
    "ResponseEvent",
    "Result",
    "Sample",
    "Score",
    "ScoreError",
    "ScoreEvent",
    "SecretText",
    "Source",
    "Transient",
    "Unmeasurable",
    "expand",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
