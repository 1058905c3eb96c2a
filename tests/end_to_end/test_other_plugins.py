"""Beside plugins that run items again, end them, or turn their order about."""

from __future__ import annotations

import pytest
from asking import about, asks, numbered, rows, samples

from pytest_llmeval.testing import failing, first, serve, when


def test_a_missed_sample_that_runs_again_shows_the_same_answer_and_counts_once(project):
    """pytest-rerunfailures: three runs of an item are one request, one answer, one row."""
    with serve(answer=lambda received: f"answer {received.number}") as server:
        asks(project, server.url, samples("wrong question"), thresholds=None, misses="fail")
        result = project.run("-p", "rerunfailures", "--reruns", "2", "--llmeval-report", "report.json")
        report = project.report("--llmeval-cache", "only")

    result.assert_outcomes(failed=1)
    assert result.parseoutcomes()["rerun"] == 2
    assert server.count == 1
    counts = report["recipes"][0]["counts"]
    assert (counts["missed"], counts["requests"]) == (1, 1)
    assert rows(report)["wrong"]["answer"] == "answer 1"


@pytest.mark.parametrize("world", [["-p", "no:xdist"], ["-n", "2"]], ids=["plain", "n2"])
def test_a_request_that_came_to_nothing_is_asked_again_with_its_item(project, world):
    """The first try of the item spends all attempts; the second gets the answer, and the gate is measurable."""
    with serve(when(about("late"), first(2, failing(503)))) as server:
        asks(project, server.url, samples("late question", "good question"), endpoint={"max_attempts": 2})
        result = project.pytester.runpytest_subprocess(
            "-p", "rerunfailures", *world, "--reruns", "2", "--llmeval-report", "report.json"
        )
        report = project.report("--llmeval-cache", "only")

    result.assert_outcomes(passed=3)
    assert result.parseoutcomes()["rerun"] == 1
    assert server.count == 4
    counts = report["recipes"][0]["counts"]
    assert (counts["passed"], counts["errors"], counts["requests"]) == (2, 0, 2)


@pytest.mark.parametrize("method", ["signal", "thread"])
def test_a_global_timeout_ends_no_item_that_waits_for_an_answer(project, method):
    """pytest-timeout: a gate may wait for a whole recipe; a test of the user's own is still ended."""
    ini = (project.path / "pytest.ini").read_text("utf-8")
    project.write("pytest.ini", f"{ini}timeout = 0.5\ntimeout_method = {method}\n")
    with serve(delay=0.8) as server:
        asks(project, server.url, numbered(2), endpoint={"max_concurrency": 1})
        result = project.run("-p", "timeout", "recipes/asks.yaml", "recipes/asks.yaml::gate:exact_match[small]")

    result.assert_outcomes(passed=3)
    assert server.count == 2


def test_a_global_timeout_still_ends_tests_of_the_users_own(project):
    ini = (project.path / "pytest.ini").read_text("utf-8")
    project.write("pytest.ini", f"{ini}timeout = 0.5\ntimeout_method = signal\n")
    project.write("test_own.py", "import time\n\ndef test_slow():\n    time.sleep(30)\n")
    with serve() as server:
        asks(project, server.url, numbered(1))
        result = project.run("-p", "timeout", "recipes", "test_own.py")

    result.assert_outcomes(passed=2, failed=1)
    assert "Timeout" in result.stdout.str()


REVERSED = """
def pytest_collection_modifyitems(items):
    items.reverse()
"""


def test_a_gate_that_runs_before_its_samples_asks_what_it_needs(project):
    """As plugins do that turn the order of items about."""
    project.write("conftest.py", REVERSED)
    with serve() as server:
        asks(project, server.url, numbered(6))
        result = project.run("-v")

    result.assert_outcomes(passed=7)
    assert server.count == 6
    first_item = next(line for line in result.stdout.lines if line.startswith("recipes/"))
    assert "::gate:exact_match[small]" in first_item
