"""What is learnt of a service is shared by all who ask it, and remembered for a day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_llmeval.core.admission import Granted, Refusal, Wait
from pytest_llmeval.core.clock import SECOND, SystemClock
from pytest_llmeval.core.endpoint import Limits
from pytest_llmeval.core.exchange import RateLimits, Response
from pytest_llmeval.limits import pace
from pytest_llmeval.state.sqlite import paces, read_run


def ask(store, wanted):
    (decision,) = store.admit([wanted]).result()
    return decision


def refuse(world, store, key="refused", refusal=Refusal(), **options):  # noqa: B008 - frozen
    """Have one refused that was sent a hundredth of a second ago."""
    claim = ask(store, world.wanted(key, **options))
    assert isinstance(claim, Granted), claim
    world.clock.step(0.01)
    store.refuse(claim, refusal)
    store.release(replace(claim, refused=claim.refused + 1), wait=0.0).result()
    return claim


def held(decision):
    assert isinstance(decision, Wait), decision
    assert decision.why == "pace"
    return decision.seconds


def test_a_refusal_slows_all_processes_and_no_other_service(world):
    one, other = world.enter(), world.enter()
    refuse(world, one)

    # one came through in about a second, hence one a second
    assert 0.5 < held(ask(other, world.wanted("a"))) < 25
    assert held(ask(one, world.wanted("a"))) > 0.5
    assert isinstance(ask(other, world.wanted("b", bucket="another")), Granted)


def test_who_waits_as_long_as_told_goes(world):
    store = world.enter()
    refuse(world, store)
    world.clock.step(held(ask(store, world.wanted("a"))))

    assert isinstance(ask(store, world.wanted("a")), Granted)


def test_a_fault_and_an_answer_slow_nobody(world):
    store = world.enter()
    for n in range(20):
        store.release(ask(store, world.wanted(f"k{n}")), wait=0.0).result()
        store.answer(ask(store, world.wanted(f"k{n}")), Response("x")).result()

    assert isinstance(ask(store, world.wanted("next")), Granted)


def test_a_wait_that_a_service_asked_for_holds_all_back_once_it_is_refused_again(world):
    one, other = world.enter(), world.enter()
    refuse(world, one, "first", Refusal(9.0))
    world.clock.step(held(ask(other, world.wanted("second"))))
    refuse(world, other, "second", Refusal(9.0))

    assert held(ask(one, world.wanted("third"))) == pytest.approx(9.0, abs=4.0)


def test_limits_that_are_told_with_answers_hold_in_all_processes(world):
    one, other = world.enter(), world.enter()
    claims = []
    for n in range(3):
        claims.append(ask(one, world.wanted(f"k{n}")))
        world.clock.step(0.001)
    # two were counted when this was said: the third, on the wire, takes one of what remains
    one.answer(claims[1], Response("x", limits=RateLimits(5, 3, 4.0))).result()
    assert isinstance(ask(other, world.wanted("a")), Granted)
    assert isinstance(ask(one, world.wanted("b")), Granted)

    assert held(ask(other, world.wanted("c"))) == pytest.approx(2.0, abs=0.1)

    # who says nothing any more is asked as before
    one.answer(claims[2], Response("x")).result()
    assert isinstance(ask(other, world.wanted("c")), Granted)


def test_tokens_that_are_told_hold_the_large_back(world):
    store = world.enter()
    said = RateLimits(tokens=1000, tokens_remaining=100, tokens_reset=9.0)
    store.answer(ask(store, world.wanted("a", tokens=10)), Response("x", limits=said)).result()

    assert held(ask(store, world.wanted("large", tokens=400))) == pytest.approx(3.0, abs=0.1)
    assert isinstance(ask(store, world.wanted("small", tokens=50)), Granted)


def test_a_pace_starts_the_next_run(world):
    store = world.enter("monday")
    refuse(world, store)
    world.leave(store)
    world.clock.step(3600)
    store = world.enter("monday evening")
    first = [ask(store, world.wanted(f"k{n}")) for n in range(2)]

    assert isinstance(first[0], Granted)
    assert held(first[1]) > 0.5


def test_a_pace_is_forgotten_after_a_day(world):
    store = world.enter("monday")
    refuse(world, store)
    world.leave(store)
    world.clock.step(86_401)
    store = world.enter("tuesday")

    assert all(isinstance(ask(store, world.wanted(f"k{n}")), Granted) for n in range(30))


def test_a_clock_that_was_set_back_leaves_no_pace_that_lasts_for_ever(world):
    store = world.enter()
    refuse(world, store)
    world.clock.wall -= 10**6

    assert isinstance(ask(store, world.wanted("a")), Granted)


def test_of_another_boot_the_pace_is_known_and_no_time(world, monkeypatch):
    store = world.enter()
    refuse(world, store, refusal=Refusal(300.0))
    monkeypatch.setattr(paces, "boot_id", lambda: "another")
    world.clock.ns = 5 * SECOND

    assert isinstance(ask(store, world.wanted("a")), Granted)
    assert held(ask(store, world.wanted("b"))) < 25


def test_a_refused_attempt_is_a_request_and_no_failure_also_when_its_process_died(world):
    one = world.enter()
    refuse(world, one, "k")
    world.clock.step(30)
    claim = ask(one, world.wanted("k"))
    assert (claim.attempt, claim.refused) == (2, 1)
    one._owner.close()
    one._writer.close()
    world.opened.remove(one)
    world.clock.step(30)

    other = world.enter()
    claim = ask(other, world.wanted("k"))

    assert (claim.attempt, claim.refused) == (3, 1)
    other.answer(claim, Response("x")).result()
    world.leave(other)
    assert read_run(world.path, "run-1").totals.attempts == 3


def test_sending_begins_with_a_few_and_then_a_millisecond_each_over_all_processes(world, monkeypatch):
    monkeypatch.setattr(pace, "RAMP_TIME_NS", 3 * SECOND // 10)
    one, other = world.enter(), world.enter()
    decisions = [ask(store, world.wanted(f"{n}")) for n, store in enumerate([one, other] * 3)]
    assert [isinstance(decision, Granted) for decision in decisions] == [True] * 4 + [False] * 2
    assert held(decisions[-1]) == pytest.approx(0.001)

    world.clock.step(0.3)

    assert all(isinstance(ask(one, world.wanted(f"later {n}")), Granted) for n in range(50))


def test_two_processes_learn_from_one_refusal(children, world):
    """The second waits by what the first was told."""
    (child,) = children(1)
    child.do("enter", path=str(world.path), run="r")
    store = world.enter("r", clock=SystemClock())
    claim = ask(store, world.wanted("mine", limits=Limits(1000)))
    store.refuse(claim, Refusal(30.0)).result()

    assert child.do("decide", path=str(world.path), key="its") == "pace"
