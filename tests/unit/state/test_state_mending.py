"""A corrupt state is replaced by a new one that has its answers, whatever happens in between."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from damage import ROW, answer, fill

from pytest_llmeval.core.admission import Answered, Granted
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.state.sqlite import SqliteStore, prune
from pytest_llmeval.state.sqlite.opening import damage_marker


class KilledError(BaseException):
    """In place of a process that is gone."""


KEYS = [f"k{n}" for n in range(40)]


def stored(path) -> list[tuple]:
    connection = sqlite3.connect(path)
    found = connection.execute(f"SELECT {ROW} FROM responses ORDER BY n").fetchall()
    connection.close()
    return found


def damage(path: Path, place: int = 0, data: bytes = bytes(100)) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)


def behead(path: Path) -> None:
    """Make every leaf unknown: those that the log has anew are sound, the others are not."""
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data), 4096):
        if data[page] == 0x0D:
            data[page] = 0xFF
    path.write_bytes(data)
    damage_marker(path).touch()


def log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def names(world) -> list[str]:
    """What lies beside the state, without what always does."""
    known = {".gitignore", "state.sqlite3.lock", "state.sqlite3-owners"}
    return sorted({path.name for path in world.path.parent.iterdir()} - known)


@pytest.fixture
def corrupt(world):
    """A corrupt state, with its rows as they were."""
    world.leave(fill(world, "old", KEYS))
    before = stored(world.path)
    damage(world.path)
    return before


def test_all_answers_of_a_file_without_a_header_serve_the_next_run(world, corrupt):
    store = world.enter("new", root=world.path.parent.parent)

    assert store.notes == [
        ".llmeval/state.sqlite3 was corrupt: it was set aside as state.sqlite3.corrupt-"
        f"{store.notes[0].partition('corrupt-')[2][:16]}, and a new state was begun; 40 answers in it were saved"
    ]
    decisions = store.admit([world.wanted(key) for key in KEYS]).result()
    assert all(isinstance(decision, Answered) and decision.cached for decision in decisions)
    assert stored(world.path) == corrupt
    assert store.read().notes == tuple(store.notes)


def test_new_answers_come_after_the_saved_ones(world, corrupt):
    """So that ``refresh`` and the nearest request know what is older."""
    store = world.enter("new", mode="refresh")
    assert isinstance(store.admit([world.wanted("k0")]).result()[0], Granted)
    answer(world, store, "fresh", "Paris")

    assert stored(world.path)[-1][:2] == (corrupt[-1][0] + 1, "fresh")


def test_the_saved_answers_can_be_saved_again(world, corrupt):
    world.leave(world.enter("new"))
    damage(world.path)
    world.leave(world.enter("newer"))

    assert stored(world.path) == corrupt


def test_answers_in_the_log_of_a_killed_process_are_saved(world, children):
    world.leave(fill(world, "old", KEYS))
    (child,) = children(1)
    child.do("enter", path=str(world.path), run="killed")
    for n in range(20):
        child.do("answer", path=str(world.path), key=f"late{n}", text="Paris")
    child.kill()
    child.process.wait()
    assert log(world.path).stat().st_size > 4096
    behead(world.path)

    store = world.enter("new")

    assert store.notes[0].endswith("60 answers in it were saved")
    assert store.admit([world.wanted("late7")]).result() == [Answered(Response("Paris"), cached=True)]


def test_answers_in_a_log_that_sqlite_cannot_read_are_saved(world, children):
    (child,) = children(1)
    child.do("enter", path=str(world.path), run="killed")
    for n in range(20):
        child.do("answer", path=str(world.path), key=f"late{n}", text="Paris")
    child.kill()
    child.process.wait()
    damage(log(world.path), data=bytes(32))
    damage(world.path)

    assert world.enter("new").notes[0].endswith("20 answers in it were saved")


def test_answers_in_the_log_of_an_emptied_file_are_saved(world, children):
    (child,) = children(1)
    child.do("enter", path=str(world.path), run="killed")
    child.do("answer", path=str(world.path), key="late", text="Paris")
    child.kill()
    child.process.wait()
    world.path.write_bytes(b"")

    assert world.enter("new").notes[0].endswith("1 answer in it was saved")


def test_of_a_key_that_was_asked_anew_the_newest_answer_is_saved(world):
    world.leave(fill(world, "old", KEYS))
    world.leave(fill(world, "newer", KEYS[::3], seed=5, mode="refresh"))
    before = stored(world.path)
    damage(world.path)

    world.enter("new")

    assert stored(world.path) == before
    assert {row[3] for row in before} == {"old", "newer"}


def test_what_was_for_one_run_alone_is_not_saved(world):
    store = world.enter("old")
    answer(world, store, "shared", "Paris")
    answer(world, store, "mine", "Lima", reusable=False)
    store.close()
    damage(world.path)

    store = world.enter("new")

    assert store.notes[0].endswith("1 answer in it was saved")
    assert [row[1] for row in stored(world.path)] == ["shared"]


def test_a_number_that_was_given_twice_costs_neither_answer(world, monkeypatch):
    """A process that is killed while it commits leaves rows in the log whose numbers are given again."""
    from pytest_llmeval.state.sqlite import mending

    one, other = ((7, key, "", "r", 1.0, '{"messages":[]}', '{"text":"x"}') for key in ("one", "other"))
    newer = (9, "one", "", "r", 1.0, '{"messages":[]}', '{"text":"y"}')
    monkeypatch.setattr(mending, "rows", lambda *_: iter([one, other, other, one, newer]))
    world.leave(world.enter("old"))
    damage(world.path)
    world.enter("new")

    assert {row[1]: row[6] for row in stored(world.path)} == {"one": '{"text":"y"}', "other": '{"text":"x"}'}


@pytest.mark.parametrize("step", range(6))
def test_a_process_that_is_killed_in_the_midst_of_it_loses_nothing(world, children, monkeypatch, step):
    """Before each of the renames in turn."""
    world.leave(fill(world, "old", KEYS))
    (child,) = children(1)
    child.do("enter", path=str(world.path), run="killed")
    child.do("answer", path=str(world.path), key="late", text="Paris")
    child.kill()
    child.process.wait()
    behead(world.path)
    real, renamed = Path.rename, []

    def rename(self, target):
        if len(renamed) == step:
            raise KilledError
        renamed.append(self.name)
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with contextlib.suppress(KilledError):
        SqliteStore.open(world.path, "killed too").close()
    monkeypatch.undo()

    store = world.enter("new")

    assert sorted(row[1] for row in stored(world.path)) == sorted([*KEYS, "late"])
    assert isinstance(store.admit([world.wanted("late")]).result()[0], Answered)
    world.leave(store)
    left = [name for name in names(world) if ".corrupt-" not in name]
    assert left == ["state.sqlite3"]
    assert world.enter("next").notes == []


def test_the_log_of_the_corrupt_file_is_not_played_into_the_new_one(world):
    """A process was killed when the corrupt file was set aside and its log was not yet."""
    store = fill(world, "corrupt", KEYS)
    left = log(world.path).read_bytes()
    world.leave(store)
    world.path.unlink()
    world.leave(fill(world, "new", KEYS[:5], seed=9))
    saved = stored(world.path)
    world.path.rename(world.path.with_name("state.sqlite3-salvaged"))
    log(world.path).write_bytes(left)

    store = world.enter("next")

    assert stored(world.path) == saved
    (aside,) = (path for path in world.path.parent.iterdir() if ".corrupt-" in path.name)
    assert aside.read_bytes() == left


def test_rows_that_are_damaged_are_left_and_the_others_counted(world):
    world.leave(fill(world, "old", KEYS))
    data = world.path.read_bytes()
    altered = data.replace(b'{"key":"k7"}', b'{"key":"k6"}')
    assert altered != data
    world.path.write_bytes(bytes(100) + altered[100:])

    assert world.enter("new").notes[0].endswith("39 answers in it were saved")


def test_pruning_a_corrupt_state_leaves_a_sound_one(world, corrupt):
    assert prune(world.path, world.clock).responses == 40
    assert world.enter("new").notes == []
