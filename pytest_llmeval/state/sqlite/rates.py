"""The states of rates, shared by all processes of this machine."""

from __future__ import annotations

import sqlite3

from ...core.admission import Granted
from ...limits import gcra
from ..boot import boot_id


def read(connection: sqlite3.Connection, bucket: str, kind: str, now_ns: int) -> int:
    """The time at which all that was taken will have drained; 0 where nothing is known of this boot.

    Monotonic times begin anew with each boot. Where the system has no name for its boots, a row that was written
    later than now is one of another.
    """
    row = connection.execute(
        "SELECT tat, stamp, boot FROM rates WHERE bucket = ? AND kind = ?", (bucket, kind)
    ).fetchone()
    if row is None or row[2] != boot_id() or row[1] > now_ns:
        return 0
    return int(row[0])


def write(connection: sqlite3.Connection, bucket: str, kind: str, tat_ns: int, now_ns: int) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO rates (bucket, kind, tat, stamp, boot) VALUES (?, ?, ?, ?, ?)",
        (bucket, kind, tat_ns, now_ns, boot_id()),
    )


def settle_tokens(connection: sqlite3.Connection, granted: Granted, used: int | None, now_ns: int) -> None:
    """Correct the estimate by what was used; without a count it stands."""
    wanted = granted.wanted
    rate = wanted.limits.tokens
    if rate is None or used is None or used == wanted.tokens:
        return
    tat = read(connection, wanted.bucket, "tokens", now_ns)
    write(connection, wanted.bucket, "tokens", gcra.settle(tat, now_ns, rate, wanted.tokens, used), now_ns)


def give_back(connection: sqlite3.Connection, granted: Granted, now_ns: int) -> None:
    """The request was never sent."""
    wanted = granted.wanted
    calls = wanted.limits.calls
    if calls is not None:
        tat = read(connection, wanted.bucket, "calls", now_ns)
        tat = gcra.give_back(tat, calls, age_ns=now_ns - granted.sent_ns)
        write(connection, wanted.bucket, "calls", tat, now_ns)
    settle_tokens(connection, granted, 0, now_ns)
