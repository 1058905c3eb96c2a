"""The command line beside pytest's."""

from __future__ import annotations

import json

import pytest

from pytest_llmeval.__main__ import KINDS, main
from pytest_llmeval.core.record import RunInfo
from pytest_llmeval.state.sqlite.store import SqliteStore


@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_is_printed(kind, capsys):
    assert main(["schema", kind]) == 0

    assert json.loads(capsys.readouterr().out)["$schema"].startswith("https://json-schema.org/")


def test_metrics_are_listed_with_what_they_are(capsys):
    assert main(["list", "metrics"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 16
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)


def test_a_state_is_pruned(tmp_path, capsys):
    path = tmp_path / "state.sqlite3"
    store = SqliteStore.open(path, "r")
    store.begin(RunInfo("r", 0.0)).result()
    store.end(complete=True).result()
    store.close()

    assert main(["state", "--state", str(path)]) == 0
    assert capsys.readouterr().out.startswith(f"{path}: 0 answers, 1 runs, ")
    assert main(["state", "prune", "--older-than", "0", "--state", str(path)]) == 0

    assert capsys.readouterr().out == f"{path}: removed 0 answers and 1 runs\n"


def test_no_state_is_told_in_a_line(tmp_path, capsys):
    assert main(["state", "prune", "--state", str(tmp_path / "none.sqlite3")]) == 2

    assert "there is no state" in capsys.readouterr().err
