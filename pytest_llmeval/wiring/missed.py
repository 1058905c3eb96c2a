"""Which items did not go well when they last ran, as the ledger has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core.clock import SystemClock
from ..core.errors import StateError
from ..state.sqlite.reading import latest

#: outcomes of samples, verdicts of gates
CALLS_FOR_ANOTHER_LOOK = frozenset(
    {"missed", "refused", "error", "metric_error", "not_asked", "failed", "unmeasurable"}
)


def latest_results(state: Path, run: str, before: float) -> tuple[Mapping[str, str], str]:
    """By id what became last of every item in runs that ended before, and why nothing is known where that is so.

    ``run`` is this one, which does not count.
    """
    if not state.exists():
        return {}, "there is no state yet"
    try:
        return latest(state, before, but=run, now=SystemClock().now()), ""
    except StateError as error:
        return {}, str(error)


def choose(ids: Sequence[str | None], known: Mapping[str, str]) -> list[bool] | None:
    """Whether each item is chosen; None where nothing is known of any, so that there is nothing to choose by.

    ``ids`` are the ledger's, None for what it does not hold.
    """
    if not any(id_ in known for id_ in ids):
        return None
    return [known.get(id_ or "") in CALLS_FOR_ANOTHER_LOOK for id_ in ids]
