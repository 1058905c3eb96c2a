"""What options, ini keys and the environment say, and what they cannot mean."""

from __future__ import annotations

import subprocess

import pytest


@pytest.mark.parametrize(
    ("ini", "arguments", "told"),
    [
        ("", ["--llmeval-percentage", "0"], "--llmeval-percentage: 0 is not from 1 to 100"),
        ("", ["--llmeval-percentage", "101"], "--llmeval-percentage: 101 is not from 1 to 100"),
        ("llmeval_cache = sometimes", [], "ini llmeval_cache: 'sometimes' is none of use, refresh, only, off"),
        ("llmeval_items = gate", [], "ini llmeval_items: 'gate' is none of samples, gates"),
        ("llmeval_unavailable = xfail", [], "ini llmeval_unavailable: 'xfail' is none of error, skip"),
        ("llmeval_cache_ttl = soon", [], "ini llmeval_cache_ttl: 'soon' is no number of days"),
        ("llmeval_cache_ttl = -1", [], "ini llmeval_cache_ttl: '-1' is no number of days"),
        ("", ["--llmeval-max-requests", "-1"], "--llmeval-max-requests: '-1' is no whole number, at least 0"),
        ("", ["--llmeval-max-tokens", "1e6"], "--llmeval-max-tokens: '1e6' is no whole number, at least 0"),
        ("llmeval_max_cost = nan", [], "ini llmeval_max_cost: 'nan' is no number of US dollars, at least 0"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(project, capitals, ini, arguments, told):
    project.write("recipes/capitals.yaml", capitals)
    project.write("pytest.ini", f"[pytest]\npythonpath = .\nllmeval_endpoints = program\n{ini}\n")

    result = project.run(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert told in result.stderr.str()
    assert project.asked() == []


def test_the_state_is_where_the_option_says_else_the_environment_else_the_ini_file(project, capitals, monkeypatch):
    project.write("recipes/capitals.yaml", capitals)
    project.write("pytest.ini", "[pytest]\npythonpath = .\nllmeval_endpoints = program\nllmeval_state = ini/s.db\n")

    project.run()
    monkeypatch.setenv("LLMEVAL_STATE", "env/s.db")
    project.run()
    project.run("--llmeval-state", "option/s.db")

    assert [(project.path / folder / "s.db").exists() for folder in ("ini", "env", "option")] == [True] * 3
    assert len(project.asked()) == 9
    assert not (project.path / ".llmeval").exists()


def test_a_part_of_each_dataset_is_asked_and_named_in_the_reports(project, capitals):
    project.write("recipes/capitals.yaml", capitals)

    report = project.report("--llmeval-percentage", "40", "--llmeval-seed", "3")

    (recipe,) = report["recipes"]
    assert len(project.asked()) == recipe["counts"]["requests"] == 1
    assert recipe["subset"] == "40% of each dataset, seed 3"


def test_a_report_names_the_commit_and_whether_something_was_changed_since(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "One"]):
        subprocess.run([*git, *command], cwd=project.path, check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], cwd=project.path, check=True, capture_output=True, text=True)

    clean = project.report()
    project.write("recipes/capitals.yaml", capitals.replace("Capitals", "Some capitals"))
    changed = project.report()

    assert clean["run"]["git"] == {"commit": commit.stdout.strip(), "dirty": False}
    assert changed["run"]["git"]["dirty"] is True
