"""Bands, grades of recipes, grades of cookbooks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from grading_rows import EXACT, F1, SCALE, World
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.condition import grade_measure, parse_condition
from pytest_llmeval.core.measures import Band, Grading, Measure
from pytest_llmeval.core.record import CookbookRecord, Group
from pytest_llmeval.grading.grades import Graded, band, cookbook_grade, grade, meets, step
from pytest_llmeval.grading.summary import summarize, summarize_cookbook
from pytest_llmeval.grading.tally import tally
from pytest_llmeval.grading.verdicts import judge_cookbook

GRADING = Grading("exact_match", "mean", SCALE)
LABELS = GRADING.labels
COOKBOOK = CookbookRecord("starter[local]", "starter", "cookbooks/starter.yaml", "Starter", "local", ("a", "b", "c"))


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (1.0, "A"),
        (0.8, "A"),
        (0.7999, "B"),
        (0.7999999999999, "A"),
        (0.79999999999, "B"),
        (0.6, "B"),
        (0.59999, "C"),
        (0.39, "D"),
        (0.199, "E"),
        (0.0, "E"),
    ],
)
def test_a_share_is_cut_to_whole_hundredths(value, label):
    assert band(SCALE, value, share=True) == label


@pytest.mark.parametrize(("value", "label"), [(100.4, "A"), (79.99, "B"), (59.99999999999999, "B"), (0.999, "E")])
def test_a_figure_of_0_to_100_is_cut_to_whole_numbers(value, label):
    assert band(SCALE, value, share=False) == label


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_a_share_of_whole_numbers_stands_on_the_step_of_its_fraction(right, of):
    """Whatever the division rounds to: 29 of 50 is 58 and not 57."""
    right %= of + 1
    assert step(right / of, share=True) == 100 * right // of


@st.composite
def scales(draw):
    """Any scale, best first, and the direction that it agrees with."""
    cuts = sorted(draw(st.sets(st.integers(1, 100), max_size=8)))
    bands = [Band(f"L{low}", low, high - 1) for low, high in itertools.pairwise([0, *cuts, 101])]
    return bands[::-1] if draw(st.booleans()) else bands


@given(scales())
def test_the_bands_of_a_scale_share_out_0_to_100(bands):
    """Every whole step has exactly one label, so that every figure has a grade."""
    for whole in range(101):
        assert sum(found.low <= whole <= found.high for found in bands) == 1
        assert band(bands, whole / 100, share=True) == band(bands, float(whole), share=False) is not None


@given(scales(), st.floats(0, 1), st.floats(0, 1))
def test_a_better_figure_never_has_a_worse_grade(bands, one, other):
    labels = [found.label for found in bands]
    better, worse = (max, min) if bands[0].low else (min, max)
    if len(bands) == 1:
        return
    first = labels.index(band(bands, better(one, other), share=True))
    assert first <= labels.index(band(bands, worse(one, other), share=True))


def test_a_recipe_is_graded_by_its_gradings_measure():
    world = World(metrics=(EXACT, F1), grading=Grading("f1", "mean", SCALE))
    for number in range(4):
        world.answer(f"s{number}", {"exact_match": 1, "f1": 0.5})
    assert grade(tally(world.recipe, world.rows)) == ("C", "")


def test_a_score_from_0_to_100_is_graded_as_it_is():
    points = Measure("points", range=(0.0, 100.0))
    world = World(metrics=(points,), grading=Grading("points", "mean", SCALE)).answers([80, 79.98])
    assert grade(tally(world.recipe, world.rows)) == ("B", "")


def test_a_rate_is_graded_as_a_share():
    points = Measure("points", range=(0.0, 100.0), passing=50)
    world = World(metrics=(points,), grading=Grading("points", "rate", SCALE)).answers([80, 79, 3])
    assert grade(tally(world.recipe, world.rows)) == ("B", "")


def test_less_is_better_under_a_scale_that_says_so():
    bands = tuple(Band(label, one.low, one.high) for label, one in zip("ABCDE", reversed(SCALE), strict=True))
    world = World(grading=Grading("missed", "mean", bands)).answers([1, 1, 1, 0])
    assert grade(tally(world.recipe, world.rows)) == ("B", "")


def test_no_grade_without_grading_and_no_reason_either():
    world = World().answers([1])
    assert grade(tally(world.recipe, world.rows)) == (None, "")


def test_a_selection_has_no_grade():
    world = World(grading=GRADING).answers([1, 1])
    world.add("peru", None, selected=False)
    world.add("oman", None, skip="no time", selected=False)
    assert grade(tally(world.recipe, world.rows)) == (None, "2 of 4 selected")


def test_missing_answers_leave_no_grade():
    world = World(grading=GRADING).answers([1, 1])
    world.error("kenya")
    assert grade(tally(world.recipe, world.rows))[0] is None
    assert grade(tally(world.recipe, world.rows))[1].startswith("1 of 3 answers are missing")
    world.options["max_errors"] = 1
    assert grade(tally(world.recipe, world.rows)) == ("A", "")


@given(st.sampled_from(LABELS), st.sampled_from(LABELS))
def test_grades_compare_as_their_letters_do_backwards(one, other):
    measures = {"grade": grade_measure(LABELS)}
    for operator, expected in {">=": one <= other, ">": one < other, "==": one == other}.items():
        assert meets(parse_condition(f"grade {operator} {other}", measures), one, LABELS) is expected
    for bound, expected in {"at_least": one <= other, "at_most": one >= other}.items():
        long = {"measure": "grade", bound: other, "deliberate": True}
        assert meets(parse_condition(long, measures), one, LABELS) is expected


def graded(**grades: str | None) -> Mapping[str, Graded]:
    return {name: Graded(name, LABELS, label, "" if label else "no answer came") for name, label in grades.items()}


@pytest.mark.parametrize(
    ("grades", "expected"),
    [
        ({"a": "A", "b": "C", "c": "B"}, ("C", "")),
        ({"a": "A", "b": "A", "c": "A"}, ("A", "")),
        ({"a": "E", "b": "A", "c": "A"}, ("E", "")),
        ({"a": "A", "b": None, "c": "A"}, (None, "b has no grade (no answer came)")),
        ({"a": "A", "b": "A"}, (None, "c has not run")),
        ({}, (None, "none of its recipes has run")),
    ],
)
def test_a_cookbooks_grade_is_its_worst_recipes(grades, expected):
    assert cookbook_grade(COOKBOOK, graded(**grades)) == expected


def test_unlike_scales_give_no_cookbook_grade():
    known = {**graded(a="A", b="B", c="C")}
    for labels in (("A", "B", "C", "D"), LABELS[::-1], ()):
        known["c"] = Graded("c", labels, labels[0] if labels else None)
        label, reason = cookbook_grade(COOKBOOK, known)
        assert label is None
        assert reason.startswith("unlike scales: a has A, B, C, D, E, c has ")


def test_the_order_of_labels_decides_which_is_worst():
    """Labels stand best first, whatever letters they are."""
    labels = ("low", "high", "extreme")
    known = {name: Graded(name, labels, label) for name, label in {"a": "low", "b": "extreme", "c": "high"}.items()}
    assert cookbook_grade(COOKBOOK, known) == ("extreme", "")


def test_a_cookbooks_gate_is_judged_on_its_grade():
    condition = parse_condition("grade >= C", {"grade": grade_measure(LABELS)})
    assert judge_cookbook(condition, COOKBOOK, graded(a="A", b="C", c="B")).kind == "passed"
    failed = judge_cookbook(condition, COOKBOOK, graded(a="A", b="D", c="B"))
    assert (failed.kind, failed.grade) == ("failed", "D")
    unknown = judge_cookbook(condition, COOKBOOK, graded(a="A", b=None, c="B"))
    assert (unknown.kind, unknown.reason) == ("unmeasurable", "b has no grade (no answer came)")


def test_a_cookbook_sums_up_from_its_recipes_summaries():
    of = {}
    for name, scores in {"a": [1, 1], "b": [1, 0], "c": [1, 1]}.items():
        world = World((Group(name, None),), grading=GRADING).answers(scores)
        of[name] = Graded.of(summarize(world.recipe, world.rows))
    assert summarize_cookbook(COOKBOOK, of).grade == "C"
    no_grading = World((Group("b", None),)).answers([1, 1])
    of["b"] = Graded.of(summarize(no_grading.recipe, no_grading.rows))
    assert (
        summarize_cookbook(COOKBOOK, of).reason == "unlike scales: capitals has A, B, C, D, E, capitals has no grading"
    )
