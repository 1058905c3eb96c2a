"""A project of a user's, in a folder of its own, and the worlds it is run in."""

from __future__ import annotations

import json
import re
import signal
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

# a shell starts what runs in its background with interrupts ignored, and all that the tests start would inherit that
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: without xdist, with it in one process, with two workers
WORLDS = {"plain": ["-p", "no:xdist"], "n0": ["-n", "0"], "n2": ["-n", "2"]}

#: plugins of this environment that a user's project has no need of: their imports are two thirds of what a run takes.
#: A test that is about one of them names it with ``-p``.
LEFT_OUT = ("anyio", "hypothesispytest", "pytest_httpx", "respx", "rerunfailures", "timeout")

MODEL = '''
"""A program to evaluate: knows three capitals, counts how often it was asked."""
from pathlib import Path

CAPITALS = {"France": "Paris", "Peru": "Lima", "Chad": "N'Djamena"}


def answer(prompt):
    with Path("asked.txt").open("a") as asked:
        asked.write(prompt + "\\n")
    if "crash" in prompt:
        raise ZeroDivisionError("a fault in the program")
    return next((capital for country, capital in CAPITALS.items() if country in prompt), "I do not know.")
'''

CAPITALS = """
recipe: Capitals
tags: [facts]
samples:
  - {id: france, input: What is the capital of France?, target: Paris}
  - {id: peru, input: What is the capital of Peru?, target: Lima}
  - {id: oman, input: What is the capital of Oman?, target: Muscat}
metrics: [exact_match]
thresholds: [exact_match >= 0.6]
grading: {measure: exact_match, scale: {A: [80, 100], B: [60, 79], C: [0, 59]}}
"""

SHORT = """
from dataclasses import dataclass
from typing import ClassVar

import pytest


@dataclass(frozen=True)
class Short:
    id: ClassVar[str] = "short"
    binary: ClassVar[bool] = True

    def score(self, response, sample):
        return len(response.text) < 5


@pytest.hookimpl(optionalhook=True)
def pytest_llmeval_register(registry):
    registry.add("metric", Short)
"""

ENDPOINT = """
endpoint: The program
connector: python
target: program:answer
version: "1"
"""


#: seconds after which a run hangs, however slow the machine
RUN = 300


@dataclass(frozen=True)
class Project:
    """Writes files, runs pytest, reads what came of it."""

    pytester: pytest.Pytester
    world: tuple[str, ...]

    @property
    def path(self) -> Path:
        return self.pytester.path

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def run(self, *arguments: str) -> pytest.RunResult:
        return self.pytester.runpytest_subprocess(*self.world, *arguments, timeout=RUN)

    def report(self, *arguments: str) -> dict:
        """Run and read the JSON report."""
        self.run("--llmeval-report", "report.json", *arguments)
        return json.loads((self.path / "report.json").read_text("utf-8"))

    @staticmethod
    def ran(result: pytest.RunResult) -> list[str]:
        """Ids of our items that ran, sorted; the run needs ``-v``."""
        as_serial = re.sub(r"\[gw\d] \[ *\d+%] (\w+) (recipes/\S+)", r"\2 \1", result.stdout.str())
        return sorted(set(re.findall(r"(recipes/\S+::\S+) (?:PASSED|FAILED|MISSED|ERROR|SKIPPED)", as_serial)))

    def asked(self) -> list[str]:
        """The prompts that reached the program, sorted; the count starts anew after each look."""
        path = self.path / "asked.txt"
        prompts = sorted(path.read_text("utf-8").splitlines()) if path.exists() else []
        path.unlink(missing_ok=True)
        return prompts


def _project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, world: list[str]) -> Project:
    # what CI sets makes pytest print otherwise
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("LLMEVAL_STATE", raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(f"-p no:{name}" for name in LEFT_OUT))
    project = Project(pytester, tuple(world))
    project.write("pytest.ini", "[pytest]\npythonpath = .\nllmeval_endpoints = program\n")
    project.write("program.py", MODEL)
    project.write("recipes/endpoints/program.yaml", ENDPOINT)
    return project


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a program to evaluate and no recipe yet, run in one process."""
    return _project(pytester, monkeypatch, WORLDS["plain"])


@pytest.fixture(params=["plain", "n2"])
def anywhere(request: pytest.FixtureRequest, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The same in one process, and in two that share the work."""
    return _project(pytester, monkeypatch, WORLDS[request.param])


@pytest.fixture(params=list(WORLDS))
def everywhere(request: pytest.FixtureRequest, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The same in every world."""
    return _project(pytester, monkeypatch, WORLDS[request.param])


@pytest.fixture
def short_metric() -> str:
    """A conftest that registers the metric ``short``: whether an answer has fewer than five characters."""
    return SHORT


@pytest.fixture
def capitals() -> str:
    return CAPITALS
