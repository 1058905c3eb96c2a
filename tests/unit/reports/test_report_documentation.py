"""The documentation of reports says what they hold."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

from records_of_runs import missed, recipe, run, summary, unit

from pytest_llmeval.core.registry import Registry
from pytest_llmeval.core.shell import Shell
from pytest_llmeval.reports import failure
from pytest_llmeval.reports.json_ import JsonReport

PAGE = (Path(__file__).parents[3] / "docs" / "reports.md").read_text("utf-8")


def keys(schema: object) -> set[str]:
    if isinstance(schema, list):
        return set().union(*map(keys, schema))
    if not isinstance(schema, dict):
        return set()
    return set(schema.get("properties", ())).union(*map(keys, schema.values()))


def test_every_key_of_the_json_report_is_documented():
    schema = json.loads((files("pytest_llmeval") / "schemas" / "report.json").read_text("utf-8"))

    assert keys(schema) - set(re.findall(r"`(\w+)`", PAGE)) == set()


def test_the_sample_shown_is_what_is_shown():
    shown = failure.sample(recipe(), unit(), missed(), unit().nodeid, shell=Shell(windows=False))

    assert f"```\n{shown}\n```" in PAGE


def test_the_programs_run(tmp_path, monkeypatch, capsys):
    """A reader of the JSON report, and a report of one's own."""
    reads, writes = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    JsonReport().write(run(summary()), tmp_path / "out" / "report.json")
    namespace: dict[str, object] = {}
    registry = Registry()

    exec(reads, {})
    exec(writes, namespace)
    namespace["pytest_llmeval_register"](registry)
    registry.get("report", "misses")().write(run(summary()), tmp_path / "a.misses.txt")

    assert capsys.readouterr().out == "recipes/capitals.yaml::turkey[local] Istanbul\n"
    assert (tmp_path / "a.misses.txt").read_text("utf-8") == "recipes/capitals.yaml::turkey[local]\n"
