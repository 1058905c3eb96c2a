"""What is stored reads back equal, field by field, for any content."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.exchange import RateLimits, Response
from pytest_llmeval.core.measures import Band, Condition, Grading, Measure
from pytest_llmeval.core.record import CookbookRecord, GateRecord, Group, RecipeRecord, RunInfo, Totals, UnitRecord
from pytest_llmeval.core.result import Figure, Outcome, Score, Verdict
from pytest_llmeval.core.sample import Origin
from pytest_llmeval.state.sqlite import codec

# any text at all, lone surrogates and NUL among it
texts = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(
    ["", "\ud800", "\x00", "\udc80x", "é", "\u2028"]
)
numbers = st.floats(allow_nan=False)
counts = st.none() | st.integers(0, 10**12)

messages = st.lists(st.fixed_dictionaries({"role": texts, "content": texts}), max_size=3).map(tuple)
origins = st.builds(Origin, texts, st.integers(0, 10**6), st.integers(0, 500))
units = st.builds(
    UnitRecord,
    id=texts,
    nodeid=texts,
    ordinal=st.integers(0, 10**6),
    key=texts,
    sample=texts,
    dataset=texts,
    template=st.none() | texts,
    repeat=st.integers(1, 9),
    messages=messages,
    targets=st.lists(texts, max_size=3).map(tuple),
    cluster=st.none() | texts,
    skip=st.none() | texts,
    xfail=st.booleans(),
    origin=origins,
    selected=st.booleans(),
)
responses = st.builds(
    Response,
    text=texts,
    finish=texts,
    input_tokens=counts,
    output_tokens=counts,
    latency=st.none() | numbers,
    cost=st.none() | numbers,
    reasoning=st.none() | texts,
    limits=st.none() | st.builds(RateLimits, calls=counts, calls_reset=st.none() | numbers, tokens_remaining=counts),
)
scores = st.builds(Score, st.none() | numbers, texts)
outcomes = st.builds(
    Outcome,
    kind=st.sampled_from(["passed", "missed", "error", "not_asked"]),
    response=st.none() | responses,
    scores=st.dictionaries(texts, scores, max_size=3),
    extracted=st.none() | texts,
    error=st.none() | texts,
    traceback=st.none() | texts,
    cached=st.booleans(),
    attempts=st.integers(0, 9),
    endpoint_stopped=st.booleans(),
)
measures = st.builds(
    Measure,
    name=texts,
    better=st.sampled_from(["high", "low", None]),
    range=st.tuples(st.none() | numbers, st.none() | numbers),
    binary=st.booleans(),
    passing=st.none() | numbers,
    statistic=texts,
    builtin=st.booleans(),
    unit=texts,
    labels=st.lists(texts, max_size=2).map(tuple),
)
conditions = st.builds(
    Condition,
    measure=texts,
    statistic=texts,
    operator=st.sampled_from([">=", "=="]),
    value=numbers,
    text=texts,
    label=st.none() | texts,
    form=st.sampled_from(["short", "at_most"]),
    origin=origins,
)
gates = st.lists(st.builds(GateRecord, texts, conditions), max_size=2).map(tuple)
bands = st.lists(st.builds(Band, texts, st.integers(), st.integers()), max_size=3).map(tuple)
recipes = st.builds(
    RecipeRecord,
    id=texts,
    recipe=texts,
    path=texts,
    title=texts,
    endpoint=texts,
    groups=st.lists(st.builds(Group, texts, st.none() | texts), max_size=2).map(tuple),
    measures=st.dictionaries(texts, measures, max_size=2),
    gates=gates,
    headline=texts,
    tags=st.lists(texts, max_size=2).map(tuple),
    grading=st.none() | st.builds(Grading, texts, texts, bands),
    max_errors=st.sampled_from([0, 0.0, 3, 0.01, 1, 1.0]),
    repeats=st.integers(1, 9),
    clustered=st.booleans(),
    subset=texts,
    priced=st.booleans(),
    units=st.integers(0, 10**6),
    datasets=st.dictionaries(texts, st.dictionaries(texts, texts, max_size=2), max_size=2),
    ordinal=st.integers(0, 99),
)
figures = st.builds(Figure, st.none() | numbers, st.integers(0, 99), st.none() | numbers, reason=texts)
verdicts = st.builds(Verdict, st.sampled_from(["passed", "failed"]), st.none() | figures, st.none() | texts, texts)


@given(responses)
def test_a_response_reads_back(response):
    assert codec.load_response(codec.dump_response(response)) == response


@given(units)
def test_a_unit_reads_back(unit):
    body = codec.dump_unit(unit)

    assert codec.load_unit(body, unit.id, unit.ordinal, unit.key, selected=unit.selected) == unit
    # what stands in columns of its own is not in the body, so that runs share it
    other = replace(unit, id="other", ordinal=7, key="other", selected=not unit.selected)
    assert codec.dump_unit(other) == body


@given(outcomes)
def test_an_outcome_reads_back(outcome):
    response = None if outcome.response is None else codec.dump_response(outcome.response)

    assert codec.load_outcome(outcome.kind, codec.dump_outcome(outcome), response) == outcome


@given(recipes)
def test_a_recipe_reads_back_and_a_count_stays_a_count(recipe):
    read = codec.load(RecipeRecord, codec.dump(recipe))

    assert read == recipe
    assert type(read.max_errors) is type(recipe.max_errors)


@given(st.builds(CookbookRecord, texts, texts, texts, texts, texts, st.lists(texts).map(tuple), gates, st.integers()))
def test_a_cookbook_reads_back(cookbook):
    assert codec.load(CookbookRecord, codec.dump(cookbook)) == cookbook


@given(verdicts)
def test_a_verdict_reads_back(verdict):
    assert codec.load(Verdict, codec.dump(verdict)) == verdict


@given(st.builds(Totals, st.integers(), st.integers(), st.integers(), counts, st.none() | numbers))
def test_totals_read_back(totals):
    assert codec.load(Totals, codec.dump(totals)) == totals


def test_a_run_reads_back_with_its_environment():
    info = RunInfo("r", 12.5, "/root", {"versions": {"pytest": "9"}, "arguments": ["-k", "x"], "git": None})

    assert codec.load(RunInfo, codec.dump(info)) == info


@pytest.mark.parametrize(
    ("cls", "strategy_fields"),
    [(Response, 8), (Outcome, 9), (UnitRecord, 15)],
)
def test_a_field_that_was_added_gets_a_codec(cls, strategy_fields):
    """These are written by hand: a new field must be added to both halves, and to the strategies above."""
    from dataclasses import fields

    assert len(fields(cls)) == strategy_fields


def test_what_a_later_version_added_is_passed_over():
    assert codec.load(Totals, '{"asked":1,"added_later":{"x":1}}') == Totals(asked=1)


@given(texts)
def test_any_text_stands_in_a_column(text):
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (x TEXT NOT NULL PRIMARY KEY)")
    connection.execute("INSERT INTO t VALUES (?)", (codec.bind(text),))

    (found,) = connection.execute("SELECT x FROM t WHERE x = ?", (codec.bind(text),)).fetchone()

    assert codec.unbind(found) == text
    connection.close()


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(TypeError, match="set is not JSON serializable"):
        codec.dumps({"x": {1}})
