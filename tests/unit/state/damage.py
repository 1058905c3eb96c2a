"""A state file with answers, to be damaged, and what lies in it by SQLite's own account."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from pytest_llmeval.core.admission import Granted
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.state.sqlite.cache import Row

ROW = "n, key, scope, run, created, parts, response"
#: characters of answers: within a page, in one of its own, in a chain of many
SIZES = (20, 900, 5_000, 60_000)


@dataclass(frozen=True)
class Written:
    """The bytes of a state file and of its log, its columns, and its rows as SQLite reads them."""

    database: bytes
    log: bytes
    columns: list[str]
    rows: list[Row]

    @property
    def newest(self) -> dict[str, Row]:
        return {row[1]: row for row in self.rows}


def answer(world, store, key, text, **options):
    (claim,) = store.admit([world.wanted(key, **options)]).result()
    assert isinstance(claim, Granted)
    store.answer(claim, Response(text)).result()


def fill(world, run, keys, seed=0, **options):
    """Enter a run and leave its store open; the answers are of all sizes, in no order."""
    dice = random.Random(seed)
    store = world.enter(run, **options)
    for key in keys:
        answer(world, store, key, f"{run} {dice.randbytes(dice.choice(SIZES) // 2).hex()}")
        world.clock.step(dice.choice([0.5, 1]))
    return store


def written(path: Path) -> Written:
    """While the state is open, so that its log is there."""
    connection = sqlite3.connect(path)
    columns = [column[1] for column in connection.execute("PRAGMA table_info(responses)")]
    found = connection.execute(f"SELECT {ROW} FROM responses ORDER BY n").fetchall()
    log = path.with_name(path.name + "-wal")
    made = Written(path.read_bytes(), log.read_bytes() if log.exists() else b"", columns, found)
    connection.close()
    return made
