"""Faults in files are collection errors, all at once, and nothing is sent."""

from __future__ import annotations

import sqlite3

import pytest

FAULTY = """
recipe: Faulty
samples:
  - {id: a, input: What is the capital of France?, target: Paris}
metrics: [exact_mach]
treshholds: [exact_match >= 0.6]
"""


def test_all_faults_of_a_file_are_told_at_once_and_nothing_is_asked(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    project.write("recipes/faulty.yaml", FAULTY)

    result = project.run()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    text = result.stdout.str()
    assert "recipes/faulty.yaml:4:11: metrics[0]: no metric 'exact_mach'; did you mean 'exact_match'?" in text
    assert "recipes/faulty.yaml:5:1: unknown key 'treshholds'; did you mean 'thresholds'?" in text
    assert "Traceback" not in text
    assert project.asked() == []


def test_under_xdist_every_item_names_the_fault_and_nothing_is_asked(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    project.write("recipes/faulty.yaml", FAULTY)

    result = project.pytester.runpytest_subprocess("-n", "2")

    text = result.stdout.str()
    assert "nothing was asked" in text
    assert "no metric 'exact_mach'" in text
    assert project.asked() == []


@pytest.mark.parametrize(
    ("threshold", "told"),
    [
        ("exact_match >= 60", "60%"),
        ("exact_match <= 0.9", "deliberate: true"),
        ("exact_match.p97 >= 0.5", "no statistic 'p97'"),
        ("cost < 1 usd", None),
    ],
)
def test_a_condition_that_cannot_be_meant_is_told_with_its_place(project, capitals, threshold, told):
    project.write("recipes/capitals.yaml", capitals.replace("exact_match >= 0.6", f"'{threshold}'"))

    result = project.run()

    text = result.stdout.str()
    if told is None:
        # a program's answers may carry their cost; without it the gate cannot be judged
        assert "cannot be judged" in text
    else:
        assert "recipes/capitals.yaml:8:14: thresholds" in text
        assert told in text
        assert project.asked() == []


def test_a_title_key_that_was_mistyped_is_told(project, capitals):
    project.write("recipes/capitals.yaml", capitals.replace("recipe:", "recpie:"))

    text = project.run().stdout.str()

    assert "unknown key 'recpie'; did you mean 'recipe'?" in text


def test_a_named_file_that_is_not_ours_is_told(anywhere):
    anywhere.write("notes.yaml", "title: notes\n")

    text = anywhere.run("notes.yaml").stdout.str()

    assert "notes.yaml is no recipe or cookbook" in text


def test_other_peoples_yaml_is_left_alone(project):
    project.write("recipes/soup.yaml", "name: soup\nsteps: [boil]\n")

    assert project.run().ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_report_that_nobody_writes_is_a_usage_error(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals)

    result = anywhere.run("--llmeval-report", "report.pdf")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--llmeval-report report.pdf: nobody writes such a report; there are .json, .md" in result.stderr.str()


def test_a_state_of_another_program_is_told_without_a_traceback(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    connection = sqlite3.connect(project.path / "other.sqlite3")
    connection.execute("CREATE TABLE accounts (name)")
    connection.commit()
    connection.close()

    result = project.run("--llmeval-state", "other.sqlite3")

    text = result.stdout.str()
    assert "other.sqlite3" in text
    assert "Traceback" not in text
    assert result.parseoutcomes()["errors"] == 4
