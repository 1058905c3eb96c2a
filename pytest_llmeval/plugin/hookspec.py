"""Hooks that this plugin calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..core.events import GateEvent, ProgressEvent, RequestEvent, ResponseEvent, ScoreEvent
    from ..core.registry import Registry


@pytest.hookspec(historic=True)
def pytest_llmeval_register(registry: Registry) -> None:
    """Register metrics, connectors, dataset sources and reports: ``registry.add("metric", MyMetric)``.

    Implement it in a plugin or in any ``conftest.py``, with ``@pytest.hookimpl(optionalhook=True)``, so that
    ``-p no:llmeval`` breaks nobody.
    """


@pytest.hookspec
def pytest_llmeval_request(event: RequestEvent) -> None:
    """A request was sent.

    This and the following are called between items, in the main thread of the process that asked, scored or judged. An
    implementation must be there when the first of our items begins.
    """


@pytest.hookspec
def pytest_llmeval_response(event: ResponseEvent) -> None:
    """What came of a request that was sent: a response or an error, which may be retried."""


@pytest.hookspec
def pytest_llmeval_score(event: ScoreEvent) -> None:
    """What a sample came to; once a run for each."""


@pytest.hookspec
def pytest_llmeval_gate(event: GateEvent) -> None:
    """What a gate found; once a run for each."""


@pytest.hookspec
def pytest_llmeval_progress(event: ProgressEvent) -> None:
    """How far the run is, at most once a second; under xdist in the controller alone.

    Called also while an item waits, since a gate may wait for a whole recipe.
    """
