"""One thread writes; what is queued together is committed together; a failure is its own operation's alone."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading

import pytest

from pytest_llmeval.core.errors import StateError
from pytest_llmeval.state.sqlite.writer import Writer


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x PRIMARY KEY)")
    connection.close()
    return path


@pytest.fixture
def writers(path):
    made = []

    def make(**options):
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        damage = []
        writer = Writer(connection, "x.sqlite3", lambda: damage.append(1), **options)
        made.append(writer)
        return writer, connection, damage

    yield make
    for writer in made:
        writer.close()


def insert(value):
    return lambda connection: connection.execute("INSERT INTO t VALUES (?)", (value,)).rowcount


def read(path):
    connection = sqlite3.connect(path)
    try:
        return sorted(value for (value,) in connection.execute("SELECT x FROM t"))
    finally:
        connection.close()


def held(writer):
    """Keep the writer busy until told."""
    go = threading.Event()
    started = threading.Event()

    def operation(_connection):
        started.set()
        go.wait()

    writer.submit(operation)
    started.wait()
    return go


def test_what_is_queued_together_is_committed_together(writers):
    writer, connection, _ = writers()
    begun = []
    connection.set_trace_callback(begun.append)
    go = held(writer)
    futures = [writer.submit(insert(n)) for n in range(50)]
    go.set()

    assert [future.result() for future in futures] == [1] * 50
    # one for what held the writer, one for all others
    assert begun.count("BEGIN IMMEDIATE") == 2


def test_a_future_is_settled_after_the_commit(writers, path):
    writer, _, _ = writers()

    writer.submit(insert(1)).result()

    assert read(path) == [1]


def test_one_failure_takes_nothing_else_with_it(writers, path):
    writer, _, _ = writers()
    go = held(writer)
    good = [writer.submit(insert(n)) for n in range(3)]
    bad = writer.submit(lambda _: 1 / 0)
    twice = writer.submit(insert(1))
    late = writer.submit(insert(9))
    go.set()

    assert [future.result() for future in [*good, late]] == [1] * 4
    assert isinstance(bad.exception(), ZeroDivisionError)
    assert isinstance(twice.exception(), sqlite3.IntegrityError)
    assert read(path) == [0, 1, 2, 9]


def test_a_failed_operation_leaves_nothing_half_done(writers, path):
    writer, _, _ = writers()

    def half(connection):
        insert(1)(connection)
        raise ValueError

    assert isinstance(writer.submit(half).exception(), ValueError)
    assert read(path) == []


def test_closing_settles_what_is_queued(writers, path):
    writer, _, _ = writers()
    go = held(writer)
    futures = [writer.submit(insert(n)) for n in range(300)]
    go.set()
    writer.close()

    assert all(future.done() for future in futures)
    assert len(read(path)) == 300
    with pytest.raises(StateError, match="was closed"):
        writer.submit(insert(1)).result()


def test_what_is_cancelled_while_it_is_queued_is_not_done(writers, path):
    writer, _, _ = writers()
    go = held(writer)
    cancelled, kept = writer.submit(insert(1)), writer.submit(insert(2))
    assert cancelled.cancel()
    go.set()
    kept.result()

    assert read(path) == [2]


def test_reading_waits_for_no_other_writer(writers, path):
    writer, _, _ = writers()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    count = writer.submit(lambda connection: connection.execute("SELECT count(*) FROM t").fetchone()[0], writes=False)

    assert count.result(5) == 0
    other.execute("ROLLBACK")
    other.close()


def test_another_writer_is_waited_for(writers, path):
    writer, _, _ = writers()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    future = writer.submit(insert(1))
    assert not future.done()
    other.execute("ROLLBACK")
    other.close()

    assert future.result(5) == 1


def test_a_stuck_writer_is_named_in_the_end(writers, path):
    writer, _, _ = writers(patience=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StateError, match=r"x\.sqlite3: database is locked: another process has kept it locked"):
        writer.submit(insert(1)).result(5)
    other.execute("ROLLBACK")
    other.close()


def test_a_full_disk_is_named(writers):
    writer, connection, _ = writers()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StateError, match="no space is left"):
        writer.submit(insert("x" * 100_000)).result()


def test_a_file_that_may_not_be_written_is_named_with_the_way_out(writers):
    writer, connection, _ = writers()
    connection.execute("PRAGMA query_only = 1")

    with pytest.raises(StateError, match="it cannot be written there; --llmeval-state names another place"):
        writer.submit(insert(1)).result()


def test_damage_is_noted_for_the_next_run(writers, path):
    writer, connection, damage = writers()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA cache_size = 0")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)

    with pytest.raises(StateError, match="the next run saves its answers into a new one"):
        writer.submit(lambda connection: connection.execute("SELECT * FROM t").fetchall()).result()
    assert damage == [1]


def test_a_main_thread_that_ends_without_closing_is_not_held_up(path):
    code = f"""
import sqlite3, sys
from pytest_llmeval.state.sqlite.writer import Writer
connection = sqlite3.connect({str(path)!r}, isolation_level=None, check_same_thread=False)
writer = Writer(connection, "x", lambda: None)
writer.submit(lambda connection: connection.execute("INSERT INTO t VALUES (1)")).result()
sys.exit(3)
"""

    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 3
    assert read(path) == [1]
