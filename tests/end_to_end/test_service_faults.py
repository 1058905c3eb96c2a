"""What a service may do wrong, through the whole of pytest: items, texts, the report's rows, what the server saw."""

from __future__ import annotations

import json
import re
import ssl
from collections import Counter
from contextlib import ExitStack
from email.utils import formatdate
from socket import socket
from time import monotonic, time

import pytest
import trustme
from asking import about, asks, numbered, rows, samples, yaml

from pytest_llmeval.testing import answering, failing, first, hanging, malformed, redirecting, refusing, serve, when

#: id of a sample: what the service does with it, what is told of it
WITHOUT_ANSWER = {
    "html": (malformed("html"), "malformed reply from {url}: no JSON but a page titled 'Gateway' (after 2 attempts)"),
    "cut": (malformed("cut"), "malformed reply from {url}: the connection ended early"),
    "dropped": (malformed("dropped"), "malformed reply from {url}: the connection ended early"),
    "json": (malformed("json"), "malformed reply from {url}: no JSON"),
    "list": (malformed("list"), "malformed reply from {url}: no object"),
    "choiceless": (malformed("no_choices"), "malformed reply from {url}: no choices"),
    "encoding": (malformed("encoding"), "malformed reply from {url}: its compression is broken"),
    "error": (malformed("error"), 'an error from {url} ("something went wrong") (after 2 attempts)'),
    "overloaded": (failing(503), '503 from {url} ("the server is overloaded") (after 2 attempts)'),
    "endless": (malformed("endless"), "the reply from {url} is larger than 8 MiB"),
    "bomb": (malformed("bomb"), "the reply from {url} is larger than 8 MiB"),
    "odd": (failing(422, "messages[0] is odd"), '422 from {url} ("messages[0] is odd")'),
    "long": (
        failing(400, "the prompt is too long", code="context_length_exceeded"),
        '400 from {url} ("the prompt is too long")',
    ),
}
#: these are not tried again
AT_ONCE = {"endless", "bomb", "odd", "long"}


def test_an_answer_that_could_not_be_had_is_an_error_and_never_a_zero(anywhere):
    """Every fault is the error of its own sample, with the endpoint and the reason; the others are answered."""
    behaviours = [when(about(name), behaviour) for name, (behaviour, _) in WITHOUT_ANSWER.items()]
    with serve(*behaviours) as server:
        asked = samples(*(f"{name} question" for name in WITHOUT_ANSWER), "good question")
        asks(anywhere, server.url, asked, endpoint={"max_attempts": 2, "breaker": False})
        result = anywhere.run("--llmeval-report", "report.json")
    report = json.loads((anywhere.path / "report.json").read_text("utf-8"))

    found = rows(report)
    for name, (_, told) in WITHOUT_ANSWER.items():
        assert found[name]["outcome"] == "error", name
        assert told.format(url=server.url) in found[name]["error"], name
        assert found[name]["scores"] == {}, name
    assert found["good"]["outcome"] == "passed"
    result.assert_outcomes(passed=1, errors=len(WITHOUT_ANSWER) + 1)
    recipe = report["recipes"][0]
    assert recipe["counts"]["errors"] == len(WITHOUT_ANSWER)
    assert recipe["measures"]["exact_match"] == {"figure": 1, "low": None, "high": None, "n": 1}
    assert [gate["verdict"] for gate in report["gates"]] == ["unmeasurable"]
    attempts = Counter(received.prompt.split()[0] for received in server.requests)
    assert attempts == {name: 1 if name in AT_ONCE else 2 for name in WITHOUT_ANSWER} | {"good": 1}
    text = result.stdout.str()
    assert f"recipes/asks.yaml:5: no answer from small: 503 from {server.url}" in text
    assert f"ERROR recipes/asks.yaml::odd[small] - 422 from {server.url}" in text
    assert "asked 14 requests in" in text
    assert "13 without an answer" in text
    assert "Traceback" not in text


def test_what_came_is_an_answer_whatever_else_is_strange(project):
    """Null content, an unknown finish, reasoning, a truncation; a filter's refusal by either way."""
    with serve(
        when(about("null"), malformed("null_content")),
        when(about("strange"), answering("ok", finish="eos_token")),
        when(about("nameless"), answering("ok", finish=None)),
        when(about("thinking"), answering("ok", reasoning="it may well be ok")),
        when(about("truncated"), answering("ok", finish="length")),
        when(about("finished"), refusing("finish")),
        when(about("filtered"), refusing("status")),
    ) as server:
        names = ["null", "strange", "nameless", "thinking", "truncated", "finished", "filtered"]
        asks(project, server.url, samples(*(f"{name} question" for name in names)))
        report = project.report()

    found = rows(report)
    assert {name: row["outcome"] for name, row in found.items()} == {
        "null": "missed",
        "strange": "passed",
        "nameless": "passed",
        "thinking": "passed",
        "truncated": "passed",
        "finished": "refused",
        "filtered": "refused",
    }
    assert found["null"]["answer"] == ""
    assert found["strange"]["finish"] == "eos_token"
    assert found["nameless"]["finish"] == "stop"
    assert (found["thinking"]["answer"], found["thinking"]["reasoning"]) == ("ok", "it may well be ok")
    assert [name for name, row in found.items() if row["truncated"]] == ["truncated"]
    counts = report["recipes"][0]["counts"]
    assert (counts["passed"], counts["missed"], counts["refused"], counts["errors"]) == (4, 1, 2, 0)
    measures = report["recipes"][0]["measures"]
    assert measures["exact_match"]["figure"] == pytest.approx(4 / 7)
    assert measures["refused"]["figure"] == pytest.approx(2 / 7)
    assert measures["truncated"]["figure"] == pytest.approx(1 / 7)
    assert server.count == 7


STOPPING = {
    "401": (failing(401, "invalid api key"), '401 from {url} ("invalid api key"); the key came from SMALL_KEY'),
    "403": (failing(403, "not for you"), '403 from {url} ("not for you"); the key came from SMALL_KEY'),
    "model": (
        failing(404, "The model `small-1` does not exist", code="model_not_found"),
        '404 from {url} ("The model `small-1` does not exist"); look at `model` and `base_url`',
    ),
    "quota": (
        failing(429, "You exceeded your current quota", code="insufficient_quota"),
        '429 from {url} ("You exceeded your current quota"); the quota is exhausted',
    ),
    "parameter": (
        failing(400, "Unknown parameter: 'min_p'", code="unknown_parameter"),
        "400 from {url} (\"Unknown parameter: 'min_p'\"); look at `parameters`",
    ),
    "redirect": (
        redirecting("http://127.0.0.1:9/elsewhere?token=1"),
        "307 from {url}: a redirect to http://127.0.0.1:9/elsewhere, which is not followed",
    ),
}


@pytest.mark.parametrize("fault", STOPPING)
def test_what_cannot_succeed_stops_the_endpoint_with_one_message(project, monkeypatch, fault):
    """The first item is the error, all others skip with its message, and no more is sent than was in flight."""
    monkeypatch.setenv("SMALL_KEY", "a-key-of-twenty-chars")
    behaviour, told = STOPPING[fault]
    with serve(behaviour) as server:
        service = {"max_concurrency": 3, "api_key": "${SMALL_KEY}"}
        asks(project, server.url, numbered(12), endpoint=service)
        result = project.run("-rs", "--llmeval-report", "report.json")
    report = json.loads((project.path / "report.json").read_text("utf-8"))

    message = f"endpoint small stopped: {told.format(url=server.url)}"
    result.assert_outcomes(errors=2, skipped=11)
    text = result.stdout.str()
    assert len(re.findall(rf"^{re.escape(message)}$", text, re.MULTILINE)) == 1
    assert f"SKIPPED [11] recipes/asks.yaml:1: {message}" in text
    assert 1 <= server.count <= 3
    assert Counter(row["outcome"] for row in report["samples"]) == {"error": 1, "not_asked": 11}
    assert {row["error"] for row in report["samples"]} == {told.format(url=server.url)}
    assert [gate["verdict"] for gate in report["gates"]] == ["unmeasurable"]
    assert "exact_match" not in report["recipes"][0]["measures"]


def test_an_endpoint_stops_once_for_all_processes(anywhere):
    """One item of the run is the error; the others skip with its message, under xdist too."""
    with serve(failing(401)) as server:
        asks(anywhere, server.url, numbered(20), endpoint={"max_concurrency": 2})
        result = anywhere.run()

    result.assert_outcomes(errors=2, skipped=19)
    assert 1 <= server.count <= 2


def test_ten_first_requests_that_fail_alike_stop_the_endpoint(project):
    with serve(failing(422, "this route wants another body")) as server:
        asks(project, server.url, numbered(30), endpoint={"max_concurrency": 2})
        result = project.run("-rs")

    outcomes = result.parseoutcomes()
    assert 10 <= server.count <= 11
    # those ten, perhaps the one in flight, the stop's own item, and the gate
    assert outcomes["errors"] == server.count + 2
    assert outcomes["skipped"] == 30 - server.count - 1
    told = f'endpoint small stopped: its first 10 requests all failed alike: 422 from {server.url} ("this route wants'
    assert told in result.stdout.str()


def test_an_answer_among_the_first_lets_requests_fail_alone(project):
    with serve(when(about("q3"), answering("ok")), failing(422, "this route wants another body")) as server:
        asks(project, server.url, numbered(14), endpoint={"max_concurrency": 1})
        project.run().assert_outcomes(passed=1, errors=14)

    assert server.count == 14


def free_port() -> int:
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def untrusted(stack: ExitStack) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return stack.enter_context(serve(tls=context)).url


UNREACHED = {
    "refused": (lambda _: f"http://127.0.0.1:{free_port()}/v1", "connection refused (after 3 attempts)"),
    # a name that no resolver has to be asked about
    "unknown host": (lambda _: "http://nowhere.localdomain.invalid/v1", "unknown host ("),
    "certificate": (untrusted, "its certificate is not trusted ("),
}


@pytest.mark.parametrize("fault", UNREACHED)
def test_a_service_that_cannot_be_reached_stops_the_endpoint(project, fault):
    address, told = UNREACHED[fault]
    with ExitStack() as stack:
        url = address(stack)
        asks(project, url, numbered(5))
        result = project.run("-rs")

    result.assert_outcomes(errors=2, skipped=4)
    assert f"endpoint small stopped: no connection to {url}: {told}" in result.stdout.str()


def test_a_service_that_is_down_ends_a_run_of_any_length(anywhere):
    """With more requests waiting for another attempt than may be on the wire."""
    asks(anywhere, f"http://127.0.0.1:{free_port()}/v1", numbered(40), endpoint={"max_concurrency": 2})

    result = anywhere.run()

    result.assert_outcomes(errors=2, skipped=39)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (None, "no recorded answers at "),
        ('{"id": "q0", "answer": "ok"}\n{"id": "q0", "answer": "no"}\n', "two different answers to "),
        ('{"id": "q0", "text": "ok"}\n', "no row has the column 'answer' (`answer`)"),
    ],
    ids=["absent", "contradicting", "column"],
)
def test_recorded_answers_that_cannot_be_read_stop_the_endpoint(anywhere, answers, told):
    asks(anywhere, "", numbered(5))
    endpoint = yaml(endpoint="Small", connector="recorded", path="answers.jsonl")
    anywhere.write("recipes/endpoints/small.yaml", endpoint)
    if answers is not None:
        anywhere.write("recipes/endpoints/answers.jsonl", answers)

    result = anywhere.run()

    result.assert_outcomes(errors=2, skipped=4)
    text = result.stdout.str()
    assert "endpoint small stopped: " in text
    assert told in text


def test_a_wait_that_the_service_asks_for_is_obeyed(anywhere):
    """Seconds and an HTTP date alike; random waits never undercut them."""
    date = time() + 2
    with serve(
        when(about("seconds"), first(1, failing(429, "slow down", headers={"retry-after": "1"}))),
        when(about("date"), first(1, failing(503, headers={"retry-after": formatdate(date, usegmt=True)}))),
        when(about("unread"), first(2, failing(429, "slow down", headers={"retry-after": "soon"}))),
        when(about("failing"), first(2, failing(500))),
    ) as server:
        offset = time() - monotonic()
        asks(anywhere, server.url, samples("seconds a", "date b", "unread c", "failing d"))
        anywhere.run().assert_outcomes(passed=5)

    came = {
        name: [r.at for r in server.requests if about(name)(r)] for name in ("seconds", "date", "unread", "failing")
    }
    assert {name: len(times) for name, times in came.items()} == {"seconds": 2, "date": 2, "unread": 3, "failing": 3}
    assert came["seconds"][1] - came["seconds"][0] >= 1
    # a date has whole seconds, and two clocks of one machine may differ by a hair
    assert came["date"][1] + offset >= int(date) - 0.01


def test_a_wait_past_the_deadline_ends_the_request_at_once(project):
    with serve(when(about("late"), failing(429, "slow down", headers={"retry-after": "3600"}))) as server:
        asks(project, server.url, samples("late question", "good question"), endpoint={"deadline": 30})
        result = project.run()

    result.assert_outcomes(passed=1, errors=2)
    assert "after 1 attempt; the service asked to wait 3600 s, past the deadline of 30 s" in result.stdout.str()
    assert server.count == 2


def test_attempts_end_at_the_deadline(project):
    """Each attempt may take its whole timeout, all of them together the deadline."""
    with serve(hanging()) as server:
        patience = {"timeout": 0.2, "deadline": 2, "max_attempts": 50}
        asks(project, server.url, samples("late question"), endpoint=patience)
        result = project.run()

    result.assert_outcomes(errors=2)
    assert re.search(
        r"nothing came (within 0\.\d+ s|from \S+ within its time) \(after \d+ attempts; the deadline of 2 s is over\)",
        result.stdout.str(),
    )
    assert 2 <= server.count < 50


def test_limits_hold_as_the_server_sees_them(anywhere):
    """The rate over any second, the requests at one time: over all processes; connections are used again."""
    per_second, at_once, count = 25, 3, 40
    with serve() as paced, serve(delay=0.1) as crowded:
        limits = {"max_calls_per_second": per_second, "max_concurrency": 4}
        asks(anywhere, paced.url, numbered(count), endpoint=limits, endpoints=["small", "wide"])
        wide = yaml(endpoint="Wide", connector="openai", base_url=crowded.url, model="m", max_concurrency=at_once)
        anywhere.write("recipes/endpoints/wide.yaml", wide)
        anywhere.run().assert_outcomes(passed=2 * count + 2)

    came = [received.at for received in paced.requests]
    # what a slow machine holds back on its way arrives at once: as many as may be under way, at most
    assert max(sum(start <= at < start + 1 for at in came) for start in came) <= 1.1 * per_second + 4
    assert paced.count == crowded.count == count
    assert crowded.most_in_flight == at_once
    assert crowded.connections <= at_once * (2 if "-n" in anywhere.world else 1)
