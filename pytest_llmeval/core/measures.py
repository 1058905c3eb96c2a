"""Measures, statistics and conditions: what a threshold may say, and how it is read.

A *measure* is a metric of the recipe or a built-in one (latency, tokens, cost, errors, refused, truncated, missed,
passed, grade); a *statistic* makes one number of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .sample import NOWHERE, Origin

Better = Literal["high", "low"]
Operator = Literal[">=", ">", "<=", "<", "=="]
Form = Literal["short", "at_least", "at_most"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What can be asked about.

    ``range`` has None for an open end; ``binary`` marks 0/1 scores; ``passing`` is the score that ``pass:`` asks for;
    ``statistic`` is the default one; ``builtin`` is False for a recipe's own metric.
    """

    name: str
    better: Better | None = "high"
    range: tuple[float | None, float | None] = (0.0, 1.0)
    binary: bool = False
    passing: float | None = None
    statistic: str = "mean"
    builtin: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """``MEASURE[.STATISTIC] OPERATOR VALUE``; ``label`` in place of ``value`` where the measure is ``grade``."""

    measure: str
    statistic: str
    operator: Operator
    value: float
    text: str
    label: str | None = None
    form: Form = "short"
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Band:
    label: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Grading:
    """A scale over a measure's figure; ``bands`` in the file's order, best first."""

    measure: str
    statistic: str
    bands: tuple[Band, ...]


Measures = Mapping[str, Measure]
