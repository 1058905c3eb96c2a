"""pytest's own ways to choose and to leave out do to our items what they do to any, and to requests what that means."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import pytest

FRANCE, OMAN, PERU = (f"What is the capital of {name}?" for name in ("France", "Oman", "Peru"))
COOKBOOK = "cookbook: Both\ntags: [release]\nrecipes: [capitals]\nthresholds: [grade >= B]\n"
#: two templates, twice each
VARIANTS = """
recipe: Capitals
samples:
  - {id: france, input: What is the capital of France?, target: Paris, tags: [europe]}
  - {id: peru, input: What is the capital of Peru?, target: Lima}
templates: [short, long]
repeats: 2
metrics: [exact_match]
thresholds: [exact_match >= 0.6, latency.p95 < 60 s]
"""
SKIPPING = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        if {condition}:
            item.add_marker(pytest.mark.skip(reason="not on this machine"))
"""


@pytest.fixture
def suite(anywhere, capitals):
    """A recipe, a cookbook, a test of the user's own."""
    anywhere.write("recipes/capitals.yaml", capitals)
    anywhere.write("recipes/both.cookbook.yaml", COOKBOOK)
    anywhere.write("test_own.py", "def test_own(): pass\n")
    return anywhere


@pytest.mark.parametrize("options", [["--co"], ["--setup-only"], ["--setup-plan"], ["-k", "own"]])
def test_nothing_is_asked_and_no_state_is_made_where_no_item_of_ours_runs(suite, options):
    result = suite.run(*options)

    assert result.ret == 0
    assert suite.asked() == []
    assert not (suite.path / ".llmeval").exists()
    assert "= llmeval =" not in result.stdout.str()


def test_a_word_and_a_tag_select_samples_and_ask_for_these_alone(suite):
    word = suite.run("-k", "france or oman", "-v")
    asked_by_word = suite.asked()
    tag = suite.run("-m", "facts and llmeval_sample", "-v")

    assert suite.ran(word) == [f"recipes/capitals.yaml::{name}[program]" for name in ("france", "oman")]
    assert asked_by_word == [FRANCE, OMAN]
    assert suite.ran(tag) == [f"recipes/capitals.yaml::{name}[program]" for name in ("france", "oman", "peru")]
    assert suite.asked() == [PERU]
    tag.assert_outcomes(passed=2)


def test_a_cookbooks_tag_selects_its_items(suite):
    result = suite.run("-m", "release", "--strict-markers", "-v")

    cookbook = "recipes/both.cookbook.yaml"
    assert suite.ran(result) == [f"{cookbook}::capitals[program]", f"{cookbook}::gate:grade[program]"]


def test_a_cookbooks_tag_that_has_a_meaning_in_pytest_is_refused(suite):
    suite.write("recipes/both.cookbook.yaml", COOKBOOK.replace("release", "skip"))

    text = suite.run("-n", "0").stdout.str() if "2" in suite.world else suite.run().stdout.str()

    assert "recipes/both.cookbook.yaml:2:7: tags: 'skip' has a meaning in pytest and cannot be a tag" in text
    assert suite.asked() == []


def test_a_part_is_said_and_has_no_grade_in_every_report(suite):
    result = suite.run("-k", "france or oman", "--llmeval-report", "r.json", "--llmeval-report", "r.md", "--junitxml=j")

    (recipe,) = json.loads((suite.path / "r.json").read_text("utf-8"))["recipes"]
    page = (suite.path / "r.md").read_text("utf-8")
    suite_properties = {
        p.get("name"): p.get("value") for p in ET.parse(suite.path / "j").findall("testsuite/properties/property")
    }
    assert (recipe["selected"], recipe["units"], recipe["grade"]) == (2, 3, None)
    assert recipe["measures"]["exact_match"]["n"] == 2
    assert re.search(
        r"^capitals +program +- +exact_match +0\.50 .*\n  2 of 3 selected$", result.stdout.str(), re.MULTILINE
    )
    assert "2 of 3 selected" in page
    assert suite_properties["llmeval.capitals[program].selected"] == "2"
    assert "llmeval.capitals[program].grade" not in suite_properties


def test_a_skipped_row_that_was_not_selected_counts_nowhere(suite, capitals):
    suite.write("recipes/capitals.yaml", capitals.replace("target: Muscat}", "target: Muscat, skip: contested}"))

    report = suite.report("-k", "france")

    (recipe,) = report["recipes"]
    assert (recipe["selected"], recipe["counts"]["skipped"]) == (1, 0)
    assert [row["sample"] for row in report["samples"]] == ["france"]


def test_a_deselected_sample_is_asked_where_a_gate_needs_it_and_only_there(suite):
    sample = "recipes/capitals.yaml::peru[program]"
    without_gate = suite.run(f"--deselect={sample}", "-m", "llmeval_sample", "-v")
    asked_without_gate = suite.asked()
    with_gate = suite.report(f"--deselect={sample}")

    assert sample not in suite.ran(without_gate)
    assert asked_without_gate == [FRANCE, OMAN]
    assert suite.asked() == [PERU]
    assert with_gate["recipes"][0]["grade"] == "B"
    assert "selected" not in with_gate["recipes"][0]


def test_what_failed_runs_alone_or_first(suite):
    fails = ["--llmeval-misses", "fail", "-v"]
    suite.run(*fails).assert_outcomes(passed=6, failed=1)

    last = suite.run(*fails, "--lf")
    first = suite.run("--ff", "--co", "-q")

    last.assert_outcomes(failed=1)
    assert first.stdout.lines[0] == "recipes/capitals.yaml::oman[program]"
    assert len(first.stdout.lines) >= 7


def test_stepwise_goes_on_where_it_stopped(suite):
    fails = ["recipes/capitals.yaml", "--llmeval-misses", "fail", "--sw", "-v"]
    stopped = suite.run(*fails)
    program = (suite.path / "program.py").read_text("utf-8")
    suite.write("program.py", program.replace('"Paris"', '"Paris", "Oman": "Muscat"'))

    went_on = suite.run(*fails, "--llmeval-cache", "off")

    assert stopped.parseoutcomes()["failed"] == 1
    went_on.assert_outcomes(passed=2)
    assert suite.ran(went_on) == [f"recipes/capitals.yaml::{name}[program]" for name in ("gate:exact_match", "oman")]


@pytest.mark.parametrize("option", ["-x", "--maxfail=1"])
def test_a_failure_may_end_the_run_and_a_noted_miss_does_not(suite, option):
    noted = suite.run(option, "recipes")
    failed = suite.run(option, "recipes/capitals.yaml", "--llmeval-misses", "fail")

    noted.assert_outcomes(passed=5)
    assert failed.parseoutcomes()["failed"] == 1
    assert failed.ret != 0


@pytest.mark.parametrize(
    ("typed", "count"),
    [
        ("recipes/capitals.yaml::france", 4),
        ("recipes/capitals.yaml::france[program-short-r2]", 1),
        ("recipes/capitals.yaml::gate:exact_match", 1),
        ("recipes/capitals.yaml::gate:latency.p95[program]", 1),
        ("recipes/both.cookbook.yaml::capitals[program]", 1),
        ("recipes/both.cookbook.yaml::capitals", 1),
    ],
)
def test_a_typed_id_runs_what_it_names(anywhere, typed, count):
    anywhere.write("recipes/capitals.yaml", VARIANTS)
    for name in ("short", "long"):
        anywhere.write(f"recipes/templates/{name}.yaml", f'template: One\ntext: "{name}: {{{{ input }}}}"\n')
    anywhere.write("recipes/both.cookbook.yaml", "cookbook: Both\nrecipes: [capitals]\n")

    result = anywhere.run(typed)

    result.assert_outcomes(passed=count)
    assert len(anywhere.asked()) == (count if "::france" in typed else 8)


def test_what_a_conftest_skips_is_not_asked_and_is_left_out(suite):
    suite.write(
        "conftest.py", SKIPPING.format(condition="'oman' in item.name or item.get_closest_marker('llmeval_gate')")
    )

    result = suite.run("-rs", "--llmeval-report", "r.json")

    report = json.loads((suite.path / "r.json").read_text("utf-8"))
    result.assert_outcomes(passed=3, skipped=4)
    assert suite.asked() == [FRANCE, PERU]
    assert "2 of 3 selected" in result.stdout.str()
    assert report["complete"]
    assert "SKIPPED [2] recipes/capitals.yaml: not on this machine" in result.stdout.str()


def test_a_gate_asks_for_what_a_conftest_skips(suite):
    suite.write("conftest.py", SKIPPING.format(condition="'oman' in item.name"))

    suite.run("recipes/capitals.yaml").assert_outcomes(passed=3, skipped=1)

    assert suite.asked() == [FRANCE, OMAN, PERU]


def test_without_terminal_and_cache_reports_are_written_all_the_same(suite):
    for plugin in ("terminal", "cacheprovider"):
        report = suite.report("-p", f"no:{plugin}")

        assert report["complete"], plugin
        assert report["recipes"][0]["grade"] == "B", plugin
