"""`--llmeval-missed`: only what did not go well when it last ran."""

from __future__ import annotations

import re

import pytest

BOTH = "cookbook: Both\nrecipes: [capitals]\nthresholds: [grade >= B]\n"


def test_what_was_missed_and_what_failed_runs_again_and_nothing_else(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals.replace(">= 0.6", ">= 0.9"))
    anywhere.write("recipes/both.cookbook.yaml", BOTH)
    anywhere.write("test_own.py", "def test_own(): pass\n")
    first = anywhere.run()
    anywhere.asked()

    again = anywhere.run("--llmeval-missed", "-v")

    first.assert_outcomes(passed=4, failed=2)
    assert anywhere.ran(again) == [
        "recipes/both.cookbook.yaml::capitals[program]",
        "recipes/capitals.yaml::gate:exact_match[program]",
        "recipes/capitals.yaml::oman[program]",
    ]
    assert "llmeval: --llmeval-missed: 3 of 7 items did not go well when they last ran" in again.stdout.str()
    assert anywhere.asked() == []


def test_the_command_that_a_failed_gate_shows_is_that_of_the_missed_samples(project, capitals):
    project.write("recipes/capitals.yaml", capitals.replace(">= 0.6", ">= 0.9"))
    command = re.search(r"1 missed; all: pytest (.*)", project.run().stdout.str())

    again = project.run(*command[1].split())

    assert command[1] == "recipes/capitals.yaml --llmeval-missed -vv"
    assert "recipes/capitals.yaml::oman[program] MISSED" in again.stdout.str()
    assert "2 deselected" in again.stdout.str()


def test_an_outage_and_what_it_kept_from_being_judged_run_again(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals.replace("capital of Oman", "crash of Oman"))
    anywhere.run().assert_outcomes(passed=2, errors=2)
    anywhere.asked()
    program = (anywhere.path / "program.py").read_text("utf-8")
    anywhere.write("program.py", program.replace('"crash" in prompt', "False"))

    again = anywhere.run("--llmeval-missed", "-v")

    assert anywhere.ran(again) == [
        "recipes/capitals.yaml::gate:exact_match[program]",
        "recipes/capitals.yaml::oman[program]",
    ]
    assert anywhere.asked() == ["What is the crash of Oman?"]
    assert again.ret == 0


def test_with_no_state_yet_all_run_and_it_is_said(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals)

    result = anywhere.run("--llmeval-missed")

    result.assert_outcomes(passed=3)
    assert result.stdout.str().count("llmeval: --llmeval-missed: there is no state yet; all run") == 1


def test_where_nothing_was_missed_nothing_runs_and_it_is_said(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals.replace("Oman", "Chad").replace("Muscat", "N'Djamena"))
    anywhere.run().assert_outcomes(passed=4)

    result = anywhere.run("--llmeval-missed")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    said = "llmeval: --llmeval-missed: none of 4 items is known to have been missed or to have failed"
    assert result.stdout.str().count(said) == 1


def test_the_latest_result_counts_whatever_came_before(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals)
    anywhere.run()
    anywhere.write("recipes/capitals.yaml", capitals.replace("target: Muscat", "target: I do not know."))
    anywhere.run().assert_outcomes(passed=4)

    result = anywhere.run("--llmeval-missed")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_row_that_is_skipped_by_now_is_left_out(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    project.run()
    project.write("recipes/capitals.yaml", capitals.replace("target: Muscat", "target: Muscat, skip: contested"))

    assert project.run("--llmeval-missed").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_it_narrows_what_other_options_select(project, capitals):
    project.write("recipes/capitals.yaml", capitals.replace("N'Djamena", "?"))
    project.write("recipes/twice.yaml", capitals)
    project.run()

    by_word = project.run("--llmeval-missed", "-k", "twice", "-v")
    failed = project.run("--llmeval-missed", "--llmeval-misses", "fail", "-x")
    last_failed = project.run("--llmeval-missed", "--lf", "-v")

    assert project.ran(by_word) == ["recipes/twice.yaml::oman[program]"]
    failed.assert_outcomes(failed=1)
    assert project.ran(last_failed) == ["recipes/capitals.yaml::oman[program]"]


def test_samples_of_a_cookbook_are_those_of_its_recipe(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    project.write("recipes/both.cookbook.yaml", BOTH + "items: samples\n")
    project.run()

    again = project.run("--llmeval-missed", "-v")

    assert project.ran(again) == [
        "recipes/both.cookbook.yaml::capitals/oman[program]",
        "recipes/capitals.yaml::oman[program]",
    ]


def test_a_gate_that_an_early_end_kept_from_being_judged_runs_again(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    cut = project.report("-x", "--llmeval-misses", "fail")

    again = project.run("--llmeval-missed", "-v")

    assert not cut["complete"]
    assert project.ran(again) == [
        "recipes/capitals.yaml::gate:exact_match[program]",
        "recipes/capitals.yaml::oman[program]",
    ]
