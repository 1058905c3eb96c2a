"""What a run's requests came to, whatever they were asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from ...core.admission import FailedBefore
from ...core.exchange import Response
from ...core.record import Totals
from .codec import bind, load, unbind

_UPSERT = """
INSERT INTO requests (run, key, state, attempts, tokens, cost, message) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, key) DO UPDATE SET state = excluded.state, attempts = attempts + excluded.attempts,
    tokens = excluded.tokens, cost = excluded.cost, message = excluded.message
"""


def note_cached(connection: sqlite3.Connection, run: str, keys: Iterable[str]) -> None:
    """Another run had asked these."""
    connection.executemany(
        "INSERT INTO requests (run, key, state, attempts) VALUES (?, ?, 'cached', 0)"
        " ON CONFLICT (run, key) DO UPDATE SET state = 'cached', message = NULL WHERE state IN ('failed', 'open')",
        [(run, key) for key in keys],
    )


def note_asked(connection: sqlite3.Connection, run: str, key: str, attempts: int, response: Response) -> None:
    connection.execute(_UPSERT, (run, key, "asked", attempts, response.tokens, response.cost, None))


def note_failed(connection: sqlite3.Connection, run: str, key: str, attempts: int, message: str) -> None:
    connection.execute(_UPSERT, (run, key, "failed", attempts, None, None, bind(message)))


def failed(connection: sqlite3.Connection, run: str, key: str) -> FailedBefore | None:
    row = connection.execute(
        "SELECT message, attempts FROM requests WHERE run = ? AND key = ? AND state = 'failed'", (run, key)
    ).fetchone()
    return None if row is None else FailedBefore(unbind(row[0]), row[1])


def forget(connection: sqlite3.Connection, run: str, key: str) -> None:
    """It may be asked again; the attempts that were made stay counted."""
    connection.execute(
        "UPDATE requests SET state = 'open', message = NULL WHERE run = ? AND key = ? AND state = 'failed'", (run, key)
    )
    connection.execute("DELETE FROM pending WHERE run = ? AND key = ?", (run, key))


def totals(connection: sqlite3.Connection, run: str) -> Totals:
    """Tokens and cost are those of what this run asked; None where an answer came without them.

    What was summed up when the processes of the run seemed to be gone is in it.
    """
    row = connection.execute("SELECT totals FROM runs WHERE id = ?", (run,)).fetchone()
    now = _totals(connection, run)
    if row is None or row[0] is None:
        return now
    then = load(Totals, row[0])
    return Totals(
        asked=then.asked + now.asked,
        cached=then.cached + now.cached,
        attempts=then.attempts + now.attempts,
        tokens=None if then.tokens is None or now.tokens is None else then.tokens + now.tokens,
        cost=None if then.cost is None or now.cost is None else then.cost + now.cost,
        unanswered=then.unanswered + now.unanswered,
    )


def _totals(connection: sqlite3.Connection, run: str) -> Totals:
    answered, failed, cached, attempts, tokens, counted, cost, priced = connection.execute(
        "SELECT coalesce(sum(state = 'asked'), 0), coalesce(sum(state IN ('failed', 'open') AND attempts > 0), 0),"
        " coalesce(sum(state = 'cached'), 0), coalesce(sum(attempts), 0),"
        " coalesce(sum(tokens) FILTER (WHERE state = 'asked'), 0), count(tokens) FILTER (WHERE state = 'asked'),"
        " coalesce(sum(cost) FILTER (WHERE state = 'asked'), 0.0), count(cost) FILTER (WHERE state = 'asked')"
        " FROM requests WHERE run = ?",
        (run,),
    ).fetchone()
    open_, tried = connection.execute(
        "SELECT coalesce(sum(attempts > 0 AND key NOT IN (SELECT key FROM requests WHERE run = :run)), 0),"
        " coalesce(sum(attempts), 0) FROM pending WHERE run = :run",
        {"run": run},
    ).fetchone()
    return Totals(
        asked=answered + failed + open_,
        cached=cached,
        attempts=attempts + tried,
        tokens=tokens if counted == answered else None,
        cost=cost if priced == answered else None,
        unanswered=failed + open_,
    )
