"""Hooks that other plugins implement: each event once, in the main thread between items, where it happened."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from running_pytest import SERVER, many

import pytest_llmeval
from pytest_llmeval.testing import answering, failing, first, serve, when

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text("utf-8")
#: each process writes what it hears, and where it heard it
HEARS = """
import dataclasses
import json
import os
import threading
from pathlib import Path

import pytest

RUNS = []


def pytest_configure(config):
    global WORKER
    WORKER = hasattr(config, "workerinput")


def _note(kind, event):
    with Path(f"heard-{os.getpid()}.jsonl").open("a") as file:
        place = {
            "kind": kind,
            "main": threading.current_thread() is threading.main_thread(),
            "within": bool(RUNS),
            "controller": not WORKER,
            "frozen": type(event).__dataclass_params__.frozen,
        }
        fields = {name: getattr(event, name) for name in event.__dataclass_fields__}
        file.write(json.dumps({**place, **{name: _plain(value) for name, value in fields.items()}}) + "\\n")


def _plain(value):
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else {k: _plain(v) for k, v in value.items()} if isinstance(value, dict) else value


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    RUNS.append(item)
    try:
        return (yield)
    finally:
        RUNS.pop()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_logfinish():
    # the protocol is over but for this
    kept, RUNS[:] = RUNS[:], []
    try:
        return (yield)
    finally:
        RUNS[:] = kept
"""
KINDS = ("request", "response", "score", "gate", "progress")
HOOK = """

@pytest.hookimpl(optionalhook=True)
def pytest_llmeval_{kind}(event):
    _note("{kind}", event)
"""
RAISES = """
import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_llmeval_score(event):
    raise ValueError("a mistake in the hook")
"""
#: writes down every event that is made
MADE = """
import pytest_llmeval


def _noted(kind, made):
    def post(self):
        with open("made.txt", "a") as file:
            file.write(kind.__name__ + "\\n")

    kind.__init__ = lambda self, *args, **kwargs: (post(self), made(self, *args, **kwargs))[1]


for name in ("RequestEvent", "ResponseEvent", "ScoreEvent", "GateEvent", "ProgressEvent"):
    kind = getattr(pytest_llmeval, name)
    _noted(kind, kind.__init__)
"""


def heard_made(project) -> list[str]:
    path = project.path / "made.txt"
    return path.read_text("utf-8").split() if path.exists() else []


def hears(*kinds: str) -> str:
    return HEARS + "".join(HOOK.format(kind=kind) for kind in kinds)


def heard(project, kind: str = "") -> list[dict]:
    lines = [
        json.loads(line)
        for path in sorted(project.path.glob("heard-*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    return [line for line in lines if kind in {"", line["kind"]}]


@pytest.fixture
def server():
    wrong = when(lambda received: received.prompt == "question 1", answering("Rome"))
    with serve(wrong, answering("Paris")) as server:
        yield server


@pytest.fixture
def listening(everywhere, server):
    """A recipe of six questions with a gate, and a conftest that hears everything."""
    everywhere.write("recipes/endpoints/program.yaml", SERVER.format(url=server.url))
    everywhere.write("recipes/many.yaml", many(6, more="thresholds: [exact_match >= 0.5]\n"))
    everywhere.write("conftest.py", hears(*KINDS))
    return everywhere


def test_every_event_is_heard_once_where_it_happened(listening, server):
    listening.run().assert_outcomes(passed=6)

    assert Counter(line["kind"] for line in heard(listening) if line["kind"] != "progress") == {
        "request": 6,
        "response": 6,
        "score": 6,
        "gate": 1,
    }
    assert all(line["main"] and line["frozen"] for line in heard(listening))
    in_workers = "2" in listening.world
    assert {line["controller"] for line in heard(listening) if line["kind"] != "progress"} == {not in_workers}
    assert not any(line["within"] for line in heard(listening) if line["kind"] != "progress")


def test_what_an_event_says(listening):
    listening.run()

    asked = heard(listening, "request")[0]
    assert (asked["endpoint"], asked["attempt"], asked["nodeids"]) == (
        "program",
        1,
        [f"recipes/many.yaml::s{int(asked['request']['messages'][0]['content'].split()[-1]):03}[program]"],
    )
    came = heard(listening, "response")
    assert Counter(line["response"]["text"] for line in came) == {"Paris": 5, "Rome": 1}
    assert all(line["seconds"] > 0 and line["error"] == "" for line in came)
    missed = [line for line in heard(listening, "score") if line["outcome"] == "missed"]
    assert [(line["nodeid"], line["recipe"], line["sample"]["id"], line["cached"]) for line in missed] == [
        ("recipes/many.yaml::s001[program]", "many", "s001", False)
    ]
    assert missed[0]["scores"]["exact_match"]["value"] == 0
    (gate,) = heard(listening, "gate")
    assert (gate["nodeid"], gate["verdict"], gate["condition"], gate["recipe"], gate["n"]) == (
        "recipes/many.yaml::gate:exact_match[program]",
        "passed",
        "exact_match >= 0.5",
        "many",
        6,
    )
    assert gate["figure"] == pytest.approx(5 / 6)
    assert gate["low"] < gate["figure"] < gate["high"]


def test_a_stored_answer_is_scored_and_not_asked(listening):
    listening.run()
    for path in listening.path.glob("heard-*"):
        path.unlink()

    listening.run()

    assert not heard(listening, "request")
    assert not heard(listening, "response")
    assert [line["cached"] for line in heard(listening, "score")] == [True] * 6


def test_a_failed_attempt_is_heard_and_its_retry(project):
    with serve(first(1, failing(429)), answering("Paris")) as server:
        project.write("recipes/endpoints/program.yaml", SERVER.format(url=server.url))
        project.write("recipes/many.yaml", many(1))
        project.write("conftest.py", hears(*KINDS))
        project.run().assert_outcomes(passed=1)

    assert [line["attempt"] for line in heard(project, "request")] == [1, 2]
    refused, answered = heard(project, "response")
    assert refused["limited"] is True
    assert "429" in refused["error"]
    assert refused["response"] is None
    assert answered["response"]["text"] == "Paris"


def test_a_gate_in_a_recipe_and_in_a_cookbook_is_heard_once(listening):
    listening.write("recipes/all.cookbook.yaml", "cookbook: All\nrecipes: [many]\n")
    listening.write("pytest.ini", "[pytest]\nllmeval_endpoints = program\nllmeval_items = gates\n")

    listening.run("recipes")

    assert [line["nodeid"] for line in heard(listening, "gate")] == ["recipes/many.yaml::gate:exact_match[program]"]


def test_a_hook_that_raises_is_named_and_loses_nothing(listening):
    listening.write("conftest.py", hears("score"))
    listening.write("recipes/conftest.py", RAISES)

    result = listening.run("--llmeval-report", "report.json", "recipes")

    assert result.ret == 0
    assert len(heard(listening, "score")) == 6
    told = [line for line in result.outlines if "pytest_llmeval_score" in line]
    # every worker that met it tells; pytest folds what is the same
    assert len(told) in {1, 2}
    assert "conftest.py raised ValueError: a mistake in the hook" in told[0]
    assert f"{listening.path / 'recipes' / 'conftest.py'}:6" in told[0]
    assert json.loads((listening.path / "report.json").read_text("utf-8"))["complete"] is True


def test_a_hook_may_stop_the_run(project, server):
    project.write("recipes/endpoints/program.yaml", SERVER.format(url=server.url))
    project.write("recipes/many.yaml", many(6))
    project.write(
        "conftest.py",
        """
        import pytest

        @pytest.hookimpl(optionalhook=True)
        def pytest_llmeval_score(event):
            if event.outcome == "missed":
                SESSION.shouldstop = "a miss is enough"

        def pytest_sessionstart(session):
            global SESSION
            SESSION = session
        """,
    )

    result = project.run()

    assert "a miss is enough" in result.stdout.str()
    assert "6 passed" not in result.stdout.str()


@pytest.mark.parametrize("kind", [None, "score"])
def test_where_nobody_listens_nothing_is_made(project, server, kind):
    project.write("recipes/endpoints/program.yaml", SERVER.format(url=server.url))
    project.write("recipes/many.yaml", many(2))
    project.write("conftest.py", MADE + (hears(kind) if kind else ""))

    assert project.run().ret == 0
    assert Counter(heard_made(project)) == ({"ScoreEvent": 2} if kind else {})


def test_the_program_in_the_documentation_runs(project, server):
    project.write("recipes/endpoints/program.yaml", SERVER.format(url=server.url))
    project.write("recipes/many.yaml", many(2))
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    project.write("conftest.py", program)

    assert "recipes/many.yaml::s001[program] Rome" in project.run().stdout.str()


def test_the_documentation_names_every_hook_and_field():
    for kind in KINDS:
        event = getattr(pytest_llmeval, f"{kind.title()}Event")
        rows = [row for row in PAGE.splitlines() if f"`pytest_llmeval_{kind}`" in row and f"`{event.__name__}`" in row]
        assert rows, kind
        table = "".join(PAGE.splitlines())
        assert {field.name for field in dataclasses.fields(event)} - set(re.findall(r"`(\w+)`", table)) == set()
