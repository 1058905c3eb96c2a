"""An endpoint that keeps failing, through the whole of pytest."""

from __future__ import annotations

import json
from collections import Counter

from asking import about, asks, numbered, samples, yaml

from pytest_llmeval.testing import failing, first, serve, when

REASON = "endpoint small: breaker open after {} failed requests in a row: 503 from {} "


def outcomes(report):
    return Counter(row["outcome"] for row in report["samples"])


def test_after_failures_in_a_row_over_all_processes_the_rest_is_skipped_with_the_reason(anywhere):
    with serve(failing(503)) as server:
        service = {"max_concurrency": 1, "max_attempts": 1, "breaker": {"failures": 4}}
        asks(anywhere, server.url, numbered(60), endpoint=service)
        result = anywhere.run("-rs", "--llmeval-report", "report.json")
    report = json.loads((anywhere.path / "report.json").read_text("utf-8"))

    assert server.count == 4
    result.assert_outcomes(errors=4 + 1, skipped=56)
    assert outcomes(report) == {"error": 4, "not_asked": 56}
    why = REASON.format(4, server.url) + '("the server is overloaded") (after 1 attempt)'
    assert f"SKIPPED [56] recipes/asks.yaml:1: {why}" in result.stdout.str()
    assert [gate["verdict"] for gate in report["gates"]] == ["unmeasurable"]
    assert "exact_match" not in report["recipes"][0]["measures"]


def test_five_failures_open_it_where_nothing_is_said(project):
    with serve(failing(503)) as server:
        asks(project, server.url, numbered(20), endpoint={"max_concurrency": 1, "max_attempts": 1})
        project.run().assert_outcomes(errors=5 + 1, skipped=15)

    assert server.count == 5


def test_an_endpoint_may_have_none(project):
    with serve(failing(503)) as server:
        service = {"max_concurrency": 2, "max_attempts": 1, "breaker": False}
        asks(project, server.url, numbered(20), endpoint=service)
        project.run().assert_outcomes(errors=20 + 1)

    assert server.count == 20


def test_a_retry_is_skipped_at_once_however_long_it_was_to_wait(anywhere):
    """In the process that opens the breaker, and in those that only hear of it."""
    late = when(about("late"), failing(503, headers={"retry-after": "500"}))
    with serve(late, failing(503)) as server:
        service = {"max_concurrency": 1, "max_attempts": 2, "breaker": {"failures": 2}}
        asks(anywhere, server.url, [*samples("late question"), *numbered(6)], endpoint=service)
        report = anywhere.report()

    assert Counter(received.prompt.split()[0] for received in server.requests)["late"] == 1
    (first_row, *_) = report["samples"]
    assert first_row["outcome"] == "not_asked"
    assert first_row["error"].startswith(REASON.format(2, server.url))


def test_invalid_requests_and_refusals_for_the_rate_open_nothing(project):
    refused = when(about("slow"), first(2, failing(429, headers={"retry-after": "0"})))
    with serve(refused, when(about("odd"), failing(422, "odd"))) as server:
        service = {"max_concurrency": 1, "breaker": {"failures": 1}}
        asks(project, server.url, samples("slow a", "odd b", "good c"), endpoint=service)
        report = project.report()

    assert [row["outcome"] for row in report["samples"]] == ["passed", "error", "passed"]
    assert server.count == 3 + 1 + 1


def test_stored_answers_serve_while_it_is_open(project):
    with serve() as server:
        asks(project, server.url, numbered(3))
        project.run().assert_outcomes(passed=4)
    with serve(failing(503), port=server.port):
        service = {"max_attempts": 1, "max_concurrency": 1, "breaker": {"failures": 1}}
        asks(project, server.url, [*samples("bad a", "worse b"), *numbered(3)], endpoint=service)
        report = project.report()

    assert [row["outcome"] for row in report["samples"]] == ["error", "not_asked", "passed", "passed", "passed"]


TESTS = """
import time

import pytest
from pytest_llmeval import RequestError


def test_it_fails(llmeval):
    with pytest.raises(RequestError):
        llmeval.ask("one", endpoint="small")


def test_it_is_open(llmeval):
    llmeval.ask("two", endpoint="small")


def test_a_probe_closes_it(llmeval):
    time.sleep(1.1)
    assert llmeval.ask("three", endpoint="small").text == "ok"


def test_it_is_closed(llmeval):
    assert [answer.text for answer in llmeval.ask_many(["four", "five"], endpoint="small")] == ["ok", "ok"]
"""


def test_after_a_while_one_request_tries_and_its_answer_closes_it(project):
    with serve(first(1, failing(503))) as server:
        small = {"model": "m", "base_url": server.url, "max_attempts": 1, "breaker": {"failures": 1, "recover": 1}}
        project.write("endpoints/small.yaml", yaml(endpoint="Small", connector="openai", **small))
        project.write("test_own.py", TESTS)
        result = project.run("-rs", "test_own.py")

    result.assert_outcomes(passed=3, skipped=1)
    assert [received.prompt for received in server.requests] == ["one", "three", "four", "five"]
    assert "breaker open after 1 failed request: 503" in result.stdout.str()


def test_the_next_run_begins_with_a_closed_one(project):
    with serve(first(1, failing(503))) as server:
        service = {"max_attempts": 1, "max_concurrency": 1, "breaker": {"failures": 1, "recover": 3600}}
        asks(project, server.url, numbered(3), endpoint=service)
        project.run().assert_outcomes(errors=1 + 1, skipped=2)
        project.run().assert_outcomes(passed=4)

    assert server.count == 4
