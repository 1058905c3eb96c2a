"""Stored answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ...core.admission import Answered, Wanted
from ...core.budget import Budget
from ...core.exchange import Response
from ...core.redaction import Redactor
from . import digests
from .codec import dump_response, dumps, load_response, loads

Mode = Literal["use", "refresh", "only", "off"]
#: n, key, scope, run, created, parts, response
Row = tuple[int, str, str, str, float, str, str]
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Which stored answers may serve a run, and what it may spend.

    ``refresh`` ignores those that are older than the run, ``off`` shares none with other runs; ``ttl_days`` is the age
    at which one from an earlier run is too old (None: never); ``budget`` None: whatever it takes.
    """

    run: str
    mode: Mode = "use"
    ttl_days: float | None = None
    budget: Budget | None = None

    def scope(self, wanted: Wanted) -> str:
        """'' for answers that all runs share, else this run's id."""
        return "" if wanted.reusable and self.mode != "off" else self.run


def find(connection: sqlite3.Connection, terms: Terms, wanted: Wanted, horizon: int, now: float) -> Answered | None:
    """The answer that may serve; ``horizon`` is the number of the last one that is older than the run."""
    row = connection.execute(
        "SELECT n, run, created, response FROM responses WHERE key = ? AND scope = ?", (wanted.key, terms.scope(wanted))
    ).fetchone()
    if row is None:
        return None
    number, run, created, response = row
    if number <= horizon:
        too_old = terms.ttl_days is not None and created < now - terms.ttl_days * DAY
        if terms.mode == "refresh" or too_old:
            return None
    return Answered(load_response(response), cached=run != terms.run)


def keep(connection: sqlite3.Connection, terms: Terms, wanted: Wanted, response: Response, now: float) -> None:
    """Store an answer in the place of an older one."""
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'responses'").fetchone()
    n = 1 if last is None else last[0] + 1
    put(connection, (n, wanted.key, terms.scope(wanted), terms.run, now, dumps(wanted.parts), dump_response(response)))


def put(connection: sqlite3.Connection, row: Row) -> None:
    """Enter a row with its digests."""
    # as they will be read: JSON has no other keys than texts
    parts = loads(row[5])
    connection.execute(
        "INSERT OR REPLACE INTO responses (n, key, scope, run, created, parts, response, messages, setting, digest)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, digests.of_messages(parts), digests.of_setting(parts), digests.of_row(*row)),
    )


def redacted_parts(parts: Mapping[str, object], redactor: Redactor) -> dict[str, object]:
    """With long secret values replaced, wherever they stand."""
    return {key: _redacted(value, redactor) for key, value in parts.items()}


def _redacted(value: object, redactor: Redactor) -> object:
    if isinstance(value, str):
        return redactor.answer(value)
    if isinstance(value, Mapping):
        return redacted_parts(value, redactor)
    if isinstance(value, list | tuple):
        return [_redacted(inner, redactor) for inner in value]
    return value
