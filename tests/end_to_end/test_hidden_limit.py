"""A service's own limit, told or not, costs few refusals and no answer, in one process and in two."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

import pytest
from asking import asks, numbered

from pytest_llmeval.testing import failing, first, limited, serve, when


def settled(project) -> tuple[dict, int]:
    """Run: the report, and how many attempts it took by the summary."""
    result = project.run("--llmeval-report", "report.json")
    (asked,) = re.findall(r"asked (\d+) requests in [^(]*(?:\((\d+) attempts)?", result.stdout.str())
    return json.loads((project.path / "report.json").read_text("utf-8")), int(asked[1] or asked[0])


def outcomes(report: dict) -> set[str]:
    return {row["outcome"] for row in report["samples"]}


@pytest.mark.parametrize("told", [{}, {"retry_after": 1}, {"headers": True}], ids=["nothing", "retry-after", "headers"])
def test_a_limit_is_met_with_few_refusals_and_every_sample_is_answered(anywhere, told):
    """Of 24 at once 19 would be refused at the first, and all that wake together again."""
    count, at_once = 80, 24
    with serve(limited(30, burst=5, **told)) as server:
        asks(anywhere, server.url, numbered(count), endpoint={"max_concurrency": at_once})
        report, requests = settled(anywhere)

    assert outcomes(report) == {"passed"}
    # refused ones are requests too, in the service's count and in ours
    assert server.count == requests
    assert server.count - count < 1.5 * at_once


def test_a_refusal_for_the_rate_spends_no_attempt(anywhere):
    """Each request is refused more often than it may fail; failures between refusals are counted by themselves."""
    refused = failing(429, "slow down", headers={"retry-after": "0"})
    prompts = [row["input"] for row in numbered(2)]
    each = [when(lambda r, p=prompt: r.prompt == p, first(2, refused)) for prompt in prompts]
    faults = [when(lambda r, p=prompt: r.prompt == p, first(1, failing(503))) for prompt in prompts]
    with serve(*each, *faults) as server:
        asks(anywhere, server.url, numbered(2), endpoint={"max_attempts": 2})
        report, requests = settled(anywhere)

    assert outcomes(report) == {"passed"}
    assert requests == server.count == 2 * (2 + 1 + 1)


def test_failures_end_with_their_attempts_whatever_was_refused(project):
    with serve(first(1, failing(429, "slow down")), failing(503)) as server:
        asks(project, server.url, numbered(1), endpoint={"max_attempts": 2})
        result = project.run()

    assert "after 3 attempts" in result.stdout.str()
    assert server.count == 3


def test_the_deadline_ends_what_is_refused_for_ever(project):
    with serve(failing(429, "slow down")) as server:
        asks(project, server.url, numbered(2), endpoint={"deadline": 2, "max_attempts": 1})
        report, requests = settled(project)

    errors = [row["error"] for row in report["samples"]]
    assert all("the deadline of 2 s" in error for error in errors)
    assert server.count == requests > 2


def test_faults_slow_nobody(project):
    """Of many that fail once each, none waits for a pace: no row of one is kept."""
    failed: set[str] = set()

    def fails_once(received):
        if received.prompt in failed:
            return None
        failed.add(received.prompt)
        return failing(503, headers={"retry-after": "0"})(received)

    with serve(fails_once) as server:
        asks(project, server.url, numbered(30))
        report, _ = settled(project)

    assert outcomes(report) == {"passed"}
    assert server.count == 60
    assert paces_of(project) == [None]


def test_the_next_run_starts_with_the_pace_that_was_learnt(project):
    """Another recipe, so that nothing is answered before: hardly anything is refused."""
    with serve(limited(30, burst=5)) as server:
        asks(project, server.url, numbered(60), endpoint={"max_concurrency": 24})
        settled(project)
        first_refused = server.count - 60
        assert paces_of(project) != [None]
        asks(project, server.url, numbered(60), endpoint={"max_concurrency": 24}, system="Be brief.")
        settled(project)

    second_refused = server.count - 120 - first_refused
    assert second_refused < max(6, first_refused)


def paces_of(project) -> list[float | None]:
    """The paces that the state holds, None for none."""
    with closing(sqlite3.connect(project.path / ".llmeval" / "state.sqlite3")) as connection:
        return [json.loads(text).get("base") for (text,) in connection.execute("SELECT pace FROM paces")]
