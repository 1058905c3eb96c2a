"""Measures, statistics, conditions and scales: what a threshold may say, and how it is read.

A *measure* is a metric of the recipe or a built-in one (latency, tokens, cost, errors, refused, truncated, missed,
passed, grade); a *statistic* makes one number of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from .sample import NOWHERE, Origin

Better = Literal["high", "low"]
Operator = Literal[">=", ">", "<=", "<", "=="]
Form = Literal["short", "at_least", "at_most"]
Range = tuple[float | None, float | None]

QUANTILES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
#: over all answered responses of recipe and endpoint, whatever group they are of
POOLED: frozenset[str] = frozenset({"sum", "min", "max", "sd", *QUANTILES})
STATISTICS: tuple[str, ...] = ("mean", "rate", "se", "low", "high", "sum", "min", "max", "sd", *QUANTILES, "n")
_UNDIRECTED = frozenset({"n", "se", "sd"})


@dataclass(frozen=True, slots=True)
class Measure:
    """What can be asked about.

    ``range`` has None for an open end; ``binary`` marks 0/1 scores; ``passing`` is the score that ``pass:`` asks for;
    ``statistic`` is the default one; ``builtin`` is False for a recipe's own metric. ``unit`` is what its numbers
    count (``s``, ``tokens``, ``usd``; empty: nothing that a condition could name); ``labels`` are a grade's, best
    first.
    """

    name: str
    better: Better | None = "high"
    range: Range = (0.0, 1.0)
    binary: bool = False
    passing: float | None = None
    statistic: str = "mean"
    builtin: bool = False
    unit: str = ""
    labels: tuple[str, ...] = ()


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
    """A label of a scale with the whole steps that it covers, both ends included."""

    label: str
    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.label}: [{self.low}, {self.high}]"


@dataclass(frozen=True, slots=True)
class Grading:
    """A scale over a measure's figure; ``bands`` in the file's order, best first."""

    measure: str
    statistic: str
    bands: tuple[Band, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Best first."""
        return tuple(band.label for band in self.bands)


Measures = Mapping[str, Measure]


def direction(measure: Measure, statistic: str) -> Better | None:
    """Which way this statistic is better; None where neither is."""
    return None if statistic in _UNDIRECTED else measure.better


def range_of(measure: Measure, statistic: str) -> Range:
    """Between which values this statistic lies, None for an open end."""
    low, high = measure.range
    if statistic == "rate":
        return 0.0, 1.0
    if statistic == "n":
        return 0.0, None
    if statistic in _UNDIRECTED:
        return 0.0, None if low is None or high is None else high - low
    if statistic == "sum":
        return (0.0 if low is not None and low >= 0 else None), (0.0 if high is not None and high <= 0 else None)
    return low, high


def check_grading(measure: Measure, grading: Grading) -> str | None:
    """What is wrong with a grading over this measure, or None."""
    name = measure.name if grading.statistic == measure.statistic else f"{measure.name}.{grading.statistic}"
    if range_of(measure, grading.statistic) not in {(0.0, 1.0), (0.0, 100.0)}:
        return f"a scale grades a figure from 0 to 1 or from 0 to 100, and {name} is none"
    return check_scale(grading.bands, direction(measure, grading.statistic), name)


def check_scale(bands: Sequence[Band], better: Better | None, measure: str = "the measure") -> str | None:
    """What is wrong with a scale, or None; ``bands`` in the file's order, which is best first.

    It covers 0 to 100 in whole steps without overlap, and its labels run one way, the one that ``better`` says
    (None: either).
    """
    wrong = _coverage(bands)
    if wrong:
        return wrong
    rising = all(one.low < other.low for one, other in pairwise(bands))
    falling = all(one.low > other.low for one, other in pairwise(bands))
    if not rising and not falling:
        return f"the labels stand best first, so their bands run one way; here they do not: {_scale(bands)}"
    if better is None or len(bands) == 1 or falling == (better == "high"):
        return None
    first, last = bands[0], bands[-1]
    more = "more" if better == "high" else "less"
    other_labels = _scale([Band(a.label, b.low, b.high) for a, b in zip(bands, reversed(bands), strict=True)])
    return (
        f"two readings contradict each other: labels stand best first, so {first.label} ({first.low} to {first.high}) "
        f"is the best here; but of {measure} {more} is better, so {last.label} ({last.low} to {last.high}) is. "
        f"If {first.label} is the best, write {other_labels}; if {last.label} is, write {_scale(bands[::-1])}"
    )


def _coverage(bands: Sequence[Band]) -> str | None:
    if not bands:
        return "a scale needs at least one label with its band, such as A: [80, 100]"
    labels = [band.label for band in bands]
    for band in bands:
        if labels.count(band.label) > 1:
            return f"the label {band.label!r} stands twice"
        if band.low > band.high:
            return f"a band runs from its lower to its higher end: {Band(band.label, band.high, band.low)}"
    return _gaps(sorted(bands, key=lambda band: (band.low, band.high)))


def _gaps(rising: Sequence[Band]) -> str | None:
    first, last = rising[0], rising[-1]
    if first.low != 0:
        return f"a scale covers 0 to 100; this one begins at {first.low} ({first})"
    for one, other in pairwise(rising):
        if other.low <= one.high:
            return f"{one} and {other} overlap"
        if other.low > one.high + 1:
            gap = f"{one.high + 1}" if other.low == one.high + 2 else f"{one.high + 1} to {other.low - 1}"
            return f"a scale covers 0 to 100 in whole steps; nothing covers {gap}, between {one} and {other}"
    return None if last.high == 100 else f"a scale covers 0 to 100; this one ends at {last.high} ({last})"


def _scale(bands: Sequence[Band]) -> str:
    return "{" + ", ".join(str(band) for band in bands) + "}"
