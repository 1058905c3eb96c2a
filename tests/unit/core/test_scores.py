"""What a metric returns becomes a score; what it says of itself decides its worst."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.result import Score
from pytest_llmeval.core.scores import best, checked, listed, quoted, traits, worst_value


@dataclass(frozen=True)
class Said:
    """A metric that says what it is told to."""

    range: tuple[float | None, float | None] = (0.0, 1.0)
    better: str | None = "high"
    binary: bool = False
    id: ClassVar[str] = "said"


class Silent:
    id = "silent"


def test_what_a_class_leaves_out_has_a_default():
    own = traits(Silent())

    assert (own.better, own.range, own.binary) == ("high", (0, 1), False)
    assert (own.needs_target, own.reads_text, own.raw, own.blocking) == (False, True, False, False)


@pytest.mark.parametrize(
    ("metric", "worst"),
    [
        (Said(), 0),
        (Said(better="low"), 1),
        (Said(better=None), None),
        (Said(range=(1, 5)), 1),
        (Said(range=(1, 5), better="low"), 5),
        (Said(range=(0, None)), 0),
        (Said(range=(0, None), better="low"), None),
        (Said(range=(None, None)), None),
        (Said(range=(None, None), binary=True), 0),
        (Said(binary=True, better="low"), 1),
    ],
)
def test_the_worst_value_is_the_worse_end_of_the_range(metric, worst):
    assert worst_value(metric) == worst


@pytest.mark.parametrize("value", [True, 1, 1.0, Decimal(1), Fraction(1, 1), Score(1.0), Score(True)])
def test_any_number_and_any_boolean_is_a_score(value):
    found = checked(value, Said(binary=True))

    assert found.value == 1.0
    assert type(found.value) is float


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_finite_number_stays_what_it_is_where_there_are_no_ends(number):
    assert checked(number, Said(range=(None, None))).value == number


@pytest.mark.parametrize(
    "value", [None, "1", "", math.nan, math.inf, -math.inf, 1j, [], 10**400, Score(math.nan), b"1"]
)
def test_anything_else_is_an_error(value):
    with pytest.raises(ValueError, match=r"it returned .*finite number or a boolean"):
        checked(value, Said(range=(None, None)) if not isinstance(value, Score) else Said())


def test_no_value_is_a_score_only_where_an_end_is_open():
    assert checked(Score(None, "cannot tell"), Said(range=(0, None))) == Score(None, "cannot tell")
    with pytest.raises(ValueError, match="it returned nothing"):
        checked(Score(None), Said())


def test_a_reason_is_kept():
    assert checked(Score(0.5, "half"), Said()) == Score(0.5, "half")


@pytest.mark.parametrize(
    ("value", "metric", "range_"),
    [
        (1.5, Said(), "0 to 1"),
        (-1, Said(range=(0, None)), "from 0"),
        (2, Said(range=(None, 1)), "up to 1"),
        (2, Said(range=(None, None), binary=True), "0 to 1"),
    ],
)
def test_a_number_outside_its_range_is_an_error(value, metric, range_):
    with pytest.raises(ValueError, match=f"outside its range {range_}"):
        checked(value, metric)


def test_what_arithmetic_adds_to_an_end_is_none():
    assert checked(1 + 1e-12, Said()).value == 1.0
    assert checked(-1e-12, Said()).value == 0.0


def test_between_0_and_1_there_is_no_0_or_1():
    with pytest.raises(ValueError, match="its scores are 0 or 1"):
        checked(0.5, Said(binary=True))


def test_zero_has_no_sign():
    assert math.copysign(1, checked(-0.0, Said()).value) == 1


@given(st.text())
def test_a_quoted_text_is_one_short_line(text):
    shown = quoted(text)

    assert len(shown.splitlines()) == 1
    assert len(shown) <= 6 * 60 + 2
    shown.encode("utf-8")


def test_quotes_are_those_that_the_text_lacks():
    assert quoted("a") == "'a'"
    assert quoted("it's") == '"it\'s"'
    assert quoted("a\nb") == r"'a\nb'"
    assert quoted("x" * 100) == f"'{'x' * 20} … 60 characters … {'x' * 20}'"


def test_a_list_shows_three_and_counts_the_rest():
    assert listed(["a", "b", "c"]) == "'a', 'b', 'c'"
    assert listed(["a", "b", "c", "d", "e"]) == "'a', 'b', 'c' and 2 more"


def test_the_best_is_the_first_of_the_highest():
    assert best(["a", "bb", "cc"], len) == (2, "bb")
