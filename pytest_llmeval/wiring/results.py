"""From a recipe's outcomes to what a test asserts."""

from __future__ import annotations

from functools import partial

from ..core.assertable import Measured, Result
from ..core.condition import parse_measure
from ..core.errors import Unmeasurable
from ..core.summary import RecipeSummary
from ..grading.figures import figure
from ..grading.measurable import unmeasurable
from ..grading.tally import Tally
from ..grading.worst import worst_by


def result_of(tally: Tally, summary: RecipeSummary) -> Result:
    """A recipe's result; figures are made when they are asked for."""
    return Result(summary, partial(_measured, tally, summary))


def _measured(tally: Tally, summary: RecipeSummary, name: str) -> Measured:
    """As a gate judges it. Raises KeyError for no measure of the recipe, Unmeasurable where there is no figure."""
    __tracebackhide__ = True
    known = {measure: one for measure, one in tally.recipe.measures.items() if measure != "grade"}
    try:
        measure, statistic = parse_measure(name, known)
    except ValueError as error:
        raise KeyError(str(error)) from None
    found = figure(tally, measure.name, statistic)
    reason = unmeasurable(tally, measure.name, statistic) or found.reason
    if reason:
        raise Unmeasurable(f"{name} of {summary.recipe.path} on {summary.recipe.endpoint} has no figure: {reason}")
    worst = tuple(sample.nodeid for sample in worst_by(tally, measure.name))
    return Measured(found, measure.name, statistic, summary, worst)
