"""What the ledger keeps of a run: plain frozen data, enough to grade and report without the files it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .measures import Condition, Grading, Measure
from .result import Outcome, Verdict
from .sample import NOWHERE, Message, Origin


@dataclass(frozen=True, slots=True)
class Group:
    """One dataset under one template on one endpoint."""

    dataset: str
    template: str | None


@dataclass(frozen=True, slots=True)
class GateRecord:
    """One condition of a recipe or cookbook on one endpoint; ``id`` is its node id."""

    id: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class RecipeRecord:
    """A recipe on one endpoint, as planned.

    ``id`` names it in the ledger (``path[endpoint]``); ``recipe`` is the file's id. ``measures`` are its metrics
    (``metrics``, in order) and the built-in ones. ``max_errors``: an int is a count, a float a share. ``subset``
    describes a sampling by name, for people. ``headline`` is the measure whose figure the table shows. ``units`` is
    how many are planned.
    """

    id: str
    recipe: str
    path: str
    title: str
    endpoint: str
    groups: tuple[Group, ...]
    measures: Mapping[str, Measure]
    gates: tuple[GateRecord, ...]
    headline: str
    description: str = ""
    model: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    grading: Grading | None = None
    max_errors: int | float = 0
    repeats: int = 1
    clustered: bool = False
    extracts: bool = False
    subset: str = ""
    priced: bool = True
    units: int = 0
    #: dataset id -> SHA-256 of its content, licence
    datasets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: place in the run's order of collection
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """One response to be had: a sample under a template on an endpoint, the nth time it is asked.

    ``id`` is unique within its recipe on its endpoint, ``nodeid`` what pytest calls its item.
    """

    id: str
    nodeid: str
    ordinal: int
    key: str
    sample: str
    dataset: str
    template: str | None
    repeat: int
    messages: tuple[Message, ...]
    targets: tuple[str, ...]
    cluster: str | None = None
    skip: str | None = None
    xfail: bool = False
    origin: Origin = NOWHERE
    #: whether this run was to settle it: its item is selected, or a gate that needs it
    selected: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """A planned unit with its outcome (None while it is not settled). ``selected`` is the unit's own."""

    unit: UnitRecord
    outcome: Outcome | None
    selected: bool = True


@dataclass(frozen=True, slots=True)
class CookbookRecord:
    """A cookbook on one endpoint: the ledger ids of its recipes, in order, and its own gates on ``grade``."""

    id: str
    cookbook: str
    path: str
    title: str
    endpoint: str
    recipes: tuple[str, ...]
    gates: tuple[GateRecord, ...] = ()
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One pytest session. ``environment`` holds plain facts (python, platform, versions, git, options)."""

    id: str
    started: float
    root: str = ""
    environment: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run's requests came to, whatever they were asked for (a fixture's too).

    ``asked`` are distinct requests that were sent, ``unanswered`` how many of them no answer came to; ``attempts``
    counts every sending. ``tokens`` and ``cost`` are those of the answers, None where one came without.
    """

    asked: int = 0
    cached: int = 0
    attempts: int = 0
    tokens: int | None = 0
    cost: float | None = 0.0
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class RunLedger:
    """A run as the ledger holds it. ``rows(recipe id)`` reads afresh at each call, in plan order.

    ``settled``: all that was selected has an outcome.
    """

    info: RunInfo
    ended: float | None
    complete: bool
    recipes: tuple[RecipeRecord, ...]
    cookbooks: tuple[CookbookRecord, ...]
    verdicts: Mapping[str, Verdict]
    rows: Callable[[str], Iterator[Row]]
    settled: bool
    totals: Totals = Totals()
    notes: Sequence[str] = ()
