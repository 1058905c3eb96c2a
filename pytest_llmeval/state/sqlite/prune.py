"""Removing what is stored: nothing of it goes by itself."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from ...core.clock import Clock
from . import ledger
from .cache import DAY
from .codec import dumps
from .opening import open_file, owners_folder
from .owners import Owners


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many went, and what the file took before and takes now (bytes)."""

    responses: int
    runs: int
    before: int
    after: int


def prune(path: Path, clock: Clock, days: float | None = None) -> Pruned:
    """Remove answers and runs that are older than ``days`` (None: all of them); what is under way stays.

    Raises StateError where the file cannot be used.
    """
    # all: whatever the clock said when it was stored
    until = math.inf if days is None else clock.now() - days * DAY
    opened = open_file(path, "prune", clock)
    connection = opened.connection
    try:
        before = opened.path.stat().st_size
        owners = Owners(owners_folder(opened.path))
        owners.clear()
        connection.execute("BEGIN IMMEDIATE")
        live = _live_runs(connection, owners)
        responses = connection.execute(
            "DELETE FROM responses WHERE created <= ? AND scope NOT IN (SELECT value FROM json_each(?))",
            (until, dumps(live)),
        ).rowcount
        runs = [run for (run,) in connection.execute("SELECT id FROM runs WHERE started <= ?", (until,)).fetchall()]
        gone = [run for run in runs if run not in live]
        for run in gone:
            _remove(connection, run)
        connection.execute(
            "DELETE FROM texts WHERE digest NOT IN (SELECT body FROM units)"
            " AND digest NOT IN (SELECT response FROM outcomes WHERE response IS NOT NULL)"
        )
        connection.execute("COMMIT")
        # a run that is under way does not let the file shrink; it reuses the room
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA busy_timeout = 100")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Pruned(responses, len(gone), before, opened.path.stat().st_size)
    finally:
        connection.close()
        opened.owner.close()


def _live_runs(connection: sqlite3.Connection, owners: Owners) -> list[str]:
    rows = connection.execute("SELECT DISTINCT run FROM owners").fetchall()
    return [run for (run,) in rows if ledger.living(connection, run, lambda owner: owners.alive(owner, 0))]


def _remove(connection: sqlite3.Connection, run: str) -> None:
    ledger.sweep(connection, run)
    for table in ("units", "outcomes"):
        connection.execute(
            f"DELETE FROM {table} WHERE recipe IN (SELECT n FROM recipes WHERE run = ?)",  # noqa: S608 - names of our own
            (run,),
        )
    for table in ("recipes", "cookbooks", "verdicts", "notes", "spent"):
        connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))  # noqa: S608 - names of our own
    connection.execute("DELETE FROM runs WHERE id = ?", (run,))
