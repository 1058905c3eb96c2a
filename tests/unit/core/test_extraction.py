"""What is extracted from an answer, and what is said where nothing is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.extraction import Extraction, LastLine, Lower, RegexStep, Strip
from pytest_llmeval.core.patterns import PatternTimeoutError

ANSWER = RegexStep("Answer: (.*)")


def extracted(text, *steps):
    return Extraction(steps).apply(text)


def test_the_last_match_counts_unless_the_first_is_asked_for():
    text = "Answer: 1\nAnswer: 2"

    assert extracted(text, ANSWER) == "2"
    assert extracted(text, RegexStep("Answer: (.*)", "first")) == "1"


def test_the_first_group_that_took_part_is_taken():
    step = RegexStep(r"(?:A=(\d+)|B=(\d+))")

    assert extracted("B=7", step) == "7"
    assert extracted("B=7 A=8", step) == "8"


def test_without_a_group_it_is_the_whole_match():
    assert extracted("room 12", RegexStep(r"\d+")) == "12"
    assert extracted("b", RegexStep("(a)?b")) == "b"


def test_an_empty_text_that_is_found_is_a_text():
    assert extracted("Answer: ", ANSWER) == ""


def test_where_a_pattern_does_not_match_nothing_is_found_and_the_step_is_named():
    found = Extraction((Strip(), ANSWER, Lower()))

    assert found.apply("forty-two") is None
    assert found.describe_failure("forty-two") == "extract regex 'Answer: (.*)' does not match"
    assert found.describe_failure("Answer: X") == ""


def test_a_later_step_that_fails_is_the_one_that_is_named():
    found = Extraction((ANSWER, RegexStep(r"\d+")))

    assert found.describe_failure("Answer: none") == r"extract regex '\d+' does not match"


def test_steps_go_one_after_another():
    assert extracted("Thinking.\nAnswer:  BLUE \n\n", LastLine(), RegexStep("Answer:(.*)"), Strip(), Lower()) == "blue"


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\nb", "b"), ("a\nb\n\n  \n", "b"), ("a\r\nb\r\n", "b"), ("a\rb", "b"), ("a", "a"), ("", ""), (" \n ", "")],
)
def test_the_last_line_is_the_last_that_is_not_blank(text, line):
    assert extracted(text, LastLine()) == line


def test_a_line_ends_at_line_ends_alone():
    assert extracted("a\u2028b\x0cc", LastLine()) == "a\u2028b\x0cc"


@given(st.text())
def test_only_a_pattern_finds_nothing(text):
    assert extracted(text, Strip(), Lower(), LastLine()) is not None
    assert extracted(text) == text


def test_a_pattern_that_does_not_compile_is_refused():
    with pytest.raises(ValueError, match="does not compile"):
        RegexStep("(")


@pytest.mark.parametrize("match", ["first", "last"])
def test_a_pattern_without_end_is_ended(match, monkeypatch):
    monkeypatch.setattr("pytest_llmeval.core.patterns.LIMIT", 0.05)

    with pytest.raises(PatternTimeoutError):
        extracted("a" * 60 + "b", RegexStep("(a|aa)+$", match))


def test_a_long_pattern_is_named_in_one_line():
    said = Extraction((RegexStep("(?x)\n" + "z" * 500),)).describe_failure("a")

    assert "\n" not in said
    assert len(said) < 150
