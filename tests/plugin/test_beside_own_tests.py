"""Recipes and a user's own tests in one session leave each other alone, whatever the tests patch."""

from __future__ import annotations

import textwrap

import pytest

from pytest_llmeval.testing import serve

SAMPLES = 300


@pytest.fixture
def server():
    with serve(answer="real", delay=0.005) as server:
        yield server


@pytest.fixture
def beside(project, server):
    """A recipe on a real server, around whose items the tests of a user run."""
    rows = "".join(f"  - {{id: s{n}, input: 'question {n}', target: real}}\n" for n in range(SAMPLES))
    text = f"recipe: Many\nendpoints: server\nsamples:\n{rows}metrics: [exact_match]\n"
    project.write("recipes/many.yaml", text)
    endpoint = f"endpoint: S\nconnector: openai\nmodel: m\nbase_url: {server.url}\nmax_concurrency: 16\n"
    project.write("recipes/endpoints/server.yaml", endpoint)
    project.write("endpoints/server.yaml", endpoint)
    # the first item opens the engine, then the user's tests come, then the rest
    project.write(
        "conftest.py",
        """
        def pytest_collection_modifyitems(items):
            own = [item for item in items if item.path.name.startswith("test_")]
            recipe = [item for item in items if item not in own]
            items[:] = [recipe[0], *own, *recipe[1:]]
        """,
    )
    return project


def run(project, server, test: str, *arguments: str, tests: int = 1) -> pytest.RunResult:
    project.write("test_own.py", textwrap.dedent(test))
    result = project.run(*arguments)
    result.assert_outcomes(passed=SAMPLES + tests)
    assert server.count == SAMPLES
    return result


def test_pytest_httpx_sees_none_of_our_requests(beside, server):
    run(
        beside,
        server,
        """
        import httpx, pytest, time

        @pytest.mark.parametrize("n", range(10))
        def test_mocked(httpx_mock, n):
            httpx_mock.add_response(text="mocked")
            assert httpx.get("http://127.0.0.1:1/mine").text == "mocked"
            time.sleep(0.05)
            assert [str(request.url) for request in httpx_mock.get_requests()] == ["http://127.0.0.1:1/mine"]
        """,
        tests=10,
    )


def test_respx_sees_none_of_our_requests(beside, server):
    run(
        beside,
        server,
        """
        import httpx, pytest, respx, time

        @pytest.mark.parametrize("n", range(10))
        @respx.mock
        def test_mocked(n):
            route = respx.get("http://127.0.0.1:1/mine").respond(text="mocked")
            assert httpx.get("http://127.0.0.1:1/mine").text == "mocked"
            time.sleep(0.05)
            assert respx.calls.call_count == 1 == route.call_count
        """,
        tests=10,
    )


def test_a_patched_transport_answers_nothing_of_ours(beside, server):
    """Patched by hand, deep down, and taken away again: the handshake waits for what has left already."""
    run(
        beside,
        server,
        """
        import httpx, pytest, time
        from unittest.mock import AsyncMock

        @pytest.mark.parametrize("n", range(20))
        def test_mocked(monkeypatch, n):
            mock = AsyncMock(side_effect=AssertionError("a request of somebody else's"))
            monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", mock)
            time.sleep(0.02)
            assert mock.call_count == 0
        """,
        tests=20,
    )


def test_closed_sockets_fail_nothing_of_ours(beside, server):
    run(
        beside,
        server,
        """
        import pytest, socket, time

        class Closed(socket.socket):
            def __init__(self, *arguments, **options):
                raise AssertionError("no sockets here")

        @pytest.mark.parametrize("n", range(10))
        def test_without_sockets(monkeypatch, n):
            monkeypatch.setattr(socket, "socket", Closed)
            time.sleep(0.03)
        """,
        tests=10,
    )


def test_a_frozen_clock_stalls_nothing(beside, server):
    run(
        beside,
        server,
        """
        import pytest
        from freezegun import freeze_time

        @pytest.mark.parametrize("n", range(5))
        def test_frozen(llmeval, n):
            with freeze_time("2020-01-01"):
                # what is asked while the clock stands still is answered too
                assert llmeval.ask(f"question {n}", endpoint="server").text == "real"
        """,
        tests=5,
    )


def test_a_clock_frozen_for_the_whole_session_stalls_nothing(beside, server):
    beside.write(
        "conftest.py",
        """
        from freezegun import freeze_time

        def pytest_collection_finish():
            freeze_time("2020-01-01").start()
        """,
    )

    run(beside, server, "def test_it(): pass")


def test_what_a_test_asks_through_its_own_mock_is_its_alone(beside, server):
    """The answer reaches the test, and neither the state nor the recipe that asks the same."""
    run(
        beside,
        server,
        """
        import httpx

        def test_mocked(llmeval, httpx_mock):
            reply = {"choices": [{"message": {"content": "mocked"}, "finish_reason": "stop"}]}
            httpx_mock.add_response(json=reply, is_reusable=True)
            assert llmeval.ask("question 299", endpoint="server").text == "mocked"
            assert llmeval.ask("another", endpoint="server").text == "mocked"
        """,
    )

    beside.write(
        "test_own.py",
        """
        def test_real(llmeval):
            assert llmeval.ask("another", endpoint="server").text == "real"
        """,
    )
    again = beside.run()

    again.assert_outcomes(passed=SAMPLES + 1)
    again.stdout.fnmatch_lines([f"asked 1 request *{SAMPLES} answered before"])


def test_where_httpx_is_patched_around_recipes_the_endpoint_is_stopped(beside, server):
    beside.write(
        "conftest.py",
        """
        import httpx
        from unittest.mock import AsyncMock

        def pytest_collection_finish():
            httpx.AsyncClient.send = AsyncMock()
        """,
    )

    result = beside.run("recipes")

    result.assert_outcomes(errors=1, skipped=SAMPLES - 1)
    result.stdout.fnmatch_lines(["endpoint server stopped: httpx is patched (*"])
    assert server.count == 0
