"""Numbers as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.numbers import apart, count, dollars, figure_text, number, seconds, told_apart
from pytest_llmeval.core.result import Figure


@pytest.mark.parametrize(
    ("value", "measure", "statistic", "shown"),
    [
        (0.875, "exact_match", "mean", "0.88"),
        (1.0, "exact_match", "mean", "1.00"),
        (0, "exact_match", "mean", "0.00"),
        (-0.001, "score", "mean", "0.00"),
        (-0.5, "score", "mean", "-0.50"),
        (15234.5, "length", "mean", "15,234.50"),
        (0.2134, "latency", "mean", "0.21 s"),
        (0.0042, "latency", "mean", "0.0042 s"),
        (24, "latency", "n", "24"),
        (1204, "tokens", "sum", "1,204"),
        (50.5, "tokens", "mean", "50.50"),
        (3, "errors", "sum", "3"),
        (0.0412, "cost", "sum", "$0.04"),
        (24, "cost", "n", "24"),
        (None, "latency", "mean", "-"),
        (float("nan"), "latency", "mean", "-"),
        (float("inf"), "cost", "sum", "-"),
    ],
)
def test_a_number_has_two_decimals_grouped_thousands_and_its_unit(value, measure, statistic, shown):
    assert number(value, measure, statistic) == shown


def test_an_interval_writes_its_unit_once_and_no_dash_beside_a_minus():
    assert figure_text(Figure(0.875, 24, 0.69, 0.957)) == "0.88 (0.69-0.96)"
    assert figure_text(Figure(0.21, 24, 0.19, 0.234), "latency") == "0.21 s (0.19-0.23)"
    assert figure_text(Figure(0.1, 24, -0.2, 0.4), "score") == "0.10 (-0.20 to 0.40)"


@pytest.mark.parametrize(
    ("value", "low", "high", "shown"),
    [
        (1.0, 0.996, 1.0, "1.00 (0.996-1.00)"),
        (0.0, 0.0, 0.0038, "0.00 (0.00-0.004)"),
        (0.998, 0.9962, 0.9996, "0.998 (0.996-1.00)"),
        (0.5, 0.49999, 0.50001, "0.50 (0.49999-0.50001)"),
        (0.996, 0.98, 0.999, "1.00 (0.98-1.00)"),
    ],
)
def test_an_interval_never_reads_as_if_it_had_no_width(value, low, high, shown):
    assert figure_text(Figure(value, 9000, low, high)) == shown


@given(st.floats(0, 1), st.floats(1e-8, 1))
def test_the_ends_of_any_interval_read_differently(low, width):
    shown = figure_text(Figure(low, 9, low, low + width))

    ends = shown.partition("(")[2].removesuffix(")").split("-")
    assert ends[0] != ends[1]
    assert float(ends[1]) == pytest.approx(low + width, abs=0.0051)


def test_what_reads_alike_is_told_apart_and_nothing_is_said_twice():
    assert told_apart(Figure(0.42, 9), 0.6) == ("", "0.60")
    assert told_apart(Figure(0.7999999, 9), 0.8) == (", exactly 0.7999999", "0.8000000")
    assert told_apart(Figure(0.998, 9, 0.9962, 0.9996), 0.999) == ("", "0.999")
    assert told_apart(Figure(None, 9), 2, "latency") == ("", "2.00 s")


def test_a_figure_without_interval_or_value_shows_what_there_is():
    assert figure_text(Figure(2.5, 24), "latency", "p95") == "2.50 s"
    assert figure_text(Figure(None, 3, reason="a metric raised")) == "-"
    assert figure_text(None) == "-"


@given(st.floats(0, 1), st.floats(0, 1))
def test_numbers_that_differ_at_nine_decimals_read_differently(value, limit):
    shown = apart(value, limit)

    assert (shown[0] != shown[1]) or abs(value - limit) < 1.1e-9


def test_equal_numbers_are_not_drowned_in_decimals():
    assert apart(2.0, 2.0, "latency", "p95") == ("2.00 s", "2.00 s")
    assert apart(0.42, 0.6) == ("0.42", "0.60")
    assert apart(0.7999999, 0.8) == ("0.7999999", "0.8000000")


@given(st.floats(1e-12, 0.0099))
def test_an_amount_below_a_cent_never_reads_as_nothing(amount):
    shown = dollars(amount)

    assert "e" not in shown
    assert float(shown.removeprefix("$")) == pytest.approx(amount, rel=0.06)


def test_dollars_have_cents_and_grouped_thousands():
    assert [dollars(amount) for amount in (0, 0.00031, 0.0412, 1234.5, -2)] == [
        "$0", "$0.00031", "$0.04", "$1,234.50", "-$2.00"
    ]  # fmt: skip


def test_durations_change_their_unit_as_they_grow():
    assert [seconds(value) for value in (0, 0.214, 9.96, 17.4, 59.96, 125, 3725)] == [
        "0.00 s", "0.21 s", "10.0 s", "17.4 s", "1 min 0 s", "2 min 5 s", "1 h 2 min"
    ]  # fmt: skip


def test_one_of_a_thing_is_singular():
    assert [count(1, "query", "queries"), count(2, "query", "queries"), count(1204, "token")] == [
        "1 query", "2 queries", "1,204 tokens"
    ]  # fmt: skip
