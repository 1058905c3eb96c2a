"""Which scales are refused, and in which words."""

from __future__ import annotations

import itertools

import pytest
from grading_rows import SCALE
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.measures import Band, Grading, Measure, check_grading, check_scale

RISING = SCALE[::-1]


def test_a_scale_that_agrees_with_its_measure_is_right():
    lower = [Band(label, one.low, one.high) for label, one in zip("ABCDE", RISING, strict=True)]
    assert check_scale(SCALE, "high") is None
    assert check_scale(lower, "low") is None
    assert check_scale(SCALE, None) is check_scale(lower, None) is None
    assert check_scale([Band("all", 0, 100)], "high") is check_scale([Band("all", 0, 100)], "low") is None


def test_a_scale_against_its_measure_is_shown_in_both_readings():
    found = check_scale(RISING, "high", "exact_match")
    assert found == (
        "two readings contradict each other: labels stand best first, so E (0 to 19) is the best here; but of "
        "exact_match more is better, so A (80 to 100) is. If E is the best, write {E: [80, 100], D: [60, 79], "
        "C: [40, 59], B: [20, 39], A: [0, 19]}; if A is, write {A: [80, 100], B: [60, 79], C: [40, 59], D: [20, 39], "
        "E: [0, 19]}"
    )
    assert "of the measure less is better" in check_scale(SCALE, "low")


@pytest.mark.parametrize("better", ["high", "low"])
def test_both_readings_are_scales_that_pass(better):
    bands = RISING if better == "high" else SCALE
    text = check_scale(bands, better)
    for reading in text.split("write ")[1:]:
        inside = reading[reading.index("{") + 1 : reading.index("}")]
        parts = [entry.split(": ") for entry in inside.split("], ")]
        found = [Band(label, *(int(end) for end in ends.strip("[]").split(", "))) for label, ends in parts]
        assert check_scale(found, better) is None


@pytest.mark.parametrize(
    ("bands", "text"),
    [
        ([], "a scale needs at least one label with its band, such as A: [80, 100]"),
        ([("A", 80, 100), ("B", 60, 78), ("C", 0, 59)], "nothing covers 79, between B: [60, 78] and A: [80, 100]"),
        ([("A", 80, 100), ("B", 0, 59)], "nothing covers 60 to 79, between B: [0, 59] and A: [80, 100]"),
        ([("A", 80, 100), ("B", 0, 80)], "B: [0, 80] and A: [80, 100] overlap"),
        ([("A", 50, 100), ("B", 0, 100)], "B: [0, 100] and A: [50, 100] overlap"),
        ([("A", 80, 99), ("B", 0, 79)], "a scale covers 0 to 100; this one ends at 99 (A: [80, 99])"),
        ([("A", 80, 101), ("B", 0, 79)], "a scale covers 0 to 100; this one ends at 101 (A: [80, 101])"),
        ([("A", 80, 100), ("B", 1, 79)], "a scale covers 0 to 100; this one begins at 1 (B: [1, 79])"),
        ([("A", 100, 80), ("B", 0, 79)], "a band runs from its lower to its higher end: A: [80, 100]"),
        ([("A", 80, 100), ("A", 0, 79)], "the label 'A' stands twice"),
    ],
)
def test_what_does_not_cover_0_to_100_once_is_refused(bands, text):
    assert text in check_scale([Band(*entry) for entry in bands], "high")


def test_labels_that_do_not_run_one_way_are_refused():
    bands = [SCALE[0], SCALE[2], SCALE[1], *SCALE[3:]]
    assert "their bands run one way" in check_scale(bands, "high")


@given(st.lists(st.tuples(st.integers(-1, 101), st.integers(-1, 101)), max_size=4))
def test_a_scale_passes_exactly_where_it_shares_out_0_to_100(ends):
    bands = [Band(f"L{number}", low, high) for number, (low, high) in enumerate(ends)]
    covered = sorted(itertools.chain.from_iterable(range(one.low, one.high + 1) for one in bands))
    shares_out = covered == list(range(101)) and all(one.low <= one.high for one in bands)
    ordered = bands in (sorted(bands, key=lambda b: b.low), sorted(bands, key=lambda b: -b.low))
    assert (check_scale(bands, None) is None) == (shares_out and ordered)


def test_a_grading_needs_a_figure_from_0_to_1_or_100():
    length = Measure("length", None, (0.0, None))
    assert check_grading(length, Grading("length", "mean", SCALE)) == (
        "a scale grades a figure from 0 to 1 or from 0 to 100, and length is none"
    )
    exact = Measure("exact_match", binary=True)
    assert "exact_match.sum is none" in check_grading(exact, Grading("exact_match", "sum", SCALE))
    for statistic in ("mean", "low", "min", "p50"):
        assert check_grading(exact, Grading("exact_match", statistic, SCALE)) is None
    assert check_grading(Measure("points", range=(0.0, 100.0)), Grading("points", "mean", SCALE)) is None
    assert check_grading(Measure("length", None, (0.0, None), passing=3), Grading("length", "rate", SCALE)) is None
