"""Counts of units and of requests."""

from __future__ import annotations

import pytest
from grading_rows import World, answer
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.result import Outcome
from pytest_llmeval.grading.summary import summarize


def counts(world, counted=None):
    return summarize(world.recipe, world.rows, counted).counts


def test_units_are_counted_by_outcome():
    world = World()
    world.answer("good", 1)
    world.answer("bad", 0)
    world.answer("worse", 0)
    world.answer("refused", 0, kind="refused")
    world.answer("broken", {}, kind="metric_error")
    world.error("kenya")
    world.add("oman", Outcome("not_asked"))
    world.add("cuba", None)
    world.add("peru", Outcome("skipped"), skip="no time")
    found = counts(world)
    assert (found.passed, found.missed, found.refused, found.errors) == (1, 2, 1, 1)
    assert (found.metric_errors, found.not_asked, found.skipped) == (1, 2, 1)
    assert (found.requests, found.asked, found.cached) == (8, 6, 0)


def test_a_request_of_several_units_is_one():
    world = World().answers([1, 1, 1], key="same")
    found = counts(world)
    assert (found.requests, found.asked, found.tokens) == (1, 1, 15)
    assert found.cost == pytest.approx(0.001)


def test_cached_is_what_was_answered_before_the_run_began():
    world = World().answers([1, 1], cached=True)
    world.answer("new", 1)
    found = counts(world)
    assert (found.requests, found.asked, found.cached, found.tokens) == (3, 1, 2, 45)


def test_a_request_that_two_recipes_share_is_asked_at_the_first():
    first, second = World().answers([1, 1], key="same"), World().answers([1, 1], key="same")
    second.answer("own", 1)
    counted: set[str] = set()
    assert counts(first, counted).asked == 1
    again = counts(second, counted)
    assert (again.requests, again.asked, again.cached) == (2, 1, 0)
    assert counts(World().answers([1], key="same", cached=True), counted).cached == 1


def test_what_a_selection_left_out_is_asked_where_it_was_asked():
    first, second = World(), World().answers([1], key="same")
    first.add("peru", None, selected=False, key="same")
    counted: set[str] = set()
    assert counts(first, counted).requests == 0
    assert counts(second, counted).asked == 1


def test_an_error_that_was_never_sent_was_not_asked():
    world = World()
    world.add("kenya", Outcome("error", error="endpoint stopped", attempts=0))
    world.error("oman")
    assert counts(world).asked == 1


@pytest.mark.parametrize(
    ("response", "tokens", "cost"),
    [(answer(tokens=None), None, 0.003), (answer(cost=None), 45, None), (answer(tokens=0, cost=0), 35, 0.002)],
)
def test_totals_are_unknown_where_one_answer_lacks_its_own(response, tokens, cost):
    world = World().answers([1, 1])
    world.answer("kenya", 1, response=response)
    found = counts(world)
    assert found.tokens == tokens
    assert found.cost == (None if cost is None else pytest.approx(cost))


def test_a_recipe_without_answers_spent_nothing():
    world = World()
    world.error("kenya")
    assert (counts(world).tokens, counts(world).cost) == (0, 0)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["asked", "cached", "error", "not_asked"])), max_size=12
    ),
    st.randoms(use_true_random=False),
)
def test_no_order_of_rows_changes_the_counts(entries, dice):
    fate: dict[str, str] = {}
    world = World()
    for number, (key, kind) in enumerate(entries):
        what = fate.setdefault(key, kind)
        if what in {"asked", "cached"}:
            world.answer(f"s{number}", 1, key=key, cached=what == "cached")
        else:
            world.add(
                f"s{number}", Outcome("error" if what == "error" else "not_asked", attempts=what == "error"), key=key
            )
    before = counts(world, {"b"})
    dice.shuffle(world.rows)
    assert counts(world, {"b"}) == before
    assert before.requests == len(fate)
    assert before.cached == list(fate.values()).count("cached")
    assert before.asked == sum(what in {"asked", "error"} and key != "b" for key, what in fate.items())
