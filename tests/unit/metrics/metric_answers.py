"""Answers, samples and metrics for the tests of metrics."""

from __future__ import annotations

from pathlib import Path

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.core.scores import checked

SHARED = Path(__file__).parents[4] / "shared" / "data"


def sample(*targets, **fields):
    return Sample("row", "Q?", (), targets=targets, fields=fields)


def scored(metric, text, *targets, **fields) -> Score:
    """What the engine makes of a metric's score."""
    return checked(metric.score(Response(text), sample(*targets, **fields)), metric)


def value(metric, text, *targets, **fields):
    return scored(metric, text, *targets, **fields).value
