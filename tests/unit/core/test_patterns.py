"""Patterns are compiled with a place for what is wrong, and run with a limit."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from pytest_llmeval.core.patterns import LIMIT, Pattern, PatternTimeoutError

ENDLESS = "(a|aa)+$"
TRAP = "a" * 60 + "b"


@pytest.fixture
def _short(monkeypatch):
    monkeypatch.setattr("pytest_llmeval.core.patterns.LIMIT", 0.1)


def test_a_search_may_take_two_seconds():
    assert LIMIT == 2


@pytest.mark.usefixtures("_short")
@pytest.mark.parametrize("run", [Pattern.search, Pattern.fullmatch, lambda p, text: list(p.matches(text))])
def test_a_search_without_end_is_ended(run):
    began = time.perf_counter()

    with pytest.raises(PatternTimeoutError, match=r"the pattern '\(a\|aa\)\+\$' took longer than"):
        run(Pattern(ENDLESS), TRAP)

    assert time.perf_counter() - began < 5


@pytest.mark.usefixtures("_short")
def test_all_matches_share_one_limit():
    """Each search of the many below is short of the limit; together they are not."""
    pattern = Pattern("(?:(a|aa)+c|z)")

    with pytest.raises(PatternTimeoutError):
        list(pattern.matches(("a" * 18 + "z") * 20_000))


def test_other_threads_go_on_meanwhile(monkeypatch):
    monkeypatch.setattr("pytest_llmeval.core.patterns.LIMIT", 0.5)
    ticks = 0
    ended = threading.Event()

    def tick():
        nonlocal ticks
        while not ended.wait(0.005):
            ticks += 1

    other = threading.Thread(target=tick)
    other.start()
    with pytest.raises(PatternTimeoutError):
        Pattern(ENDLESS).search(TRAP)
    ended.set()
    other.join()

    assert ticks > 10


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "missing ) at position 1"),
        ("a[", "unterminated character set at position 2"),
        ("*a", "nothing to repeat at position 0"),
        ("\\", "bad escape (end of pattern) at position 1"),
        ("(?P<x>a", "missing ) at position 7"),
    ],
)
def test_a_pattern_that_does_not_compile_is_told_with_its_place(pattern, said):
    with pytest.raises(ValueError, match="does not compile") as raised:
        Pattern(pattern)

    assert str(raised.value) == f"the pattern '{pattern}' does not compile: {said}"


def test_what_re_reads_is_read_alike():
    assert Pattern(r"(?i)answer:\s*(\w+)$").search("ANSWER: b").group(1) == "b"
    assert Pattern("yes|no").fullmatch("no.") is None
    assert [match.group() for match in Pattern(r"\d").matches("a1b2")] == ["1", "2"]


def test_case_can_be_left_out_for_the_whole():
    assert Pattern("YES", ignore_case=True).search("yes")
    assert Pattern("YES").search("yes") is None


@pytest.mark.parametrize("text", ["\ud800a", "\x00a", "a" * 2_000_000])
def test_any_text_can_be_searched(text):
    assert Pattern("a").search(text)


def test_the_package_is_imported_at_the_first_pattern_alone():
    program = "import sys, pytest_llmeval.core.extraction, pytest_llmeval.metrics.regex_; print('regex' in sys.modules)"

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "False"
