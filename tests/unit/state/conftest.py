"""A clock to set, plain data to store, and processes to kill."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pytest_llmeval.core.admission import Wanted
from pytest_llmeval.core.clock import SECOND
from pytest_llmeval.core.endpoint import Limits
from pytest_llmeval.core.record import Group, RecipeRecord, RunInfo, UnitRecord
from pytest_llmeval.limits import pace
from pytest_llmeval.state.sqlite import SqliteStore


@dataclass
class SetClock:
    """Time stands still until it is set."""

    ns: int = 1_000 * SECOND
    wall: float = 1_700_000_000.0

    def monotonic_ns(self) -> int:
        return self.ns

    def now(self) -> float:
        return self.wall

    def step(self, seconds: float) -> None:
        self.ns += round(seconds * SECOND)
        self.wall += seconds


@dataclass
class World:
    """A state file, and stores on it that are closed at the end."""

    path: Path
    clock: SetClock = field(default_factory=SetClock)
    opened: list[SqliteStore] = field(default_factory=list)

    def enter(self, run: str = "run-1", **options) -> SqliteStore:
        """Open the state as one more process of that run would."""
        store = SqliteStore.open(self.path, run, **{"clock": self.clock, **options})
        self.opened.append(store)
        store.begin(RunInfo(run, self.clock.now())).result()
        return store

    def leave(self, store: SqliteStore, *, end: bool = True) -> None:
        if end:
            store.end(complete=True).result()
        store.close()
        self.opened.remove(store)

    @staticmethod
    def wanted(key: str = "k", **options) -> Wanted:
        defaults = {"endpoint": "small", "bucket": "bucket", "limits": Limits(100), "tokens": 0, "parts": {"key": key}}
        return Wanted(key, **{**defaults, **options})

    @staticmethod
    def recipe(id_: str = "recipes/a.yaml[small]", **options) -> RecipeRecord:
        defaults = {"groups": (Group("d", None),), "measures": {}, "gates": (), "headline": "exact_match"}
        return RecipeRecord(id_, "a", "recipes/a.yaml", "A", "small", **{**defaults, **options})

    @staticmethod
    def units(count: int = 3, **options) -> list[UnitRecord]:
        return [
            UnitRecord(
                **{
                    "id": f"s{n}",
                    "nodeid": f"recipes/a.yaml::s{n}[small]",
                    "ordinal": n,
                    "key": f"k{n}",
                    "sample": f"s{n}",
                    "dataset": "d",
                    "template": None,
                    "repeat": 1,
                    "messages": ({"role": "user", "content": f"Question {n}?"},),
                    "targets": ("Paris",),
                    **options,
                }
            )
            for n in range(count)
        ]


@pytest.fixture
def world(tmp_path, monkeypatch):
    # time stands still here: what is let go in a ramp would wait for ever
    monkeypatch.setattr(pace, "RAMP_TIME_NS", 0)
    made = World(tmp_path / ".llmeval" / "state.sqlite3")
    yield made
    for store in made.opened:
        store.close()


@pytest.fixture(scope="session")
def make_world():
    """For what several tests share: its stores are the caller's to close."""
    return World


class Child:
    """A process that does what it is told."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("state_child.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, do: str, **arguments) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self.process.stdin.flush()

    def hear(self):
        assert self.process.stdout is not None
        reply = json.loads(self.process.stdout.readline())
        assert "error" not in reply, reply
        return reply.get("value")

    def do(self, do: str, **arguments):
        self.tell(do, **arguments)
        return self.hear()

    def kill(self) -> None:
        """As ``kill -9`` does; nothing is cleaned up. It is not waited for, as a controller does not: a zombie stays."""
        self.process.kill()

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def children():
    """Makes processes; they are ended with the test."""
    made: list[Child] = []

    def make(count: int) -> list[Child]:
        made.extend(Child() for _ in range(count))
        return made[-count:]

    yield make
    for child in made:
        child.end()
