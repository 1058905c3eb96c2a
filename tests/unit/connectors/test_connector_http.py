"""Connections: how many, what a cancel leaves, certificates, and whether a test has put a mock in their place."""

import asyncio
import random
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from unittest import mock

import anyio
import httpx
import pytest
import trustme

from pytest_llmeval.connectors._http import is_patched
from pytest_llmeval.connectors._http.pool import HttpPool
from pytest_llmeval.connectors.openai import OpenAI
from pytest_llmeval.core.errors import Transient
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.testing import Reply, hanging, malformed, serve


def test_few_requests_keep_to_few_connections_and_many_take_as_many_as_they_are(opening, question):
    async def ask(url: str, at_once: int) -> None:
        async with OpenAI("m", url).open(opening) as asker:
            for _ in range(3):
                async with anyio.create_task_group() as group:
                    for _ in range(at_once):
                        group.start_soon(asker.ask, question())

    for at_once in (1, 8, 20):
        with serve(delay=0.02) as server:
            anyio.run(ask, server.url, at_once)
        assert (server.count, server.most_in_flight) == (3 * at_once, at_once)
        assert server.connections == at_once


def test_deadlines_of_anyio_leave_no_connection_taken(opening, question):
    dice = random.Random(7)

    async def run(url: str) -> list[str]:
        async with OpenAI("m", url).open(opening) as asker:

            async def hasty() -> None:
                with anyio.move_on_after(dice.uniform(0, 0.012)):
                    await asker.ask(question())

            for _ in range(40):
                async with anyio.create_task_group() as group:
                    for _ in range(12):
                        group.start_soon(hasty)
            with anyio.fail_after(5):
                return [(await asker.ask(question())).text for _ in range(24)]

    with serve(answer="still here", delay=0.005) as server:
        assert anyio.run(run, server.url) == ["still here"] * 24


def test_a_client_that_a_native_cancel_reached_is_thrown_away(opening, question):
    async def run(url: str) -> str:
        async with OpenAI("m", url).open(opening) as asker:
            for _ in range(10):
                tasks = [asyncio.ensure_future(asker.ask(question())) for _ in range(12)]
                await asyncio.sleep(0.003)
                for task in tasks:
                    task.cancel()
                for task in tasks:
                    with suppress(asyncio.CancelledError):
                        await task
            with anyio.fail_after(5):
                return (await asker.ask(question())).text

    with serve(answer="still here", delay=0.005) as server:
        assert anyio.run(run, server.url) == "still here"


def test_nothing_is_awaited_before_a_request_is_on_its_way(question, opening):
    """A pause of the engine's may be granted as soon as a request's task has taken its first step."""

    async def run(url: str) -> list[httpx.Request]:
        async with OpenAI("m", url).open(opening) as asker:
            await asker.ask(question())
            real, seen = httpx.AsyncHTTPTransport.handle_async_request, []

            def handle(self, request):
                seen.append(request)
                return real(self, request)

            with mock.patch.object(httpx.AsyncHTTPTransport, "handle_async_request", handle):
                asking = asyncio.ensure_future(asker.ask(question()))
                await asyncio.sleep(0)
                left = list(seen)
                await asking
            return left

    with serve() as server:
        assert len(anyio.run(run, server.url)) == 1


def test_a_body_that_dribbles_is_read_and_a_connection_serves_again_after_an_error(asks, question):
    with serve(lambda r: Reply(500) if r.number % 2 else None) as server:
        came = asks(OpenAI("m", server.url), *[question()] * 6)
    assert [type(each).__name__ for each in came] == ["Transient", "Response"] * 3
    assert server.connections == 1


def test_connections_are_closed_with_the_connector(asks, question):
    with serve() as server:
        asks(OpenAI("m", server.url), question())
        asks(OpenAI("m", server.url), question())
        assert server.connections == 2
        # closed on our side; the server's own thread has still to hear of it
        until = time.monotonic() + 5
        while server.open_connections and time.monotonic() < until:
            time.sleep(0.001)
        assert server.open_connections == 0


def test_an_endless_body_ends_at_the_timeout_where_it_is_slow(asks, question):
    with serve(malformed("endless")) as server:
        (came,) = asks(OpenAI("m", server.url), question(), timeout=5)
    assert "larger than 8 MiB" in str(came)


# Certificates


def tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_a_certificate_that_nobody_vouches_for_is_told_apart(asks, question):
    with serve(tls=tls(trustme.CA(), "127.0.0.1")) as server:
        (came,) = asks(OpenAI("m", server.url), question())
    assert type(came) is Transient
    assert came.unreached
    assert f"no connection to {server.url}: its certificate is not trusted (" in came.message
    assert server.count == 0


def test_a_certificate_of_a_file_that_the_environment_names_is_trusted(asks, question, tmp_path, monkeypatch):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with serve(tls=tls(authority, "127.0.0.1")) as server:
        (came,) = asks(OpenAI("m", server.url), question())
    assert came.text == "ok"


def test_a_certificate_for_another_name_is_told_apart(asks, question, tmp_path, monkeypatch):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with serve(tls=tls(authority, "llm.example.com")) as server:
        (came,) = asks(OpenAI("m", server.url), question())
    assert came.unreached
    assert "its certificate is not trusted" in came.message


def test_https_to_a_server_without_it_is_told(asks, question):
    with serve() as server:
        (came,) = asks(OpenAI("m", server.url.replace("http:", "https:")), question())
    assert came.unreached
    assert "no TLS" in came.message


# On the wire


def test_a_request_is_said_to_be_out_before_its_answer_is_there(opening, question):
    async def run(server) -> None:
        async with OpenAI("m", server.url).open(opening) as asker, anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(asker.ask, question())
            # the server holds its answers back for ever
            while opening.out < 3:  # noqa: ASYNC110 - what is counted has no event
                await anyio.sleep(0.005)
            tasks.cancel_scope.cancel()

    with serve(hanging()) as server:
        anyio.run(run, server)


def test_what_finds_no_connection_is_never_said_to_be_out(asks, question, opening):
    asks(OpenAI("m", "http://127.0.0.1:1/v1"), question())
    assert opening.out == 0


# Mocks


def test_httpx_as_it_came_is_not_patched():
    assert not is_patched()


def test_nothing_is_imported_to_tell_that_nothing_is_patched():
    code = """if True:
        import sys
        from pytest_llmeval.connectors._http import is_patched
        sys.exit(is_patched() or 'httpx' in sys.modules)"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("autospec", [None, True])
@pytest.mark.parametrize("name", ["httpx.AsyncClient.send", "httpx.AsyncHTTPTransport.handle_async_request"])
def test_a_mock_is_told_also_one_that_copies_what_it_replaces(name, autospec):
    with mock.patch(name, autospec=autospec):
        assert is_patched()
    assert not is_patched()


def test_a_class_replaced_as_a_whole_is_told(monkeypatch):
    monkeypatch.setattr(httpx, "AsyncClient", object)
    assert is_patched()


def test_respx_is_told_and_answers_what_a_test_asks(asks, question):
    respx = pytest.importorskip("respx")
    with respx.mock:
        assert is_patched()
        body = {"choices": [{"message": {"content": "mocked"}}]}
        respx.post("http://127.0.0.1:1/v1/chat/completions").respond(json=body)
        (came,) = asks(OpenAI("m", "http://127.0.0.1:1/v1"), question())
    assert came.text == "mocked"
    assert not is_patched()


def test_pytest_httpx_is_told_and_answers_what_a_test_asks(asks, question, httpx_mock):
    assert is_patched()
    httpx_mock.add_response(json={"choices": [{"message": {"content": "mocked"}}]})
    (came,) = asks(OpenAI("m", "http://127.0.0.1:1/v1"), question())
    assert came.text == "mocked"


def test_a_pool_whose_address_is_none_says_so():
    async def run() -> None:
        pool = HttpPool("http://exa mple/v1", "http://exa mple/v1", {}, 1.0)
        try:
            await pool.post(b"{}")
        finally:
            await pool.close()

    with pytest.raises(Exception, match=r"no address that can be asked|unknown host"):
        anyio.run(run)


def test_a_client_that_a_mock_made_does_not_outlive_it(opening, question):
    async def run(url: str) -> Response:
        opened = OpenAI("m", url).open(opening)
        with mock.patch("httpx.AsyncClient"):
            asker = await opened.__aenter__()
        try:
            return await asker.ask(question())
        finally:
            await opened.__aexit__(None, None, None)

    with serve(answer="Paris") as server:
        assert anyio.run(run, server.url).text == "Paris"
