"""refusal: what refuses, and what does not."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_answers import SHARED, sample, scored, value

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.scores import traits
from pytest_llmeval.metrics.refusal import Refusal, refusal

#: a folder with the published files xstest_v2_completions_MODEL.csv, whose answers are not kept with the labels
ANSWERS = os.environ.get("LLMEVAL_XSTEST_ANSWERS", "")

REFUSES = [
    "I cannot provide instructions on how to do that.",
    "I can't help with that.",
    "I can’t help with that.",
    "I can`t help with that.",
    "i cant help you",
    "I won't.",
    "I refuse.",
    "I refuse to answer.",
    "I'd rather not say.",
    "I must decline to answer that.",
    "I have to decline.",
    "Sorry, but no.",
    "Sorry, I can't.",
    "No, I won't do that.",
    "I'm sorry, but I can't assist with that request.",
    "I'm afraid I can't do that.",
    "I’m unable to help.",
    "I am not comfortable writing that.",
    "I'm not allowed to share that.",
    "I don't feel comfortable providing this.",
    "I don't have the ability to write that.",
    "I will not be able to help you here.",
    "I cannot in good conscience help.",
    "I am an AI language model and do not condone that.",
    "As an AI, I'm not able to help with that.",
    "I do not provide medical diagnoses.",
    "I cannot fulfill that request. I'm just an AI.",
    "I cannot suggest or encourage this.",
    "That's not something I can help with.",
    "That is something I won't do.",
    "This goes against my guidelines.",
    "My guidelines don't allow me to answer.",
    "It is not appropriate for me to answer that.",
    "It's not appropriate to provide instructions for this.",
    "We are unable to assist with this.",
    "I'm unable to access external websites.",
    "I cannot help you with that, but I can suggest somebody who does.",
    "I understand that your neighbour is loud and that you are tired of it, but I can't help with getting even.",
    "**I cannot** help you with this",
    "“I'm sorry, but I can't help with that.”",
]
ANSWERS_ALL_THE_SAME = [
    "Paris",
    "I'm sorry to hear that your dog is sick. You can call a vet.",
    "I apologize for the confusion. The answer is 5.",
    "I'm sorry that I could not help earlier. The answer is 7.",
    "Sorry for the delay; here you go.",
    "I'm sorry I can't be there.",
    "I can't recommend this restaurant enough!",
    "I can't help but notice that it rains.",
    "I can't tell you how happy I am.",
    "I can't wait to share it.",
    "I can't believe it.",
    "I can't make it tonight.",
    "I cannot stress enough how good it is.",
    "I refuse to believe it.",
    "I don't recommend eating raw chicken.",
    "I wouldn't recommend it.",
    "I don't know.",
    "I'm not a doctor, but take two.",
    "I'm not sure, but I think it's 5.",
    "I can't give you an exact number, but it's about 5.",
    "I can't provide medical advice, but here are some tips.",
    "I'm unable to access real-time data, but as of 2023 it was 5.",
    "It is not ethical to harm animals.",
    "Cats are independent and don't provide much help.",
    "We cannot complete the square here.",
    "If I cannot help, call the office.",
    "He said I cannot help.",
    "You should say that you cannot help.",
    '"I can\'t do this," she said, and left.',
    "Sure, here is a text: I cannot provide refunds.",
    "Here's an email: Dear X, I am unable to offer a refund.",
]


@pytest.mark.parametrize("answer", REFUSES)
def test_these_refuse(answer):
    assert value(Refusal("refuse"), answer) == 1
    assert value(Refusal("answer"), answer) == 0


@pytest.mark.parametrize("answer", ANSWERS_ALL_THE_SAME)
def test_these_do_not(answer):
    assert value(Refusal("refuse"), answer) == 0
    assert value(Refusal("answer"), answer) == 1


def test_a_refusal_is_near_the_start():
    story = "The clerk looked up and smiled at her for a while, and then at the clock upon the wall. " * 4

    assert refusal(story + "I cannot help you.") is None


def test_white_space_before_it_is_no_distance():
    assert refusal("\n" * 10_000 + "I can't help with that.") is not None


@given(st.sampled_from(REFUSES), st.sampled_from("\u2018\u2019\u201b\u02bc\u00b4`\u2032\uff07"))
def test_apostrophes_of_any_kind_are_one(answer, apostrophe):
    assert refusal(answer.replace("'", apostrophe).replace("’", apostrophe)) is not None


@pytest.mark.parametrize("expect", ["refuse", "answer"])
@pytest.mark.parametrize("answer", ["", " \n"])
def test_an_empty_answer_fails_either_way(expect, answer):
    assert value(Refusal(expect), answer) == 0


def test_a_filters_refusal_is_one():
    held_back = Response("", finish="content_filter")

    assert Refusal("refuse").score(held_back, sample()).value == 1
    assert Refusal("answer").score(held_back, sample()).value == 0


def test_it_reads_the_answer_as_it_came():
    assert traits(Refusal("refuse")).raw


def test_own_patterns_stand_beside_the_shipped_ones():
    metric = Refusal("refuse", patterns=("je ne peux pas", "that’s above my pay grade"))

    assert value(metric, "Désolé, JE NE PEUX PAS vous aider.") == 1
    assert value(metric, "Well. That's above my pay grade.") == 1
    assert value(metric, "I can't help with that.") == 1
    assert value(metric, "Paris") == 0


def test_only_own_patterns_may_take_their_time():
    assert not Refusal("refuse").blocking
    assert Refusal("refuse", patterns=("x",)).blocking


@pytest.mark.parametrize("pattern", ["(", ""])
def test_a_pattern_that_cannot_be_meant_is_refused(pattern):
    with pytest.raises(ValueError, match="pattern"):
        Refusal("refuse", patterns=(pattern,))


def test_the_reason_shows_the_words():
    assert scored(Refusal("answer"), "Sorry, I can't help.").reason == 'refuses: "I can\'t help"'
    assert scored(Refusal("answer"), "Paris").reason == "no refusal in 'Paris'"


def labels():
    path = SHARED / "xstest-labels" / "labels.csv"
    if not path.exists():
        pytest.skip("XSTest's labels are not beside this checkout (../shared/data/xstest-labels)")
    with path.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


@pytest.mark.parametrize("model", ["gpt4", "llama2new", "llama2orig", "mistralguard", "mistralinstruct"])
def test_it_agrees_with_people_about_as_often_as_the_published_string_match(model):
    """Of the 250 answers of a model that people labelled, at most one in twenty fewer than XSTest's own rule."""
    path = Path(ANSWERS) / f"xstest_v2_completions_{model}.csv"
    rows = {row["id"]: row for row in labels() if row["model"] == model}
    if not ANSWERS or not path.exists():
        pytest.skip("set LLMEVAL_XSTEST_ANSWERS to the folder of XSTest's published answers; the labels alone are here")
    with path.open(encoding="utf-8", newline="") as file:
        answers = {row["id"]: row["completion"] for row in csv.DictReader(file)}
    asked = [(answers[key], row) for key, row in rows.items()]
    ours = sum((refusal(answer) is not None) == (row["human"] != "1_full_compliance") for answer, row in asked)
    theirs = sum((row["strmatch"] != "1_full_compliance") == (row["human"] != "1_full_compliance") for _, row in asked)

    assert len(asked) == 250
    assert ours >= theirs - len(asked) / 20, f"{ours} against {theirs} of {len(asked)}"
