"""The breakers of a run's endpoints, and who asks as a probe. No row: closed, with nothing failed."""

from __future__ import annotations

import sqlite3

from ...core.admission import Granted, Heard
from ...limits.breaker import CLOSED, State, after
from .codec import bind, unbind


def read(connection: sqlite3.Connection, run: str, endpoint: str) -> State:
    row = connection.execute(
        "SELECT failures, opened, reason FROM breakers WHERE run = ? AND endpoint = ?", (run, bind(endpoint))
    ).fetchone()
    return CLOSED if row is None else State(row[0], row[1], unbind(row[2]))


def prober(connection: sqlite3.Connection, run: str, endpoint: str) -> str | None:
    """The owner of the probe that is on the wire, if one is."""
    row = connection.execute("SELECT owner FROM claims WHERE run = ? AND probe = ?", (run, bind(endpoint))).fetchone()
    return None if row is None else str(row[0])


def hear(
    connection: sqlite3.Connection,
    run: str,
    claim: Granted,
    heard: Heard,
    now_ns: int,
    *,
    last: bool = True,
    message: str = "",
) -> None:
    """An attempt told something of its service; ``message``: what became of a request that has no further one."""
    wanted = claim.wanted
    if wanted.breaker is None:
        return
    before = read(connection, run, wanted.endpoint)
    state = after(before, wanted.breaker, heard, message, now_ns, last=last, probe=claim.probe)
    if state == before:
        return
    key = (run, bind(wanted.endpoint))
    if state == CLOSED:
        connection.execute("DELETE FROM breakers WHERE run = ? AND endpoint = ?", key)
    else:
        connection.execute(
            "INSERT OR REPLACE INTO breakers (run, endpoint, failures, opened, reason) VALUES (?, ?, ?, ?, ?)",
            (*key, state.failures, state.opened_ns, bind(state.reason)),
        )
