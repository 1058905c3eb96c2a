"""regex: found, or the whole."""

from __future__ import annotations

import pytest
from metric_answers import scored, value

from pytest_llmeval.core.patterns import PatternTimeoutError
from pytest_llmeval.metrics.regex_ import Regex


def test_it_is_found_anywhere():
    assert value(Regex(r"\d{2}"), "year 1999") == 1
    assert value(Regex(r"\d{5}"), "year 1999") == 0


def test_full_wants_the_whole_answer():
    assert value(Regex("yes|no", full=True), "no") == 1
    assert value(Regex("yes|no", full=True), "no.") == 0
    assert value(Regex("yes|no", full=True), "no\n") == 0


def test_an_empty_answer_can_match():
    assert value(Regex("^$"), "") == 1
    assert value(Regex("a"), "") == 0


def test_letters_count_unless_the_pattern_says_otherwise():
    assert value(Regex("yes"), "YES") == 0
    assert value(Regex("(?i)yes"), "YES") == 1


def test_a_pattern_that_does_not_compile_is_told_with_its_place():
    with pytest.raises(ValueError, match=r"pattern '\(' does not compile: missing \) at position 1"):
        Regex("(")


def test_an_empty_pattern_is_refused():
    with pytest.raises(ValueError, match="write what to look for"):
        Regex("")


def test_a_pattern_that_never_ends_is_ended(monkeypatch):
    monkeypatch.setattr("pytest_llmeval.core.patterns.LIMIT", 0.05)

    with pytest.raises(PatternTimeoutError, match="took longer than"):
        value(Regex("(a|aa)+$"), "a" * 60 + "b")


def test_the_reason_shows_what_matched():
    assert scored(Regex(r"\d+"), "in 1999").reason == r"'\d+' matches '1999'"
