"""Admission tells what is known, grants all that a request takes, or takes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.admission import Answered, FailedBefore, Missing, Recorded, Skipped, Stopped, Wait, Wanted
from pytest_llmeval.core.budget import Budget, Use
from pytest_llmeval.core.clock import SECOND
from pytest_llmeval.core.endpoint import Breaker, Limits, Rate
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.result import Outcome
from pytest_llmeval.limits import gcra
from pytest_llmeval.limits.admission import Grant, Room, Seen, admit, decide
from pytest_llmeval.limits.breaker import State
from pytest_llmeval.limits.budget import Purse
from pytest_llmeval.limits.pace import Pace

ANSWER = Answered(Response("Paris"), cached=True)
FAILED = FailedBefore("400", 1)
OUTCOME = Outcome("passed")
SKIPPED = Skipped("spent")
NOW = 1_000 * SECOND
OPEN = State(5, NOW, "breaker open")
SPENT = Purse(Budget(requests=1), Use(1), Use())
NO_MORE = Skipped("the budget of 1 request is spent (--llmeval-max-requests)", 1)
IN_USE = Purse(Budget(requests=1), Use(), Use(1))


def wanted(limits: Limits = Limits(), tokens: int = 0) -> Wanted:  # noqa: B008 - frozen
    return Wanted("k", "small", "bucket", limits, tokens, {})


def breakable() -> Wanted:
    return Wanted("k", "small", "bucket", Limits(), 0, {}, breaker=Breaker())


def nobody_looks() -> Room:
    raise AssertionError("what is known needs no look at the limits")


@pytest.mark.parametrize(
    ("seen", "decision"),
    [
        (Seen("^C", OUTCOME, ANSWER, FAILED, "401"), Stopped("^C", run=True)),
        (Seen(None, OUTCOME, ANSWER, FAILED, "401"), Recorded(OUTCOME)),
        (Seen(None, None, ANSWER, FAILED, "401"), ANSWER),
        (Seen(None, None, None, FAILED, "401"), FAILED),
        (Seen(None, None, None, None, "401"), Stopped("401")),
        (Seen(asks=False), Missing()),
        (Seen(answer=ANSWER, skipped=SKIPPED), ANSWER),
        (Seen(endpoint_stopped="401", skipped=SKIPPED), SKIPPED),
        (Seen(answer=ANSWER, asks=False), ANSWER),
    ],
)
def test_the_first_thing_known_decides(seen, decision):
    assert decide(seen, wanted(), NOW, nobody_looks) == decision


def test_nothing_known_and_no_limit_is_a_grant():
    assert decide(Seen(), wanted(), NOW, Room) == Grant(0, 0)


@pytest.mark.parametrize(
    ("room", "why"),
    [
        (Room(claimed=True), "claimed"),
        (Room(due_ns=NOW + SECOND), "retry"),
        (Room(in_flight=8), "concurrency"),
        (Room(full=Wait(3.0, "calls")), "calls"),
        (Room(pace=Pace(base=1.0, due_ns=NOW + SECOND, last_ns=NOW)), "pace"),
        (Room(claimed=True, due_ns=NOW + SECOND, in_flight=8), "claimed"),
    ],
)
def test_what_holds_a_request_back_is_named(room, why):
    decision = admit(room, wanted(), NOW)

    assert isinstance(decision, Wait)
    assert decision.why == why
    assert decision.seconds > 0


@pytest.mark.parametrize(
    ("room", "told"),
    [
        (Room(breaker=OPEN), Skipped("endpoint small: breaker open")),
        (Room(breaker=OPEN, attempts=2, due_ns=NOW + SECOND), Skipped("endpoint small: breaker open", 2)),
        (Room(breaker=OPEN, purse=SPENT, in_flight=8), Skipped("endpoint small: breaker open")),
        (Room(breaker=OPEN, claimed=True), Wait(0.02, "claimed")),
        (Room(purse=SPENT, due_ns=NOW + SECOND, attempts=1, full=Wait(60.0, "calls"), in_flight=8), NO_MORE),
        (Room(purse=IN_USE, full=Wait(60.0, "calls")), Wait(0.02, "budget")),
        (Room(purse=IN_USE, due_ns=NOW + SECOND), Wait(1.0, "retry")),
    ],
)
def test_what_never_goes_is_told_at_once_and_waits_for_nothing_else(room, told):
    assert admit(room, breakable(), NOW) == told


def test_an_open_breaker_lets_one_probe_through_when_its_time_is_over():
    later = NOW + 30 * SECOND

    assert admit(Room(breaker=OPEN), breakable(), later) == Grant(0, 0, probe=True)
    assert admit(Room(breaker=OPEN, probing=True), breakable(), later) == Skipped("endpoint small: breaker open")
    # where the limits do not let it go, it is no probe yet
    assert admit(Room(breaker=OPEN, in_flight=8), breakable(), later) == Wait(0.02, "concurrency")
    assert admit(Room(breaker=OPEN, due_ns=later + SECOND), breakable(), later) == Wait(1.0, "retry")


def test_an_endpoint_without_a_breaker_goes_on():
    assert admit(Room(breaker=OPEN), wanted(), NOW) == Grant(0, 0)


def test_a_retry_that_is_due_goes():
    assert admit(Room(due_ns=NOW), wanted(), NOW) == Grant(0, 0)


def test_whose_time_is_over_waits_for_no_limit():
    """It is let go to be told so, and is not sent."""
    late = replace(wanted(Limits(1)), deadline=5.0)
    room = Room(in_flight=1, first_sent_ns=NOW - 4 * SECOND, full=Wait(30.0, "pace"))

    assert admit(room, late, NOW) == Wait(1.0, "pace")
    assert admit(room, late, NOW + SECOND) == Grant(0, 0)
    assert admit(replace(room, first_sent_ns=None), late, NOW + SECOND) == Wait(30.0, "pace")
    assert isinstance(admit(replace(room, claimed=True), late, NOW + SECOND), Wait)


def test_the_longest_wait_is_told():
    limits = Limits(1, calls=Rate(1), tokens=Rate(60, 60.0))
    room = Room(in_flight=1, calls_tat=NOW + SECOND, tokens_tat=NOW + 30 * SECOND)

    assert admit(room, wanted(limits, 1), NOW) == Wait(24.0, "tokens")
    assert admit(room, wanted(limits, 0), NOW) == Wait(1.0, "calls")


rates = st.none() | st.builds(Rate, st.floats(0.1, 1000.0), st.sampled_from([1.0, 60.0]))
limits_ = st.builds(Limits, st.integers(1, 10), rates, rates)
rooms = st.builds(
    Room,
    claimed=st.booleans(),
    due_ns=st.none() | st.integers(0, 2 * NOW),
    in_flight=st.integers(0, 12),
    calls_tat=st.integers(0, 2 * NOW),
    tokens_tat=st.integers(0, 2 * NOW),
)


@given(limits_, rooms, st.integers(0, 5000))
def test_a_grant_takes_from_every_limit_and_a_wait_from_none(limits, room, tokens):
    decision = admit(room, wanted(limits, tokens), NOW)

    if isinstance(decision, Wait):
        assert decision.seconds > 0
        return
    assert not room.claimed
    assert room.in_flight < limits.max_concurrency
    assert (decision.calls_tat == room.calls_tat) == (limits.calls is None)
    assert (decision.tokens_tat == room.tokens_tat) == (limits.tokens is None or not tokens)
    for rate, amount, before, after in [
        (limits.calls, 1, room.calls_tat, decision.calls_tat),
        (limits.tokens, tokens, room.tokens_tat, decision.tokens_tat),
    ]:
        if rate is not None and amount:
            assert gcra.take(before, NOW, rate, amount) == (after, 0)


@given(limits_, rooms.filter(lambda room: not room.claimed and room.in_flight == 0), st.integers(0, 5000))
def test_who_waits_as_long_as_told_goes_in_the_end(limits, room, tokens):
    now = NOW
    for _ in range(4):
        decision = admit(room, wanted(limits, tokens), now)
        if isinstance(decision, Grant):
            return
        # a hair more than told: seconds are floats
        now += round(decision.seconds * SECOND) + 1_000
    raise AssertionError(decision)
