"""Requests that are not asked in a run: what was skipped stays skipped, in all its processes."""

from __future__ import annotations

import sqlite3

from ...core.admission import Skipped
from .codec import bind, unbind


def some(connection: sqlite3.Connection, run: str) -> bool:
    """Whether there are any; most runs have none."""
    return connection.execute("SELECT 1 FROM skips WHERE run = ? LIMIT 1", (run,)).fetchone() is not None


def find(connection: sqlite3.Connection, run: str, key: str) -> Skipped | None:
    row = connection.execute("SELECT reason, attempts FROM skips WHERE run = ? AND key = ?", (run, key)).fetchone()
    return None if row is None else Skipped(unbind(row[0]), row[1])


def note(connection: sqlite3.Connection, run: str, key: str, skipped: Skipped) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO skips (run, key, reason, attempts) VALUES (?, ?, ?, ?)",
        (run, key, bind(skipped.reason), skipped.attempts),
    )
