"""What a run says: commands that work where they are typed, each thing once, the worst by what was asked."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

COOKBOOK = "cookbook: Both\nrecipes: [capitals]\n"
REPORT = """
from dataclasses import dataclass
from typing import ClassVar

import pytest


@dataclass(frozen=True)
class Table:
    id: ClassVar[str] = "table"
    suffix: ClassVar[str] = ".tsv"

    def write(self, record, path):
        rows = (f"{row.unit.sample}\\t{row.outcome.kind}\\n" for _, row in record.samples)
        path.write_text("".join(rows), encoding="utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_llmeval_register(registry):
    registry.add("report", Table)
"""


@pytest.mark.parametrize("world", [[], ["-n", "2"]])
def test_commands_work_in_the_folder_where_pytest_was_typed(project, capitals, monkeypatch, world):
    project.write("recipes/capitals.yaml", capitals.replace(">= 0.6", ">= 0.9"))
    folder = project.path / "deep" / "er"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    run = project.pytester.runpytest_subprocess
    noted = run(*world, "../../recipes")
    failed = run(*world, "../../recipes", "--llmeval-misses", "fail")

    commands = re.findall(r"(?:again|all|whole): pytest (.*)", noted.stdout.str() + failed.stdout.str())

    assert sorted(set(commands)) == [
        "'../../recipes/capitals.yaml::oman[program]'",
        "'../../recipes/capitals.yaml::oman[program]' -vv",
        "../../recipes/capitals.yaml --llmeval-missed -vv",
    ]
    for command in set(commands):
        again = run(*command.replace("'", "").split())
        assert "oman" in again.stdout.str(), command
        assert again.ret in {0, 1}, command


def test_a_failed_gate_names_the_worst_by_its_own_condition(anywhere, capitals):
    recipe = capitals.replace("metrics: [exact_match]", "metrics: [exact_match, length]")
    anywhere.write("recipes/capitals.yaml", recipe.replace("exact_match >= 0.6", "length.max <= 4, exact_match > 0.9"))

    text = anywhere.run().stdout.str()

    by_length = text.partition("length.max <= 4 does not hold")[2]
    assert re.search(r"worst: oman, france, peru +1 missed", by_length)
    assert re.search(r"worst: oman +1 missed", text.partition("exact_match > 0.9 does not hold")[2])


def test_the_faults_of_a_recipe_are_told_once_where_a_cookbook_names_it(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals.replace("[exact_match]", "[exact_mach]"))
    anywhere.write("recipes/both.cookbook.yaml", COOKBOOK)
    anywhere.write("recipes/sums.yaml", capitals)

    text = anywhere.run("--co").stdout.str()

    assert text.count("no metric 'exact_mach'; did you mean 'exact_match'?") == 1
    assert "recipes/both.cookbook.yaml:2:11: recipes[0]: recipes/capitals.yaml has faults" in text
    assert "recipes/capitals.yaml: its faults stand under recipes/both.cookbook.yaml" in text
    assert "Traceback" not in text


def test_two_endpoints_of_one_id_are_a_fault_of_the_file_that_is_read_second(anywhere, capitals):
    for folder in ("recipes/a", "recipes/b"):
        anywhere.write(f"{folder}/capitals.yaml", capitals + "endpoints: mine\n")
        version = folder[-1]
        endpoint = f"endpoint: Mine\nconnector: python\ntarget: program:answer\nversion: {version}\n"
        anywhere.write(f"{folder}/endpoints/mine.yaml", endpoint)

    text = anywhere.run("--co").stdout.str()

    told = "recipes/b/capitals.yaml:10:12: endpoints: the endpoint 'mine' is recipes/b/endpoints/mine.yaml here and"
    assert f"{told} recipes/a/endpoints/mine.yaml in recipes/a/capitals.yaml" in text


def test_where_no_state_can_be_kept_it_is_said_and_nothing_is_left(anywhere, capitals, monkeypatch):
    temporary = anywhere.path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    tempfile.tempdir = None
    anywhere.write("recipes/capitals.yaml", capitals)
    anywhere.write("blocked", "a file where a folder would be needed")

    report = anywhere.report("--llmeval-state", "blocked/state.sqlite3")

    assert report["complete"]
    assert report["recipes"][0]["grade"] == "B"
    (note,) = report["run"]["notes"]
    assert note.startswith("blocked/state.sqlite3 cannot be written (")
    assert "answers and results are kept for this run only" in note
    assert [path.name for path in temporary.iterdir() if path.name.startswith("llmeval-")] == []


def test_where_no_state_can_be_kept_the_summary_says_so(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    project.write("blocked", "")

    text = project.run("--llmeval-state", "blocked/state.sqlite3").stdout.str()

    assert "blocked/state.sqlite3 cannot be written (" in text.partition("= llmeval =")[2]


@pytest.mark.parametrize("how", ["option", "ini"])
def test_a_report_of_the_roots_conftest_is_written(anywhere, capitals, how):
    anywhere.write("recipes/capitals.yaml", capitals)
    anywhere.write("conftest.py", REPORT)
    if how == "ini":
        ini = (anywhere.path / "pytest.ini").read_text("utf-8")
        anywhere.write("pytest.ini", f"{ini}llmeval_reports = out/r.tsv\n")

    result = anywhere.run(*([] if how == "ini" else ["--llmeval-report", "out/r.tsv"]))

    assert result.ret == 0
    lines = (anywhere.path / "out" / "r.tsv").read_text("utf-8").splitlines()
    assert lines == ["france\tpassed", "peru\tpassed", "oman\tmissed"]


def test_a_suffix_that_nobody_writes_is_a_usage_error_that_names_all_there_are(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals)
    anywhere.write("conftest.py", REPORT)
    ini = (anywhere.path / "pytest.ini").read_text("utf-8")
    anywhere.write("pytest.ini", f"{ini}llmeval_reports = report.pdf\n")

    result = anywhere.run()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "report.pdf: nobody writes such a report; there are .json, .md, .tsv" in result.stderr.str()
    assert not (Path(anywhere.path) / "asked.txt").exists()


def test_answers_that_no_later_run_can_use_are_told_once(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals)
    anywhere.write("recipes/again.yaml", capitals)
    endpoint = anywhere.path / "recipes" / "endpoints" / "program.yaml"
    versioned = anywhere.run()
    endpoint.write_text(endpoint.read_text("utf-8").replace('version: "1"', ""), "utf-8")

    result = anywhere.run()
    collected = anywhere.run("--co")

    told = "llmeval: answers of program serve this run only (it has no `version:`)"
    assert result.stdout.str().count(told) == 1
    assert told not in versioned.stdout.str() + collected.stdout.str()


def test_that_prints_stand_beside_their_sample_is_told(project, capitals):
    project.write("recipes/capitals.yaml", capitals)

    assert "llmeval: no look-ahead, so that prints" in project.run("-s").stdout.str()
    assert "look-ahead" not in project.run().stdout.str()


def test_the_summary_says_what_is_wrong_with_a_file(anywhere, capitals):
    anywhere.write("recipes/faulty.yaml", capitals.replace("[exact_match]", "[exact_mach]") + "treshholds: []\n")

    text = anywhere.run().stdout.str()

    assert "metrics[0]: no metric 'exact_mach'" in text.partition("short test summary info")[2]
    assert text.count("unknown key 'treshholds'") == 1


@pytest.mark.parametrize("options", [["-q"], ["--co", "-q"]])
def test_quiet_is_quiet(anywhere, capitals, options):
    anywhere.write("recipes/capitals.yaml", capitals)

    assert "llmeval: state" not in anywhere.run(*options).stdout.str()


def test_the_state_is_named_once_wherever_a_run_is_told(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals)

    first, second = anywhere.run().stdout.str(), anywhere.run().stdout.str()

    assert first.count("llmeval: state .llmeval/state.sqlite3 (new)") == 1
    assert second.count("llmeval: state .llmeval/state.sqlite3\n") == 1
