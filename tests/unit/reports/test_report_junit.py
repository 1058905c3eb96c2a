"""What junit files get."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from hypothesis import given
from records_of_runs import ANY_TEXT, book, every_outcome, gate, missed, recipe, run, summary

from pytest_llmeval.core.result import Figure, Score, Verdict
from pytest_llmeval.core.summary import Counts
from pytest_llmeval.reports.junit import gate_properties, sample_properties, suite_properties


def test_a_sample_has_its_scores_and_what_its_answer_took():
    assert sample_properties(recipe(), missed()) == [
        ("llmeval.exact_match", "0"),
        ("llmeval.endpoint", "local"),
        ("llmeval.outcome", "missed"),
        ("llmeval.tokens", "31"),
        ("llmeval.cost", "0"),
        ("llmeval.cached", "true"),
    ]


def test_what_is_unknown_has_no_property():
    outcomes = every_outcome()

    assert dict(sample_properties(recipe(), outcomes["kenya"])) == {
        "llmeval.endpoint": "local",
        "llmeval.outcome": "error",
    }
    assert dict(sample_properties(recipe(), outcomes["cuba"])) == {
        "llmeval.exact_match": "1",
        "llmeval.endpoint": "local",
        "llmeval.outcome": "passed",
        "llmeval.tokens": "31",
        "llmeval.cached": "false",
    }


def test_a_gate_has_verdict_figure_interval_and_n():
    assert gate_properties(gate(), Verdict("failed", Figure(0.4167, 12, 0.2, 0.67))) == [
        ("llmeval.condition", "exact_match >= 0.6"),
        ("llmeval.verdict", "failed"),
        ("llmeval.figure", "0.4167"),
        ("llmeval.low", "0.2"),
        ("llmeval.high", "0.67"),
        ("llmeval.n", "12"),
    ]
    assert dict(gate_properties(gate("grade >= B"), Verdict("unmeasurable", reason="no"))) == {
        "llmeval.condition": "grade >= B",
        "llmeval.verdict": "unmeasurable",
    }


def test_the_suite_has_grades_and_figures_of_recipes_and_cookbooks():
    of = recipe()
    figures = {"exact_match": Figure(0.875, 24, 0.69, 0.957), "latency": Figure(None, 0)}

    assert suite_properties(run(summary(of, measures=figures), cookbooks=(book(of),))) == [
        ("llmeval.capitals[local].grade", "A"),
        ("llmeval.capitals[local].exact_match", "0.875"),
        ("llmeval.capitals[local].exact_match.low", "0.69"),
        ("llmeval.capitals[local].exact_match.high", "0.957"),
        ("llmeval.capitals[local].exact_match.n", "24"),
        ("llmeval.capitals[local].latency.n", "0"),
        ("llmeval.cookbook.starter[local].grade", "A"),
    ]


def test_a_part_of_a_recipe_says_so_and_has_no_grade():
    part = summary(grade=None, selected=3, counts=Counts(passed=3), measures={})

    assert suite_properties(run(part)) == [("llmeval.capitals[local].selected", "3")]


def test_recipes_of_one_id_are_told_apart_by_their_paths():
    one = recipe()
    other = replace(one, id="more/capitals.yaml[local]", path="more/capitals.yaml")

    names = [name for name, _ in suite_properties(run(summary(one, measures={}), summary(other, measures={})))]

    assert names == ["llmeval.recipes/capitals[local].grade", "llmeval.more/capitals[local].grade"]


@given(ANY_TEXT)
def test_any_text_can_stand_in_xml(text):
    told = sample_properties(recipe(endpoint=text), missed(scores={text: Score(float("inf"))}))
    told += suite_properties(run(summary(recipe(endpoint=text), grade=text)))
    root = ET.Element("properties")
    for name, value in told:
        ET.SubElement(root, "property", name=name, value=value)

    back = ET.fromstring(ET.tostring(root, encoding="utf-8"))

    assert [(one.get("name"), one.get("value")) for one in back] == told
