"""What a service says of its limits is followed as it is meant, and for no longer than it is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.clock import SECOND
from pytest_llmeval.core.exchange import RateLimits
from pytest_llmeval.limits.told import UNTOLD, Later, Told

NOW = 1_000 * SECOND


def heard(limits: RateLimits | None, known: Told = UNTOLD, sent_ns: int = NOW, **later: int) -> Told:
    return known.heard(sent_ns, sent_ns, limits, Later(**later))


@given(st.integers(1, 1000), st.data(), st.floats(0.001, 100))
def test_as_many_may_go_as_remain_and_then_one_whenever_one_comes_back(limit, data, reset):
    remaining = data.draw(st.integers(0, limit - 1))
    told = heard(RateLimits(limit, remaining, reset))
    for _ in range(remaining):
        assert told.wait_ns(NOW, 0) <= 1000
        told = told.less(NOW, 0)

    assert told.wait_ns(NOW, 0) == pytest.approx(reset * SECOND / (limit - remaining), rel=0.01, abs=3000)


def test_what_was_sent_since_is_taken_off():
    assert heard(RateLimits(10, 3, 0.7), calls=3).wait_ns(NOW, 0) == pytest.approx(0.1 * SECOND)
    assert heard(RateLimits(10, 3, 0.7), calls=2).wait_ns(NOW, 0) == pytest.approx(0, abs=10)


def test_tokens_count_as_they_are_estimated():
    told = heard(RateLimits(tokens=1000, tokens_remaining=100, tokens_reset=9.0))

    assert told.wait_ns(NOW, 100) <= 1000
    assert told.wait_ns(NOW, 300) == pytest.approx(2 * SECOND)
    # more than there will ever be waits until all is there
    assert told.wait_ns(NOW, 5000) == pytest.approx(9 * SECOND)
    assert told.less(NOW, 100).wait_ns(NOW, 100) == pytest.approx(SECOND)


@pytest.mark.parametrize(
    "limits",
    [
        RateLimits(),
        RateLimits(10, None, 1.0),
        RateLimits(None, 0, 1.0),
        RateLimits(10, 0, None),
        RateLimits(0, 0, 1.0),
        RateLimits(10, 10, 0.0),
        RateLimits(10, 99, 1.0),
    ],
)
def test_what_says_too_little_holds_nobody(limits):
    assert heard(limits).wait_ns(NOW, 10**6) == 0


def test_older_news_changes_nothing_and_a_reply_without_any_ends_the_matter():
    told = heard(RateLimits(10, 0, 1.0))

    assert heard(RateLimits(10, 9, 0.1), told, NOW - 1) == told
    assert heard(None, told, NOW - 1) == told
    assert heard(None, told, NOW + 1) == UNTOLD
