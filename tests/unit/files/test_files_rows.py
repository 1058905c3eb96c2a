"""Rows to samples: text by nature, ids, targets, reasons, fields; what is wrong with a row, at its place."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.digest import digest
from pytest_llmeval.files.document import Document, Place
from pytest_llmeval.files.reader import read_yaml
from pytest_llmeval.files.rows import meant_by, read_rows, slug


def read(text):
    """The samples of a list of rows in YAML."""
    document = read_yaml(text, "d.yaml")
    assert document.faults == ()
    return read_rows((row, Place(document, (index,))) for index, row in enumerate(document.root))


def samples(text):
    found = read(text)
    assert found.faults == ()
    return found.samples


def faults(text):
    return [str(fault) for fault in read(text).faults]


def test_text_by_nature_is_what_was_written():
    one, two, three = samples(
        """
- {id: 007, input: 1.10, target: [007, no, true, 0x1F], metadata: {year: 2020-01-01, no: yes}}
- {input: off, target: ~, system: 1_000, tags: [1, on]}
- {input: "~", target: [], metadata: {a: null}}
"""
    )

    assert (one.id, one.input, one.targets) == ("007", "1.10", ("007", "no", "true", "0x1F"))
    assert one.metadata == {"year": "2020-01-01", "no": "yes"}
    assert (two.input, two.targets, two.system, two.tags) == ("off", (), "1_000", ("1", "on"))
    assert (three.input, three.targets, three.metadata) == ("~", (), {})


def test_an_empty_target_is_the_empty_text():
    assert samples('- {input: a, target: ""}')[0].targets == ("",)


def test_other_keys_are_fields_and_typed():
    sample = samples("- {input: a, level: 3, hard: true, note: 1_000, none: ~, list: [1, b], map: {x: 0.5}}")[0]

    assert sample.fields == {
        "level": 3,
        "hard": True,
        "note": "1_000",
        "none": None,
        "list": [1, "b"],
        "map": {"x": 0.5},
    }


def test_a_conversation_is_its_messages_and_its_input_the_last_of_the_user():
    sample = samples(
        """
- system: First
  messages:
    - {role: system, content: Then}
    - {role: user, content: Hi}
    - {role: assistant, content: Hello}
    - {role: user, content: Your name?}
    - {role: assistant, content: My name is}
"""
    )[0]

    assert sample.input == "Your name?"
    assert [message["role"] for message in sample.messages] == ["user", "assistant", "user", "assistant"]
    assert sample.system == "First\n\nThen"


def test_an_id_is_a_readable_slug_and_twelve_digits_of_the_input_alone():
    plain, mended = samples("- {input: What is the capital of France?}\n- {input: x, target: a}")

    assert plain.id == f"what-is-the-capital-of-france-{digest('What is the capital of France?')[:12]}"
    assert samples("- {input: x, target: b, level: 3}")[0].id == mended.id


def test_the_id_of_a_conversation_is_that_of_its_messages():
    sample = samples("- messages: [{role: user, content: Hi}]")[0]

    assert sample.id == f"hi-{digest([{'content': 'Hi', 'role': 'user'}])[:12]}"


def test_equal_inputs_are_numbered_and_inserting_a_row_renames_none():
    first, second, third = samples("- {input: a}\n- {input: a, target: x}\n- {input: a}")

    assert [second.id, third.id] == [f"{first.id}~2", f"{first.id}~3"]
    assert [sample.id for sample in samples("- {input: a}\n- {input: new}\n- {input: a}")][::2] == [first.id, second.id]


def test_a_made_id_gives_way_to_one_that_is_written():
    made = samples("- {input: a}")[0].id

    assert [sample.id for sample in samples(f"- {{id: {made}, input: b}}\n- {{input: a}}")] == [made, f"{made}~2"]


def test_the_content_hash_covers_input_targets_and_fields_and_nothing_else():
    base = samples("- {id: a, input: x, target: y, level: 1}")[0].digest

    assert samples("- {id: b, input: x, target: y, level: 1, tags: t, metadata: {a: b}}")[0].digest == base
    for other in (
        "{input: z, target: y, level: 1}",
        "{input: x, target: z, level: 1}",
        "{input: x, target: y, level: 2}",
    ):
        assert samples(f"- {other}")[0].digest != base


@given(st.text(max_size=300))
def test_a_slug_is_short_and_safe(text):
    assert re.fullmatch(r"|[^\W_]+(-[^\W_]+)*", slug(text))
    assert len(slug(text)) <= 80


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8))
def test_ids_are_unique_whatever_the_inputs(inputs):
    rows = [({"input": text}, Place(Document("d", None))) for text in inputs]

    found = read_rows(rows)

    assert len({sample.id for sample in found.samples}) == len(inputs)


@given(st.text(max_size=40), st.lists(st.text(max_size=10), max_size=3))
def test_any_text_of_json_survives_lone_surrogates_and_nul_too(text, targets):
    row = json.loads(json.dumps({"input": text, "target": targets}))

    sample = read_rows([(row, Place(Document("d", None)))]).samples[0]

    assert (sample.input, sample.targets) == (text, tuple(targets))


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("{target: a}", "1:3: [0]: a row needs `input:` or `messages:`"),
        ("{input: ~}", "1:3: [0]: a row needs `input:` or `messages:`"),
        ("{input: a, messages: []}", "1:3: [0]: a row has `input:` or `messages:`, not both"),
        ("a", "1:3: [0]: a row is a mapping, this is a text"),
        ("[a]", "1:3: [0]: a row is a mapping, this is a list"),
        ("{input: {a: b}}", "1:11: [0].input: a text is expected, this is a mapping"),
        ("{input: [a]}", "1:11: [0].input: a text is expected, this is a list"),
        ("{input: a, target: [b, [c]]}", "1:26: [0].target[1]: a text is expected, this is a list"),
        ("{input: a, target: [~]}", "1:23: [0].target[0]: a text is expected, this is nothing"),
        ("{input: a, metadata: [b]}", "1:24: [0].metadata: a mapping is expected, this is a list"),
        ("{input: a, metadata: {b: [c]}}", "1:28: [0].metadata.b: a text is expected, this is a list"),
        ("{input: a, id: ''}", "1:18: [0].id: a text is expected, this one is empty"),
        ("{input: a, level: .nan}", "1:21: [0].level: a number must be finite"),
        ("{messages: []}", "1:14: [0].messages: a conversation needs a message of the user"),
        (
            "{messages: [{role: user, content: a}, {role: system, content: b}]}",
            "1:14: [0].messages: system messages stand at the beginning",
        ),
        (
            "{messages: [{role: robot, content: a}]}",
            "1:22: [0].messages[0].role: system or user or assistant is expected, found 'robot'",
        ),
        ("{messages: [{role: user, text: a}]}", "1:15: [0].messages[0]: `content:` is missing"),
        ("{messages: Hi}", "1:14: [0].messages: a list is expected"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_at_its_place(row, expected):
    assert faults(f"- {row}")[0] == f"d.yaml:{expected}"


@pytest.mark.parametrize("key", ["skip", "xfail"])
@pytest.mark.parametrize("word", ["true", "false", "no", "0", "1", "'yes'", "'True'", "''", "off", "None", "3.5"])
def test_skip_and_xfail_are_reasons(key, word):
    assert faults(f"- {{input: a, {key}: {word}}}")[0].startswith(
        f"d.yaml:1:{16 + len(key)}: [0].{key}: a reason is expected, such as `it has no name yet`, found "
    )
    assert getattr(samples(f"- {{input: a, {key}: it is new}}")[0], key) == "it is new"
    assert getattr(samples(f"- {{input: a, {key}: ~}}")[0], key) is None


@pytest.mark.parametrize(
    "row",
    [
        "input: Who is #1?",
        "input: #1 is who",
        "input: a\n  target: b # c",
        "input: a\n  target:\n    - b # c",
        "messages: [{role: user, content: a # c\n  }]",
    ],
)
def test_a_comment_on_the_line_of_an_unquoted_input_or_target_is_a_fault(row):
    told = faults(f"- {row}\n")

    assert len(told) == 1
    assert told[0].endswith(
        ": a `#` behind an unquoted text begins a comment: quote the text, or put the comment above"
    )


def test_a_comment_elsewhere_is_a_comment():
    assert samples("- input: 'a' # c\n  id: x # c\n  # c\n  level: 3 # c\n  target: # c\n    - b\n")[0].id == "x"


def test_two_rows_of_one_id_are_told_with_both_lines():
    assert faults("- {id: a, input: x}\n- {id: b, input: x}\n- {id: a, input: y}") == [
        "d.yaml:3:8: [2].id: two samples have the id 'a': line 1 and here, line 3"
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("inputs", "input"),
        ("inptu", "input"),
        ("imput", "input"),
        ("inpt", "input"),
        ("Input", "input"),
        ("targt", "target"),
        ("tag", "tags"),
        ("message", "messages"),
        ("metdata", "metadata"),
        ("xfial", "xfail"),
        ("ids", None),
        ("label", None),
        ("inputted", None),
        ("tasks", None),
    ],
)
def test_a_field_a_letter_off_a_key_is_a_near_miss(name, meant):
    assert meant_by(name) == meant


def test_a_near_miss_is_told_once_at_its_key():
    found = read("- {input: a, targt: b}\n- {input: b, targt: c}")

    assert [(miss.name, str(miss.fault)) for miss in found.near_misses] == [
        ("targt", "d.yaml:1:14: [0]: unknown key 'targt'; did you mean 'target'?")
    ]


def test_reading_ends_after_a_hundred_faults():
    told = faults("- {}\n" * 150)

    assert len(told) == 101
    assert told[-1] == "d.yaml:100:3: [99]: it is not read on after 100 faults"


def test_what_json_cannot_hold_is_told():
    rows = [({"input": "a", "when": object()}, Place(Document("d", None)))]

    assert str(read_rows(rows).faults[0]) == "d: its fields cannot stand in JSON: object cannot stand in JSON"
