"""Where there is no terminal, a line now and then says how far a run is; and the hook that hears the same."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from running_pytest import SERVER, many

from pytest_llmeval.testing import answering, serve, when

#: so that a test need not wait for half a minute
SOON = """
import pytest_llmeval.plugin.progress

pytest_llmeval.plugin.progress.PLAIN = 0.3
"""
HEARS = """
import json
import threading
from pathlib import Path

import pytest


def pytest_configure(config):
    global WORKER
    WORKER = hasattr(config, "workerinput")


@pytest.hookimpl(optionalhook=True)
def pytest_llmeval_progress(event):
    print("heard on the terminal")
    fields = {name: getattr(event, name) for name in event.__dataclass_fields__}
    place = {"worker": WORKER, "thread": threading.current_thread().name}
    with Path("heard.jsonl").open("a") as file:
        file.write(json.dumps({**fields, **place}) + "\\n")
    {then}
"""
SAID = re.compile(r"llmeval: \d+/8 done(  .+)?")


@pytest.fixture
def slow(anywhere):
    wrong = when(lambda received: received.prompt.endswith("3"), answering("Rome"))
    with serve(wrong, answering("Paris"), delay=0.4) as server:
        anywhere.write("recipes/endpoints/program.yaml", SERVER.format(url=server.url).replace(": 4", ": 1"))
        anywhere.write("recipes/many.yaml", many(8))
        yield anywhere


def heard(project) -> list[dict]:
    path = project.path / "heard.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def ended(lines: list[str]) -> set[str] | list[str]:
    """The items that pytest names with what they came to; without names, the letters."""
    plain = [re.sub(r"\x1b\[[\d;]*m", "", line).strip() for line in lines]
    serial = [re.fullmatch(r"recipes/many.yaml::(s\d+)\[program] +(?:PASSED|MISSED) *(\[.*])?", line) for line in plain]
    parallel = [
        re.fullmatch(r"\[gw\d] .*(?:PASSED|MISSED) recipes/many.yaml::(s\d+)\[program]", line) for line in plain
    ]
    named = {found[1] for found in (*serial, *parallel) if found}
    letters = [re.fullmatch(r"(?:recipes/many.yaml )?([.m]+) *(\[.*])?", line) for line in plain]
    return named or sorted("".join(found[1] for found in letters if found))


@pytest.mark.parametrize("arguments", [[], ["-q"], ["-v"], ["-s"]], ids=" ".join)
def test_a_line_says_how_far_the_run_is(slow, arguments):
    slow.write("conftest.py", SOON)

    result = slow.run("recipes", *arguments)

    assert "\x1bD" not in result.stdout.str()
    said = [line for line in result.outlines if "/8 done" in line]
    assert len(said) >= 2
    assert all(SAID.fullmatch(line) for line in said)
    others = [line for line in result.outlines if line not in said]
    assert ended(others) == ({f"s{n:03}" for n in range(8)} if "-v" in arguments else sorted(".......m"))


@pytest.mark.parametrize("arguments", [["-qq"], ["-p", "no:terminal"]], ids=" ".join)
def test_where_nothing_shall_be_shown_nothing_is(slow, arguments):
    slow.write("conftest.py", SOON)

    assert "done" not in slow.run("recipes", *arguments).stdout.str()


def test_a_short_run_says_nothing(slow):
    assert "/8 done" not in slow.run("recipes").stdout.str()


def test_the_hook_hears_how_far_the_run_is(slow):
    slow.write("conftest.py", HEARS.replace("{then}", ""))

    result = slow.run("recipes")

    counts = heard(slow)
    assert {(count["worker"], count["thread"]) for count in counts} == {(False, "MainThread")}
    assert [count["total"] for count in counts] == [8] * len(counts)
    done = [count["done"] for count in counts]
    assert done == sorted(done)
    assert done[0] < done[-1] <= 8
    assert any(count["in_flight"] == 1 for count in counts)
    # at most once a second
    seconds = [count["seconds"] for count in counts]
    assert all(later - earlier > 0.99 for earlier, later in pairwise(seconds))
    # what it prints while an item waits is no part of what the item is said to have printed
    assert result.stdout.str().count("heard on the terminal") == len(counts)


def test_a_progress_hook_that_raises_is_named_and_the_run_goes_on(slow):
    slow.write("conftest.py", HEARS.replace("{then}", "raise ValueError('a mistake in the hook')"))

    result = slow.run("recipes")

    assert result.ret == 0
    told = [line for line in result.outlines if "pytest_llmeval_progress" in line]
    assert len(told) == 1
    assert "conftest.py raised ValueError: a mistake in the hook" in told[0]
    assert len(heard(slow)) >= 2


def test_a_hook_is_not_called_beside_a_test_that_may_have_patched_what_it_uses(project):
    with serve(answering("Paris"), delay=1.5) as server:
        project.write("endpoints/program.yaml", SERVER.format(url=server.url))
        project.write("conftest.py", HEARS.replace("{then}", "assert not Path('within.txt').exists()"))
        project.write(
            "test_own.py",
            """
            from pathlib import Path

            def test_asks(llmeval):
                Path("within.txt").touch()
                assert llmeval.ask("how?", endpoint="program").text == "Paris"
                Path("within.txt").unlink()
            """,
        )

        result = project.run()

    result.assert_outcomes(passed=1)
    assert "pytest_llmeval_progress" not in result.stdout.str()
