"""A pytest under way in a process group of its own, to be watched and hit."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from processes import alive

SERVER = """
endpoint: The server
connector: openai
model: small-1
base_url: {url}
max_concurrency: 4
timeout: 300
"""

#: each process of the run writes down, and at its end how it ended
NOTES = """
import os
from pathlib import Path


def _note(config, what, text):
    who = getattr(config, "workerinput", {"workerid": "main"})["workerid"]
    Path(f"{what}-{who}.txt").write_text(str(text))


def pytest_configure(config):
    _note(config, "pid", os.getpid())


def pytest_sessionfinish(session, exitstatus):
    _note(session.config, "ended", f"{int(exitstatus)} {session.testsfailed} {session.shouldstop or session.shouldfail}")
"""


def many(samples: int, prefix: str = "question", more: str = "") -> str:
    """A recipe of so many different questions, the answer to each of which is Paris."""
    rows = "".join(f"  - {{id: s{n:03}, input: {prefix} {n}, target: Paris}}\n" for n in range(samples))
    return f"recipe: Many\nsamples:\n{rows}metrics: [exact_match]\nmisses: note\n{more}"


def until(holds: Callable[[], object], watched: Running | None = None) -> None:
    """Wait for something to be seen; a process that ends before is told with what it printed."""
    while not holds():
        assert watched is None or watched.process.poll() is None, watched.text
        time.sleep(0.01)


class Running:
    """The process, what it prints, what its members noted."""

    def __init__(self, project, arguments: tuple[str, ...]) -> None:
        self._path = project.path
        self._out = project.path / "out.txt"
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *project.world, *arguments],
                cwd=project.path,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self._out.read_text("utf-8", "replace")

    @property
    def pids(self) -> dict[str, int]:
        return {name: int(text) for name, text in self._notes("pid").items() if text}

    @property
    def ended(self) -> dict[str, str]:
        """Exit status, number of failures and reason to stop of each process that came to its end."""
        return self._notes("ended")

    def _notes(self, what: str) -> dict[str, str]:
        return {path.stem.partition("-")[2]: path.read_text() for path in self._path.glob(f"{what}-*.txt")}

    def report(self) -> dict:
        return json.loads((self._path / "report.json").read_text("utf-8"))

    def hit(self, sign: int, *, everybody: bool = False) -> None:
        """As a terminal does it (everybody), or as a CI does (the first process alone)."""
        if everybody:
            os.killpg(self.process.pid, sign)
        else:
            os.kill(self.process.pid, sign)

    def wait(self) -> int:
        return self.process.wait()

    def is_gone(self) -> bool:
        """Whether no process of the group is left (one that only waits to be collected has ended)."""
        self.process.poll()
        return not any(alive(pid) for pid in (self.process.pid, *self.pids.values()))


@contextlib.contextmanager
def running(project, *arguments: str) -> Iterator[Running]:
    """Begin a pytest in the project's world; whatever becomes of the block, nothing of it is left."""
    run = Running(project, ("--llmeval-report", "report.json", *arguments))
    try:
        yield run
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.process.pid, signal.SIGKILL)
        run.process.wait()
