"""includes, includes_any, includes_all, starts_with: a text stands in the answer."""

from __future__ import annotations

import pytest
from metric_answers import sample, scored, value

from pytest_llmeval.metrics.includes import Includes, IncludesAll, IncludesAny, StartsWith

ALL = [Includes(), IncludesAny(), IncludesAll(), StartsWith()]
IDS = [metric.id for metric in ALL]


@pytest.mark.parametrize("metric", ALL, ids=IDS)
def test_the_letters_count_unless_case_is_left_out(metric):
    assert value(metric, "Paris it is", "Paris") == 1
    assert value(metric, "PARIS it is", "Paris") == 0
    assert value(type(metric)(ignore_case=True), "PARIS it is", "Paris") == 1


@pytest.mark.parametrize("metric", ALL, ids=IDS)
def test_an_empty_answer_contains_nothing(metric):
    assert value(metric, "", "Paris") == 0


@pytest.mark.parametrize("metric", ALL, ids=IDS)
def test_an_empty_target_is_told_at_collection(metric):
    assert "empty text" in metric.check(sample("Paris", ""))
    assert metric.check(sample("Paris")) is None


@pytest.mark.parametrize(("cls", "given"), [(Includes, "text"), (StartsWith, "text")])
def test_a_text_of_its_own_takes_the_place_of_targets(cls, given):
    metric = cls(**{given: "No"})

    assert not metric.needs_target
    assert metric.check(sample("")) is None
    assert value(metric, "No, Paris") == 1
    assert value(metric, "Paris", "Paris") == 0


@pytest.mark.parametrize("cls", [IncludesAny, IncludesAll])
def test_texts_of_its_own_take_the_place_of_targets(cls):
    metric = cls(texts=("a", "b"))

    assert not metric.needs_target
    assert value(metric, "ab") == 1
    assert value(metric, "c", "c") == 0


@pytest.mark.parametrize("metric", ALL, ids=IDS)
def test_without_a_text_of_its_own_it_needs_a_target(metric):
    assert metric.needs_target
    with pytest.raises(ValueError, match="needs a target"):
        value(metric, "Paris")


def test_any_is_one_and_all_is_every():
    assert value(Includes(), "Ada L.", "Bob", "Ada") == 1
    assert value(IncludesAny(), "Ada L.", "Bob", "Ada") == 1
    assert value(IncludesAll(), "Ada L.", "Bob", "Ada") == 0
    assert value(IncludesAll(), "Ada and Bob", "Bob", "Ada") == 1


def test_what_all_lacks_is_named():
    assert scored(IncludesAll(), "Ada", "Bob", "Ada").reason == "'Ada' lacks 'Bob'"


def test_starts_with_leaves_out_white_space_before():
    assert value(StartsWith(), " \n\tParis", "Paris") == 1
    assert value(StartsWith(), "In Paris", "Paris") == 0
    assert value(StartsWith(), "Paris", "  Paris") == 1


def test_starts_with_takes_a_blank_target_for_an_empty_one():
    assert "empty text" in StartsWith().check(sample("  "))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Includes(text=""),
        lambda: StartsWith(text=" "),
        lambda: IncludesAny(texts=()),
        lambda: IncludesAll(texts=("a", "")),
    ],
)
def test_a_text_that_every_answer_has_is_refused(make):
    with pytest.raises(ValueError, match="write what to look for"):
        make()


def test_a_long_answer_is_shown_in_a_line():
    reason = scored(Includes(), "x\n" * 5000, "Paris").reason

    assert "\n" not in reason
    assert len(reason) < 200
