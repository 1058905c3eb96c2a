"""What can be read out of damaged bytes: every row that is whole, no row that is altered."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

import pytest
from damage import ROW, Written, fill, written
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.state.sqlite.cache import put
from pytest_llmeval.state.sqlite.salvage import TAG, rows
from pytest_llmeval.state.sqlite.schema import migrate

KEYS = [f"k{n}" for n in range(60)]


@pytest.fixture
def whole(world) -> Written:
    """Closed: nothing is in the log."""
    world.leave(fill(world, "old", KEYS))
    return written(world.path)


@pytest.fixture
def logged(world) -> Written:
    """Open: older answers in the file, newer ones in the log, some of these in the place of older ones."""
    world.leave(fill(world, "old", KEYS[:30]))
    fill(world, "new", KEYS[20:], seed=1, mode="refresh")
    return written(world.path)


def newest(found) -> dict:
    kept = {}
    for row in found:
        if row[1] not in kept or kept[row[1]][0] < row[0]:
            kept[row[1]] = row
    return kept


def salvaged(of: Written, database: bytes | None = None, log: bytes | None = None) -> dict:
    return newest(rows(of.database if database is None else database, of.log if log is None else log, of.columns))


def without_header(data: bytes) -> bytes:
    return bytes(100) + data[100:]


def test_every_row_of_an_undamaged_file_is_found(whole):
    assert whole.log == b""
    assert salvaged(whole) == whole.newest


def test_every_row_is_found_where_header_and_schema_are_gone(whole):
    assert salvaged(whole, without_header(whole.database)) == whole.newest
    assert salvaged(whole, bytes(4096) + whole.database[4096:]) == whole.newest


def test_rows_are_found_in_pages_that_lost_their_own_headers(whole):
    """The first bytes of every page: its kind, and where its rows stand."""
    data = bytearray(whole.database)
    for page in range(4096, len(data), 4096):
        # of a page in a chain, that would be where the next one is
        if data[page] == 0x0D:
            size = 8 + 2 * int.from_bytes(data[page + 3 : page + 5], "big")
            data[page : page + size] = b"\xff" * size

    assert salvaged(whole, bytes(data)) == whole.newest


def test_the_first_part_of_a_cut_file_gives_what_lies_in_it(whole):
    half = whole.database[: len(whole.database) // 2]
    found = salvaged(whole, half)

    assert 0 < len(found) < len(KEYS)
    assert found.items() <= whole.newest.items()
    # all whose tag and every page stand in that half
    assert len(found) >= half.count(TAG) - 4


def test_the_newest_of_each_key_lies_in_the_log(logged):
    assert len(logged.log) > 4096
    assert salvaged(logged) == logged.newest
    assert salvaged(logged, without_header(logged.database)) == logged.newest
    assert {row[3] for row in logged.rows} == {"old", "new"}


def test_without_the_log_the_older_answers_are_found(logged):
    found = salvaged(logged, log=b"")

    assert {key: row[3] for key, row in found.items()} == dict.fromkeys(KEYS[:30], "old")


def test_the_log_alone_gives_what_it_holds(logged):
    found = salvaged(logged, database=b"")

    assert set(KEYS[20:]) <= set(found)
    assert all(found[key] == logged.newest[key] for key in KEYS[20:])


def test_a_log_without_its_header_is_read_too(logged):
    assert salvaged(logged, without_header(logged.database), bytes(32) + logged.log[32:]) == logged.newest


def test_what_the_log_held_before_it_began_anew_does_not_come_before_what_it_holds_now(world):
    """The log is written over from its start; what is left behind is older, though it stands later."""
    first = fill(world, "first", KEYS[:40])
    connection = sqlite3.connect(world.path)
    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    connection.close()
    world.leave(fill(world, "second", KEYS[:5], seed=2, mode="refresh"), end=False)
    of = written(world.path)
    assert first is not None
    step = 24 + 4096
    salts = [of.log[at + 8 : at + 16] for at in range(32, len(of.log) - step + 1, step)]
    assert len(set(salts)) == 2

    assert salvaged(of) == of.newest
    assert salvaged(of, without_header(of.database)) == of.newest


@pytest.mark.parametrize("page", [512, 1024, 8192, 65_536])
def test_pages_of_any_size_are_read(tmp_path, page):
    connection = sqlite3.connect(tmp_path / "x.sqlite3", isolation_level=None)
    connection.execute(f"PRAGMA page_size = {page}")
    migrate(connection)
    for n, size in enumerate([10, 400, 3_000, 70_000], start=1):
        put(connection, (n * 1_000_003, f"k{n}", "", "r", n / 2, '{"messages":[]}', "x" * size))
    columns = [column[1] for column in connection.execute("PRAGMA table_info(responses)")]
    expected = connection.execute(f"SELECT {ROW} FROM responses ORDER BY n").fetchall()
    connection.close()

    assert sorted(rows((tmp_path / "x.sqlite3").read_bytes(), b"", columns)) == expected


def test_rows_of_a_state_that_had_no_digests_are_not_taken_for_whole(whole):
    assert list(rows(whole.database, b"", ["tag", *(f"other{n}" for n in range(20)), *whole.columns[1:]])) == []


# --- whatever becomes of the bytes ---

#: where, how much, and with what a file is written over
wounds = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 6_000), st.sampled_from([0, 1, 2])), max_size=12)


def wounded(data: bytes, where: Sequence[tuple[float, int, int]], dice: random.Random) -> bytes:
    """Zeros, noise, or a part of the file itself as a misdirected write leaves it."""
    made = bytearray(data)
    for share, most, kind in where:
        place = int(share * len(made))
        size = min(most, len(made) - place)
        other = dice.randrange(max(1, len(data) - size))
        made[place : place + size] = (bytes(size), dice.randbytes(size), data[other : other + size])[kind]
    return bytes(made)


@pytest.fixture(scope="module")
def one(tmp_path_factory, make_world) -> Written:
    """As ``logged``, made once for many examples."""
    world = make_world(tmp_path_factory.mktemp("salvage") / "state.sqlite3")
    world.leave(fill(world, "old", KEYS[:30]))
    before = written(world.path).rows
    store = fill(world, "new", KEYS[20:], seed=1, mode="refresh")
    made = written(world.path)
    world.leave(store)
    # what stood there before the newest did was an answer too
    return replace(made, rows=[*before, *made.rows])


@settings(max_examples=60, deadline=None)
@given(wounds, wounds, st.floats(0, 1), st.randoms(use_true_random=False))
def test_no_altered_row_is_ever_given(one, in_file, in_log, kept, dice):
    database = wounded(one.database, in_file, dice)[: int(kept * 2 * len(one.database))]
    log = wounded(one.log, in_log, dice)

    assert set(rows(database, log, one.columns)) <= set(one.rows)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 3), st.integers(1, 255))
def test_a_single_changed_byte_in_a_row_costs_that_row_alone(one, seed, bit, change):
    dice = random.Random(seed)
    data = bytearray(one.database)
    tags = [place for place in range(len(data)) if data.startswith(TAG, place)]
    data[dice.choice(tags) + dice.randrange(-3, 400)] ^= change

    found = newest(rows(bytes(data), b"", one.columns))
    before = newest(rows(one.database, b"", one.columns))

    assert found.items() <= before.items()
    assert len(found) >= len(before) - 2


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.binary(max_size=80) | st.sampled_from([TAG, b"\x0c\x31", b"SQLite format 3\0"]), max_size=30).map(
        b"".join
    )
)
def test_garbage_is_no_row_and_no_error(one, data):
    for database, log in (
        (data, b""),
        (b"", data),
        (data, data),
        (b"SQLite format 3\0" + data, b"\x37\x7f\x06" + data),
    ):
        assert list(rows(database, log, one.columns)) == []


def test_an_answer_that_speaks_of_the_tag_is_one_like_any(world):
    store = world.enter("r")
    (claim,) = store.admit([world.wanted("k")]).result()
    store.answer(claim, Response(f"{TAG.decode()} " * 40)).result()
    world.leave(store)
    of = written(world.path)

    assert salvaged(of) == of.newest
