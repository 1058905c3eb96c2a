"""The live line: there while a run waits, gone before pytest writes, and no trace of it at the end."""

from __future__ import annotations

import os
import re

import pytest
from running_pytest import SERVER, many

from pytest_llmeval.testing import answering, serve, when

if os.name != "posix":
    pytest.skip("a pseudo terminal is POSIX's", allow_module_level=True)

from screen import Screen, on_terminal

# a terminal writes a carriage return of its own before each line feed
DRAWN = re.compile(r"\x1bD\x1b\[A\x1b7\r+\n\x1b\[J(?P<text>[^\x1b]+)\x1b8")
ERASED = re.compile(r"\x1b7\r+\n\x1b\[J\x1b8")
OWN_TESTS = """
import logging
import time


def test_passes():
    print("printed")
    time.sleep(0.01)


def test_fails():
    print("printed")
    assert 1 == 2


def test_asks(llmeval, capsys):
    with capsys.disabled():
        print("to the terminal", end="")
    assert llmeval.ask("question of a test's own").text == "Paris"
    logging.getLogger("mine").warning("logged")
"""
#: logs from a thread of the engine's while the main thread waits
LOGS = """
import logging


def answer(prompt):
    import time
    time.sleep(0.4)
    logging.getLogger("program").warning("asked %s", prompt)
    return "Paris"
"""
#: as a person does who sees the line
INTERRUPTS = """
import os
import signal
import threading
import time

import pytest
from pytest_llmeval.plugin.line import Line


def pytest_configure():
    def wait():
        while not DRAWN:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    DRAWN = []
    put = Line._put

    def noted(self, text):
        put(self, text)
        DRAWN.append(text)

    Line._put = noted
    threading.Thread(target=wait, daemon=True).start()
"""


@pytest.fixture
def slow(project):
    """A project whose questions are answered after half a second, some of them wrong."""
    wrong = when(lambda received: received.prompt.endswith("3"), answering("Rome"))
    with serve(wrong, answering("Paris"), delay=0.5) as server:
        project.write("recipes/endpoints/program.yaml", SERVER.format(url=server.url).replace(": 4", ": 2"))
        project.write("recipes/many.yaml", many(5).replace("misses: note", "misses: fail"))
        project.write("recipes/other.yaml", many(3, "more", "thresholds: [exact_match >= 0.9]\n"))
        project.write("test_own.py", OWN_TESTS)
        yield project


def rendered(text: str, columns: int, rows: int) -> Screen:
    screen = Screen(columns, rows)
    screen.feed(text)
    return screen


def without_line(text: str) -> str:
    return ERASED.sub("", DRAWN.sub("", text))


def assert_no_trace(text: str, columns: int = 80, rows: int = 24) -> list[str]:
    """What a person sees is what pytest wrote, at the end and whenever the line is erased. What the line said."""
    said = [match["text"] for match in DRAWN.finditer(text)]
    assert said
    assert all(len(one) < columns for one in said)
    position = 0
    for match in ERASED.finditer(text):
        position = match.end()
        seen, plain = rendered(text[:position], columns, rows), rendered(without_line(text[:position]), columns, rows)
        assert seen.lines == plain.lines
        assert seen.cursor == plain.cursor
    assert not DRAWN.search(text, position)
    assert rendered(text, columns, rows).lines == rendered(without_line(text), columns, rows).lines
    return said


@pytest.mark.parametrize(
    ("arguments", "columns", "rows"),
    [
        ([], 80, 24),
        (["-q"], 80, 24),
        (["-v"], 80, 24),
        (["-v"], 24, 24),
        (["-vv", "-rA"], 100, 6),
        (["--color=no"], 80, 24),
        (["-n", "2"], 80, 24),
        (["-n", "2", "-v"], 80, 5),
        (["-n", "2", "-q", "--tb=no"], 31, 24),
        (["--log-cli-level=INFO"], 80, 24),
        (["-o", "console_output_style=count"], 20, 3),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_nothing_of_it_stays(slow, arguments, columns, rows):
    text = on_terminal(slow, "-p", "xdist", *arguments, columns=columns, rows=rows)

    said = assert_no_trace(text, columns, rows)

    assert re.fullmatch(r"  \d/8 done(  .*)?", said[0])
    assert "llmeval" in without_line(text)


def test_what_it_says(slow):
    slow.write("recipes/many.yaml", many(12))

    said = [match["text"] for match in DRAWN.finditer(on_terminal(slow, "recipes/many.yaml", columns=120))]

    assert "0/12 done" in said[0]
    assert any("2 in flight" in one for one in said)
    assert any("tokens" in one and re.search(r"about 0:0\d left", one) for one in said)


def test_a_thread_that_logs_meanwhile_does_not_meet_it(project):
    project.write("program.py", LOGS)
    project.write("recipes/many.yaml", many(6))
    project.write(
        "recipes/endpoints/program.yaml",
        "endpoint: It\nconnector: python\ntarget: program:answer\nmax_concurrency: 1\n",
    )

    text = on_terminal(project, "--log-cli-level=INFO")

    assert_no_trace(text)
    assert text.count("asked question") >= 6


@pytest.mark.parametrize(
    ("arguments", "term"),
    [
        (["-s"], "xterm"),
        (["--capture=sys"], "xterm"),
        (["--capture=tee-sys"], "xterm"),
        (["-p", "no:terminal"], "xterm"),
        (["-qq"], "xterm"),
        ([], "dumb"),
        ([], ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_there_is_none_where_others_may_write_or_nobody_looks(slow, arguments, term):
    text = on_terminal(slow, "recipes", *arguments, term=term)

    assert "\x1bD" not in text
    assert "done  " not in text


def test_an_interruption_leaves_no_trace(slow):
    slow.write("conftest.py", INTERRUPTS)

    text = on_terminal(slow, "recipes")

    assert_no_trace(text)
    assert "KeyboardInterrupt" in text
