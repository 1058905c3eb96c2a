"""numeric: how numbers are read, and when two are one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from metric_answers import sample, scored, value

from pytest_llmeval.metrics.numeric import Numeric, numbers


def read(text, point="."):
    return [number.value for number in numbers(text, point)]


def decimals(*texts):
    return [Decimal(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("42", ["42"]),
        ("1,000", ["1000"]),
        ("1,234,567.5", ["1234567.5"]),
        ("1,00", ["1", "0"]),
        ("1,2,3", ["1", "2", "3"]),
        ("12,345,67", ["12345", "67"]),
        ("0.5,123", ["0.5", "123"]),
        ("-5", ["-5"]),
        ("\u22125", ["-5"]),
        ("+5", ["5"]),
        ("(-5)", ["-5"]),
        ("-$5", ["-5"]),
        ("$-5", ["-5"]),
        ("$1,234.56.", ["1234.56"]),
        ("US$5", ["5"]),
        ("5€!", ["5"]),
        ("50%", ["50"]),
        ("**5**", ["5"]),
        (r"\boxed{42}", ["42"]),
        ("[3, -4]", ["3", "-4"]),
        ("3,-4", ["3", "-4"]),
        ("5-6", ["5", "6"]),
        ("COVID-19", ["19"]),
        ("x=-4", ["-4"]),
        ("1e5", ["1E+5"]),
        ("1.5E-3", ["0.0015"]),
        ("1e\u22125", ["0.00001"]),
        (".5", ["0.5"]),
        ("-.5", ["-0.5"]),
        ("end.5", ["5"]),
        ("...5", ["5"]),
        ("5.", ["5"]),
        ("5kg", ["5"]),
        ("GPT4", []),
        ("答えは5です", ["5"]),
        ("v1.2.3", []),
        ("31.12.2025", []),
        ("1.234.567,89", []),
        ("1e9999999", []),
        ("", []),
        ("no number", []),
    ],
)
def test_numbers_are_read_whole(text, found):
    assert read(text) == decimals(*found)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3,14", ["3.14"]),
        ("1.234,56", ["1234.56"]),
        ("1.234.567", ["1234567"]),
        ("-1.000", ["-1000"]),
        ("1, 2", ["1", "2"]),
        ("1,5e3", ["1500"]),
        ("3.14", []),
        ("1,2,3", []),
    ],
)
def test_the_other_sign_can_be_the_point(text, found):
    assert read(text, ",") == decimals(*found)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4))
def test_what_is_printed_is_read_back(number):
    for text in (f"{number}", f"{number:,}", f"It is {number:,}.", f"**{number}**", f"\u2212{abs(number)}"):
        expected = -abs(number) if text.startswith("\u2212") else number
        assert read(text) == [expected]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_as_python_prints_it_is_read_back(number):
    assert value(Numeric(), f"x = {number!r}", repr(number)) == 1


@given(st.integers(), st.integers())
def test_other_whole_numbers_are_not_it(one, other):
    assume(one != other)

    assert value(Numeric(), f"{one:,}", str(other)) == 0


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_from_the_end_it_reads_the_same_backwards(found):
    text = "; ".join(f"{number:,}" for number in found)

    assert [n.value for n in numbers(text, backwards=True)] == read(text)[::-1]


def test_142_is_not_42():
    assert value(Numeric(), "The answer is 142.", "42") == 0


def test_six_digits_are_six():
    assert value(Numeric(), "123456", "123457") == 0


def test_pick_says_which_of_several():
    text = "From 3 to 4 is 1"

    assert value(Numeric(), text, "1") == 1
    assert value(Numeric(pick="first"), text, "3") == 1
    assert value(Numeric(pick="only"), text, "1") == 0
    assert value(Numeric(pick="only"), "so 1", "1") == 1


def test_tolerance_is_a_distance_its_end_included():
    metric = Numeric(tolerance=0.01)

    assert value(metric, "0.11", "0.1") == 1
    assert value(metric, "0.1100001", "0.1") == 0


def test_relative_is_a_share_of_the_target():
    metric = Numeric(relative=0.1)

    assert value(metric, "110", "100") == 1
    assert value(metric, "111", "100") == 0
    assert value(metric, "-110", "-100") == 1
    assert value(metric, "0.001", "0") == 0


def test_any_target_will_do():
    assert value(Numeric(), "7", "5", "7") == 1


def test_a_target_without_a_number_is_told_at_collection():
    assert Numeric().check(sample("5", "five")) == "its target 'five' has no number (with decimal: '.')"
    assert Numeric(decimal=",").check(sample("3.14")) == "its target '3.14' has no number (with decimal: ',')"
    assert "several numbers" in Numeric(pick="only").check(sample("3 or 4"))
    assert Numeric().check(sample("$5", "6 %")) is None


def test_numbers_beyond_every_float_are_compared():
    assert value(Numeric(), "9" * 5000, "9" * 5000) == 1
    assert value(Numeric(), "9" * 5000, "9" * 4999 + "8") == 0
    assert value(Numeric(tolerance=1), "1e999999", "-1e999999") == 0


@pytest.mark.parametrize(
    "options", [{"tolerance": -1}, {"relative": float("inf")}, {"tolerance": float("nan")}, {"decimal": "'"}]
)
def test_options_that_cannot_be_meant_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        Numeric(**options)


def test_the_reason_shows_the_number_as_written():
    assert scored(Numeric(), "about $1,000", "42").reason == "'1,000' is not '42'"
    assert scored(Numeric(), "none", "42").reason == "no number in 'none'"
