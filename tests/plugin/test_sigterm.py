"""SIGTERM ends a run as Ctrl-C does, where nobody else has a use for it."""

from __future__ import annotations

import os
import signal

import pytest
from running_pytest import NOTES, SERVER, many, running, until

from pytest_llmeval.testing import answering, hanging, serve, when

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are POSIX's")

FIRST = "recipe: First\nsamples: [{id: only, input: first, target: Paris}]\nmetrics: [exact_match]\n"
#: `timeout` sends one to the process and one to its group: the second comes while the first is heard
ONCE_MORE = """

def pytest_keyboard_interrupt():
    import signal

    os.kill(os.getpid(), signal.SIGTERM)
"""
#: what the signal does in each process: before anything is collected, when items are there, at the very end
LOOKS = """
import atexit
import signal
from pathlib import Path

{own}


def _note(who, when):
    handler = signal.getsignal(signal.SIGTERM)
    name = "default" if handler is signal.SIG_DFL else getattr(handler, "__name__", str(handler))
    with Path(f"signal-{{who}}.txt").open("a") as file:
        file.write(f"{{when}} {{name}}\\n")


def pytest_configure(config):
    global WHO
    WHO = getattr(config, "workerinput", {{"workerid": "main"}})["workerid"]
    _note(WHO, "start")
    atexit.register(_note, WHO, "exit")


def pytest_runtest_logreport(report):
    if report.when == "call":
        _note(WHO, "item")
"""


@pytest.fixture
def hangs(everywhere):
    """A run of which the first question is answered and all others hang."""
    with serve(when(lambda received: received.prompt == "first", answering("Paris")), hanging()) as server:
        everywhere.write("conftest.py", NOTES)
        everywhere.write("recipes/endpoints/program.yaml", SERVER.format(url=server.url))
        everywhere.write("recipes/first.yaml", FIRST)
        everywhere.write("recipes/many.yaml", many(12))
        yield server


@pytest.mark.parametrize("how", ["one", "everybody", "twice"])
def test_it_asks_nothing_more_and_reports(everywhere, hangs, how):
    if how == "twice":
        everywhere.write("conftest.py", NOTES + ONCE_MORE)
    with running(everywhere, "recipes") as run:
        until(lambda: hangs.in_flight == 4, run)
        asked = hangs.count
        run.hit(signal.SIGTERM, everybody=how == "everybody")

        assert run.wait() == pytest.ExitCode.INTERRUPTED
        until(run.is_gone)
        assert hangs.count == asked
        report = run.report()
    assert report["complete"] is False
    assert [recipe["counts"]["requests"] for recipe in report["recipes"]] == [1, 12]
    if "2" not in everywhere.world or how != "everybody":
        assert "terminated (SIGTERM)" in run.text


def looked(project) -> dict[str, list[str]]:
    files = project.path.glob("signal-*.txt")
    return {file.stem.partition("-")[2]: list(dict.fromkeys(file.read_text().splitlines())) for file in files}


def test_it_is_set_while_there_are_items_and_put_back(anywhere, capitals):
    anywhere.write("conftest.py", LOOKS.format(own=""))
    anywhere.write("recipes/capitals.yaml", capitals)

    anywhere.run("recipes")

    seen = looked(anywhere)
    assert seen["main"] == ["start default", "item _interrupt", "exit default"]
    assert all(lines[:2] == ["start default", "item _interrupt"] for lines in seen.values())


def test_a_marked_test_is_an_item_of_ours_and_others_are_not(project, capitals):
    project.write("conftest.py", LOOKS.format(own=""))
    project.write("test_a.py", "def test_it(): pass")
    project.run("test_a.py")
    assert looked(project)["main"] == ["start default", "item default", "exit default"]

    project.write("recipes/capitals.yaml", capitals)
    project.write(
        "test_marked.py",
        """
        import pytest

        @pytest.mark.llmeval("capitals")
        def test_it(llmeval_response): pass
        """,
    )
    (project.path / "signal-main.txt").unlink()
    project.run("test_marked.py")
    assert "item _interrupt" in looked(project)["main"]


def test_a_handler_of_somebody_else_stays(anywhere, capitals):
    own = "def mine(number, frame): pass\n\n\nsignal.signal(signal.SIGTERM, mine)"
    anywhere.write("conftest.py", LOOKS.format(own=own))
    anywhere.write("recipes/capitals.yaml", capitals)

    anywhere.run("recipes")

    assert looked(anywhere)["main"] == ["start mine", "item mine", "exit mine"]
