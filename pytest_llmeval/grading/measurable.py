"""Whether a condition can be judged, and in words why not."""

from __future__ import annotations

from pytest_llmeval.core.record import RecipeRecord

from .figures import SERVICE, describe, figure
from .tally import Tally


def unmeasurable(tally: Tally, measure: str, statistic: str) -> str:
    """Why nothing can be said of this figure; empty where it can.

    Answers may be missing up to ``max_errors``; ``errors``, ``refused``, ``truncated`` and ``latency`` are told once
    one answer came. A subset that a selection left is never judged.
    """
    if not tally.wanted:
        return "every row is skipped"
    if tally.left_out or not tally.answered:
        return _missing(tally)
    if measure not in SERVICE:
        if _too_many_missing(tally):
            return _missing(tally)
        empty = _empty_groups(tally)
        if empty:
            return empty
    return figure(tally, measure, statistic).reason


def _too_many_missing(tally: Tally) -> bool:
    missing, allowed = tally.missing.count, tally.recipe.max_errors
    if isinstance(allowed, int):
        return missing > allowed
    return round(missing / tally.wanted, 9) > round(allowed, 9)


def _missing(tally: Tally) -> str:
    count = tally.missing.count
    are = "answer is" if tally.wanted == 1 else "answers are"
    return f"{count:,} of {tally.wanted:,} {are} missing, max_errors is {_allowed(tally.recipe)}: {tally.missing}"


def _allowed(recipe: RecipeRecord) -> str:
    allowed = recipe.max_errors
    return f"{allowed:,}" if isinstance(allowed, int) else f"{100 * allowed:.10g}%"


def _empty_groups(tally: Tally) -> str:
    """Groups without any answer: a mean over the others would be the figure of another recipe."""
    units = tally.units
    answered = {units.group[place] for place, error in enumerate(units.values["errors"]) if not error}
    empty = [number for number in range(len(tally.groups)) if number not in answered]
    if not empty:
        return ""
    where = ", ".join(describe(tally.groups[number]) for number in empty)
    if all(number not in tally.present for number in empty):
        return f"every row of {where} is skipped"
    return f"no answer came for {where}: {tally.missing}"
