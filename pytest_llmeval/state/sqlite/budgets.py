"""What a run spent of its budget, and what its requests on the wire have reserved."""

from __future__ import annotations

import sqlite3

from ...core.budget import Use

_ADD = """
INSERT INTO spent (run, requests, tokens, cost) {values}
ON CONFLICT (run) DO UPDATE SET requests = requests + excluded.requests, tokens = tokens + excluded.tokens,
    cost = cost + excluded.cost
"""
_RESERVED = "count(*), coalesce(sum(reserved_tokens), 0), coalesce(sum(reserved_cost), 0) FROM claims"


def spent(connection: sqlite3.Connection, run: str) -> Use:
    row = connection.execute("SELECT requests, tokens, cost FROM spent WHERE run = ?", (run,)).fetchone()
    return Use() if row is None else Use(*row)


def reserved(connection: sqlite3.Connection, run: str) -> Use:
    return Use(*connection.execute(f"SELECT {_RESERVED} WHERE run = ?", (run,)).fetchone())


def owners(connection: sqlite3.Connection, run: str) -> list[str]:
    """Whose requests of a run are on the wire."""
    return [row[0] for row in connection.execute("SELECT DISTINCT owner FROM claims WHERE run = ?", (run,))]


def book(connection: sqlite3.Connection, run: str, use: Use) -> None:
    """Spent it is."""
    connection.execute(_ADD.format(values="VALUES (?, ?, ?, ?)"), (run, use.requests, use.tokens, use.cost))


def book_of(connection: sqlite3.Connection, owner: str) -> None:
    """What an owner's requests have reserved is spent: it is gone, and nobody knows what they took."""
    _book_claims(connection, "owner", owner)


def book_run(connection: sqlite3.Connection, run: str) -> None:
    """The same of a run whose processes are all gone; one of them may come back."""
    _book_claims(connection, "run", run)


def _book_claims(connection: sqlite3.Connection, column: str, value: str) -> None:
    values = f"SELECT run, {_RESERVED} WHERE {column} = ? GROUP BY run"
    connection.execute(_ADD.format(values=values), (value,))
