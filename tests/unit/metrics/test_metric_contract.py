"""What holds for every metric that is shipped."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_answers import sample
from pydantic import TypeAdapter

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.registry import BUILT_IN, Registry
from pytest_llmeval.core.scores import checked, traits, worst_value
from pytest_llmeval.metrics.not_ import Not

NAMES = sorted(BUILT_IN["metric"])
REQUIRED = {
    "regex": {"pattern": "a+b|\\d"},
    "json_schema": {"schema": {"type": "object"}},
    "max_latency": {"seconds": 1},
    "refusal": {"expect": "answer"},
    "python": {"target": "operator:eq", "binary": True},
}
#: under which the metrics are tried besides their defaults
OTHERS = [
    ("exact_match", {"ignore_case": True, "ignore_punctuation": True, "normalize": "nfkc"}),
    ("includes", {"text": "a", "ignore_case": True}),
    ("includes_any", {"texts": ("a", "\ud800")}),
    ("numeric", {"decimal": ",", "pick": "only", "relative": 0.1}),
    ("numeric", {"pick": "first", "tolerance": 1}),
    ("length", {"at_most": 3}),
    ("length", {"unit": "words"}),
    ("json_schema", {"schema": {"items": {"type": "number", "multipleOf": 0.5}}}),
    ("refusal", {"expect": "refuse", "patterns": ("no",)}),
    ("levenshtein", {"ignore_case": True}),
    ("choice", {"letters": "ab"}),
]
#: pieces of which answers that mean something are made
PIECES = st.one_of(
    st.sampled_from("1,.-e5aA()\n {}[]\":$*_'’\r€\ud800\x00\u2028\u2212"),
    st.sampled_from(["```", "answer is ", "I can't ", "\\boxed{", "the", "sorry", "help"]),
)
TEXTS = st.one_of(st.text(), st.text(st.characters(codec=None)), st.lists(PIECES, max_size=12).map("".join))


def made(name, **options):
    cls = Registry().get("metric", name)
    assert cls is not None
    metric = cls(**{**REQUIRED.get(name, {}), **options})
    if name == "python":
        metric.load()
    return metric


ALL = [made(name) for name in NAMES]
TRIED = [metric for metric in ALL if metric.id != "python"] + [made(name, **options) for name, options in OTHERS]


def described(metric):
    return metric.id + "".join(f"-{value}" for value in dataclasses.astuple(metric) if isinstance(value, str | bool))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_registered_by_its_own_name(name):
    assert made(name).id == name


@pytest.mark.parametrize("metric", ALL, ids=NAMES)
def test_it_is_frozen_data_that_says_what_it_measures(metric):
    assert dataclasses.is_dataclass(metric)
    assert type(metric).__dataclass_params__.frozen
    assert type(metric).__doc__.strip()
    with pytest.raises(dataclasses.FrozenInstanceError):
        metric.id = "other"


@pytest.mark.parametrize("metric", ALL, ids=NAMES)
def test_it_says_all_of_itself(metric):
    for trait in ("better", "range", "binary", "needs_target", "reads_text", "blocking"):
        assert hasattr(metric, trait)
    own = traits(metric)
    assert own.better in {"high", "low", None}
    assert not own.binary or own.range == (0, 1)
    assert (own.better is None) == (metric.id == "length")


@pytest.mark.parametrize("name", NAMES)
def test_its_options_are_types_that_can_be_checked(name):
    cls = Registry().get("metric", name)

    adapter = TypeAdapter(cls)

    assert adapter.validate_python(REQUIRED.get(name, {})) is not None
    assert set(adapter.json_schema()["properties"]) == {field.name for field in dataclasses.fields(cls)}


def test_two_of_them_run_off_the_loop_and_one_that_runs_users_code():
    assert {metric.id for metric in ALL if traits(metric).blocking} == {"regex", "json_schema", "python"}


def test_one_reads_the_answer_as_it_came():
    assert {metric.id for metric in ALL if traits(metric).raw} == {"refusal"}


def test_one_reads_no_text():
    assert {metric.id for metric in ALL if not traits(metric).reads_text} == {"max_latency"}


@pytest.mark.parametrize("metric", TRIED, ids=described)
@settings(max_examples=60)
@given(text=TEXTS, target=TEXTS)
def test_no_answer_makes_it_raise_and_its_reason_is_one_line(metric, text, target):
    row = sample(*_fit(metric, target), choices=["a", text or "b"])
    response = Response(text, input_tokens=1, output_tokens=1, latency=0.5)

    found = checked(metric.score(response, row), metric)

    assert found.value is not None
    assert len(found.reason.splitlines()) == 1
    assert len(found.reason) < 1600
    found.reason.encode("utf-8")
    if traits(metric).bounded:
        contrary = Not(metric)
        assert checked(contrary.score(response, row), contrary).value == pytest.approx(sum(metric.range) - found.value)


@pytest.mark.parametrize("metric", TRIED, ids=described)
def test_an_empty_answer_is_an_answer(metric):
    found = metric.score(Response("", input_tokens=1, output_tokens=0, latency=0.5), sample("5", "B"))

    looks_for_something = traits(metric).reads_text and metric.id != "length"
    assert checked(found, metric).value == 0 if looks_for_something else found.value in {0, 1}


@pytest.mark.parametrize("metric", TRIED, ids=described)
def test_its_worst_is_0_where_its_scores_have_two_ends(metric):
    assert worst_value(metric) == (0 if traits(metric).bounded else None)
    if traits(metric).bounded:
        assert worst_value(Not(metric)) == 0


def _fit(metric, target):
    """A target that passes the metric's own check, of which the given one is made part."""
    check = getattr(metric, "check", None)
    if check is None or check(sample(target)) is None:
        return (target,)
    return (target, "5") if check(sample(target, "5")) is None else ("5",) if check(sample("5")) is None else ("A",)
