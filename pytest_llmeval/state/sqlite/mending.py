"""A corrupt state file: its answers are saved into a new one, and it is set aside."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from ...core.clock import Clock, timestamp
from ...core.numbers import count
from .cache import Row, put
from .salvage import rows
from .schema import migrate

_LOG = "-wal"
_BESIDE = (_LOG, "-shm", "-journal")


def log_of(path: Path) -> bytes:
    """The write-ahead log beside a state. To be read before SQLite opens it, which drops a log that it cannot read."""
    return _bytes(_beside(path, _LOG))


def mend(path: Path, log: bytes, clock: Clock) -> str:
    """Put a new state with all answers that are whole in the place of a corrupt one; what was done, for people.

    A process that is killed in the midst of it leaves all to the next one that opens the state. Raises OSError or
    sqlite3.Error where the new file cannot be written: then nothing has changed.
    """
    saved = _save(path, log)
    aside = _set_aside(path, clock)
    finish(path, clock)
    what = f"{count(saved, 'answer')} in it {'was' if saved == 1 else 'were'} saved" if saved else "no answer was saved"
    return f"was corrupt: it was set aside as {aside.name}, and a new state was begun; {what}"


def finish(path: Path, clock: Clock) -> None:
    """Where the corrupt file is gone and the new one is ready, take that up."""
    ready = _beside(path, "-salvaged")
    if path.exists() or not ready.exists():
        return
    if any(_beside(path, suffix).exists() for suffix in _BESIDE):
        # the corrupt file's log would be played into the new one
        _set_aside(path, clock)
    ready.rename(path)


def _save(path: Path, log: bytes) -> int:
    """Make ready a new file with the answers of the old one, and count them; without any there is no new file."""
    draft, ready = _beside(path, "-salvaging"), _beside(path, "-salvaged")
    for leftover in (draft, _beside(draft, "-journal"), ready):
        leftover.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            migrate(connection)
            columns = [column[1] for column in connection.execute("PRAGMA table_info(responses)")]
            connection.execute("BEGIN")
            saved = _enter(connection, rows(_bytes(path), log, columns))
            connection.execute("COMMIT")
        if saved:
            draft.rename(ready)
    finally:
        draft.unlink(missing_ok=True)
        _beside(draft, "-journal").unlink(missing_ok=True)
    return saved


def _enter(connection: sqlite3.Connection, found: Iterable[Row]) -> int:
    """The newest answer of each key; how many. What was for one run alone is no use to others."""
    doubtful = []
    for row in found:
        n, key, scope, *_ = row
        if scope:
            continue
        known = connection.execute("SELECT n FROM responses WHERE key = ? AND scope = ''", (key,)).fetchone()
        if known is not None and known[0] >= n:
            continue
        if connection.execute("SELECT 1 FROM responses WHERE n = ?", (n,)).fetchone() is not None:
            # a number that was given again, since the answer that had it first was never committed
            doubtful.append(row)
        else:
            put(connection, row)
    for _, key, *rest in doubtful:
        if connection.execute("SELECT 1 FROM responses WHERE key = ? AND scope = ''", (key,)).fetchone() is None:
            last = connection.execute("SELECT max(n) FROM responses").fetchone()[0]
            put(connection, (last + 1, key, *rest))
    total = connection.execute("SELECT count(*) FROM responses").fetchone()[0]
    assert isinstance(total, int)
    return total


def _set_aside(path: Path, clock: Clock) -> Path:
    """Rename a file with its log. Raises OSError where that cannot be done."""
    stamp = timestamp(clock.now()).replace(":", "").replace("-", "")
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    number = 1
    while any(_beside(aside, suffix).exists() for suffix in ("", *_BESIDE)):
        number += 1
        aside = path.with_name(f"{path.name}.corrupt-{stamp}-{number}")
    # the file first: a log that is left alone is seen by ``finish``
    for suffix in ("", *_BESIDE):
        with contextlib.suppress(FileNotFoundError):
            _beside(path, suffix).rename(_beside(aside, suffix))
    return aside


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _bytes(path: Path) -> bytes:
    """Of a file that may be gone, or that a broken disk does not give."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
