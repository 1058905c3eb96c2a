"""Recipes as items, gates as items, in every world."""

from __future__ import annotations

import re


def test_a_recipe_runs_as_items_and_a_gate(everywhere, capitals):
    everywhere.write("recipes/capitals.yaml", capitals)

    result = everywhere.run("-v")

    assert result.ret == 0
    result.assert_outcomes(passed=3)
    text = result.stdout.str()
    assert re.search(r"PASSED.*recipes/capitals.yaml::france\[program]|capitals.yaml::france\[program] PASSED", text)
    assert re.search(r"MISSED.*recipes/capitals.yaml::oman\[program]|capitals.yaml::oman\[program] MISSED", text)
    assert re.search(r"PASSED.*::gate:exact_match\[program]|::gate:exact_match\[program] PASSED", text)
    assert re.search(r"^capitals +program +B +exact_match +0\.67 \(0\.21-0\.94\) +3 +2 +1 +0 ", text, re.MULTILINE)
    assert "gates: 1 held. missed: 1, listed by -rm" in text
    assert "asked 3 requests" in text
    assert len(everywhere.asked()) == 3


def test_the_second_run_asks_nothing(everywhere, capitals):
    everywhere.write("recipes/capitals.yaml", capitals)
    first = everywhere.report()
    everywhere.asked()

    second = everywhere.report()

    assert everywhere.asked() == []
    assert [row["cached"] for row in first["samples"]] == [False] * 3
    assert [row["cached"] for row in second["samples"]] == [True] * 3
    assert first["recipes"][0]["measures"]["exact_match"] == second["recipes"][0]["measures"]["exact_match"]


def test_a_gate_stands_alone(everywhere, capitals):
    everywhere.write("recipes/capitals.yaml", capitals)

    result = everywhere.run("recipes/capitals.yaml::gate:exact_match[program]")

    result.assert_outcomes(passed=1)
    assert len(everywhere.asked()) == 3


def test_a_selected_sample_alone_is_asked(everywhere, capitals):
    everywhere.write("recipes/capitals.yaml", capitals)

    report = everywhere.report("recipes/capitals.yaml::peru[program]")

    assert everywhere.asked() == ["What is the capital of Peru?"]
    assert report["recipes"][0]["selected"] == 1
    assert report["recipes"][0]["grade"] is None


def test_last_failed_runs_what_failed(everywhere, capitals):
    everywhere.write("recipes/capitals.yaml", capitals)

    first = everywhere.run("--llmeval-misses", "fail")
    again = everywhere.run("--llmeval-misses", "fail", "--lf")

    first.assert_outcomes(passed=3, failed=1)
    again.assert_outcomes(failed=1)


def test_an_outage_is_an_error_and_no_zero(everywhere, capitals):
    everywhere.write("recipes/capitals.yaml", capitals + "max_errors: 1\n")
    everywhere.write(
        "recipes/capitals.yaml",
        capitals.replace("What is the capital of Oman?", "crash, Oman"),
    )

    result = everywhere.run()

    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines_random(["*ZeroDivisionError: a fault in the program*"])
