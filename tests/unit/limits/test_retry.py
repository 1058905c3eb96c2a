"""Waits grow at random up to a cap, obey the service, and end with attempts or the deadline."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.clock import SECOND
from pytest_llmeval.core.endpoint import Patience
from pytest_llmeval.core.errors import Transient
from pytest_llmeval.limits.retry import GiveUp, next_wait

PATIENT = Patience(max_attempts=100, deadline=1e9)


@given(st.integers(1, 60))
def test_a_wait_is_between_nothing_and_a_bound_that_doubles_to_a_cap(attempt):
    wait = next_wait(attempt, Transient("503"), 0, 0, PATIENT)

    assert isinstance(wait, float)
    assert 0 <= wait <= min(0.5 * 2 ** (attempt - 1), 20.0)


def test_the_whole_range_is_used():
    waits = [next_wait(3, Transient("503"), 0, 0, PATIENT) for _ in range(400)]

    assert min(waits) < 0.2
    assert max(waits) > 1.8


@pytest.mark.parametrize(("most", "reason"), [(1, "after 1 attempt"), (5, "after 5 attempts")])
def test_attempts_are_counted_to_their_end(most, reason):
    patience = Patience(max_attempts=most)

    assert next_wait(most, Transient("503"), 0, 0, patience) == GiveUp(reason)
    assert most == 1 or isinstance(next_wait(most - 1, Transient("503"), 0, 0, patience), float)


@given(st.floats(0, 500), st.integers(1, 4))
def test_what_the_service_asks_to_wait_is_never_undercut(asked, attempt):
    wait = next_wait(attempt, Transient("429", asked, limited=True), 0, 0, Patience())

    assert isinstance(wait, float)
    assert wait >= asked


def test_a_wait_asked_for_that_outlasts_the_deadline_ends_the_request_at_once():
    given_up = next_wait(1, Transient("429", 120.0), 0, 0, Patience(deadline=60))

    assert given_up == GiveUp("after 1 attempt; the service asked to wait 120 s, past the deadline of 60 s")


def test_the_deadline_counts_from_the_first_sending():
    patience = Patience(deadline=10)
    error = Transient("503", 4.0)

    assert isinstance(next_wait(1, error, 0, 5 * SECOND, patience), float)
    assert isinstance(next_wait(1, error, 0, 7 * SECOND, patience), GiveUp)
    assert next_wait(2, Transient("503"), 0, 10 * SECOND, patience) == GiveUp(
        "after 2 attempts; the deadline of 10 s is over"
    )


def test_a_refused_connection_is_tried_three_times_within_two_seconds():
    refused = Transient("connection refused", unreached=True)
    for _ in range(200):
        now = 0
        for attempt in (1, 2):
            wait = next_wait(attempt, refused, 0, now, Patience())
            assert isinstance(wait, float)
            now += round(wait * SECOND)
        assert now <= 2 * SECOND
        assert next_wait(3, refused, 0, now, Patience()) == GiveUp("after 3 attempts")
    assert isinstance(next_wait(2, refused, 0, 2 * SECOND, Patience()), GiveUp)


def test_slow_refusals_leave_less_to_wait():
    refused = Transient("connection refused", unreached=True)

    waits = [next_wait(2, refused, 0, round(1.9 * SECOND), Patience()) for _ in range(100)]

    assert max(waits) <= 0.1 + 1e-9


def test_a_service_that_asks_for_no_wait_is_not_hammered():
    error = Transient("429", 0.001, limited=True)
    waits = [next_wait(4, error, 0, 0, Patience(), refused=4) for _ in range(200)]

    assert sum(waits) / 200 > 1


def test_fewer_attempts_than_three_hold_for_a_refused_connection_too():
    refused = Transient("connection refused", unreached=True)

    assert next_wait(2, refused, 0, 0, Patience(max_attempts=2)) == GiveUp("after 2 attempts")


def test_the_module_comes_without_tenacity():
    """It takes 20 ms, and most runs retry nothing."""
    import subprocess

    code = "import sys, pytest_llmeval.limits.retry; sys.exit('tenacity' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
