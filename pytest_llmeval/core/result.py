"""Scores, outcomes, figures, verdicts and grades: what became of a question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .exchange import Response

OutcomeKind = Literal["passed", "missed", "refused", "error", "metric_error", "not_asked", "skipped"]
VerdictKind = Literal["passed", "failed", "unmeasurable"]
ANSWERED: frozenset[OutcomeKind] = frozenset({"passed", "missed", "refused", "metric_error"})


@dataclass(frozen=True, slots=True)
class Score:
    """What a metric says of one response: a finite number (None: no score can be given) and why."""

    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one unit.

    ``error`` is the text of an ``error``, of a ``metric_error`` (``traceback`` beside it) or the reason of a
    ``not_asked`` or ``skipped`` one. ``cached``: answered before this run began. ``endpoint_stopped``: the error is
    the endpoint's, one message for all its units. ``extracted`` is None where the recipe extracts nothing or nothing
    was found.
    """

    kind: OutcomeKind
    response: Response | None = None
    scores: Mapping[str, Score] = field(default_factory=dict)
    extracted: str | None = None
    error: str | None = None
    traceback: str | None = None
    cached: bool = False
    attempts: int = 0
    endpoint_stopped: bool = False

    @property
    def answered(self) -> bool:
        return self.kind in ANSWERED

    @property
    def good(self) -> bool:
        return self.kind == "passed"


@dataclass(frozen=True, slots=True)
class Figure:
    """A statistic of a measure: value, standard error, 95% interval (None where not given), n distinct samples."""

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    se: float | None = None
    #: why there is no value; empty where there is one
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate found: whether its condition holds, on which figure, and why it could not be judged."""

    kind: VerdictKind
    figure: Figure | None = None
    #: a label, where the condition is on the grade
    grade: str | None = None
    reason: str = ""
