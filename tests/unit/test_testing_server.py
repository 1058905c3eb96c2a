"""What pytest_llmeval.testing ships: the loopback server, its behaviours, the fake connector."""

import http.client
import io
import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import anyio
import freezegun
import pytest

from pytest_llmeval import InvalidRequest, Request, Response, Transient
from pytest_llmeval.testing import (
    FakeConnector,
    Reply,
    answering,
    big,
    failing,
    first,
    limited,
    refusing,
    serve,
    slow_headers,
    when,
)
from pytest_llmeval.testing.__main__ import main


@contextmanager
def client(url: str):
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def post(connection: http.client.HTTPConnection, text: str = "hello there", **more: object):
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}], **more})
    connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read() or b"null"), reply


def text_of(url: str, text: str = "hello there") -> str:
    with client(url) as connection:
        return post(connection, text)[1]["choices"][0]["message"]["content"]


def statuses(url: str, count: int) -> list[int]:
    with client(url) as connection:
        return [post(connection)[0] for _ in range(count)]


def test_an_answer_is_a_chat_completion_with_tokens_counted_in_words():
    with serve(answer="two words") as server, client(server.url) as connection:
        status, body, _ = post(connection, "three words here")
    assert status == 200
    assert body["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": "two words"}, "finish_reason": "stop"}
    ]
    assert body["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def test_answers_are_one_text_a_mapping_or_a_function():
    with serve(answering({"a": "1"}), answer=lambda received: received.prompt.upper()) as server:
        assert [text_of(server.url, text) for text in ("a", "b")] == ["1", "B"]


def test_what_came_is_kept_with_its_time():
    started = time.monotonic()
    with serve() as server, client(server.url) as connection:
        post(connection, "one", temperature=0)
        post(connection, "two")
    one, two = server.requests
    assert (one.number, one.prompt, one.body["temperature"], two.prompt) == (1, "one", 0, "two")
    assert started <= one.at <= two.at <= time.monotonic()
    assert (one.method, one.path, one.headers["content-type"]) == ("POST", "/v1/chat/completions", "application/json")
    assert (server.count, server.connections, server.most_in_flight) == (2, 1, 1)


def test_a_long_run_keeps_nothing():
    with serve(record=False) as server:
        statuses(server.url, 3)
    assert (server.requests, server.count) == ([], 3)


def test_a_delay_passes_before_an_answer_also_while_the_time_is_frozen():
    with freezegun.freeze_time("2020-01-01"), serve(delay=0.05) as server:
        assert time.monotonic() == time.monotonic()
        assert text_of(server.url) == "ok"


def test_the_delay_is_as_long_as_it_says():
    with serve(delay=0.1) as server:
        started = time.perf_counter()
        text_of(server.url)
        assert 0.1 <= time.perf_counter() - started < 1


def test_a_failure_comes_for_the_first_few():
    with serve(first(2, failing(503, headers={"retry-after": "0"}))) as server:
        assert statuses(server.url, 4) == [503, 503, 200, 200]


def test_behaviours_are_asked_in_their_order_and_by_condition():
    serving = serve(when(lambda r: "rude" in r.prompt, refusing("status")), first(1, failing(500)))
    with serving as server, client(server.url) as connection:
        assert [post(connection, text)[0] for text in ("rude", "kind", "kind", "rude")] == [400, 500, 200, 400]


def test_a_limit_lets_a_burst_through_and_then_its_rate():
    with serve(limited(5, burst=3, retry_after=1)) as server, client(server.url) as connection:
        replies = [post(connection) for _ in range(5)]
        assert [status for status, _, _ in replies] == [200, 200, 200, 429, 429]
        assert replies[-1][2].headers["retry-after"] == "1"
        time.sleep(0.25)
        assert post(connection)[0] == 200


def test_what_is_left_of_a_limit_is_told_with_every_reply():
    with serve(limited(0.5, burst=2, headers=True)) as server, client(server.url) as connection:
        replies = [(status, reply.headers) for status, _, reply in (post(connection) for _ in range(3))]
    assert [status for status, _ in replies] == [200, 200, 429]
    left = [headers["x-ratelimit-remaining-requests"] for _, headers in replies]
    resets = [float(headers["x-ratelimit-reset-requests"].removesuffix("ms")) for _, headers in replies]
    assert left == ["1", "0", "0"]
    assert 1000 < resets[0] <= 2000 < resets[1] <= 4000
    assert resets[2] < resets[1]
    assert {headers["x-ratelimit-limit-requests"] for _, headers in replies} == {"2"}


def test_a_refused_request_takes_no_slot():
    """Deterministic in the times of arrival: ten a second, one at once."""
    behave = limited(10)

    def at(seconds: float) -> bool:
        return behave(type("Received", (), {"at": 100 + seconds})()) is None

    assert [at(0), at(0.05), at(0.099), at(0.1), at(0.15), at(0.2)] == [True, False, False, True, False, True]


def test_a_head_can_be_dribbled_out_and_a_body_be_large():
    with serve(slow_headers(0.1)) as server:
        started = time.perf_counter()
        assert text_of(server.url) == "ok"
        assert time.perf_counter() - started >= 0.1
    with serve(big(1_000_000)) as server:
        assert len(text_of(server.url)) == 1_000_000


def test_a_behaviour_that_raises_is_a_500_that_says_so():
    with serve(lambda _: 1 / 0) as server, client(server.url) as connection:
        status, body, _ = post(connection)
    assert status == 500
    assert "ZeroDivisionError" in body["error"]["message"]


def test_what_nobody_answers_is_a_500():
    with serve(answer={"a": "b"}) as server:
        assert statuses(server.url, 1) == [500]


def test_what_is_no_request_gets_a_400_and_the_server_goes_on():
    with serve() as server:
        for sent in (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", b"\x16\x03\x01", b"POST\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                connection.sendall(sent)
                assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")
        assert text_of(server.url) == "ok"


def test_a_health_check_is_no_request():
    with serve() as server, client(server.url) as connection:
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        assert server.count == 0


def test_own_replies_are_sent_as_they_are():
    with serve(lambda _: Reply(299, b"{}", {"x-own": "1"})) as server, client(server.url) as connection:
        status, body, reply = post(connection)
    assert (status, body, reply.headers["x-own"]) == (299, {}, "1")


def test_an_ended_server_refuses_and_holds_nothing_open():
    with serve() as server, client(server.url) as connection:
        post(connection)
    assert server.open_connections == 0
    with pytest.raises(ConnectionRefusedError):
        text_of(server.url)


def test_it_runs_as_a_process_of_its_own_until_its_input_ends():
    command = [sys.executable, "-m", "pytest_llmeval.testing", "--answer", "Paris", "--rate", "1", "--until-eof"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        with client(url) as connection:
            status, body, _ = post(connection)
            assert (status, body["choices"][0]["message"]["content"]) == (200, "Paris")
            assert post(connection)[0] == 429
        process.stdin.close()
        assert process.wait(10) == 0
    finally:
        process.stdout.close()
        process.kill()
        process.wait()


def test_the_program_serves_while_its_input_lasts(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("any"))
    assert main(["--until-eof", "--rate", "5", "--burst", "2", "--retry-after", "1"]) == 0
    assert capsys.readouterr().out.startswith("http://127.0.0.1:")


# The fake connector


def ask(connector: FakeConnector, *texts: str) -> list[Response]:
    async def run() -> list[Response]:
        async with connector.open(None) as asker:
            return [await asker.ask(Request(({"role": "user", "content": text},))) for text in texts]

    return anyio.run(run)


def test_the_fake_connector_answers_from_its_mapping_and_counts():
    connector = FakeConnector(answers={"a b": "c"}, default="d e")
    assert ask(connector, "a b", "x") == [
        Response("c", input_tokens=2, output_tokens=1),
        Response("d e", input_tokens=1, output_tokens=2),
    ]
    assert [request.prompt for request in connector.asked] == ["a b", "x"]
    assert (connector.opened, connector.closed, connector.keep) == (1, 1, "always")
    assert connector.identity() == FakeConnector(answers={"a b": "c"}, default="d e").identity()


def test_the_fake_connector_has_no_answer_where_none_is_given():
    with pytest.raises(InvalidRequest, match="no answer to 'x'"):
        ask(FakeConnector(), "x")


def test_the_fake_connector_answers_by_a_function_sync_or_async_that_may_raise():
    async def later(request: Request) -> Response:
        return Response(request.prompt, "length")

    def failing_one(request: Request) -> str:
        raise Transient("busy", 1.0)

    assert ask(FakeConnector.calling(lambda request: request.prompt * 2), "ab")[0].text == "abab"
    assert ask(FakeConnector.calling(later, delay=0.001), "ab") == [Response("ab", "length")]
    with pytest.raises(Transient, match="busy"):
        ask(FakeConnector.calling(failing_one), "ab")
    assert FakeConnector.calling(later).keep == "run"


def test_counts_belong_to_one_connector():
    one, two = FakeConnector(default="a"), FakeConnector(default="a")
    ask(one, "x")
    assert (len(one.asked), len(two.asked)) == (1, 0)
    assert one == two
