"""A breaker over all processes of a run: it opens, skips, probes and closes for all of them."""

from __future__ import annotations

import contextlib
import sqlite3
import time

from pytest_llmeval.core.admission import Answered, FailedBefore, Granted, Skipped, Stopped
from pytest_llmeval.core.clock import SystemClock
from pytest_llmeval.core.endpoint import Breaker
from pytest_llmeval.core.exchange import Response

TWICE = Breaker(failures=2, recover=10.0)
OPEN = Skipped("endpoint small: breaker open after 2 failed requests in a row: 503")


def wanted(world, key, **options):
    return world.wanted(key, **{"breaker": TWICE, **options})


def ask(store, one):
    (decision,) = store.admit([one]).result()
    return decision


def fail(world, store, *keys, heard="fault"):
    for key in keys:
        store.fail(ask(store, wanted(world, key)), "503", heard=heard).result()


def test_failures_of_several_processes_open_it_for_all_of_them(world):
    one, other = world.enter(), world.enter()
    fail(world, one, "a")
    assert isinstance(ask(other, wanted(world, "held back")), Granted)
    fail(world, other, "b")

    assert ask(one, wanted(world, "c")) == OPEN
    assert ask(other, wanted(world, "d")) == OPEN


def test_it_is_each_endpoints_own_and_an_endpoint_may_have_none(world):
    store = world.enter()
    fail(world, store, "a", "b")

    assert isinstance(ask(store, wanted(world, "c", endpoint="large")), Granted)
    assert isinstance(ask(store, wanted(world, "d", breaker=None)), Granted)


def test_what_is_known_is_told_whatever_it_says(world):
    store = world.enter()
    store.answer(ask(store, wanted(world, "known")), Response("Paris")).result()
    fail(world, store, "a", "b")

    assert ask(store, wanted(world, "known")) == Answered(Response("Paris"), cached=False)
    assert ask(store, wanted(world, "a")) == FailedBefore("503", 1)
    store.stop_endpoint("small", "401").result()
    assert ask(store, wanted(world, "new")) == Stopped("401")


def test_an_answer_between_failures_begins_the_count_anew(world):
    store = world.enter()
    fail(world, store, "a")
    store.answer(ask(store, wanted(world, "b")), Response("ok")).result()
    fail(world, store, "c")

    assert isinstance(ask(store, wanted(world, "d")), Granted)


def test_an_invalid_request_is_no_failure_and_neither_is_a_refusal_for_the_rate(world):
    store = world.enter()
    fail(world, store, "a", "b", heard="limit")
    fail(world, store, "c")
    fail(world, store, "d", heard="reply")
    fail(world, store, "e")

    assert isinstance(ask(store, wanted(world, "f")), Granted)


def test_attempts_before_the_last_are_no_failures(world):
    store = world.enter()
    for _ in range(4):
        store.release(ask(store, wanted(world, "a")), heard="fault").result()

    assert isinstance(ask(store, wanted(world, "b")), Granted)


def test_a_retry_is_skipped_too_before_its_time(world):
    store = world.enter()
    store.release(ask(store, wanted(world, "again")), wait=500.0, heard="fault").result()
    fail(world, store, "a", "b")

    assert ask(store, wanted(world, "again")) == Skipped(OPEN.reason, attempts=1)


def opened(world):
    store = world.enter()
    fail(world, store, "a", "b")
    return store


def test_after_its_time_one_request_of_all_processes_probes(world):
    one, other = opened(world), world.enter()
    world.clock.step(9.9)
    assert ask(other, wanted(world, "early")) == OPEN
    world.clock.step(0.1)

    probe, second = other.admit([wanted(world, "c"), wanted(world, "d")]).result()

    assert isinstance(probe, Granted)
    assert probe.probe
    assert second == OPEN
    assert ask(one, wanted(world, "e")) == OPEN


def test_a_probe_that_is_answered_closes_it_and_what_was_skipped_stays_skipped(world):
    store = opened(world)
    assert ask(store, wanted(world, "skipped")) == OPEN
    world.clock.step(10)
    store.answer(ask(store, wanted(world, "c")), Response("ok")).result()

    claim = ask(store, wanted(world, "d"))
    assert isinstance(claim, Granted)
    assert not claim.probe
    assert ask(world.enter(), wanted(world, "skipped")) == OPEN


def test_an_attempt_of_a_probe_that_fails_keeps_it_open_as_long_again(world):
    store = opened(world)
    world.clock.step(10)
    store.release(ask(store, wanted(world, "c")), wait=1.0, heard="fault").result()

    world.clock.step(9.9)
    assert ask(store, wanted(world, "c")) == Skipped(OPEN.reason, attempts=1)
    world.clock.step(0.1)
    assert isinstance(ask(store, wanted(world, "d")), Granted)


def test_a_probe_that_is_refused_for_the_rate_or_not_sent_leaves_its_place_to_the_next(world):
    store = opened(world)
    world.clock.step(10)
    store.release(ask(store, wanted(world, "c")), wait=1.0, heard="limit").result()
    claim = ask(store, wanted(world, "d"))
    assert isinstance(claim, Granted)
    assert claim.probe
    store.release(claim, sent=False).result()

    assert isinstance(ask(store, wanted(world, "e")), Granted)


def test_the_death_of_a_probes_process_frees_its_place(children, world):
    victim, heir = children(2)
    store = world.enter("r", clock=SystemClock())
    store.fail(ask(store, wanted(world, "a", breaker=Breaker(1, 0.001))), "503", heard="fault").result()
    time.sleep(0.01)
    for child in (victim, heir):
        child.do("enter", path=str(world.path), run="r")
    assert victim.do("probe", path=str(world.path), key="b")
    assert not heir.do("probe", path=str(world.path), key="c")

    victim.kill()
    victim.process.wait()
    time.sleep(0.06)

    assert heir.do("probe", path=str(world.path), key="d")


def test_it_is_forgotten_with_its_run(world):
    store = opened(world)
    assert ask(store, wanted(world, "c")) == OPEN
    world.leave(store)

    with contextlib.closing(sqlite3.connect(world.path)) as connection:
        rows = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("breakers", "skips")]
    assert rows == [[], []]
    assert isinstance(ask(world.enter("run-2"), wanted(world, "c")), Granted)


def test_two_runs_at_once_have_each_their_own(world):
    opened(world)

    assert isinstance(ask(world.enter("run-2"), wanted(world, "c")), Granted)


def test_secrets_are_not_in_the_reason(world):
    store = world.enter()
    store.redactor.add("canary-4711")
    for key in "ab":
        store.fail(ask(store, wanted(world, key)), "503 canary-4711", heard="fault").result()

    assert "canary" not in ask(store, wanted(world, "c")).reason
