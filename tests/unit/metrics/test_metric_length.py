"""length and max_latency: what is counted, and within what."""

from __future__ import annotations

import pytest
from metric_answers import sample, scored, value

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.scores import worst_value
from pytest_llmeval.metrics.length import Length
from pytest_llmeval.metrics.max_latency import MaxLatency


def test_characters_are_code_points_and_words_what_white_space_parts():
    assert value(Length(), "héllo \U0001f600") == 7
    assert value(Length("words"), " one\ntwo  three ") == 3
    assert value(Length("words"), "") == 0


def test_tokens_are_the_endpoints_own_count_of_the_answer():
    assert Length("tokens").score(Response("x", input_tokens=10, output_tokens=3), sample()).value == 3


@pytest.mark.parametrize("response", [Response("x"), Response("x", output_tokens=13)])
def test_an_answer_without_that_count_cannot_be_measured(response):
    """A total alone stands among the output tokens; it holds the prompt's too."""
    with pytest.raises(ValueError, match="without a count"):
        Length("tokens").score(response, sample())


def test_without_a_bound_it_has_no_direction_and_no_end():
    metric = Length()

    assert (metric.better, metric.binary, metric.range) == (None, False, (0, None))
    assert worst_value(metric) is None


@pytest.mark.parametrize(("text", "within"), [("a", 0), ("ab", 1), ("abc", 1), ("abcd", 0)])
def test_bounds_belong_to_what_they_bound(text, within):
    metric = Length(at_least=2, at_most=3)

    assert (metric.better, metric.binary) == ("high", True)
    assert value(metric, text) == within


def test_0_is_a_bound():
    assert value(Length(at_most=0), "") == 1
    assert value(Length(at_most=0), "a") == 0
    assert Length(at_least=0).binary


@pytest.mark.parametrize("options", [{"at_least": -1}, {"at_most": -1}, {"at_least": 3, "at_most": 2}])
def test_bounds_that_no_answer_meets_are_refused(options):
    with pytest.raises(ValueError, match="at_"):
        Length(**options)


def test_the_reason_says_what_is_beyond():
    assert scored(Length("words", at_most=2), "one two three").reason == "3 words, more than 2"


@pytest.mark.parametrize(("latency", "within"), [(0.0, 1), (2.0, 1), (2.001, 0)])
def test_latency_is_that_of_the_call_its_bound_included(latency, within):
    assert MaxLatency(2).score(Response("x", latency=latency), sample()).value == within


def test_an_unknown_latency_is_not_a_fast_one():
    with pytest.raises(ValueError, match="not known"):
        MaxLatency(2).score(Response("x"), sample())


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(seconds):
    with pytest.raises(ValueError, match="seconds"):
        MaxLatency(seconds)
