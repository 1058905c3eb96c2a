"""The users of a local server's child: what keeps it alive, and who has it. Real sockets, no model."""

import contextlib
import importlib.util
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import pytest_llmeval
from pytest_llmeval.connectors._llama.servers import Address, Seat

PROGRAM = Path(pytest_llmeval.__file__).parent / "connectors" / "_llama" / "child.py"


@dataclass
class Child:
    """The watching thread of a child's program; ``ended`` is set where the program would end its process."""

    address: Address
    users: object
    ended: threading.Event


@pytest.fixture
def program(monkeypatch):
    spec = importlib.util.spec_from_file_location("child_program", PROGRAM)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def child(program, monkeypatch):
    ended = threading.Event()

    def leave(status: int) -> None:
        assert status == 0
        ended.set()
        raise SystemExit

    monkeypatch.setattr(program.os, "_exit", leave)
    users = program.Users()

    def watch() -> None:
        with contextlib.suppress(SystemExit):
            users.watch()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield Child(Address("", "", users.port, users.hello, 0, ""), users, ended)
    assert ended.wait(5)
    thread.join(5)
    users._listening.close()
    assert not thread.is_alive()


def test_it_ends_with_the_last_of_its_users(child):
    one, two = Seat.take(child.address), Seat.take(child.address)
    one.close()
    assert two.reserve()
    assert not child.ended.is_set()
    two.close()
    assert child.ended.wait(5)


def test_one_has_it_at_a_time_in_the_order_of_trying(child):
    one, two = Seat.take(child.address), Seat.take(child.address)
    assert [one.reserve(), two.reserve()] == [True, False]
    two.give_back()
    assert not two.reserve()
    one.give_back()
    assert two.reserve()
    one.close()
    two.close()


def test_what_one_that_went_had_is_free(child):
    one, two = Seat.take(child.address), Seat.take(child.address)
    assert one.reserve()
    one.close()
    assert two.reserve()
    two.close()


def test_giving_back_and_trying_in_one_breath_keeps_it_and_takes_no_time(child):
    seat = Seat.take(child.address)
    started = time.perf_counter()
    for _ in range(200):
        assert seat.reserve()
        seat.give_back()
    # it blocks the engine's loop: some ten microseconds, and not the 40 ms of a delayed acknowledgement
    assert (time.perf_counter() - started) / 200 < 0.01
    seat.close()


def test_a_seat_taken_for_another_process_s_port_is_none(child):
    wrong = Address("", "", child.address.users, "0" * 16, 0, "")
    assert Seat.take(wrong) is None


def test_a_seat_tells_that_the_child_is_gone(child):
    seat = Seat.take(child.address)
    for connection in list(child.users._connections):
        child.users._drop(connection)
    assert not seat.reserve()
    assert seat.gone
    assert not seat.reserve()
    seat.close()


def test_nobody_is_waited_for_longer_than_the_patience(program, monkeypatch):
    ended = threading.Event()

    def leave(status: int) -> None:
        ended.set()
        raise SystemExit

    monkeypatch.setattr(program.os, "_exit", leave)
    monkeypatch.setattr(program, "PATIENCE", 0.0)
    users = program.Users()
    users.ready = 0.0
    with pytest.raises(SystemExit):
        users.watch()
    assert ended.is_set()
    users._listening.close()
