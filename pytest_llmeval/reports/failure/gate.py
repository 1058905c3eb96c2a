"""A condition that does not hold, or that cannot be judged."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_llmeval.core.measures import Condition
from pytest_llmeval.core.naming import short_id
from pytest_llmeval.core.numbers import ABSENT, apart, count, figure_text, number, told_apart
from pytest_llmeval.core.record import GateRecord, RecipeRecord
from pytest_llmeval.core.result import Figure, Verdict
from pytest_llmeval.core.shell import Shell
from pytest_llmeval.core.summary import RecipeSummary
from pytest_llmeval.core.text import one_line, trim

from .texts import columns, ends, place

#: measures that tell nothing of which answers were bad
_NOT_OF_ANSWERS = frozenset({"latency", "tokens", "cost", "errors", "truncated"})


def failed_gate(
    recipe: RecipeSummary,
    gate: GateRecord,
    verdict: Verdict,
    *,
    worst: Sequence[str] = (),
    shell: Shell | None = None,
) -> str:
    """A condition that does not hold: figure, interval, n, threshold, groups, the worst samples with their ids.

    ``worst`` are the node ids of those that did worst by this condition.
    """
    condition = gate.condition
    if condition.measure == "grade":
        about = _grade(recipe.recipe, condition, verdict)
    else:
        about = _against(recipe, condition, verdict.figure or Figure(None, 0))
    lines = [f"{place(condition.origin, recipe.recipe.path)}: {one_line(condition.text)} does not hold", "", about]
    lines += _of_which(recipe)
    measure = condition.measure
    if measure == "grade" and recipe.recipe.grading is not None:
        measure = recipe.recipe.grading.measure
    lines += _groups(recipe, measure)
    if worst:
        lines.append(_worst(recipe, worst, shell or Shell(), of_answers=measure not in _NOT_OF_ANSWERS))
    return "\n".join(lines)


def unmeasurable(gate: GateRecord, verdict: Verdict, recipe: RecipeSummary | None = None, *, asks: bool = True) -> str:
    """A condition that cannot be judged: why, what figure there is, what would help (where the next run ``asks``)."""
    condition = gate.condition
    lines = [
        f"{place(condition.origin)}: {one_line(condition.text)} cannot be judged",
        trim(one_line(verdict.reason), 600) or "no figure",
    ]
    there = []
    if verdict.figure is not None and verdict.figure.value is not None:
        label = (condition.measure, condition.statistic)
        answers = "" if recipe is None else _answers(recipe, verdict.figure.n)
        there.append(f"What is there: {figure_text(verdict.figure, *label)}, n = {verdict.figure.n:,}{answers}.")
    if asks and recipe is not None and (missing := recipe.counts.errors + recipe.counts.not_asked):
        there.append(f"Run again: only {'that 1 is' if missing == 1 else f'those {missing:,} are'} asked.")
    return "\n".join([*lines, " ".join(there)] if there else lines)


def failed_grade(gate: GateRecord, verdict: Verdict) -> str:
    """A cookbook's own condition that does not hold."""
    condition = gate.condition
    worst = one_line(verdict.reason) or "a cookbook's grade is the worst of its recipes'"
    return (
        f"{place(condition.origin)}: {one_line(condition.text)} does not hold\n\n"
        f"grade {one_line(verdict.grade or ABSENT)}      threshold {one_line(condition.label or ABSENT)}\n{worst}"
    )


def _answers(recipe: RecipeSummary, n: int) -> str:
    counts = recipe.counts
    answers = counts.passed + counts.missed + counts.refused + counts.metric_errors
    return "" if answers == n else f" ({count(answers, 'answer')})"


def _against(recipe: RecipeSummary, condition: Condition, figure: Figure) -> str:
    """``exact_match  0.42 (0.20-0.67), n = 12 (24 answers)      threshold 0.60, short by 0.18``."""
    which = (condition.measure, condition.statistic)
    measure = recipe.recipe.measures.get(condition.measure)
    default = measure is None or measure.statistic == condition.statistic
    label = condition.measure if default else f"{condition.measure}.{condition.statistic}"
    found = f"{label}  {figure_text(figure, *which)}, n = {figure.n:,}{_answers(recipe, figure.n)}"
    if figure.value is None:
        return found
    exact, limit = told_apart(figure, condition.value, *which)
    gap = apart(abs(figure.value - condition.value), 0.0, *which)[0]
    words = {">=": "short by", ">": "short by", "<=": "over by", "<": "over by", "==": "off by"}
    by = f"{words[condition.operator]} {gap}" if round(figure.value - condition.value, 9) else "which it only equals"
    return f"{found}{exact}      threshold {limit}, {by}"


def _grade(recipe: RecipeRecord, condition: Condition, verdict: Verdict) -> str:
    grading = recipe.grading
    bands = {band.label: band for band in grading.bands} if grading else {}
    label = condition.label or ABSENT
    band = f" ({bands[label].low} to {bands[label].high})" if label in bands else ""
    figure = verdict.figure
    of = (
        ""
        if grading is None or figure is None
        else (f" of {grading.measure} {figure_text(figure, grading.measure, grading.statistic)}, n = {figure.n:,}")
    )
    return one_line(f"grade {verdict.grade or ABSENT}{of}      threshold {label}{band}")


def _of_which(recipe: RecipeSummary) -> list[str]:
    parts = [one_line(recipe.recipe.subset)] if recipe.recipe.subset else []
    parts += [count(recipe.counts.skipped, "row skipped", "rows skipped")] if recipe.counts.skipped else []
    return ["; ".join(parts)] if parts else []


def _groups(recipe: RecipeSummary, measure: str) -> list[str]:
    groups = [group for group in recipe.groups if measure in group.figures]
    if len(recipe.groups) < 2 or not groups:
        return []
    rows = [
        (
            trim(one_line(" ".join(part for part in (group.group.dataset, group.group.template) if part)), 48),
            number(group.figures[measure].value, measure),
            f"n {group.n:,}",
        )
        for group in groups
    ]
    return ends(columns(rows, "  "), 10, 5, "group")


def _worst(recipe: RecipeSummary, worst: Sequence[str], shell: Shell, *, of_answers: bool) -> str:
    names = list(dict.fromkeys(short_id(nodeid, recipe.recipe.endpoint) for nodeid in worst))[:5]
    missed = recipe.counts.missed + recipe.counts.refused
    shown = ", ".join(trim(one_line(name), 60) for name in names)
    if not of_answers or not missed:
        return f"worst: {shown}"
    command = shell.pytest(recipe.recipe.path, "--llmeval-missed", "-vv")
    return f"worst: {shown}     {missed:,} missed; all: {command}"
