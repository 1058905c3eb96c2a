"""Recipes and the user's own tests in one session: neither meets the other's requests."""

from __future__ import annotations

import contextlib
import json
import sqlite3

import pytest
from running_pytest import SERVER, many

from pytest_llmeval.testing import Received, Reply, serve
from pytest_llmeval.testing.wire import completion, json_reply

MOCKED = {"choices": [{"message": {"content": "mocked"}}]}

#: pytest before 9 runs what is named twice, by its id and with its file, twice
NAMED_TWICE = int(pytest.version_tuple < (9,))

#: each kind of test patches something for a while and looks for requests that are not its own
HTTPX_MOCK = """
import time

import httpx
import pytest


@pytest.mark.parametrize("n", range(12))
def test_it(httpx_mock, n):
    httpx_mock.add_response(json={mocked!r}, is_reusable=True)
    time.sleep(0.02)
    assert httpx.get("http://own.example.com/").status_code == 200
    assert [request.url.host for request in httpx_mock.get_requests()] == ["own.example.com"]
"""
RESPX = """
import time

import httpx
import pytest
import respx


@pytest.mark.parametrize("n", range(12))
def test_it(n):
    with respx.mock as router:
        router.route().respond(json={mocked!r})
        time.sleep(0.02)
        assert httpx.get("http://own.example.com/").status_code == 200
        assert [call.request.url.host for call in router.calls] == ["own.example.com"]
"""
FREEZEGUN = """
import time

import pytest
from freezegun import freeze_time

sleep = time.sleep


@pytest.mark.parametrize("n", range(12))
@freeze_time("2020-01-01")
def test_it(n):
    sleep(0.02)
    assert time.time() == 1577836800
"""
SOCKET = """
import socket
import time

import pytest

tried = []


class Guarded(socket.socket):
    def __init__(self, *args, **kwargs):
        tried.append(args)
        raise RuntimeError("no network in tests")


@pytest.mark.parametrize("n", range(12))
def test_it(monkeypatch, n):
    monkeypatch.setattr(socket, "socket", Guarded)
    time.sleep(0.02)
    assert tried == []
"""
KINDS = {"httpx": HTTPX_MOCK, "respx": RESPX, "freezegun": FREEZEGUN, "socket": SOCKET}


def closing(received: Received) -> Reply:
    """A real answer, after which the connection is closed, so that each request needs a new one."""
    return json_reply(completion("Paris", received), 200, {"connection": "close"})


def write_server(project, server, more: str = "") -> None:
    for folder in ("recipes/endpoints", "endpoints"):
        project.write(f"{folder}/program.yaml", SERVER.format(url=server.url) + more)


@pytest.mark.parametrize("kind", [*KINDS, "all"])
def test_users_mocks_see_none_of_the_recipes_requests_and_recipes_no_mock(anywhere, kind):
    kinds = list(KINDS) if kind == "all" else [kind]
    order = []
    for n, name in enumerate(kinds):
        anywhere.write(f"test_{name}.py", KINDS[name].replace("{mocked!r}", repr(MOCKED)))
        anywhere.write(f"recipes/r{n}.yaml", many(300 // len(kinds), f"{name} question"))
        order += [f"recipes/r{n}.yaml::s000", f"test_{name}.py"]
    samples = 300 // len(kinds) * len(kinds)

    with serve(closing) as server:
        write_server(anywhere, server)
        result = anywhere.run("-p", "pytest_httpx", *order, *(f"recipes/r{n}.yaml" for n in range(len(kinds))))

    result.assert_outcomes(passed=samples + NAMED_TWICE * len(kinds) + 12 * len(kinds))
    assert len({received.prompt for received in server.requests}) == samples
    assert server.count == samples


def test_no_call_of_a_program_begins_while_a_test_runs(project):
    project.write(
        "program.py",
        """
        import time

        alone = []
        met = []


        def answer(prompt):
            met.extend(alone)
            time.sleep(0.002)
            return "Paris"
        """,
    )
    project.write(
        "test_alone.py",
        """
        import time

        import program
        import pytest


        @pytest.mark.parametrize("n", range(25))
        def test_it(n):
            program.alone.append(n)
            time.sleep(0.01)
            program.alone.clear()


        def test_none_was_met():
            assert program.met == []
        """,
    )
    project.write("recipes/many.yaml", many(300))

    result = project.run("recipes/many.yaml::s000", "test_alone.py", "recipes/many.yaml")

    result.assert_outcomes(passed=300 + NAMED_TWICE + 26)


# --- what a mock answers ---

ASKS = """
import httpx
import pytest

from pytest_llmeval import EndpointStopped, RequestError


def test_a_recipe_is_not_run_by_a_mock(llmeval, httpx_mock):
    with pytest.raises(RequestError, match="what a mock answers is no result"):
        llmeval.run("recipes/another.yaml")
    assert httpx_mock.get_requests() == []


def test_mocked(llmeval, httpx_mock):
    httpx_mock.add_response(json={mocked!r}, is_reusable=True)
    assert llmeval.ask("What is it?").text == "mocked"


def test_for_real(llmeval):
    assert llmeval.ask("What is it?").text == "Paris"


def test_mocked_again(llmeval, httpx_mock):
    assert llmeval.ask("What is it?").text == "Paris"


def test_a_mocked_refusal_stops_nothing(llmeval, httpx_mock):
    httpx_mock.add_response(status_code=401)
    with pytest.raises(EndpointStopped):
        llmeval.ask("And now?")


def test_a_mocked_outage_is_not_remembered(llmeval, httpx_mock):
    httpx_mock.add_response(status_code=503, is_reusable=True)
    with pytest.raises(RequestError, match="after 2 attempts"):
        llmeval.ask("And now?")


def test_the_real_one_answers(llmeval):
    assert llmeval.ask("And now?").text == "Paris"
"""


def test_what_a_test_mocks_answers_that_test_alone(anywhere):
    with serve(answer="Paris") as server:
        write_server(anywhere, server, "max_attempts: 2\n")
        anywhere.write("test_asks.py", ASKS.replace("{mocked!r}", repr(MOCKED)))
        anywhere.write("recipes/many.yaml", many(20))
        anywhere.write("recipes/another.yaml", many(3, "another question"))
        # one process runs the whole file, in its order
        order = ("test_asks.py", "recipes/many.yaml", *(("--dist", "loadfile") if "2" in anywhere.world else ()))
        first = anywhere.run("-p", "pytest_httpx", *order)
        asked = server.count
        second = anywhere.report("recipes/many.yaml")

    first.assert_outcomes(passed=7 + 20)
    assert asked == server.count == 22
    assert {row["answer"] for row in second["samples"]} == {"Paris"}


LIMITED = """
def test_mocked(llmeval, httpx_mock):
    httpx_mock.add_response(status_code=429, headers={"retry-after": "0"})
    httpx_mock.add_response(json={mocked!r})
    assert llmeval.ask("Hello").text
"""


def test_a_mocked_429_is_no_news_of_the_service(project):
    with serve() as server:
        write_server(project, server)
        project.write("test_asks.py", LIMITED.replace("{mocked!r}", repr(MOCKED)))
        project.run("-p", "pytest_httpx", "test_asks.py").assert_outcomes(passed=1)

    assert server.count == 0
    with contextlib.closing(sqlite3.connect(project.path / ".llmeval" / "state.sqlite3")) as state:
        (known,) = state.execute("SELECT pace FROM paces").fetchone()
    # sending began, and nothing was learnt
    assert {"base", "asks", "asked_ns"}.isdisjoint(json.loads(known))


PATCHES = """
import pytest
import respx


@pytest.fixture(scope="session", autouse=True)
def everything_mocked():
    with respx.mock as router:
        router.route().respond(json={mocked!r})
        yield
"""


def test_a_mock_of_the_session_stops_the_endpoint_and_nothing_of_it_is_kept(project):
    project.write("conftest.py", PATCHES.replace("{mocked!r}", repr(MOCKED)))
    project.write("test_own.py", "def test_it(): pass")
    project.write("recipes/many.yaml", many(20))
    with serve(answer="Paris") as server:
        write_server(project, server)
        first = project.run("test_own.py", "recipes", "-rs")
        asked = server.count
        project.write("conftest.py", "")
        second = project.report("recipes")

    first.assert_outcomes(passed=1, errors=1, skipped=19)
    text = first.stdout.str()
    assert "handle_async_request is not httpcore's own but of respx" in text
    assert "Patch it in tests, not for the session" in text
    assert asked == 0
    assert server.count == 20
    assert second["recipes"][0]["counts"]["passed"] == 20


def test_the_projects_own_tests_run_without_a_plugin_that_would_lend_them_a_loop():
    with pytest.raises(ImportError):
        import pytest_asyncio  # noqa: F401 - to see that it is not there
