"""A breaker opens after failures in a row, lets one probe through after a while, and closes at any reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.clock import SECOND
from pytest_llmeval.core.endpoint import Breaker
from pytest_llmeval.limits.breaker import CLOSED, State, after, entry

THRICE = Breaker(failures=3, recover=10.0)
NOW = 1_000 * SECOND


def hear(state, *heard, last=True, probe=False, now=NOW):
    for one in heard:
        state = after(state, THRICE, one, f"{one} at {now}", now, last=last, probe=probe)
    return state


OPEN = hear(CLOSED, "fault", "fault", "fault")


def test_so_many_failed_requests_in_a_row_open_it_and_the_last_is_told():
    assert hear(CLOSED, "fault", "fault").opened_ns is None
    assert State(3, NOW, f"breaker open after 3 failed requests in a row: fault at {NOW}") == OPEN
    assert after(CLOSED, Breaker(1), "fault", "503", NOW, last=True, probe=False).reason == (
        "breaker open after 1 failed request: 503"
    )


def test_a_reply_between_them_begins_the_count_anew():
    assert hear(CLOSED, "fault", "fault", "reply", "fault", "fault").opened_ns is None


def test_a_fault_with_an_attempt_to_come_is_no_failure():
    assert hear(CLOSED, *["fault"] * 9, last=False) == CLOSED


def test_a_refusal_for_the_rate_is_neither_failure_nor_recovery():
    assert hear(CLOSED, *["limit"] * 9) == CLOSED
    assert hear(CLOSED, "fault", "limit", "fault", "limit", "fault") == OPEN
    assert hear(OPEN, "limit", probe=True) == OPEN


def test_an_open_one_bars_the_way_until_its_time_is_over_then_one_may_probe():
    assert entry(CLOSED, THRICE, NOW) == entry(hear(CLOSED, "fault"), THRICE, NOW) == "pass"
    assert entry(OPEN, THRICE, NOW) == "open"
    assert entry(OPEN, THRICE, NOW + 10 * SECOND - 1) == "open"
    assert entry(OPEN, THRICE, NOW + 10 * SECOND) == "probe"


@pytest.mark.parametrize("last", [True, False])
def test_a_probe_that_fails_keeps_it_open_as_long_again_for_the_same_reason(last):
    later = NOW + 11 * SECOND
    state = hear(OPEN, "fault", last=last, probe=True, now=later)

    assert state == State(3, later, OPEN.reason)
    assert entry(state, THRICE, NOW + 20 * SECOND) == "open"
    assert entry(state, THRICE, NOW + 21 * SECOND) == "probe"


def test_a_failure_of_what_was_sent_before_it_opened_puts_nothing_off():
    assert hear(OPEN, "fault", now=NOW + 9 * SECOND) == OPEN


@given(st.lists(st.sampled_from(["fault", "limit"])), st.booleans())
def test_any_reply_closes_it(before, probe):
    assert hear(hear(CLOSED, *before), "reply", probe=probe) == CLOSED


@given(st.lists(st.sampled_from(["fault", "limit", "reply"])))
def test_it_is_open_when_and_only_when_the_last_failures_were_enough(heard):
    told = [one for one in heard if one != "limit"]
    after_reply = told[len(told) - told[::-1].index("reply") :] if "reply" in told else told

    assert (hear(CLOSED, *heard).opened_ns is not None) == (len(after_reply) >= 3)
