"""The value of a secret is in no file that a run leaves, and nowhere on the terminal."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from base64 import b64encode

import pytest
from asking import about, asks, numbered, samples

from pytest_llmeval.testing import answering, failing, hanging, serve, when

CANARY = "canary-4f1d9c-0123456789"
HEADER = "canary-header-77aa31bc09"
PASSWORD = "canary-password-5c1d20"
FIELD = "canary-field-9e8d7c6b5a"
VALUES = [value.encode() for value in (CANARY, HEADER, PASSWORD, FIELD)]

CONNECTOR = """
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

import pytest

from pytest_llmeval import InvalidRequest, Response, SecretText, expand


@dataclass(frozen=True)
class Vault:
    id: ClassVar[str] = "vault"
    token: SecretText = ""

    def identity(self):
        return {"version": 1}

    @asynccontextmanager
    async def open(self, run):
        yield self

    async def ask(self, request):
        token = expand(self.token, os.environ)
        if "error" in request.prompt:
            raise InvalidRequest(f"the vault refuses {token}")
        if "crash" in request.prompt:
            raise RuntimeError(token)
        return Response(f"the token is {token}", reasoning=token)


@pytest.hookimpl(optionalhook=True)
def pytest_llmeval_register(registry):
    registry.add("connector", Vault)
"""


def leaks(project, *more: bytes) -> list[str]:
    """Files below the project's root that hold a secret."""
    return [
        f"{path.relative_to(project.path)} holds {value.decode()}"
        for path in project.path.rglob("*")
        if path.is_file()
        for value in (*VALUES, *more)
        if value in path.read_bytes()
    ]


@pytest.fixture
def secrets(monkeypatch):
    monkeypatch.setenv("CANARY", CANARY)
    monkeypatch.setenv("HEADER", HEADER)
    monkeypatch.setenv("PASSWORD", PASSWORD)
    monkeypatch.setenv("VAULT_TOKEN", FIELD)


def echoing(server_errors: int):
    """A server that says every secret it was sent: in answers, in errors, in error pages."""

    def said(received) -> str:
        return (
            f"you sent {received.headers.get('authorization')} and {received.headers.get('x-secret')}, {received.path}"
        )

    return [
        when(about("invalid"), lambda received: failing(422, said(received))(received)),
        when(about("failing"), lambda received: failing(server_errors, said(received))(received)),
        answering(said, reasoning=f"I know {CANARY}"),
    ]


def test_what_a_service_says_of_a_key_is_kept_and_shown_without_it(anywhere, secrets):
    """Echoed in answers, reasoning and errors; in the state, reports, junit, caches, on the terminal."""
    with serve(*echoing(500)) as server:
        service = {"api_key": "${CANARY}", "headers": {"X-Secret": "${HEADER}"}, "max_attempts": 2}
        rows = samples("answered a", "invalid b", "failing c", "missed d", target="no")
        asks(anywhere, server.url, rows, endpoint=service, misses="fail")
        result = anywhere.run(
            "-rA", "-vv", "--llmeval-report", "r.json", "--llmeval-report", "r.md", "--junitxml", "j.xml"
        )
        sent = server.requests[0].headers

    assert sent["authorization"] == f"Bearer {CANARY}"
    assert sent["x-secret"] == HEADER
    result.assert_outcomes(failed=2, errors=3)
    text = result.stdout.str() + result.stderr.str()
    assert "you sent Bearer *** and ***" in text
    assert [value for value in VALUES if value.decode() in text] == []
    assert (anywhere.path / ".llmeval/state.sqlite3").exists()
    assert leaks(anywhere) == []


def test_a_stopped_endpoint_s_message_is_without_the_key(project, secrets):
    with serve(*echoing(401)) as server:
        service = {"api_key": "${CANARY}", "headers": {"X-Secret": "${HEADER}"}}
        asks(project, server.url, samples("failing a"), endpoint=service)
        result = project.run("-rs", "--llmeval-report", "r.json", "--junitxml", "j.xml")

    text = result.stdout.str()
    assert "you sent Bearer *** and ***" in text
    assert "the key came from CANARY, HEADER" in text
    assert CANARY not in text
    assert leaks(project) == []


def test_what_an_address_holds_is_kept_out_too(project, secrets):
    """A password, also as HTTP sends it, and a key in the query."""
    with serve(*echoing(500)) as server:
        url = server.url.replace("http://", "http://user:${PASSWORD}@") + "?key=${CANARY}"
        asks(project, url, samples("answered a", "invalid b", target="no"), misses="fail")
        result = project.run("-rA", "-vv", "--llmeval-report", "r.json", "--junitxml", "j.xml")
        sent = server.requests[0]

    basic = b64encode(f"user:{PASSWORD}".encode()).decode()
    assert sent.headers["authorization"] == f"Basic {basic}"
    assert sent.path.endswith(f"?key={CANARY}")
    result.assert_outcomes(failed=1, errors=2)
    text = result.stdout.str()
    assert "you sent Basic *** and None, /v1/chat/completions?key=***" in text
    assert [value for value in (basic, PASSWORD, CANARY) if value in text] == []
    assert leaks(project, basic.encode()) == []


def test_a_connector_s_own_secret_field_is_kept_out_too(project, secrets):
    project.write("conftest.py", CONNECTOR)
    rows = samples("answered a", "error b", "crash c", target="no")
    asks(project, "", rows, endpoint={"connector": "vault", "base_url": None, "model": None, "token": "${VAULT_TOKEN}"})
    result = project.run("-rA", "-vv", "--llmeval-report", "r.json", "--llmeval-report", "r.md", "--junitxml", "j.xml")

    result.assert_outcomes(errors=3, failed=0)
    text = result.stdout.str()
    assert "the token is ***" in text
    assert "the vault refuses ***" in text
    assert "RuntimeError: ***" in text
    assert FIELD not in text
    assert leaks(project) == []


def test_a_literal_key_is_refused_unshown(project):
    asks(project, "http://127.0.0.1:9/v1", numbered(1), endpoint={"api_key": CANARY})

    result = project.run()

    text = result.stdout.str()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "recipes/endpoints/small.yaml:5:10: api_key" in text
    assert CANARY not in text


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_killed_run_leaves_no_secret(project, secrets):
    """Nor does the WAL that nobody folded in, nor the report of the next run, which reads it."""
    with serve(when(about("hanging"), hanging()), *echoing(500)) as server:
        service = {"api_key": "${CANARY}", "headers": {"X-Secret": "${HEADER}"}, "max_attempts": 1}
        asks(project, server.url, samples("answered a", "invalid b", "failing c", "hanging d"), endpoint=service)
        arguments = [sys.executable, "-m", "pytest", "-p", "no:xdist"]
        killed = subprocess.Popen(arguments, cwd=project.path, stdout=subprocess.PIPE)
        while server.count < 4 or server.in_flight > 1:
            assert killed.poll() is None
            time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
        output, _ = killed.communicate()
        assert list((project.path / ".llmeval").glob("*-wal"))
        after_kill = leaks(project)
        project.run("--llmeval-cache", "only", "--llmeval-report", "r.json")

    assert after_kill == []
    assert [value for value in VALUES if value in output] == []
    assert leaks(project) == []
