"""A disk that is full in the middle of a run: one clear error a process, and nothing is asked twice."""

from __future__ import annotations

import pytest
from running_pytest import many

pytest.importorskip("resource", reason="this system limits no file sizes")

#: no file of the run may grow beyond that, as if the disk were full
LIMIT = """
import resource


def pytest_configure(config):
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
"""


def test_a_run_ends_with_the_error_and_the_next_goes_on_where_it_was(anywhere):
    anywhere.write("recipes/many.yaml", many(200))
    anywhere.write("program.py", LONG)
    anywhere.write("conftest.py", LIMIT)

    full = anywhere.run()

    asked = anywhere.asked()
    assert 0 < len(asked) < 200
    errors = full.parseoutcomes()["errors"]
    text = full.stdout.str()
    assert 1 <= errors <= 2
    assert "Traceback" not in text
    assert ".llmeval/state.sqlite3: d" in text
    assert "the state cannot be used any more" in text
    (anywhere.path / "conftest.py").unlink()

    after = anywhere.run()

    assert after.parseoutcomes()["missed"] == 200
    again = anywhere.asked()
    # those whose answers were there when nothing could be kept any more
    assert 200 - len(asked) <= len(again) < 200


LONG = """
from pathlib import Path


def answer(prompt):
    with Path("asked.txt").open("a") as asked:
        asked.write(prompt + "\\n")
    return "x" * 12_000
"""
