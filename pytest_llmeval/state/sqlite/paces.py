"""How fast each service can be asked, shared by all processes and remembered between runs."""

from __future__ import annotations

import sqlite3

from ...core.admission import Granted, Refusal
from ...core.clock import Clock
from ...core.exchange import RateLimits
from ...limits import pace
from ...limits.pace import NO_PACE, Pace
from ...limits.told import Later
from ..boot import boot_id
from .cache import DAY
from .codec import dump, load


def read(connection: sqlite3.Connection, bucket: str, clock: Clock) -> Pace:
    """What is known; what was learnt longer ago than a day is forgotten.

    Of another boot, whose monotonic times mean nothing, the pace alone is known.
    """
    row = connection.execute("SELECT pace, stamp, boot, written FROM paces WHERE bucket = ?", (bucket,)).fetchone()
    if row is None or not 0 <= clock.now() - row[3] <= DAY:
        return NO_PACE
    known = load(Pace, row[0])
    if row[2] != boot_id() or row[1] > clock.monotonic_ns():
        return pace.remembered(known)
    return known


def write(connection: sqlite3.Connection, bucket: str, known: Pace, clock: Clock) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO paces (bucket, pace, stamp, boot, written) VALUES (?, ?, ?, ?, ?)",
        (bucket, dump(known), clock.monotonic_ns(), boot_id(), clock.now()),
    )


def answered(connection: sqlite3.Connection, claim: Granted, limits: RateLimits | None, clock: Clock) -> None:
    """An answer came; its claim still stands."""
    before = read(connection, claim.wanted.bucket, clock)
    later = _later(connection, claim) if limits is not None else Later()
    after = pace.answered(before, claim.sent_ns, clock.monotonic_ns(), limits, later)
    if after != before:
        write(connection, claim.wanted.bucket, after, clock)


def refused(connection: sqlite3.Connection, claim: Granted, refusal: Refusal, clock: Clock) -> None:
    """The service refused for the rate; the claim still stands."""
    before = read(connection, claim.wanted.bucket, clock)
    now_ns, later = clock.monotonic_ns(), _later(connection, claim)
    after = pace.refused(before, claim.sent_ns, now_ns, refusal, later, tokens=claim.wanted.tokens)
    write(connection, claim.wanted.bucket, after, clock)


def unsent(connection: sqlite3.Connection, claim: Granted, clock: Clock) -> None:
    """It was let go and never went."""
    write(connection, claim.wanted.bucket, pace.unsent(read(connection, claim.wanted.bucket, clock)), clock)


def _later(connection: sqlite3.Connection, claim: Granted) -> Later:
    found = connection.execute(
        "SELECT count(*), coalesce(sum(tokens), 0) FROM claims WHERE bucket = ? AND sent > ?",
        (claim.wanted.bucket, claim.sent_ns),
    ).fetchone()
    return Later(*found)
