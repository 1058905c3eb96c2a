"""A run that ends early ends in all its processes, and loses nothing that came."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_llmeval.testing import serve

SAMPLES = 120
SLOTS = 4
#: seconds after which a process that should have ended is given up
PATIENCE = 60

PIDS = """
import os
from pathlib import Path

def pytest_configure(config):
    name = getattr(config, "workerinput", {"workerid": "controller"})["workerid"]
    Path(f"{name}.pid").write_text(str(os.getpid()))
"""


@pytest.fixture
def server():
    with serve(answer="ok", delay=0.1) as server:
        yield server


@pytest.fixture
def many(project, server):
    """A recipe of many samples on a slow server."""
    rows = "".join(f"  - {{id: s{n}, input: 'question {n}', target: ok}}\n" for n in range(SAMPLES))
    project.write("recipes/many.yaml", f"recipe: Many\nendpoints: slow\nsamples:\n{rows}metrics: [exact_match]\n")
    project.write(
        "recipes/endpoints/slow.yaml",
        f"endpoint: S\nconnector: openai\nmodel: m\nbase_url: {server.url}\nmax_concurrency: {SLOTS}\n",
    )
    project.write("conftest.py", PIDS)
    return project


def start(project, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:anyio", *arguments, "--llmeval-report", "report.json"],
        cwd=project.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def until(true: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come"
        if process is not None and process.poll() is not None:
            raise AssertionError(f"the run ended before:\n{process.communicate()[0]}")
        time.sleep(0.01)


def report(project) -> dict:
    return json.loads((project.path / "report.json").read_text("utf-8"))


def pids(project) -> dict[str, int]:
    return {path.stem: int(path.read_text()) for path in project.path.glob("*.pid") if path.read_text()}


def lives(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("world", [["-p", "no:xdist"], ["-n", "2"]], ids=["plain", "n2"])
@pytest.mark.parametrize("stop", ["-x", "--maxfail=2"])
def test_the_first_failures_stop_all_processes(many, server, world, stop):
    recipe = (many.path / "recipes/many.yaml").read_text().replace("question 2', target: ok", "question 2', target: no")
    many.write("recipes/many.yaml", recipe.replace("question 3', target: ok", "question 3', target: no"))

    done = start(many, *world, stop)
    text, _ = done.communicate(timeout=PATIENCE)
    asked = server.count

    assert done.returncode in {1, 2}, text
    assert asked < SAMPLES / 2
    assert " skipped" not in text.splitlines()[-1] or int(text.partition(" skipped")[0].split()[-1]) <= 2, text
    assert report(many)["complete"] is False
    assert "stopping after" in text


@pytest.mark.parametrize("world", [["-p", "no:xdist"], ["-n", "2"]], ids=["plain", "n2"])
@pytest.mark.parametrize("whom", ["one", "group"])
def test_an_interrupt_stops_all_processes_and_leaves_a_partial_report(many, server, world, whom):
    process = start(many, *world)
    until(lambda: server.count > 8, process)
    send = os.kill if whom == "one" else os.killpg
    send(process.pid, signal.SIGINT)
    text, _ = process.communicate(timeout=PATIENCE)
    asked = server.count

    assert process.returncode == 2, text
    assert asked < SAMPLES / 2
    found = report(many)
    assert found["complete"] is False
    answered = [sample for sample in found["samples"] if sample["outcome"] == "passed"]
    assert 0 < len(answered) <= asked
    assert not any(lives(pid) for pid in pids(many).values())

    again, _ = start(many, "-p", "no:xdist").communicate(timeout=PATIENCE)
    assert f"{SAMPLES} passed" in again
    # what came is kept; what was cut off in flight is asked again
    assert server.count <= SAMPLES + SLOTS
    assert report(many)["recipes"][0]["counts"]["passed"] == SAMPLES


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_workers_whose_controller_was_killed_end(many, server):
    process = start(many, "-n", "2")
    until(lambda: server.count > 8, process)
    process.kill()
    process.communicate(timeout=PATIENCE)
    until(lambda: not any(lives(pid) for pid in pids(many).values()))
    assert server.count < SAMPLES

    again, _ = start(many, "-n", "2").communicate(timeout=PATIENCE)

    assert f"{SAMPLES} passed" in again
    assert server.count <= SAMPLES + SLOTS


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_run_is_gone_on_with_and_reports_what_an_undisturbed_one_does(many, server):
    process = start(many, "-p", "no:xdist")
    until(lambda: server.count > 8, process)
    process.kill()
    process.communicate(timeout=PATIENCE)

    again, _ = start(many, "-p", "no:xdist").communicate(timeout=PATIENCE)

    assert f"{SAMPLES} passed" in again
    assert server.count <= SAMPLES + SLOTS
    found = report(many)
    assert found["complete"] is True
    assert found["recipes"][0]["measures"]["exact_match"]["n"] == SAMPLES
    assert [sample["answer"] for sample in found["samples"]] == ["ok"] * SAMPLES


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_workers_requests_are_taken_up_by_the_others(many, server):
    process = start(many, "-n", "2")
    until(lambda: server.count > 8, process)
    os.kill(pids(many)["gw0"], signal.SIGKILL)
    text, _ = process.communicate(timeout=PATIENCE)

    # xdist fails the item that the worker ran when it died, and starts another worker
    assert "1 failed" in text, text
    assert server.count <= SAMPLES + SLOTS
    counts = report(many)["recipes"][0]["counts"]
    assert counts["passed"] >= SAMPLES - 1
    assert report(many)["recipes"][0]["measures"]["exact_match"]["n"] >= SAMPLES - 1
