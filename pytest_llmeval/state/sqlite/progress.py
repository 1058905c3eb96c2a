"""How far a run is, counted over the ledger and the requests; cheap, looked at about once a second."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ...core.events import ProgressEvent
from .opening import actual_path, connect
from .requests import totals
from .schema import VERSION, version


def progress(connection: sqlite3.Connection, run: str) -> ProgressEvent | None:
    """Without times; None for a run that nobody has begun. Rows that their file skips count nowhere."""
    if connection.execute("SELECT 1 FROM runs WHERE id = ?", (run,)).fetchone() is None:
        return None
    of_run = "recipe IN (SELECT n FROM recipes WHERE run = ?)"
    (selected,) = connection.execute(f"SELECT count(*) FROM units WHERE {of_run} AND selected", (run,)).fetchone()  # noqa: S608 - a text of our own
    kinds = dict(connection.execute(f"SELECT kind, count(*) FROM outcomes WHERE {of_run} GROUP BY kind", (run,)))  # noqa: S608 - as above
    skipped = kinds.pop("skipped", 0)
    (in_flight,) = connection.execute("SELECT count(*) FROM claims WHERE run = ?", (run,)).fetchone()
    (waiting,) = connection.execute(
        "SELECT count(*) FROM pending WHERE run = :run AND attempts > 0"
        " AND key NOT IN (SELECT key FROM claims WHERE run = :run)",
        {"run": run},
    ).fetchone()
    requests = totals(connection, run)
    return ProgressEvent(
        done=sum(kinds.values()),
        total=selected - skipped,
        in_flight=in_flight,
        waiting=waiting,
        cached=requests.cached,
        refused=kinds.get("refused", 0),
        tokens=requests.tokens,
        cost=requests.cost,
    )


def progress_from_outside(path: Path, run: str) -> ProgressEvent | None:
    """The same for a process that takes no part in the run; None too where the state cannot be read just now."""
    place = actual_path(path, run)
    if not place.is_file():
        return None
    try:
        with closing(connect(place)) as connection:
            # who looks on waits for nobody
            connection.execute("PRAGMA busy_timeout = 0")
            return progress(connection, run) if version(connection) == VERSION else None
    except sqlite3.DatabaseError:
        return None
