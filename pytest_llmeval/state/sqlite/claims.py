"""Requests on the wire, and what is known of a request between two attempts."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from ...core.admission import Granted
from . import budgets
from .codec import bind


@dataclass(frozen=True, slots=True)
class Pending:
    """Attempts that were made, when the first left (None: none counts), when the next may, how many were refused."""

    attempts: int = 0
    first_sent_ns: int | None = None
    due_ns: int | None = None
    refused: int = 0


NOTHING = Pending()


def pending(connection: sqlite3.Connection, run: str, key: str) -> Pending:
    row = connection.execute(
        "SELECT attempts, first_sent, due, refused FROM pending WHERE run = ? AND key = ?", (run, key)
    ).fetchone()
    return NOTHING if row is None else Pending(*row)


def postpone(connection: sqlite3.Connection, run: str, key: str, pending: Pending) -> None:
    """Note what any process needs to take the next attempt up."""
    connection.execute(
        "INSERT OR REPLACE INTO pending (run, key, attempts, first_sent, due, refused) VALUES (?, ?, ?, ?, ?, ?)",
        (run, key, pending.attempts, pending.first_sent_ns, pending.due_ns or 0, pending.refused),
    )


def settle(connection: sqlite3.Connection, run: str, key: str) -> None:
    connection.execute("DELETE FROM pending WHERE run = ? AND key = ?", (run, key))


def holder(connection: sqlite3.Connection, key: str, scope: str) -> str | None:
    """The owner that is asking this, if any."""
    row = connection.execute("SELECT owner FROM claims WHERE key = ? AND scope = ?", (key, scope)).fetchone()
    return None if row is None else str(row[0])


def in_flight(connection: sqlite3.Connection, bucket: str) -> int:
    return int(connection.execute("SELECT count(*) FROM claims WHERE bucket = ?", (bucket,)).fetchone()[0])


def owners_in(connection: sqlite3.Connection, bucket: str) -> list[str]:
    return [row[0] for row in connection.execute("SELECT DISTINCT owner FROM claims WHERE bucket = ?", (bucket,))]


def claim(connection: sqlite3.Connection, run: str, owner: str, scope: str, granted: Granted) -> None:
    wanted = granted.wanted
    connection.execute(
        "INSERT INTO claims (key, scope, run, owner, bucket, attempt, first_sent, sent, tokens, reserved_tokens,"
        " reserved_cost, probe, refused) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            wanted.key,
            scope,
            run,
            owner,
            wanted.bucket,
            granted.attempt,
            granted.first_sent_ns,
            granted.sent_ns,
            wanted.tokens,
            wanted.reserve.tokens,
            wanted.reserve.cost,
            bind(wanted.endpoint) if granted.probe else None,
            granted.refused,
        ),
    )


def give_up(connection: sqlite3.Connection, key: str, scope: str, owner: str) -> bool:
    """Whether that owner held it."""
    gone = connection.execute("DELETE FROM claims WHERE key = ? AND scope = ? AND owner = ?", (key, scope, owner))
    return gone.rowcount > 0


def bury(connection: sqlite3.Connection, owner: str) -> None:
    """Take away what a dead owner held; its attempts count as made, what they have reserved as spent."""
    budgets.book_of(connection, owner)
    connection.execute(
        "INSERT OR REPLACE INTO pending (run, key, attempts, first_sent, due, refused)"
        " SELECT run, key, attempt, first_sent, 0, refused FROM claims WHERE owner = ?",
        (owner,),
    )
    connection.execute("DELETE FROM claims WHERE owner = ?", (owner,))
    connection.execute("DELETE FROM owners WHERE owner = ?", (owner,))
