"""json_valid and json_schema: what is JSON, where it may stand, what fits."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_answers import scored, value

from pytest_llmeval.core.patterns import PatternTimeoutError
from pytest_llmeval.metrics.json_ import JsonSchema, JsonValid

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name"],
    "additionalProperties": False,
}


@given(VALUES)
def test_what_is_printed_as_json_is_json_bare_and_fenced(found):
    text = json.dumps(found)

    assert value(JsonValid(), text) == 1
    assert value(JsonValid(), f"Here:\n```json\n{text}\n```\nDone.") == 1
    assert value(JsonSchema({}), text) == 1
    assert value(JsonSchema({"const": found}), text) == 1


@pytest.mark.parametrize(
    "answer",
    [
        "",
        " ",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "{'a': 1}",
        '{"a": 1,}',
        "{a: 1}",
        "// c\n1",
        "{} {}",
        "yes",
        "\ufeff{}",
    ],
)
def test_what_is_nearly_json_is_none(answer):
    assert value(JsonValid(), answer) == 0
    assert value(JsonSchema({}), answer) == 0


@pytest.mark.parametrize("answer", ["5", "null", '"x"\n', "9" * 5000, "1e999", '{"a": 1, "a": 2}', '"\ud800"'])
def test_what_json_allows_is_json(answer):
    assert value(JsonValid(), answer) == 1


def test_nesting_without_end_is_no_fault_of_ours():
    assert value(JsonValid(), "[" * 100_000) == 0
    assert value(JsonSchema({"$ref": "#"}), "[]") == 0


@pytest.mark.parametrize(
    "answer",
    [
        "```json\n{}\n```",
        "```\n{}\n```",
        "~~~\n{}\n~~~",
        "  ````JSON\n{}\n  ````\n",
        "First:\n```python\nx = 1\n```\nthen:\n```\n{}\n```",
        "```json\n{}",
        "```json\r\n{}\r\n```",
    ],
)
def test_a_fenced_block_counts_unless_told_otherwise(answer):
    assert value(JsonValid(), answer) == 1
    assert value(JsonValid(fenced=False), answer) == 0


@pytest.mark.parametrize("answer", ["Here: {}", "```json\n{\n```", "code `{}` here"])
def test_json_amid_a_sentence_does_not(answer):
    assert value(JsonValid(), answer) == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ('{"name": "Ada", "age": 36}', "fits the schema"),
        ('{"name": "Ada", "age": "x"}', "$.age: 'x' is not of type 'integer'"),
        ("{}", "$: 'name' is a required property"),
        ('{"name": "Ada", "x": 1}', "$: the property 'x' is not in the schema"),
    ],
)
def test_the_reason_says_what_does_not_fit(answer, reason):
    found = scored(JsonSchema(PERSON), answer)

    assert found.reason == reason
    assert found.value == (reason == "fits the schema")


def test_one_block_that_fits_is_enough():
    answer = '```json\n{"name": "Ada"}\n```\nand\n```json\n5\n```'

    assert value(JsonSchema(PERSON), answer) == 1
    assert value(JsonSchema(PERSON, fenced=False), answer) == 0


def test_patterns_of_properties_are_kept_apart_from_other_properties():
    schema = {"patternProperties": {"^a": {"type": "string"}}, "additionalProperties": {"type": "integer"}}

    assert value(JsonSchema(schema), '{"ab": "x", "c": 1}') == 1
    assert value(JsonSchema(schema), '{"ab": 1}') == 0
    assert value(JsonSchema(schema), '{"c": "x"}') == 0


def test_a_schemas_pattern_is_run_with_a_limit(monkeypatch):
    monkeypatch.setattr("pytest_llmeval.core.patterns.LIMIT", 0.05)

    with pytest.raises(PatternTimeoutError):
        value(JsonSchema({"pattern": "(a|aa)+$"}), json.dumps("a" * 60 + "b"))


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "objekt"}, r"schema: \$\.type: 'objekt' is not valid"),
        ({"properties": {"a": {"minimum": "1"}}}, r"schema: \$\.properties\.a\.minimum: '1' is not of type 'number'"),
        ({"pattern": "("}, r"schema: \$\.pattern: the pattern '\(' does not compile"),
        ({"patternProperties": {"[": {}}}, r"schema: \$\.patternProperties: the pattern '\[' does not compile"),
        ({"$ref": "#/$defs/x"}, r"schema: \$\.\$ref: '#/\$defs/x' leads nowhere"),
        ({"$ref": "https://example.com/x"}, "leads nowhere"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "reads https://json-schema.org/draft/2020-12/schema"),
    ],
)
def test_a_schema_that_is_none_is_refused_with_its_place(schema, said):
    with pytest.raises(ValueError, match=said):
        JsonSchema(schema)


@pytest.mark.parametrize(
    ("schema", "answer", "fits"),
    [
        ({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array"}, "[]", 1),
        ({"$defs": {"x": {"type": "string"}}, "$ref": "#/$defs/x"}, "5", 0),
        ({"$id": "https://a.example/a", "$defs": {"x": {"$id": "x", "type": "string"}}, "$ref": "x"}, "5", 0),
        ({"prefixItems": [{"type": "string"}], "items": False}, '["x"]', 1),
        ({"prefixItems": [{"type": "string"}], "items": False}, '["x", 1]', 0),
        ({"const": {"pattern": "("}}, "5", 0),
        ({"format": "email"}, '"no address"', 1),
        ({"pattern": r"\p{Lu}"}, '"É"', 1),
    ],
)
def test_it_is_the_draft_of_2020(schema, answer, fits):
    assert value(JsonSchema(schema), answer) == fits
