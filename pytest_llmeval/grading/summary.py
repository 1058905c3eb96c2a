"""A recipe's rows to what reports and the terminal show of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_llmeval.core.record import CookbookRecord, RecipeRecord, Row
from pytest_llmeval.core.result import Figure
from pytest_llmeval.core.summary import CookbookSummary, RecipeSummary

from .counts import Counting
from .figures import figure, groups
from .grades import Graded, cookbook_grade, grade
from .tally import Tally, tally
from .worst import worst_by


def summarize(recipe: RecipeRecord, rows: Iterable[Row], earlier_keys: set[str] | None = None) -> RecipeSummary:
    """Sum a recipe up, in one pass over its rows.

    ``earlier_keys`` are the requests already counted as asked by recipes before it in plan order; this one's are added.
    """
    counting = Counting(set() if earlier_keys is None else earlier_keys)
    return summary_of(tally(recipe, counting.through(rows)), counting)


def summary_of(found: Tally, counting: Counting) -> RecipeSummary:
    """The summary of a tally whose rows went through ``counting``."""
    recipe = found.recipe
    label, reason = grade(found)
    return RecipeSummary(
        recipe=recipe,
        counts=counting.counts(),
        measures=_measures(found),
        groups=groups(found),
        grade=label,
        why_no_grade=reason,
        selected=found.selected,
        worst=tuple(sample.nodeid for sample in worst_by(found, recipe.headline)),
    )


def summarize_cookbook(cookbook: CookbookRecord, graded: Mapping[str, Graded]) -> CookbookSummary:
    """A cookbook's grade; ``graded`` by the ledger ids of its recipes (``Graded.of`` makes one of a summary)."""
    label, reason = cookbook_grade(cookbook, graded)
    return CookbookSummary(cookbook, label, reason)


def _measures(found: Tally) -> dict[str, Figure]:
    """All that have a figure, and without a value those that a metric's error took it from."""
    figures = {name: figure(found, name) for name in found.recipe.measures if name != "grade"}
    return {name: one for name, one in figures.items() if one.value is not None or name in found.raised}
