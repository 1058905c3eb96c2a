"""One pass over a recipe's rows to what its figures need: numbers in arrays, a few names of what is missing."""

from __future__ import annotations

from array import array
from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import nan

from pytest_llmeval.core.record import Group, RecipeRecord, Row, UnitRecord
from pytest_llmeval.core.result import Outcome
from pytest_llmeval.core.text import one_line, trim

#: how many of a kind are named in a reason
NAMED = 5
_BUILT_IN = ("latency", "tokens", "cost", "errors", "refused", "truncated", "passed", "missed")
_NOT_REACHED = "not reached"
_DESELECTED = "not asked"


class Few:
    """Counts all, names the first few in plan order (whatever order they come in)."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[tuple[int, str, str]] = []

    def add(self, ordinal: int, name: str, why: str) -> None:
        self.count += 1
        if len(self._first) < NAMED or ordinal < self._first[-1][0]:
            insort(self._first, (ordinal, name, why))
            del self._first[NAMED:]

    def __str__(self) -> str:
        """``kenya (timeout after 5 attempts), oman (same) and 3 more``."""
        shown, before = [], ""
        for _, name, why in self._first:
            shown.append(f"{name} ({'same' if why == before else why})")
            before = why
        rest = self.count - len(shown)
        return ", ".join(shown) + (f" and {rest:,} more" if rest else "")


@dataclass(slots=True)
class Units:
    """The units that were asked, one place each in every array.

    ``group`` and ``sample`` are numbers; ``values`` holds each measure's value, NaN where there is none.
    """

    nodeids: list[str] = field(default_factory=list)
    ordinals: array[int] = field(default_factory=lambda: array("q"))
    group: array[int] = field(default_factory=lambda: array("l"))
    sample: array[int] = field(default_factory=lambda: array("l"))
    values: dict[str, array[float]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.nodeids)


@dataclass(slots=True)
class Tally:
    """What became of a recipe's rows. ``sample`` numbers lead to ``names`` and to ``observations``.

    ``wanted`` counts the units that an answer is wanted of (all but skipped rows), ``answered`` those that have one,
    ``asked`` those that a selection left in (skipped rows among them), ``left_out`` those that it did not.
    ``present`` are the groups of which something was asked, ``raised`` what metrics failed on, ``unscored`` how many
    answers came without a measure's value.
    """

    recipe: RecipeRecord
    groups: tuple[Group, ...]
    units: Units = field(default_factory=Units)
    names: list[str] = field(default_factory=list)
    observations: array[int] = field(default_factory=lambda: array("l"))
    wanted: int = 0
    answered: int = 0
    asked: int = 0
    left_out: int = 0
    present: set[int] = field(default_factory=set)
    missing: Few = field(default_factory=Few)
    raised: dict[str, Few] = field(default_factory=dict)
    unscored: dict[str, int] = field(default_factory=dict)

    @property
    def selected(self) -> int | None:
        """How many units were selected, where a selection asked only a part."""
        return self.asked if self.left_out else None

    @property
    def averaged(self) -> list[int]:
        """The groups that a figure is the mean over: all, or those asked where a selection asked only a part."""
        return [g for g in range(len(self.groups)) if not self.left_out or g in self.present]


def tally(recipe: RecipeRecord, rows: Iterable[Row]) -> Tally:
    """Sum a recipe's rows up, in one pass."""
    return _Pass(recipe).over(rows)


class _Pass:
    """Numbers groups, samples and observations as they come; no figure depends on the numbers."""

    def __init__(self, recipe: RecipeRecord) -> None:
        self._tally = Tally(recipe, recipe.groups)
        self._metrics = recipe.metrics
        for name in (*recipe.metrics, *_BUILT_IN):
            self._tally.units.values[name] = array("d")
        self._groups = {group: number for number, group in enumerate(recipe.groups)}
        self._samples: dict[tuple[str, str], int] = {}
        self._clusters: dict[tuple[str, str], int] = {}
        self._datasets = len({group.dataset for group in recipe.groups})
        self._templates = len({group.template for group in recipe.groups})

    def over(self, rows: Iterable[Row]) -> Tally:
        for row in rows:
            self._add(row)
        return self._tally

    def _add(self, row: Row) -> None:
        unit, outcome, tally = row.unit, row.outcome, self._tally
        tally.asked += row.selected or outcome is not None
        if unit.skip is not None or (outcome is not None and outcome.kind == "skipped"):
            return
        tally.wanted += 1
        if outcome is None:
            tally.left_out += not row.selected
            tally.missing.add(unit.ordinal, self._name(unit), _NOT_REACHED if row.selected else _DESELECTED)
            if row.selected:
                tally.present.add(self._groups[Group(unit.dataset, unit.template)])
            return
        group = self._groups[Group(unit.dataset, unit.template)]
        tally.present.add(group)
        units = tally.units
        units.nodeids.append(unit.nodeid)
        units.ordinals.append(unit.ordinal)
        units.group.append(group)
        units.sample.append(self._sample(unit))
        values = _values(outcome)
        if outcome.answered:
            tally.answered += 1
            values |= self._scores(unit, outcome)
            for name, value in values.items():
                if value is None:
                    tally.unscored[name] = tally.unscored.get(name, 0) + 1
        else:
            tally.missing.add(unit.ordinal, self._name(unit), _short(outcome.error or outcome.kind))
        for name, column in units.values.items():
            value = values.get(name)
            column.append(nan if value is None else value)

    def _scores(self, unit: UnitRecord, outcome: Outcome) -> dict[str, float | None]:
        """The metrics' scores; a metric that gave none at all raised."""
        scores: dict[str, float | None] = {}
        for name in self._metrics:
            score = outcome.scores.get(name)
            scores[name] = None if score is None else score.value
            if score is None:
                self._raised(name, unit, outcome)
        if outcome.kind == "metric_error":
            self._raised("passed", unit, outcome)
            self._raised("missed", unit, outcome)
        return scores

    def _raised(self, measure: str, unit: UnitRecord, outcome: Outcome) -> None:
        few = self._tally.raised.setdefault(measure, Few())
        few.add(unit.ordinal, self._name(unit), _short(outcome.error or "no score"))

    def _sample(self, unit: UnitRecord) -> int:
        tally, key = self._tally, (unit.dataset, unit.sample)
        number = self._samples.get(key)
        if number is None:
            number = self._samples[key] = len(tally.names)
            tally.names.append(unit.sample if self._datasets == 1 else f"{unit.dataset}/{unit.sample}")
            observation = number
            if tally.recipe.clustered and unit.cluster is not None:
                observation = self._clusters.setdefault((unit.dataset, unit.cluster), number)
            tally.observations.append(observation)
        return number

    def _name(self, unit: UnitRecord) -> str:
        """The sample, with dataset, template and repeat where these tell it from others."""
        parts = [unit.sample if self._datasets == 1 else f"{unit.dataset}/{unit.sample}"]
        if self._templates > 1 and unit.template is not None:
            parts.append(unit.template)
        if self._tally.recipe.repeats > 1:
            parts.append(f"r{unit.repeat}")
        return "-".join(parts)


def _values(outcome: Outcome) -> dict[str, float | None]:
    """The built-in measures of one response, as the outcome tells them; None where unknown."""
    response = outcome.response
    if not outcome.answered:
        return {"errors": 1.0}
    decided = outcome.kind != "metric_error"
    return {
        "errors": 0.0,
        "latency": None if response is None else response.latency,
        "tokens": None if response is None else response.tokens,
        "cost": None if response is None else response.cost,
        "refused": float(outcome.kind == "refused" or (response is not None and response.refused)),
        "truncated": float(response is not None and response.truncated),
        "passed": float(outcome.good) if decided else None,
        "missed": float(not outcome.good) if decided else None,
    }


def _short(text: str) -> str:
    return trim(one_line(text.strip()), 120)
