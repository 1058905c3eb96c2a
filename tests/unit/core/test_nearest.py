"""What differs between two requests: which part, with both values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.digest import canonical
from pytest_llmeval.core.nearest import Difference, Nearest, differences, likeness

texts = st.text(st.characters(codec=None), max_size=6)
scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
parts = st.dictionaries(texts, values, max_size=4)


def request(*contents: str, **parameters: object) -> dict[str, object]:
    return {
        "connector": "openai",
        "identity": {"model": "small-1"},
        "messages": [{"role": "user", "content": content} for content in contents],
        "parameters": parameters,
        "repeat": 1,
    }


@given(parts, parts)
def test_two_requests_differ_in_something_exactly_where_their_keys_do(here, stored):
    assert bool(differences(here, stored)) == (canonical(here) != canonical(stored))


@given(parts, parts)
def test_every_difference_is_one_harmless_short_line(here, stored):
    for one in differences(here, stored):
        for text in (one.part, one.here, one.stored):
            text.encode()
            assert "\n" not in text
        assert len(one.here) < 80


@pytest.mark.parametrize(
    ("here", "stored", "expected"),
    [
        ({"temperature": 0}, {"temperature": 0.7}, ("parameters.temperature", "0", "0.7")),
        ({"temperature": 0}, {"temperature": 0.0}, ("parameters.temperature", "0", "0.0")),
        ({"flag": 1}, {"flag": True}, ("parameters.flag", "1", "true")),
        ({"seed": 3}, {}, ("parameters.seed", "3", "none")),
        ({}, {"stop": ["a"]}, ("parameters.stop", "none", '["a"]')),
        ({"stop": ["a", "b"]}, {"stop": ["a", "c"]}, ("parameters.stop[1]", "'b'", "'c'")),
        ({"stop": ["a"]}, {"stop": "a"}, ("parameters.stop", '["a"]', "'a'")),
        ({"format": {"type": "x"}}, {"format": {"type": "y"}}, ("parameters.format.type", "'x'", "'y'")),
    ],
)
def test_a_part_is_named_by_its_path_with_both_values(here, stored, expected):
    assert differences(request(**here), request(**stored)) == (Difference(*expected),)


def test_long_values_are_trimmed_in_the_middle():
    (one,) = differences(request(stop=["a" * 500]), request(stop=7))

    assert len(one.here) <= 60
    assert one.here.startswith('["aaa')
    assert one.here.endswith('aaa"]')


def test_long_messages_show_where_they_part():
    begin = "You are a helpful assistant who knows the capitals of all countries. "
    here = request(f"{begin}What is the capital of Turkey? {'x' * 100}")
    stored = request(f"{begin}What is the capital of Peru? {'x' * 100}")

    (one,) = differences(here, stored)

    assert one.part == "messages[0].content from character 93 on"
    assert one.here.startswith("…' the capital of Turkey? xxx")
    assert one.stored.startswith("…' the capital of Peru? xxx")
    assert one.stored.endswith("'…")


def test_conversations_of_different_length_show_who_speaks():
    here, stored = request("Hi"), request("Hi", "Ho")
    here["messages"] = [{"role": "system", "content": "Be short."}, *here["messages"], *here["messages"]]

    assert differences(here, stored) == (Difference("messages", "system, user, user", "user, user"),)


def test_a_sentence_names_a_few_and_counts_the_rest():
    here, stored = request("Hi", a=1, b=2, c=3, d=4), request("Hi", a=5, b=6, c=7, d=8)

    found = differences(here, stored)

    assert str(Nearest(0.0, found[:1])) == ("The nearest stored request differs in parameters.a (here 1, stored 5)")
    assert str(Nearest(0.0, found)) == (
        "The nearest stored request differs in parameters.a (here 1, stored 5), parameters.b (here 2, stored 6), "
        "parameters.c (here 3, stored 7) and 1 more"
    )


def test_what_differs_in_nothing_that_is_stored_differs_in_a_secret():
    assert "the value of a secret alone" in str(Nearest(0.0, ()))


def test_a_corrected_prompt_is_more_like_the_old_one_than_another_is():
    here = request("What is the capital of Turkey?")["messages"]
    old, other = (request(text)["messages"] for text in ("What is teh capital of Turkey?", "Add 3 and 4."))

    assert likeness(here, old) > likeness(here, other)
    assert likeness(here, here) == 1
    assert likeness(None, json.loads('[{"role": "user"}, 3]')) == 0
