"""A pace falls once an episode, never to a standstill, grows while all is quiet, and obeys what a service asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hidden_service import Service, ask
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.admission import Refusal
from pytest_llmeval.core.clock import SECOND
from pytest_llmeval.core.exchange import RateLimits
from pytest_llmeval.limits import pace
from pytest_llmeval.limits.pace import NO_PACE, Pace
from pytest_llmeval.limits.told import Later

START = 1_000 * SECOND
MS = SECOND // 1000
NONE = Refusal()


def going(rate: float, seconds: float, known: Pace = NO_PACE, start: int = START) -> tuple[Pace, int]:
    """After so long of sending at that rate."""
    for number in range(round(rate * seconds)):
        known = pace.sent(known, start + round(number * SECOND / rate), 0)
    return known, start + round(seconds * SECOND)


def refused(known: Pace, sent_ns: int, now_ns: int, retry_after: float | None = None) -> Pace:
    return pace.refused(known, sent_ns, now_ns, Refusal(retry_after), Later())


# --- what is refused ---


@given(st.integers(20, 500), st.floats(1.5, 60), st.lists(st.integers(0, 900), max_size=50))
def test_an_episode_takes_half_at_most_however_much_of_it_is_refused(rate, seconds, lags):
    known, now_ns = going(rate, 2)
    known = refused(known, now_ns - MS, now_ns)
    known, now_ns = going(rate, min(seconds, 400 / rate), known, known.until_ns + 1)
    before = known.rate
    known = fallen = refused(known, now_ns - MS, now_ns)
    for lag in sorted(lags):
        known = refused(known, now_ns - MS, now_ns + lag * MS)

    assert fallen.fell_ns == known.fell_ns == now_ns
    assert known.rate is not None
    assert before / 2 <= known.rate <= fallen.rate <= 0.9 * before


def test_what_was_sent_in_knowledge_of_a_fall_begins_another():
    known, now_ns = going(50, 2)
    known = refused(known, now_ns - 20 * MS, now_ns)
    first = known.rate
    known = refused(known, now_ns + 10 * MS, now_ns + 30 * MS)
    assert known.fell_ns == now_ns

    known = refused(known, now_ns + 51 * MS, now_ns + 70 * MS)

    assert known.fell_ns == now_ns + 70 * MS
    assert known.rate < first


@given(st.integers(21, 200), st.integers(1, 6))
def test_between_two_refusals_a_service_let_through_what_it_lets_through(rate, seconds):
    """Which is where the next pace is, if that is no less than half."""
    known, now_ns = going(rate, 2)
    known = replace(refused(known, now_ns - MS, now_ns), base=1.2 * rate, grown=0.0)
    known, now_ns = going(rate, seconds, known, known.until_ns + 1)
    known = replace(known, base=1.2 * rate, grown=0.0, adds=pace.LEARNT)
    known = refused(known, now_ns - MS, now_ns)

    assert known.rate == pytest.approx(0.95 * rate, rel=0.1)


@given(st.lists(st.floats(0.001, 3.0), min_size=1, max_size=200), st.floats(0.05, 200))
def test_a_pace_never_falls_while_nothing_is_refused(gaps, rate):
    known = Pace(base=rate, adds=pace.LEARNT, calls=1, since=1, last_ns=START, begun_ns=START)
    now_ns = START
    for gap in gaps:
        now_ns += round(gap * SECOND)
        before = known.rate
        known = pace.sent(known, now_ns, 0)
        if known.rate is None:
            return
        assert before is None or known.rate >= before


said = st.none() | st.builds(
    RateLimits,
    *[st.none() | kind for kind in (st.integers(0, 10**18), st.integers(0, 10**18), st.floats(0, 1e308))] * 2,
)
steps = st.tuples(
    st.sampled_from(["sent", "refused", "answered", "unsent"]),
    st.floats(0, 100),
    st.floats(0, 100),
    st.none() | st.floats(0, 1e308),
    said,
    st.builds(Later, st.integers(0, 300), st.integers(0, 10**6)),
    st.integers(0, 10**6),
)


@given(st.lists(steps, max_size=40))
def test_whatever_happens_the_next_call_goes_within_a_minute_unless_a_service_asked_for_more(history):
    known = NO_PACE
    now_ns = START
    asked_ns = 0
    for what, gap, lag, retry_after, limits, later, tokens in history:
        now_ns += round(gap * SECOND)
        sent_ns = now_ns - round(lag * SECOND)
        match what:
            case "sent":
                known = pace.sent(known, now_ns, tokens)
            case "unsent":
                known = pace.unsent(known)
            case "answered":
                known = pace.answered(known, sent_ns, now_ns, limits, later)
            case "refused":
                wait = min(retry_after or 60.0, 1e6)
                asked_ns = max(asked_ns, now_ns + round(wait * SECOND) + SECOND)
                known = pace.refused(known, sent_ns, now_ns, Refusal(retry_after, limits), later, tokens=tokens)
        wait_ns = pace.wait_ns(known, now_ns, tokens)
        assert 0 <= wait_ns <= max(60 * SECOND, asked_ns - now_ns)
        assert known.rate is None or known.rate >= 1 / 20
        # and once it is over, it goes
        assert pace.wait_ns(known, now_ns + wait_ns, tokens) == 0


# --- what a service asks for ---


def test_a_wait_holds_all_back_once_what_knew_of_it_is_refused_too():
    known, now_ns = going(50, 2)
    known = refused(known, now_ns - 10 * MS, now_ns, 5.0)
    assert pace.wait_ns(known, now_ns, 0) < SECOND
    # on its way when the first came back
    known = refused(known, now_ns - 5 * MS, now_ns + 5 * MS, 5.0)
    assert known.held_ns == 0

    known = refused(known, now_ns + 200 * MS, now_ns + 210 * MS, 5.0)

    assert known.held_ns == pytest.approx(now_ns + 5 * SECOND, abs=10 * MS)
    assert pace.wait_ns(known, now_ns + 300 * MS, 0) == known.held_ns - now_ns - 300 * MS


def test_a_wait_that_is_over_holds_nobody():
    known, now_ns = going(50, 2)
    known = refused(known, now_ns - 10 * MS, now_ns, 1.0)
    known = refused(known, now_ns + 1001 * MS, now_ns + 1010 * MS, 1.0)

    assert known.held_ns == 0


def test_figures_without_sense_leave_a_call_a_minute():
    """A limit that is full again in a year, or a figure that was read wrongly."""
    known = pace.sent(NO_PACE, START, 0)
    limits = RateLimits(1, 0, 1e9)
    known = pace.answered(known, START, START + MS, limits, Later())
    for _ in range(3):
        wait_ns = pace.wait_ns(known, known.last_ns, 0)
        assert wait_ns == 60 * SECOND
        known = pace.sent(known, known.last_ns + wait_ns, 0)


# --- growing ---


def test_a_remembered_pace_doubles_each_quiet_ten_seconds_until_it_is_no_limit():
    known = pace.remembered(Pace(base=30.0, adds=pace.LEARNT))
    now_ns = START
    rates = []
    for _ in range(10):
        until = now_ns + 10 * SECOND
        while now_ns <= until:
            known = pace.sent(known, now_ns, 0)
            now_ns += SECOND // 4
        rates.append(known.rate)

    assert rates[:5] == pytest.approx([60, 120, 240, 480, 960], rel=0.05)
    assert rates[-1] is None


def test_an_idle_hour_is_no_quiet_one():
    known, now_ns = going(2, 3, Pace(base=5.0, adds=pace.LEARNT))
    later = pace.sent(known, now_ns + 3600 * SECOND, 0)

    assert later.rate == known.rate


def test_a_closed_service_is_tried_less_and_less_and_opens_again_at_once():
    known, now_ns = going(50, 2)
    known = refused(known, now_ns - MS, now_ns)
    for _ in range(12):
        now_ns += pace.wait_ns(known, now_ns, 0) + 60 * MS
        known = pace.sent(known, now_ns, 0)
        known = refused(known, now_ns, now_ns + MS)
    assert known.rate == pytest.approx(1 / 5)
    now_ns += pace.wait_ns(known, now_ns, 0) + 60 * MS
    known = pace.sent(known, now_ns, 0)

    known = pace.answered(known, now_ns, now_ns + MS, None, Later())

    assert known.rate > 10


# --- the ramp ---


def ramped(count: int) -> list[int]:
    known, now_ns = NO_PACE, START
    times = []
    for _ in range(count):
        now_ns += pace.wait_ns(known, now_ns, 0)
        known = pace.sent(known, now_ns, 0)
        times.append(now_ns - START)
    return times


def test_sending_begins_with_a_millisecond_a_call():
    times = ramped(300)

    assert times[3] == 0
    assert times[11] >= 8 * MS
    assert times[255] <= 300 * MS
    # and then it is over
    assert times[-1] <= 300 * MS
    assert ramped(2000)[-1] <= 300 * MS


def test_what_was_let_go_and_never_went_begins_no_ramp():
    """A connector is opened when the first requests are let go, which takes its time."""
    known = NO_PACE
    for _ in range(3):
        known = pace.sent(known, START, 0)
    for _ in range(3):
        known = pace.unsent(known)
    known = pace.sent(known, START + SECOND, 0)

    assert known.begun_ns == START + SECOND


# --- all of it, against a service that says nothing of its limit ---


@pytest.mark.parametrize("retry_after", [None, 1.0])
@pytest.mark.parametrize("latency", [0.0, 0.05, 0.4])
def test_a_hidden_limit_is_met_with_few_refusals_and_little_time(retry_after, latency):
    """Fifty a second with ten at once: 500 take 9.8 s at best."""
    met = ask(Service(50, 10), 500, latency=latency, retry_after=retry_after)

    assert met.refusals < 25
    assert met.seconds < 11.5


def test_a_limit_that_is_told_is_followed():
    met = ask(Service(50, 10), 300, headers=True)

    assert met.refusals <= 14
    assert met.seconds <= 1.4 * 290 / 50


def test_a_pace_that_is_remembered_spares_the_next_session_the_burst():
    first = ask(Service(50, 10), 300)
    second = ask(Service(50, 10), 300, known=pace.remembered(first.pace))

    assert second.refusals <= 5
    assert second.seconds < 1.2 * 290 / 50


def test_a_service_without_limits_is_not_slowed():
    met = ask(Service(1e9, 10**9), 2048, at_once=256, latency=0.5)

    assert met.pace.rate is None
    assert met.seconds <= 2048 / 256 * 0.51 + 0.3


@pytest.mark.parametrize(("rate", "burst"), [(0.5, 1), (5, 1), (5, 50), (200, 20)])
def test_other_limits_are_met_too(rate, burst):
    count = round(burst + 40 * rate)
    met = ask(Service(rate, burst), count)

    assert met.seconds < 1.8 * 40
    assert met.refusals < max(40, count / 4)
