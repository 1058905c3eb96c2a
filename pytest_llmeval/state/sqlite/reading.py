"""The ledger, read: a run for its reports, and what became last of every item."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...core.clock import Clock
from ...core.errors import StateError
from ...core.identity import Identity
from ...core.record import CookbookRecord, RecipeRecord, Row, RunInfo, RunLedger
from ...core.result import Verdict
from .codec import identity_name, load, load_outcome, load_unit, loads, unbind
from .nearest import Stored, look
from .opening import actual_path, connect, open_file, owners_folder
from .owners import Owners
from .requests import totals
from .schema import VERSION, version

_ROWS = """
SELECT u.id, u.ordinal, u.key, u.selected, t.text, o.kind, o.data, r.text
FROM units u JOIN texts t ON t.digest = u.body
LEFT JOIN outcomes o ON o.recipe = u.recipe AND o.unit = u.id LEFT JOIN texts r ON r.digest = o.response
WHERE u.recipe = ? ORDER BY u.ordinal, u.id
"""
#: rows held in memory while a report iterates
CHUNK = 256


@contextmanager
def reader(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing. Raises StateError where there is no state."""
    if not path.exists():
        raise StateError(f"{path}: there is no state here")
    try:
        with closing(connect(path)) as connection:
            connection.execute("PRAGMA query_only = 1")
            yield connection
    except sqlite3.DatabaseError as error:
        raise StateError(f"{path}: {error}") from error


def rows(connection: sqlite3.Connection, recipe: int) -> Iterator[Row]:
    """All units of a recipe with their outcomes, in plan order."""
    cursor = connection.execute(_ROWS, (recipe,))
    while found := cursor.fetchmany(CHUNK):
        for id_, ordinal, key, selected, body, kind, data, response in found:
            unit = load_unit(body, unbind(id_), ordinal, key, selected=bool(selected))
            yield Row(unit, None if kind is None else load_outcome(kind, data, response), unit.selected)


def _rows_afresh(path: Path, recipes: dict[str, int], recipe: str) -> Iterator[Row]:
    with reader(path) as connection:
        yield from rows(connection, recipes[recipe])


def read_run(path: Path, run: str) -> RunLedger:
    """A run as it stands; its rows are read when they are iterated. Raises StateError where there is no such run."""
    path = actual_path(path, run)
    with reader(path) as connection:
        connection.execute("BEGIN")
        found = connection.execute("SELECT info, ended, complete FROM runs WHERE id = ?", (run,)).fetchone()
        if found is None:
            raise StateError(f"{path}: there is no run {run} in this state")
        info, ended, complete = found
        recipes = connection.execute(
            "SELECT n, record FROM recipes WHERE run = ? ORDER BY ordinal, n", (run,)
        ).fetchall()
        records = [(number, load(RecipeRecord, record)) for number, record in recipes]
        cookbooks = connection.execute("SELECT record FROM cookbooks WHERE run = ? ORDER BY ordinal, rowid", (run,))
        verdicts = connection.execute("SELECT gate, verdict FROM verdicts WHERE run = ? ORDER BY rowid", (run,))
        notes = connection.execute("SELECT text FROM notes WHERE run = ? ORDER BY rowid", (run,))
        return RunLedger(
            info=load(RunInfo, info),
            ended=ended,
            complete=bool(complete),
            recipes=tuple(record for _, record in records),
            cookbooks=tuple(load(CookbookRecord, record) for (record,) in cookbooks.fetchall()),
            verdicts={unbind(gate): load(Verdict, verdict) for gate, verdict in verdicts.fetchall()},
            rows=partial(_rows_afresh, path, {record.id: number for number, record in records}),
            settled=_settled(connection, run),
            totals=totals(connection, run),
            notes=tuple(unbind(text) for (text,) in notes.fetchall()),
        )


def _settled(connection: sqlite3.Connection, run: str) -> bool:
    """Whether all of a run that was selected, and is not skipped, has an outcome."""
    without = connection.execute(
        "SELECT t.text FROM recipes p JOIN units u ON u.recipe = p.n JOIN texts t ON t.digest = u.body"
        " WHERE p.run = ? AND u.selected AND NOT EXISTS"
        " (SELECT 1 FROM outcomes o WHERE o.recipe = u.recipe AND o.unit = u.id)",
        (run,),
    )
    return all(loads(body).get("skip") is not None for (body,) in without)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a state holds: stored answers, runs, bytes on disk, and when its oldest and newest answers came."""

    responses: int
    runs: int
    size: int
    oldest: float | None
    newest: float | None


def facts(path: Path) -> Facts:
    """Raises StateError where there is no state, or none that can be read."""
    with reader(path) as connection:
        responses, oldest, newest = connection.execute(
            "SELECT count(*), min(created), max(created) FROM responses"
        ).fetchone()
        runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        return Facts(responses, runs, path.stat().st_size, oldest, newest)


def last_identity(path: Path, endpoint: str) -> Identity | None:
    """The identity that an endpoint had when it last was asked; None where that is not known."""
    with reader(path) as connection:
        found = connection.execute("SELECT value FROM settings WHERE name = ?", (identity_name(endpoint),)).fetchone()
        return None if found is None else load(Identity, found[0])


def stored_of(path: Path, key: str, parts: Mapping[str, object], compared: int, clock: Clock) -> Stored:
    """What a state has for a request; one of an older version is brought up to date first.

    Raises StateError where it cannot be read.
    """
    with reader(path) as connection:
        if version(connection) >= VERSION:
            return look(connection, key, parts, compared)
    opened = open_file(path, "explain", clock)
    try:
        return look(opened.connection, key, parts, compared)
    finally:
        opened.connection.close()
        opened.owner.close()


def latest(path: Path, before: float, but: str = "", now: float = math.inf) -> dict[str, str]:
    """By node id what became last of every item: a sample's outcome or a gate's verdict ("not_asked" for none).

    Of runs (``but`` one) that ended before that time (seconds since the epoch), or whose processes are all dead. Times
    later than ``now`` are of before the clock was set back.
    """
    with reader(path) as connection:
        owners = Owners(owners_folder(path))
        last: dict[str, str] = {}
        known: dict[bytes, str] = {}
        runs = connection.execute(
            "SELECT id, ended, complete FROM runs WHERE (started <= ? OR started > ?) AND id != ? ORDER BY n",
            (before, now, but),
        ).fetchall()
        for run, ended, complete in runs:
            if ended is None and any(
                owners.alive(owner, 0)
                for (owner,) in connection.execute("SELECT owner FROM owners WHERE run = ?", (run,)).fetchall()
            ):
                continue
            if ended is None or ended <= before or ended > now:
                last.update(_items(connection, run, known))
                if not complete:
                    last.update(_not_reached(connection, run))
        return last


def _items(connection: sqlite3.Connection, run: str, known: dict[bytes, str]) -> Iterator[tuple[str, str]]:
    """Runs share most texts: ``known`` holds the node ids of those that were read."""
    units = connection.execute(
        "SELECT u.body, coalesce(o.kind, 'not_asked') FROM recipes p JOIN units u ON u.recipe = p.n"
        " LEFT JOIN outcomes o ON o.recipe = u.recipe AND o.unit = u.id WHERE p.run = ? AND u.selected",
        (run,),
    )
    for body, kind in units:
        if body not in known:
            text = connection.execute("SELECT text FROM texts WHERE digest = ?", (body,)).fetchone()[0]
            known[body] = loads(text)["nodeid"]
        yield known[body], kind
    for gate, verdict in connection.execute("SELECT gate, verdict FROM verdicts WHERE run = ?", (run,)):
        yield unbind(gate), load(Verdict, verdict).kind


def _not_reached(connection: sqlite3.Connection, run: str) -> Iterator[tuple[str, str]]:
    """The gates of a run that was cut short: of what was planned whole, those without a verdict."""
    judged = {unbind(gate) for (gate,) in connection.execute("SELECT gate FROM verdicts WHERE run = ?", (run,))}
    whole = connection.execute(
        "SELECT record FROM recipes p WHERE run = ?"
        " AND NOT EXISTS (SELECT 1 FROM units WHERE recipe = p.n AND NOT selected)",
        (run,),
    )
    records: list[RecipeRecord | CookbookRecord] = [load(RecipeRecord, record) for (record,) in whole]
    cookbooks = connection.execute("SELECT record FROM cookbooks WHERE run = ?", (run,))
    records += [load(CookbookRecord, record) for (record,) in cookbooks]
    for record in records:
        yield from ((gate.id, "not_asked") for gate in record.gates if gate.id not in judged)
