"""What a run came to, summed up: what reports and the terminal show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .record import CookbookRecord, GateRecord, Group, RecipeRecord, Row, RunInfo, Totals
from .result import Figure, Verdict


@dataclass(frozen=True, slots=True)
class Counts:
    """Units by outcome, and what their requests came to.

    ``requests`` are distinct requests that the recipe needed, ``asked`` those sent in this run at a unit of it,
    ``cached`` those answered before it began. ``tokens`` and ``cost`` (USD) are None where an answer came without them.
    """

    passed: int = 0
    missed: int = 0
    refused: int = 0
    errors: int = 0
    metric_errors: int = 0
    not_asked: int = 0
    skipped: int = 0
    requests: int = 0
    asked: int = 0
    cached: int = 0
    tokens: int | None = 0
    cost: float | None = 0.0


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """One dataset under one template: n distinct answered samples and each metric's figure."""

    group: Group
    n: int
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecipeSummary:
    """A recipe on an endpoint.

    ``measures`` holds all that have a figure, by their default statistic; ``grade`` is None where there is no grading
    or it is unmeasurable (``why_no_grade``); ``selected`` is None, or the number of units asked where a selection asked
    only a part; ``worst`` are the node ids of the worst samples, worst first.
    """

    recipe: RecipeRecord
    counts: Counts
    measures: Mapping[str, Figure] = field(default_factory=dict)
    groups: tuple[GroupSummary, ...] = ()
    grade: str | None = None
    why_no_grade: str = ""
    selected: int | None = None
    worst: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CookbookSummary:
    """A cookbook on an endpoint; ``reason`` says why there is no grade."""

    cookbook: CookbookRecord
    grade: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GateSummary:
    """A gate that was selected, with its verdict (None: not reached)."""

    gate: GateRecord
    endpoint: str
    recipe: RecipeRecord | None = None
    cookbook: CookbookRecord | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as reports read it: ``samples`` iterates afresh at each call, row by row from the ledger."""

    info: RunInfo
    ended: float | None
    complete: bool
    recipes: tuple[RecipeSummary, ...]
    cookbooks: tuple[CookbookSummary, ...]
    gates: tuple[GateSummary, ...]
    rows: Callable[[str], Iterator[Row]]
    totals: Totals = field(default_factory=Totals)
    notes: Sequence[str] = ()

    @property
    def samples(self) -> Iterator[tuple[RecipeRecord, Row]]:
        """Every unit of every recipe, in plan order."""
        for summary in self.recipes:
            for row in self.rows(summary.recipe.id):
                yield summary.recipe, row
