"""What SQLite's errors mean to the owner of a state, with the way out."""

from __future__ import annotations

import sqlite3

BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNWRITABLE = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})


def code_of(error: BaseException) -> int:
    """SQLite's primary code; 0 where the error has none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def hint_of(error: BaseException) -> str:
    """Empty for what has nothing to do with the place where the state lies."""
    code = code_of(error)
    if code == sqlite3.SQLITE_FULL:
        return "no space is left on that disk"
    if code in _UNWRITABLE:
        return "it cannot be written there; --llmeval-state names another place"
    return ""
