"""What a run may spend, through the whole of pytest: what the server counts, what items and gates say."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from asking import about, asks, numbered, samples, yaml

from pytest_llmeval.testing import failing, first, serve, when

CHEAP = {"prices": {"input": 1000, "output": 1000}, "parameters": {"max_tokens": 10}}


def outcomes(report):
    return Counter(row["outcome"] for row in report["samples"])


def test_not_one_request_too_many_is_sent_and_the_rest_is_skipped(anywhere):
    """One budget over all processes and all recipes; gates are never judged on a part."""
    with serve(delay=0.01) as server:
        asks(anywhere, server.url, numbered(40))
        anywhere.write("recipes/more.yaml", (anywhere.path / "recipes/asks.yaml").read_text().replace("q", "r"))
        result = anywhere.run("--llmeval-max-requests", "45", "-rs", "--llmeval-report", "report.json")
    report = json.loads((anywhere.path / "report.json").read_text("utf-8"))

    assert server.count == 45
    counted = result.parseoutcomes()
    assert counted["skipped"] == 35
    assert outcomes(report) == {"passed": 45, "not_asked": 35}
    why = "the budget of 45 requests is spent (--llmeval-max-requests)"
    assert {row["error"] for row in report["samples"] if row["outcome"] == "not_asked"} == {why}
    # which of two workers is ahead decides which recipe they are of; each file's are one line
    short = Counter(row["recipe"] for row in report["samples"] if row["outcome"] == "not_asked")
    text = result.stdout.str()
    assert all(f"SKIPPED [{count}] recipes/{recipe}.yaml:1: {why}" in text for recipe, count in short.items())
    assert {gate["recipe"] for gate in report["gates"] if gate["verdict"] == "unmeasurable"} == set(short)
    assert "answers are missing, max_errors is 0: " in text
    assert counted["errors"] == len(short)


def test_refused_and_failed_attempts_are_requests(anywhere):
    refused, failed = when(about("q0"), failing(429, headers={"retry-after": "0"})), first(3, failing(503))
    with serve(refused, failed) as server:
        asks(anywhere, server.url, numbered(30), endpoint={"deadline": 30})
        report = anywhere.report("--llmeval-max-requests", "20")

    assert server.count == 20
    refusals = sum(about("q0")(received) for received in server.requests)
    assert refusals >= 1
    assert outcomes(report)["passed"] == 20 - refusals - 3


def test_a_retry_that_finds_the_budget_spent_is_skipped_with_the_reason(project):
    """It waits for nothing then, however long the service asked it to."""
    with serve(when(about("q0"), failing(503, headers={"retry-after": "500"}))) as server:
        asks(project, server.url, numbered(4), endpoint={"max_concurrency": 1})
        report = project.report("--llmeval-max-requests", "3")

    assert server.count == 3
    assert [row["outcome"] for row in report["samples"]] == ["not_asked", "passed", "passed", "not_asked"]
    assert report["samples"][0]["error"] == "the budget of 3 requests is spent (--llmeval-max-requests)"
    assert report["recipes"][0]["counts"]["asked"] == 3


@pytest.mark.parametrize(
    ("option", "budget", "used"), [("--llmeval-max-tokens", "150", 150), ("--llmeval-max-cost", "0.15", 150)]
)
def test_tokens_and_dollars_are_reserved_before_and_settled_after(anywhere, option, budget, used):
    """A reply takes five tokens where 46 were reserved: 21 requests go, and what is left is too little for another."""
    with serve(delay=0.01) as server:
        asks(anywhere, server.url, samples(*(f"q{n} and its question" for n in range(10, 40))), endpoint=CHEAP)
        result = anywhere.run(option, budget, "-rs", "--llmeval-report", "report.json")
    report = json.loads((anywhere.path / "report.json").read_text("utf-8"))

    assert server.count == 21
    assert report["recipes"][0]["counts"]["tokens"] == 21 * 5 <= used
    assert f"has no room for it ({option})" in result.stdout.str()
    assert outcomes(report) == {"passed": 21, "not_asked": 9}


def test_what_is_too_large_is_skipped_and_later_ones_that_fit_are_asked(project):
    with serve() as server:
        asks(project, server.url, [*samples("large " + "x" * 500), *numbered(3)], endpoint=CHEAP)
        report = project.report("--llmeval-max-tokens", "300")

    assert server.count == 3
    assert [row["outcome"] for row in report["samples"]] == ["not_asked", "passed", "passed", "passed"]


def test_answers_that_are_there_already_take_nothing(anywhere):
    with serve() as server:
        asks(anywhere, server.url, numbered(5))
        anywhere.run().assert_outcomes(passed=6)
        anywhere.run("--llmeval-max-requests", "0").assert_outcomes(passed=6)

    assert server.count == 5


def test_ini_keys_say_the_same_and_an_option_goes_over_them(project):
    ini = "[pytest]\nllmeval_max_requests = 2\nllmeval_max_tokens = 100000\nllmeval_max_cost = 5\n"
    project.write("pytest.ini", ini)
    with serve() as server:
        asks(project, server.url, numbered(6), endpoint=CHEAP)
        project.run().assert_outcomes(passed=2, skipped=4, errors=1)
        project.run("--llmeval-max-requests", "3").assert_outcomes(passed=2 + 3, skipped=1, errors=1)

    assert server.count == 5


def test_a_function_is_a_request_and_a_recorded_answer_is_none(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    project.run("--llmeval-max-requests", "2").assert_outcomes(passed=2, skipped=1, errors=1)
    assert len(project.asked()) == 2

    project.write("recipes/endpoints/program.yaml", yaml(endpoint="R", connector="recorded", path="answers.jsonl"))
    answers = [{"id": key, "answer": "Paris", "cost": 1.0} for key in ("france", "peru", "oman")]
    project.write("recipes/endpoints/answers.jsonl", "\n".join(json.dumps(answer) for answer in answers))
    budget = ["--llmeval-max-requests", "0", "--llmeval-max-tokens", "0", "--llmeval-max-cost", "0"]
    found = project.report(*budget)
    assert outcomes(found) == {"passed": 1, "missed": 2}


BOUND = "needs `max_tokens` (or `max_completion_tokens`) in its `parameters:`, else an answer may take any number of"


@pytest.mark.parametrize(
    ("endpoint", "option", "told"),
    [
        ({}, "--llmeval-max-tokens", f"--llmeval-max-tokens {BOUND} tokens"),
        ({"prices": CHEAP["prices"]}, "--llmeval-max-cost", f"--llmeval-max-cost {BOUND} tokens"),
        (
            {"parameters": {"max_tokens": 10}},
            "--llmeval-max-cost",
            "--llmeval-max-cost needs its `prices:`, else a request may cost anything",
        ),
    ],
)
def test_what_no_budget_could_hold_for_is_a_fault_before_anything_is_asked(project, endpoint, option, told):
    with serve() as server:
        asks(project, server.url, numbered(3), endpoint=endpoint)
        result = project.run(option, "100")

    assert server.count == 0
    text = " ".join(result.stdout.str().split())
    assert f"recipes/asks.yaml:2:12: endpoints: endpoint 'small': {told}" in text
    assert "Traceback" not in text


QUESTIONS = """
def test_one(llmeval):
    assert llmeval.ask("one", endpoint="recipes/endpoints/small.yaml", parameters={}).text == "ok"


def test_two(llmeval):
    assert llmeval.ask_many(["one", "two"], endpoint="recipes/endpoints/small.yaml")
"""

MARKED = """
import pytest


@pytest.mark.llmeval("asks")
def test_marked(llmeval_sample, llmeval_response):
    assert llmeval_response.text == "ok"
"""


def test_tests_of_the_users_own_are_skipped_for_it(project):
    project.write("test_questions.py", QUESTIONS)
    project.write("test_samples.py", MARKED)
    with serve() as server:
        asks(project, server.url, numbered(3), thresholds=[])
        result = project.run("--llmeval-max-requests", "2", "-rs", "test_questions.py", "test_samples.py")

    assert server.count == 2
    result.assert_outcomes(passed=2, skipped=3)
    assert "the budget of 2 requests is spent (--llmeval-max-requests)" in result.stdout.str()


def test_a_question_that_no_budget_could_hold_for_fails_its_test_unasked(project):
    project.write("test_questions.py", QUESTIONS)
    with serve() as server:
        asks(project, server.url, numbered(2))
        result = project.run("--llmeval-max-tokens", "1000", "test_questions.py")

    assert server.count == 0
    result.assert_outcomes(failed=2)
    assert f"llmeval: endpoint 'small': --llmeval-max-tokens {BOUND} tokens" in result.stdout.str()
