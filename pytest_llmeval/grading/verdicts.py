"""Verdicts: whether a condition holds, on which figure, or why it cannot be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_llmeval.core.measures import Condition, Operator
from pytest_llmeval.core.record import CookbookRecord
from pytest_llmeval.core.result import Figure, Verdict

from .figures import figure
from .grades import Graded, cookbook_grade, grade, meets
from .measurable import unmeasurable
from .tally import Tally


def judge(tally: Tally, condition: Condition) -> Verdict:
    """A recipe's condition. An unmeasurable one has the figure of what is there, where there is one."""
    if condition.measure == "grade":
        return _judge_grade(tally, condition)
    found = figure(tally, condition.measure, condition.statistic)
    reason = unmeasurable(tally, condition.measure, condition.statistic)
    if reason or found.value is None:
        return Verdict("unmeasurable", found, reason=reason or found.reason)
    return Verdict("passed" if holds(found.value, condition.operator, condition.value) else "failed", found)


def holds(value: float, operator: Operator, bound: float) -> bool:
    """A comparison at nine decimals: 3 of 5 is at least 0.6 in whatever order it was summed."""
    left, right = round(value, 9), round(bound, 9)
    match operator:
        case ">=":
            return left >= right
        case ">":
            return left > right
        case "<=":
            return left <= right
        case "<":
            return left < right
        case "==":
            return left == right


def judge_recipe(tally: Tally, verdicts: Sequence[Verdict]) -> Verdict:
    """A recipe as a whole: all its gates hold; without any, what its table shows is measurable."""
    if not verdicts:
        measure = tally.recipe.headline
        statistic = tally.recipe.measures[measure].statistic
        found, reason = figure(tally, measure, statistic), unmeasurable(tally, measure, statistic)
        return Verdict("unmeasurable" if reason else "passed", found, reason=reason)
    for kind in ("failed", "unmeasurable"):
        for verdict in verdicts:
            if verdict.kind == kind:
                return verdict
    return verdicts[0]


def judge_cookbook(condition: Condition, cookbook: CookbookRecord, graded: Mapping[str, Graded]) -> Verdict:
    """A cookbook's condition on ``grade``; ``graded`` by the ledger ids of its recipes."""
    label, reason = cookbook_grade(cookbook, graded)
    if label is None:
        return Verdict("unmeasurable", reason=reason)
    labels = graded[cookbook.recipes[0]].labels
    if condition.label not in labels:
        return Verdict("unmeasurable", grade=label, reason=f"its recipes' scale has no label {condition.label!r}")
    return Verdict("passed" if meets(condition, label, labels) else "failed", grade=label)


def _judge_grade(tally: Tally, condition: Condition) -> Verdict:
    grading = tally.recipe.grading
    if grading is None:
        return Verdict("unmeasurable", reason="the recipe has no grading")
    found: Figure = figure(tally, grading.measure, grading.statistic)
    label, reason = grade(tally)
    if label is None:
        return Verdict("unmeasurable", found, reason=reason)
    return Verdict("passed" if meets(condition, label, grading.labels) else "failed", found, grade=label)
