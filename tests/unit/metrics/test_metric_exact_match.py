"""exact_match: equality, and what its options leave out of account."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_answers import scored, value

from pytest_llmeval.metrics.exact_match import ExactMatch

OPTIONS = st.builds(
    ExactMatch,
    ignore_case=st.booleans(),
    ignore_punctuation=st.booleans(),
    normalize=st.sampled_from(["none", "nfc", "nfkc"]),
)
LOOSE = ExactMatch(ignore_punctuation=True)


@given(OPTIONS, st.text())
def test_a_text_is_itself_under_every_option(metric, text):
    assert value(metric, text, text) == 1


def test_white_space_at_the_ends_is_left_out_on_both_sides():
    assert value(ExactMatch(), "\n Paris\u00a0", "Paris ") == 1


def test_white_space_within_counts():
    assert value(ExactMatch(), "New  York", "New York") == 0


@pytest.mark.parametrize(("answer", "target"), [("paris", "Paris"), ("Paris.", "Paris"), ("", "Paris"), ("5", "5.0")])
def test_nothing_else_is_left_out_by_default(answer, target):
    assert value(ExactMatch(), answer, target) == 0


def test_any_target_will_do():
    assert value(ExactMatch(), "Ada", "Ada Lovelace", "Ada") == 1


def test_the_empty_answer_equals_the_empty_target_alone():
    assert value(ExactMatch(), "", "") == 1
    assert value(ExactMatch(), " \n", "") == 1
    assert value(ExactMatch(), "", "a") == 0


def test_case_is_folded_not_lowered():
    assert value(ExactMatch(ignore_case=True), "STRASSE", "Straße") == 1


@pytest.mark.parametrize(
    ("answer", "target", "same"),
    [
        ("Paris.", "Paris", 1),
        ("“Paris”!", "Paris", 1),
        ("`Paris`", "Paris", 1),
        ("**Paris**", "Paris", 1),
        ("¿Qué?", "Qué", 1),
        ("well - known", "well known", 1),
        ("a\tb", "a b", 1),
        ("1,000", "1000", 0),
        ("3.14", "314", 0),
        ("5.0", "50", 0),
        ("10:30.", "10:30", 1),
        ("-5", "5", 0),
        ("$-.5", "$5", 0),
        ("5.", "5", 1),
        ("(-5)", "-5", 1),
        ("COVID-19", "COVID19", 1),
        ("C++", "C", 0),
    ],
)
def test_punctuation_goes_where_it_belongs_to_no_number(answer, target, same):
    assert value(LOOSE, answer, target) == same


@pytest.mark.parametrize(("answer", "target"), [("", "..."), ("...", ""), ("...", "!!!"), ("?", "")])
def test_a_text_of_punctuation_is_not_nothing(answer, target):
    assert value(LOOSE, answer, target) == 0


def test_normal_forms_make_one_text_of_two_spellings():
    assert value(ExactMatch(), "e\u0301", "é") == 0
    assert value(ExactMatch(normalize="nfc"), "e\u0301", "é") == 1
    assert value(ExactMatch(normalize="nfc"), "ﬁn", "fin") == 0
    assert value(ExactMatch(normalize="nfkc"), "ﬁn", "fin") == 1


def test_the_reason_names_both_texts():
    assert scored(ExactMatch(), "Istanbul", "Ankara").reason == "'Istanbul' is not 'Ankara'"
    assert scored(ExactMatch(), "it's", "a", "b", "c", "d").reason == "\"it's\" is none of 'a', 'b', 'c' and 1 more"
