"""Evaluate language models with pytest: YAML recipes become test items, thresholds become gates.

The names below are the public ones; everything else may change without notice. They are loaded at first use, so that
a suite without recipes pays nothing for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .core.errors import EndpointStopped, InvalidRequest, Refused, Transient
    from .core.exchange import RateLimits, Request, Response
    from .core.extension import Asker, Connector, Metric, Report, Source
    from .core.registry import Registry
    from .core.result import Score
    from .core.sample import Message, Sample

_HOME = {
    "Asker": "extension",
    "Connector": "extension",
    "EndpointStopped": "errors",
    "InvalidRequest": "errors",
    "Message": "sample",
    "Metric": "extension",
    "RateLimits": "exchange",
    "Refused": "errors",
    "Registry": "registry",
    "Report": "extension",
    "Request": "exchange",
    "Response": "exchange",
    "Sample": "sample",
    "Score": "result",
    "Source": "extension",
    "Transient": "errors",
}

__all__ = [
    "Asker",
    "Connector",
    "EndpointStopped",
    "InvalidRequest",
    "Message",
    "Metric",
    "RateLimits",
    "Refused",
    "Registry",
    "Report",
    "Request",
    "Response",
    "Sample",
    "Score",
    "Source",
    "Transient",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.core.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
