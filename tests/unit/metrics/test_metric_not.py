"""not: the contrary of another metric."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_answers import sample, scored, value

from pytest_llmeval.core.scores import traits, worst_value
from pytest_llmeval.metrics.exact_match import ExactMatch
from pytest_llmeval.metrics.f1_tokens import F1Tokens
from pytest_llmeval.metrics.includes import Includes
from pytest_llmeval.metrics.length import Length
from pytest_llmeval.metrics.levenshtein import Levenshtein
from pytest_llmeval.metrics.not_ import Not
from pytest_llmeval.metrics.numeric import Numeric
from pytest_llmeval.metrics.python import PythonMetric
from pytest_llmeval.metrics.refusal import Refusal

BOUNDED = [ExactMatch(), Includes(), F1Tokens(), Levenshtein(ignore_case=True), Refusal("answer")]


@pytest.mark.parametrize("inner", BOUNDED, ids=[inner.id for inner in BOUNDED])
@given(text=st.text())
def test_with_its_contrary_it_makes_the_whole_range(inner, text):
    assert value(inner, text, "cat") + value(Not(inner), text, "cat") == pytest.approx(1)
    assert value(Not(Not(inner)), text, "cat") == pytest.approx(value(inner, text, "cat"))


@pytest.mark.parametrize("inner", BOUNDED, ids=[inner.id for inner in BOUNDED])
def test_it_is_in_all_else_what_it_contradicts(inner):
    assert traits(Not(inner)) == traits(inner)


def test_where_there_is_no_text_it_fails_too():
    assert worst_value(Includes()) == 0
    assert worst_value(Not(Includes())) == 0


def test_an_empty_answer_contains_nothing_and_so_passes():
    assert value(Not(Includes(text="sorry")), "") == 1


def test_rows_are_checked_as_without_it():
    assert Not(Numeric()).check(sample("five")) == Numeric().check(sample("five"))
    assert Not(ExactMatch()).check(sample("five")) is None


def test_what_has_no_two_ends_has_no_contrary():
    with pytest.raises(ValueError, match="length has no contrary"):
        Not(Length())
    assert value(Not(Length(at_most=3)), "long text") == 1


def test_a_score_is_mirrored_within_its_own_range(monkeypatch):
    module = ModuleType("own_scores")
    module.stars = lambda response, sample: 4
    monkeypatch.setitem(sys.modules, "own_scores", module)
    metric = Not(PythonMetric("own_scores:stars", range=(1, 5)))

    assert value(metric, "x") == 2


def test_a_function_that_says_bool_has_a_contrary_before_anybody_loads_it(monkeypatch):
    def polite(response, sample) -> bool:
        return "please" in response.text

    module = ModuleType("own_scores")
    module.polite = polite
    monkeypatch.setitem(sys.modules, "own_scores", module)

    assert value(Not(PythonMetric("own_scores:polite")), "please") == 0


def test_the_reason_is_that_of_what_it_contradicts():
    assert scored(Not(Includes(text="sorry")), "so sorry").reason == "not: contains 'sorry'"
