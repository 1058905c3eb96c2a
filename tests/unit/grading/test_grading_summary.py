"""What a recipe comes to in reports, and which samples did worst."""

from __future__ import annotations

import pytest
from grading_rows import EXACT, F1, LENGTH, SCALE, World, answer

from pytest_llmeval.core.measures import Grading
from pytest_llmeval.core.record import Group
from pytest_llmeval.grading.summary import summarize
from pytest_llmeval.grading.tally import tally
from pytest_llmeval.grading.worst import worst

GRADING = Grading("exact_match", "mean", SCALE)


def worst_of(world, source, most=5):
    return worst(tally(world.recipe, world.rows), world.condition(source), most)


def test_a_summary_has_every_measure_by_its_default_statistic():
    world = World(metrics=(EXACT, F1), grading=GRADING)
    for number in range(4):
        world.answer(f"s{number}", {"exact_match": float(number > 0), "f1": 0.5})
    found = summarize(world.recipe, iter(world.rows))
    assert {name: one.value for name, one in found.measures.items()} == {
        "exact_match": 0.75,
        "f1": 0.5,
        "latency": 0.5,
        "tokens": 60,
        "cost": pytest.approx(0.004),
        "errors": 0,
        "refused": 0,
        "truncated": 0,
        "passed": 0.75,
        "missed": 0.25,
    }
    assert (found.grade, found.why_no_grade, found.selected) == ("B", "", None)
    assert [group.n for group in found.groups] == [4]
    assert found.worst == ("recipes/capitals.yaml::capitals/s0[local-None-r1]",)


def test_what_has_no_figure_is_left_out():
    """An answer without a count leaves no count; where nothing was answered only errors have a figure."""
    world = World().answers([1, 1])
    world.answer("kenya", 1, response=answer(latency=None, cost=None))
    assert {"latency", "cost"}.isdisjoint(summarize(world.recipe, world.rows).measures)
    silent = World()
    silent.error("kenya")
    assert set(summarize(silent.recipe, silent.rows).measures) == {"errors"}


def test_what_a_metric_error_took_is_there_without_a_value():
    world = World(metrics=(EXACT, F1))
    world.answer("kenya", {"exact_match": 1}, kind="metric_error", error="f1: TypeError: no")
    world.answer("oman", {"exact_match": 1, "f1": 1})
    found = summarize(world.recipe, world.rows).measures
    assert {name for name, one in found.items() if one.value is None} == {"f1", "passed", "missed"}
    assert found["exact_match"].value == 1


def test_a_selection_shows_its_figure_and_no_grade():
    world = World(grading=GRADING).answers([1, 1, 0])
    for number in range(3):
        world.add(f"left{number}", None, selected=False)
    found = summarize(world.recipe, world.rows)
    assert (found.selected, found.grade, found.why_no_grade) == (3, None, "3 of 6 selected")
    assert found.measures["exact_match"].value == pytest.approx(2 / 3)


def test_what_a_fixture_asked_of_left_out_samples_counts_as_asked():
    world = World().answers([1, 1])
    world.answer("asked-by-a-test", 1, selected=False)
    world.add("peru", None, selected=False)
    assert summarize(world.recipe, world.rows).selected == 3


def test_a_run_that_was_stopped_is_no_selection_but_has_no_grade():
    world = World(grading=GRADING).answers([1, 1, 0])
    world.add("peru", None)
    found = summarize(world.recipe, world.rows)
    assert (found.selected, found.grade) == (None, None)
    assert found.measures["exact_match"].value == pytest.approx(2 / 3)


def test_the_worst_come_first_by_the_mean_of_all_their_answers():
    world = World((Group("d", "plain"), Group("d", "terse")), (F1,))
    for sample, plain, terse in (
        ("a", 1, 1),
        ("b", 0.5, 0),
        ("c", 0, 0),
        ("d", 0.9, 1),
        ("e", 0, 0.5),
        ("f", 0.3, 0.3),
    ):
        world.answer(sample, plain, group=0)
        world.answer(sample, terse, group=1)
    found = worst_of(world, "f1 >= 0.9")
    assert [sample.name for sample in found] == ["c", "b", "e", "f", "d"]
    assert [sample.value for sample in found] == [0, 0.25, 0.25, 0.3, 0.95]
    assert found[1].nodeid == "recipes/capitals.yaml::d/b[local-terse-r1]"
    assert [sample.name for sample in worst_of(world, "f1 >= 0.9", 2)] == ["c", "b"]


def test_the_worst_are_those_in_plan_order_where_alike_whatever_order_rows_come_in():
    world = World().answers([0] * 9)
    world.rows.reverse()
    assert [sample.name for sample in worst_of(world, "exact_match >= 0.9")] == ["s0", "s1", "s2", "s3", "s4"]


def test_the_slowest_are_the_worst_by_latency():
    world = World()
    for number, seconds in enumerate([0.1, 3.0, 0.2]):
        world.answer(f"s{number}", 1, response=answer(latency=seconds))
    assert [sample.name for sample in worst_of(world, "latency.p95 < 2 s")] == ["s1", "s2", "s0"]


def test_a_measure_without_direction_has_the_conditions():
    world = World(metrics=(LENGTH,)).answers([5, 1, 9])
    assert [sample.name for sample in worst_of(world, "length <= 4")] == ["s2", "s0", "s1"]
    assert [sample.name for sample in worst_of(world, "length >= 4")] == ["s1", "s0", "s2"]


def test_the_worst_by_errors_are_those_in_error_and_by_grade_the_gradings():
    world = World(grading=GRADING).answers([1, 0])
    world.error("kenya")
    assert [sample.name for sample in worst_of(world, "errors <= 1%")] == ["kenya"]
    assert [sample.name for sample in worst_of(world, "grade >= B")] == ["s1"]


def test_samples_of_several_datasets_are_named_with_theirs():
    world = World((Group("a", None), Group("b", None)))
    world.answer("kenya", 0, group=0)
    world.answer("kenya", 0, group=1)
    assert [sample.name for sample in worst_of(world, "exact_match >= 0.9")] == ["a/kenya", "b/kenya"]
