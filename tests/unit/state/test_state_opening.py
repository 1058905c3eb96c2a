"""Whatever lies at the path: a state that works, or a clear word."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from pytest_llmeval.core.admission import Answered, Granted
from pytest_llmeval.core.errors import StateError
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.state.sqlite import SqliteStore, discard_temporary, read_run
from pytest_llmeval.state.sqlite.opening import CHECKED_WHOLE, damage_marker
from pytest_llmeval.state.sqlite.schema import VERSION


def fill(world, run="old", count=30, size=100):
    store = world.enter(run)
    for n in range(count):
        (claim,) = store.admit([world.wanted(f"k{n}")]).result()
        store.answer(claim, Response("x" * size)).result()
    world.leave(store)


def aside(world):
    return sorted(path.name for path in world.path.parent.iterdir() if ".corrupt-" in path.name)


def works(world, store):
    (claim,) = store.admit([world.wanted("fresh")]).result()
    assert isinstance(claim, Granted)
    store.answer(claim, Response("Paris")).result()
    assert store.admit([world.wanted("fresh")]).result() == [Answered(Response("Paris"), cached=False)]


def test_a_new_state_keeps_itself_out_of_version_control(world):
    store = world.enter()

    assert store.new
    assert not store.temporary
    assert store.notes == []
    assert (world.path.parent / ".gitignore").read_text() == "*\n"
    assert not world.enter().new


def test_a_folder_that_was_there_is_not_hidden_from_version_control(tmp_path):
    store = SqliteStore.open(tmp_path / "state.sqlite3", "r")
    store.close()

    assert not (tmp_path / ".gitignore").exists()


def test_the_log_is_gone_when_the_last_one_closes(world):
    fill(world)

    names = {path.name for path in world.path.parent.iterdir()}

    assert names == {".gitignore", "state.sqlite3", "state.sqlite3.lock", "state.sqlite3-owners"}
    assert list((world.path.parent / "state.sqlite3-owners").iterdir()) == []


def test_an_empty_file_is_a_new_state(world):
    world.path.parent.mkdir()
    world.path.touch()

    store = world.enter()

    assert store.new
    assert aside(world) == []
    works(world, store)


def header(data: bytearray) -> None:
    data[:16] = b"\x00" * 16


def half(data: bytearray) -> None:
    del data[len(data) // 2 :]


def garbage(data: bytearray) -> None:
    data[:] = os.urandom(20_000)


def short(data: bytearray) -> None:
    data[:] = b"garbage\n"


def leaves(data: bytearray) -> None:
    for page in range(3, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200


@pytest.mark.parametrize("damage", [header, half, garbage, short, leaves])
@pytest.mark.parametrize("size", [100, CHECKED_WHOLE // 20])
def test_a_corrupt_file_is_set_aside_and_said(world, damage, size):
    fill(world, size=size)
    data = bytearray(world.path.read_bytes())
    damage(data)
    world.path.write_bytes(data)
    if damage is leaves and size > 100:
        # a large file is looked at whole only where somebody met damage
        damage_marker(world.path).touch()

    store = world.enter("new", root=world.path.parent.parent)

    assert aside(world) == ["state.sqlite3.corrupt-20231114T221320Z"]
    assert world.path.with_name(aside(world)[0]).read_bytes() == data
    (note,) = store.notes
    assert note.startswith(
        ".llmeval/state.sqlite3 was corrupt: it was set aside as state.sqlite3.corrupt-20231114T221320Z, "
        "and a new state was begun; "
    )
    assert store.new
    assert store.read().notes == tuple(store.notes)
    works(world, store)
    world.leave(store)
    assert not damage_marker(world.path).exists()
    assert not world.enter("next").new


def test_a_second_corrupt_file_does_not_take_the_place_of_the_first(world):
    for _ in range(2):
        world.path.parent.mkdir(exist_ok=True)
        world.path.write_bytes(b"garbage")
        world.leave(world.enter())

    assert len(aside(world)) == 2


def test_damage_met_in_a_run_is_told_and_mended_by_the_next(world):
    fill(world, size=CHECKED_WHOLE // 20)
    with world.path.open("r+b") as file:
        # the tables' first pages are whole, those of the answers are not
        for page in range(60, world.path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 200)
    store = SqliteStore.open(world.path, "meets it")
    world.opened.append(store)

    with pytest.raises(StateError, match="the next run saves its answers into a new one"):
        store.admit([world.wanted(f"k{n}") for n in range(30)]).result()
    store.close()

    works(world, world.enter("next"))
    assert len(aside(world)) == 1


def test_a_newer_version_is_refused_and_left_alone(world):
    fill(world)
    connection = sqlite3.connect(world.path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = world.path.read_bytes()

    with pytest.raises(StateError, match=f"is of version {VERSION + 1}, written by a newer pytest-llmeval-recipes"):
        SqliteStore.open(world.path, "r")

    assert world.path.read_bytes() == before
    assert aside(world) == []


def test_another_programs_database_is_refused_and_left_alone(world):
    world.path.parent.mkdir()
    connection = sqlite3.connect(world.path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = world.path.read_bytes()

    with pytest.raises(StateError, match="belongs to another program"):
        SqliteStore.open(world.path, "r")

    assert world.path.read_bytes() == before


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("# Precious\n")

    with pytest.raises(StateError, match="is not a state file"):
        SqliteStore.open(path, "r")

    assert path.read_text() == "# Precious\n"


def test_a_state_that_was_killed_while_it_was_made_is_made_again(world, monkeypatch):
    """Each migration is whole or not there, its marks among it."""
    from pytest_llmeval.state.sqlite import schema

    monkeypatch.setattr(schema, "MIGRATIONS", (schema.MIGRATIONS[0] + "SELECT no_such_function();",))
    with pytest.raises(StateError, match="no such function"):
        SqliteStore.open(world.path, "r")
    assert list((world.path.parent / "state.sqlite3-owners").iterdir()) == []
    monkeypatch.undo()

    works(world, world.enter())
    assert aside(world) == []


def test_reading_a_damaged_file_is_a_clear_error(world):
    fill(world)
    world.path.write_bytes(b"garbage" * 1000)

    with pytest.raises(StateError, match="file is not a database"):
        read_run(world.path, "old")


def test_a_folder_in_its_place_is_named(tmp_path):
    with pytest.raises(StateError, match="is a folder"):
        SqliteStore.open(tmp_path, "r")


@pytest.fixture
def unwritable(tmp_path, monkeypatch):
    """A place where no folder can be made, whoever runs the tests."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    blocked = tmp_path / "file"
    blocked.touch()
    yield blocked / ".llmeval" / "state.sqlite3"
    discard_temporary("run-1")


def test_a_place_that_cannot_be_written_is_replaced_for_this_run(world, unwritable, tmp_path):
    world.path = unwritable
    store, worker = world.enter(root=tmp_path), world.enter()

    assert store.temporary
    assert store.path == worker.path
    (note,) = store.notes
    assert note.startswith("file/.llmeval/state.sqlite3 cannot be written (Not a directory)")
    assert note.endswith("answers and results are kept for this run only")
    works(world, store)
    assert worker.admit([world.wanted("fresh")]).result() == [Answered(Response("Paris"), cached=False)]
    world.leave(worker, end=False)
    world.leave(store)
    # who only reads finds it too
    assert read_run(unwritable, "run-1").complete
    discard_temporary("run-1")
    assert not store.path.parent.exists()


def test_no_place_at_all_is_an_error_that_names_both(unwritable, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(unwritable.parent))

    with pytest.raises(StateError, match=r"state\.sqlite3 cannot be written .*; nor can .*llmeval-.*run-1"):
        SqliteStore.open(unwritable, "run-1")


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="this system has no such owners")
def test_a_temporary_folder_of_somebody_else_is_not_used(unwritable, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 4711)

    with pytest.raises(StateError, match="belongs to another user"):
        SqliteStore.open(unwritable, "run-1")


def test_a_user_without_a_name_has_a_temporary_place_too(unwritable, monkeypatch):
    def nameless():
        raise KeyError(1234)

    monkeypatch.setattr("getpass.getuser", nameless)
    store = SqliteStore.open(unwritable, "run-1")
    store.close()

    assert store.path.parent.name == "llmeval-user-run-1"
    discard_temporary("run-1")
    assert not store.path.parent.exists()


def test_a_state_that_another_program_keeps_locked_is_an_error(world, monkeypatch):
    """Not a reason to begin another state beside it."""
    from pytest_llmeval.state.sqlite import opening

    fill(world)
    monkeypatch.setattr(opening, "_BUSY_TIMEOUT", 0.05)
    other = sqlite3.connect(world.path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StateError, match="database is locked"):
            SqliteStore.open(world.path, "r")
    finally:
        other.close()


def test_a_file_that_may_not_be_written_is_left_alone(world, unwritable, monkeypatch):
    fill(world)
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != world.path and real(path, mode))
    before = world.path.read_bytes()

    store = world.enter("run-1")

    assert store.temporary
    works(world, store)
    assert world.path.read_bytes() == before


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that makes no folders")
def test_a_link_to_where_nothing_can_be_made_is_such_a_place(world, unwritable):
    world.path.parent.mkdir()
    world.path.symlink_to("/proc/self/nothing/state.sqlite3")

    store = world.enter("run-1")

    assert store.temporary
    assert "unable to open database file" in store.notes[0]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that makes no folders")
def test_a_file_system_that_makes_no_folders_is_such_a_place(world, unwritable):
    world.path = Path("/proc/llmeval/state.sqlite3")

    assert world.enter("run-1").temporary


def test_a_file_system_without_a_log_is_said(world, monkeypatch):
    """Where WAL is not granted SQLite answers with the mode that stands."""
    from pytest_llmeval.state.sqlite import opening

    class Refusing(sqlite3.Connection):
        def execute(self, statement, *arguments):
            if statement == "PRAGMA journal_mode = WAL":
                statement = "PRAGMA journal_mode"
            return super().execute(statement, *arguments)

    real = sqlite3.connect
    monkeypatch.setattr(opening.sqlite3, "connect", lambda *args, **kw: real(*args, **kw, factory=Refusing))
    store, other = world.enter(), world.enter()

    assert store.notes == [f"{world.path}: no write-ahead log can be had there (delete): several workers are slow"]
    works(world, store)
    assert other.admit([world.wanted("fresh")]).result() == [Answered(Response("Paris"), cached=False)]
