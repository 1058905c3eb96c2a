"""levenshtein and f1_tokens: how near an answer comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_answers import scored, value

from pytest_llmeval.metrics.f1_tokens import F1Tokens
from pytest_llmeval.metrics.levenshtein import Levenshtein

BOTH = [Levenshtein(), F1Tokens()]
IDS = [metric.id for metric in BOTH]
WORDS = st.lists(st.sampled_from(["the", "a", "cat", "Cat", "sat,", "on", "mat.", "5"])).map(" ".join)
TEXTS = st.one_of(st.text(), WORDS)


@pytest.mark.parametrize("metric", BOTH, ids=IDS)
@given(one=TEXTS, other=TEXTS)
def test_it_has_no_order_and_stays_between_0_and_1(metric, one, other):
    found = value(metric, one, other)

    assert found == value(metric, other, one)
    assert 0 <= found <= 1


@pytest.mark.parametrize("metric", BOTH, ids=IDS)
@given(text=TEXTS)
def test_a_text_is_wholly_like_itself(metric, text):
    assert value(metric, text, text) == 1


@given(st.text(), st.text())
def test_only_the_same_text_is_wholly_like_another(one, other):
    assert (value(Levenshtein(), one, other) == 1) == (one == other)


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_text_is_as_near_as_what_it_needs_not_change(text, tail):
    assert value(Levenshtein(), text + tail, text) == pytest.approx(len(text) / len(text + tail))


def test_kitten_is_three_edits_from_sitting():
    assert value(Levenshtein(), "kitten", "sitting") == pytest.approx(1 - 3 / 7)


def test_the_best_target_counts():
    assert value(Levenshtein(), "cat", "dog", "cats") == 0.75
    assert value(F1Tokens(), "black cat", "dog", "cat") == pytest.approx(2 / 3)


def test_case_can_be_left_out():
    assert value(Levenshtein(), "CAT", "cat") == 0
    assert value(Levenshtein(ignore_case=True), "CAT", "cat") == 1


@pytest.mark.parametrize("metric", BOTH, ids=IDS)
def test_an_empty_answer_is_like_an_empty_target_alone(metric):
    assert value(metric, "", "") == 1
    assert value(metric, "", "cat") == 0
    assert value(metric, "cat", "") == 0


@pytest.mark.parametrize(
    ("answer", "target", "f1"),
    [
        ("The Cat!", "cat", 1),
        ("a cat", "an cat", 1),
        ("the", "...", 1),
        ("the", "cat", 0),
        ("cat cat", "cat", 2 / 3),
        ("in the house of cards", "house", 2 / 5),
        ("twenty-five", "twentyfive", 1),
        ("dog", "cat", 0),
    ],
)
def test_tokens_are_squads(answer, target, f1):
    assert value(F1Tokens(), answer, target) == pytest.approx(f1)


def test_the_reason_names_the_nearest_target():
    assert scored(F1Tokens(), "black cat", "dog", "cat").reason == "0.667 against 'cat'"
    assert scored(Levenshtein(), "cat", "dog", "cats").reason == "0.750 against 'cats'"
