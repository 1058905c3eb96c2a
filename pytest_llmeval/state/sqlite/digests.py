"""Digests that stand beside a stored answer: of parts of its request, and of its row as a whole."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping

from ...core.digest import canonical
from .codec import loads

#: the part of a request that is looked at by itself; all others together are its setting
MESSAGES = "messages"


def of_messages(parts: Mapping[str, object]) -> int:
    """Alike for requests with the same messages; 64 bits, so that an index over it stays small."""
    return _number(parts.get(MESSAGES))


def of_setting(parts: Mapping[str, object]) -> int:
    """Alike for requests with the same all but messages."""
    return _number({name: part for name, part in parts.items() if name != MESSAGES})


def of_row(n: int, key: str, scope: str, run: str, created: float, parts: str, response: str) -> bytes:  # noqa: PLR0917 - the columns of a row, as SQL hands them over
    """Tells whether a row that was found somewhere is whole and unaltered."""
    found = hashlib.blake2b(digest_size=16)
    for text in (str(n), key, scope, run, float(created).hex(), parts, response):
        data = text.encode("utf-8", "surrogatepass")
        found.update(len(data).to_bytes(8, "big"))
        found.update(data)
    return found.digest()


def register(connection: sqlite3.Connection) -> None:
    """Make them known to SQL, for the rows of older versions."""
    connection.create_function("digest_of_messages", 1, lambda parts: of_messages(loads(parts)), deterministic=True)
    connection.create_function("digest_of_setting", 1, lambda parts: of_setting(loads(parts)), deterministic=True)
    connection.create_function("digest_of_row", 7, of_row, deterministic=True)


def _number(value: object) -> int:
    data = canonical(value).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big", signed=True)
