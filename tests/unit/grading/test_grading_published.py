"""Averages and grades that AI Verify Moonshot published for recorded answers come out the same here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from grading_rows import World

from pytest_llmeval.core.measures import Band, Grading, Measure
from pytest_llmeval.core.record import CookbookRecord, Group
from pytest_llmeval.grading.figures import figure
from pytest_llmeval.grading.grades import Graded, cookbook_grade, grade
from pytest_llmeval.grading.tally import tally

RESULTS = Path(__file__).parents[4] / "shared" / "data" / "moonshot" / "results"
FILES = sorted(path for path in RESULTS.glob("*.json") if path.name != "metric-cases.json")
EXACT = "exactstrmatch"


def recipes(content):
    results = content["results"]
    return results.get("recipes") or [recipe for book in results["cookbooks"] for recipe in book["recipes"]]


def contents():
    if not FILES:
        pytest.skip("the published results are not beside this checkout (../shared/data/moonshot/results)")
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}


def world_of(recipe, model, scores):
    """``scores`` of a group's details: its figure as one sample's, or each row's."""
    details = [detail for detail in recipe["details"] if detail["model_id"] == model]
    of = [Group(detail["dataset_id"], detail["prompt_template_id"]) for detail in details]
    bands = tuple(Band(label, *ends) for label, ends in recipe["grading_scale"].items())
    world = World(
        tuple(of), (Measure("value", range=(0.0, 100.0)),), Grading("value", "mean", bands) if bands else None
    )
    for number, detail in enumerate(details):
        for row, score in enumerate(scores(detail)):
            world.answer(f"s{row}", score, group=number)
    return world


def group_value(detail):
    """The first value of the first metric's grading criteria."""
    return [next(iter(detail["metrics"][0]["grading_criteria"].values()))]


def exact(detail):
    return [100.0 * (row["predicted_result"]["response"] == row["target"]) for row in detail["data"]]


def graded(recipe, summary):
    world = world_of(recipe, summary["model_id"], group_value)
    found = tally(world.recipe, world.rows)
    return figure(found, "value").value, *grade(found), world.recipe.grading


def test_averages_and_grades_are_the_published_ones():
    seen = 0
    for name, content in contents().items():
        for recipe in recipes(content):
            for summary in recipe["evaluation_summary"]:
                if summary["avg_grade_value"] is None:
                    assert not recipe["grading_scale"]
                    continue
                value, label, _, _ = graded(recipe, summary)
                assert value == pytest.approx(summary["avg_grade_value"], rel=1e-12), name
                assert label == summary["grade"], name
                seen += 1
    assert seen > 10


def test_figures_from_single_answers_are_the_published_ones():
    """Where the metric is equality of strings, down from the answers themselves."""
    seen = 0
    for name, content in contents().items():
        for recipe in recipes(content):
            for summary in recipe["evaluation_summary"]:
                mine = [detail for detail in recipe["details"] if detail["model_id"] == summary["model_id"]]
                if not mine or EXACT not in mine[0]["metrics"][0]:
                    continue
                world = world_of(recipe, summary["model_id"], exact)
                found = tally(world.recipe, world.rows)
                assert figure(found, "value").value == pytest.approx(summary["avg_grade_value"], rel=1e-12), name
                assert grade(found)[0] == summary["grade"], name
                assert sum(len(detail["data"]) for detail in mine) == summary["num_of_prompts"]
                seen += 1
    assert seen > 3


def test_overall_grades_are_the_published_ones():
    seen = 0
    for content in contents().values():
        for book in content["results"].get("cookbooks", []):
            for overall in book["overall_evaluation_summary"]:
                known = {}
                for recipe in book["recipes"]:
                    summary = next(s for s in recipe["evaluation_summary"] if s["model_id"] == overall["model_id"])
                    labels = tuple(recipe["grading_scale"])
                    known[recipe["id"]] = Graded(recipe["id"], labels, summary["grade"])
                record = CookbookRecord(book["id"], book["id"], "", "", overall["model_id"], tuple(known))
                assert (cookbook_grade(record, known)[0] or "-") == overall["overall_grade"]
                seen += 1
    assert seen > 1
