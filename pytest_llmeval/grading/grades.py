"""The band of a figure, the grade of a recipe, the grade of a cookbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_llmeval.core.measures import Band, Condition, range_of
from pytest_llmeval.core.record import CookbookRecord
from pytest_llmeval.core.summary import RecipeSummary

from .figures import figure
from .measurable import unmeasurable
from .tally import Tally


@dataclass(frozen=True, slots=True)
class Graded:
    """A recipe's grade for a cookbook: its scale's labels, best first (none: it has no grading)."""

    recipe: str
    labels: tuple[str, ...]
    grade: str | None
    reason: str = ""

    @classmethod
    def of(cls, summary: RecipeSummary) -> Graded:
        grading = summary.recipe.grading
        labels = () if grading is None else grading.labels
        return cls(summary.recipe.recipe, labels, summary.grade, summary.why_no_grade)


def grade(tally: Tally) -> tuple[str | None, str]:
    """The label of a recipe's figure, or None and why there is none (no reason where it has no grading)."""
    recipe = tally.recipe
    if recipe.grading is None:
        return None, ""
    if tally.selected is not None:
        return None, f"{tally.selected:,} of {max(recipe.units, tally.asked + tally.left_out):,} selected"
    measure, statistic = recipe.grading.measure, recipe.grading.statistic
    reason = unmeasurable(tally, measure, statistic)
    value = None if reason else figure(tally, measure, statistic).value
    if value is None:
        return None, reason
    share = range_of(recipe.measures[measure], statistic) == (0.0, 1.0)
    label = band(recipe.grading.bands, value, share=share)
    return label, "" if label is not None else f"no band of the scale holds {step(value, share=share)}"


def step(value: float, *, share: bool) -> int:
    """The whole step from 0 to 100 that a figure stands on: cut, not rounded, but for the ninth decimal's noise."""
    return int(round(100 * value if share else value, 9))


def band(bands: Sequence[Band], value: float, *, share: bool) -> str | None:
    """The label of the first band, in the file's order, that holds the figure."""
    whole = step(value, share=share)
    return next((found.label for found in bands if found.low <= whole <= found.high), None)


def meets(condition: Condition, label: str, labels: Sequence[str]) -> bool:
    """Whether a grade meets a condition; a better grade is greater. ``labels`` best first, both grades among them."""
    assert condition.label is not None
    worse = labels.index(label) - labels.index(condition.label)
    match condition.operator:
        case ">=":
            return worse <= 0
        case ">":
            return worse < 0
        case "<=":
            return worse >= 0
        case "<":
            return worse > 0
        case "==":
            return worse == 0


def cookbook_grade(cookbook: CookbookRecord, graded: Mapping[str, Graded]) -> tuple[str | None, str]:
    """The worst of a cookbook's grades, the one furthest from the better end, or None and why there is none.

    ``graded`` by the ledger ids that ``cookbook.recipes`` has.
    """
    found = [graded.get(name) for name in cookbook.recipes]
    known = [one for one in found if one is not None]
    if not known:
        return None, "none of its recipes has run"
    scales = {one.labels for one in known}
    if len(scales) > 1:
        first = known[0]
        other = next(one for one in known if one.labels != first.labels)
        return None, f"unlike scales: {_scale(first)}, {_scale(other)}"
    for name, one in zip(cookbook.recipes, found, strict=True):
        if one is None:
            return None, f"{name} has not run"
        if one.grade is None:
            return None, f"{one.recipe} has no grade" + (f" ({one.reason})" if one.reason else "")
    labels = known[0].labels
    return max((one.grade for one in known if one.grade is not None), key=labels.index), ""


def _scale(graded: Graded) -> str:
    return f"{graded.recipe} has {', '.join(graded.labels) if graded.labels else 'no grading'}"
