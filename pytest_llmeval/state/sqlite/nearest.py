"""Why a request would be asked again: what is stored of it, or what comes nearest."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from ...core.admission import Wanted
from ...core.clock import timestamp
from ...core.nearest import Nearest, differences, likeness
from . import digests
from .codec import dumps, loads

#: how many of the newest stored requests with the same messages, or the same setting, are compared for one of a run
GLANCE = 16


@dataclass(frozen=True, slots=True)
class Stored:
    """What a state has for a request: when its own answer came (seconds since the epoch), else the nearest request.

    Neither where nothing is alike; ``holds`` is False where no answer is stored at all.
    """

    answered: float | None = None
    nearest: Nearest | None = None
    holds: bool = True


def look(connection: sqlite3.Connection, key: str, parts: Mapping[str, object], compared: int) -> Stored:
    """By indexes; ``parts`` are without secrets, as they would be stored."""
    own = connection.execute("SELECT created FROM responses WHERE key = ? AND scope = ''", (key,)).fetchone()
    if own is not None:
        return Stored(answered=own[0])
    # as they are stored: JSON has no other keys than texts
    parts = loads(dumps(parts))
    found = _newest(connection, "messages", digests.of_messages(parts), compared)
    if found:
        compare = [Nearest(created, differences(parts, stored)) for created, stored in found]
        return Stored(nearest=min(compare, key=lambda one: len(one.differences)))
    found = _newest(connection, "setting", digests.of_setting(parts), compared)
    if found:
        said = parts.get(digests.MESSAGES)
        created, stored = max(found, key=lambda one: likeness(said, one[1].get(digests.MESSAGES)))
        return Stored(nearest=Nearest(created, differences(parts, stored)))
    return Stored(holds=connection.execute("SELECT 1 FROM responses WHERE scope = ''").fetchone() is not None)


def why_missing(connection: sqlite3.Connection, wanted: Wanted, parts: Mapping[str, object]) -> str:
    """A sentence on a request whose answer would have to be stored and may not serve, or is not there."""
    if not wanted.reusable:
        return "Its answers serve the run that asked for them alone"
    return told(look(connection, wanted.key, parts, GLANCE))


def told(stored: Stored) -> str:
    if stored.answered is not None:
        return f"The answer of {timestamp(stored.answered)} is older than llmeval_cache_ttl allows"
    if stored.nearest is not None:
        return str(stored.nearest)
    if stored.holds:
        return "No stored request has the same messages, and none has the same all but messages"
    return "No answer is stored at all"


def _newest(
    connection: sqlite3.Connection, column: str, digest: int, compared: int
) -> list[tuple[float, dict[str, object]]]:
    """Newest first. What is for one run alone serves no other."""
    rows = connection.execute(
        f"SELECT created, parts FROM responses WHERE {column} = ? AND scope = '' ORDER BY n DESC LIMIT ?",  # noqa: S608 - names of our own
        (digest, compared),
    )
    return [(created, loads(parts)) for created, parts in rows]
