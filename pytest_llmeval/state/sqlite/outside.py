"""What a process may do to a run in which it takes no part."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from . import ledger
from .opening import actual_path, connect
from .schema import VERSION, version


def stop_from_outside(path: Path, run: str, reason: str) -> bool:
    """Enter a stop of the run, if its first process has begun it (else False, as where there is no state to write to).

    A connection for one row, without an owner's file and a writer's thread: this is done while somebody waits.
    """
    place = actual_path(path, run)
    if not place.is_file():
        return False
    try:
        with closing(connect(place)) as connection:
            if version(connection) != VERSION:
                return False
            connection.execute("BEGIN IMMEDIATE")
            known = connection.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone() is not None
            if known:
                ledger.stop(connection, run, "", reason)
            connection.execute("COMMIT")
            return known
    except sqlite3.DatabaseError:
        return False
