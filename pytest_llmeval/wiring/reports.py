"""From the ledger to what a run came to."""

from __future__ import annotations

from pathlib import Path

from ..core.events import ProgressEvent
from ..core.record import RunLedger
from ..core.summary import GateSummary, RunRecord
from ..grading.grades import Graded
from ..grading.summary import summarize, summarize_cookbook
from ..state.sqlite.opening import discard_temporary
from ..state.sqlite.outside import stop_from_outside
from ..state.sqlite.progress import progress_from_outside
from ..state.sqlite.store import SqliteStore


def read_run(state: Path, run: str, root: Path, *, complete: bool) -> RunRecord:
    """End a run in the ledger and sum it up; ``complete`` False where it was cut short.

    Raises StateError where the state cannot be read.
    """
    store = SqliteStore.open(state, run, root=root)
    try:
        stopped = store.run_stopped().result()
        whole = complete and not stopped and store.read().settled
        store.end(complete=whole).result()
        return sum_up(store.read())
    finally:
        store.close()


def stop_run(state: Path, run: str, reason: str) -> bool:
    """Stop a run from a process that takes no part in it; False where no process has begun it."""
    return stop_from_outside(state, run, reason)


def progress_of(state: Path, run: str) -> ProgressEvent | None:
    """How far a run is, from a process that takes no part in it; None where that cannot be told now."""
    return progress_from_outside(state, run)


def peek_run(state: Path, run: str, root: Path) -> RunRecord:
    """A run as it stands, without ending it. Raises StateError where the state cannot be read."""
    store = SqliteStore.open(state, run, root=root)
    try:
        return sum_up(store.read())
    finally:
        store.close()


def forget_temporary(run: str) -> None:
    """Remove the state of a run that could be kept nowhere else: after its reports, when its processes are gone."""
    discard_temporary(run)


def sum_up(ledger: RunLedger) -> RunRecord:
    """Figures, grades and verdicts of a run, from the ledger alone; the rows stay there and are read as needed."""
    counted: set[str] = set()
    recipes = tuple(summarize(recipe, ledger.rows(recipe.id), counted) for recipe in ledger.recipes)
    graded = {summary.recipe.id: Graded.of(summary) for summary in recipes}
    gates = [
        GateSummary(gate, recipe.endpoint, recipe=recipe, verdict=ledger.verdicts.get(gate.id))
        for recipe in ledger.recipes
        for gate in recipe.gates
    ]
    gates += [
        GateSummary(gate, cookbook.endpoint, cookbook=cookbook, verdict=ledger.verdicts.get(gate.id))
        for cookbook in ledger.cookbooks
        for gate in cookbook.gates
    ]
    return RunRecord(
        info=ledger.info,
        ended=ledger.ended,
        complete=ledger.complete,
        recipes=recipes,
        cookbooks=tuple(summarize_cookbook(cookbook, graded) for cookbook in ledger.cookbooks),
        # a gate without a verdict was not selected, or the run ended before it
        gates=tuple(gate for gate in gates if gate.verdict is not None),
        rows=ledger.rows,
        totals=ledger.totals,
        notes=ledger.notes,
    )
