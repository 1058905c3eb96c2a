"""A rate lets no window have more than it may, wastes nothing, and makes nobody wait for ever."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.clock import SECOND
from pytest_llmeval.core.endpoint import Rate
from pytest_llmeval.limits import gcra

whole = st.builds(Rate, st.integers(1, 400).map(float), st.sampled_from([1.0, 60.0]))
fractional = st.builds(Rate, st.floats(0.05, 60.0), st.sampled_from([1.0, 60.0]))
gaps = st.lists(st.integers(0, 2 * SECOND) | st.integers(0, SECOND // 50), min_size=1, max_size=200)


def granted(rate: Rate, arrivals: list[int]) -> list[int]:
    """Times of those that were let through, each asked once."""
    tat = 0
    through = []
    now = 0
    for gap in arrivals:
        now += gap
        new, _ = gcra.take(tat, now, rate)
        if new is not None:
            tat = new
            through.append(now)
    return through


def fullest(times: list[int], window: int) -> int:
    """The most that any half-open window holds."""
    most = start = 0
    for end, time in enumerate(times):
        while times[start] <= time - window:
            start += 1
        most = max(most, end - start + 1)
    return most


def greedy(rate: Rate, count: int) -> list[int]:
    """Times at which a caller that always wants is let through."""
    tat = now = 0
    times = []
    for _ in range(count):
        new, wait = gcra.take(tat, now, rate)
        if new is None:
            now += wait
            new, wait = gcra.take(tat, now, rate)
        assert new is not None
        tat = new
        times.append(now)
    return times


@given(whole, gaps)
def test_no_window_holds_more_than_a_tenth_above_a_whole_amount(rate, arrivals):
    times = granted(rate, arrivals)

    assert fullest(times, round(rate.seconds * SECOND)) <= max(1, Fraction(11, 10) * round(rate.amount))


@given(whole)
def test_the_greediest_caller_is_held_to_the_same_bound(rate):
    times = greedy(rate, 900)

    assert fullest(times, round(rate.seconds * SECOND)) <= max(1, Fraction(11, 10) * round(rate.amount))


@given(fractional, gaps)
def test_no_window_holds_more_than_the_burst_above_a_fractional_amount(rate, arrivals):
    """1.5 a second must put two into some seconds, or it would be 1 a second."""
    bound = math.ceil(rate.amount) - 1 + rate.burst

    assert fullest(granted(rate, arrivals), round(rate.seconds * SECOND)) <= bound
    assert fullest(greedy(rate, 200), round(rate.seconds * SECOND)) <= bound


@given(whole | fractional)
def test_in_the_long_run_all_of_the_rate_is_had(rate):
    times = greedy(rate, 500)

    ideal = (500 - rate.burst) * rate.seconds / rate.amount
    assert times[-1] / SECOND <= ideal * (1 + 1e-6) + 1e-6


@given(whole | fractional, st.integers(0, 10**15), st.integers(0, 10**15), st.integers(1, 10**6))
def test_a_wait_that_was_told_is_enough(rate, tat, now, amount):
    """Also for more than the burst, which would otherwise wait for ever."""
    new, wait = gcra.take(tat, now, rate, amount)
    if new is None:
        assert wait > 0
        new, wait = gcra.take(tat, now + wait, rate, amount)

    assert new is not None
    assert wait == 0


@given(whole | fractional, st.integers(0, 10**12), st.integers(1, 10**12), st.integers(1, 1000))
def test_a_nanosecond_less_than_the_wait_is_not_enough(rate, tat, now, amount):
    new, wait = gcra.take(tat, now, rate, amount)

    if new is None:
        assert gcra.take(tat, now + wait - 1, rate, amount)[0] is None


def test_more_than_the_burst_waits_for_an_empty_bucket_and_leaves_it_in_debt():
    rate = Rate(60, 60.0)
    assert rate.burst == 7

    busy, _ = gcra.take(0, 0, rate)
    assert busy is not None
    assert gcra.take(busy, 0, rate, 100) == (None, SECOND)
    debt, wait = gcra.take(busy, SECOND, rate, 100)

    assert (debt, wait) == (101 * SECOND, 0)
    assert debt is not None
    # the next one pays it off
    assert gcra.take(debt, SECOND, rate)[1] == (100 + 1 - 7) * SECOND


@given(whole | fractional, st.integers(0, 10**12), st.integers(1, 1000))
def test_giving_back_at_once_restores(rate, now, amount):
    new, _ = gcra.take(now, now, rate, amount)

    assert new is not None
    assert gcra.give_back(new, rate, amount) == now


@given(
    st.builds(Rate, st.integers(10, 30).map(float)),
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(1, 5)), min_size=40, max_size=150),
)
def test_calls_given_back_let_no_window_have_more(rate, steps):
    """What is given back late may have drained already: the calls that were made stay in their bound.

    Times are in quarters of an interval.
    """
    quarter = gcra.interval_ns(rate) // 4
    tat = now = 0
    made: list[int] = []
    unsent: list[tuple[int, int]] = []
    for gap, sent, held in steps:
        now += gap * quarter
        for taken, due in [one for one in unsent if one[1] <= now]:
            unsent.remove((taken, due))
            tat = gcra.give_back(tat, rate, age_ns=now - taken)
        new, _ = gcra.take(tat, now, rate)
        if new is not None:
            tat = new
            if sent:
                made.append(now)
            else:
                unsent.append((now, now + held * quarter))

    assert fullest(made, SECOND) <= Fraction(11, 10) * round(rate.amount)


def test_a_call_given_back_late_is_given_back_in_part():
    rate = Rate(10)
    tat, _ = gcra.take(0, 0, rate)
    assert tat == SECOND // 10

    assert gcra.give_back(tat, rate, age_ns=SECOND // 50) == SECOND // 50
    assert gcra.give_back(tat, rate, age_ns=SECOND) == tat


def test_an_estimate_is_settled_by_what_was_used():
    rate = Rate(60_000, 60.0)
    tat, _ = gcra.take(0, 0, rate, 500)
    assert tat is not None

    assert gcra.settle(tat, 0, rate, 500, 500) == tat
    assert gcra.settle(tat, 0, rate, 500, 200) == tat - 300 * gcra.interval_ns(rate)
    # long after it has drained, using more is a debt from now on
    assert gcra.settle(tat, 100 * SECOND, rate, 500, 600) == 100 * SECOND + 100 * gcra.interval_ns(rate)
