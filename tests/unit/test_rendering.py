"""Templates: a sandbox in which a row's text is data, faults are named and nothing hangs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.errors import TemplateError
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.rendering import MOST_STEPS, Template, Text, Turn


def sample(text="Who?", **more):
    return Sample("s", text, ({"role": "user", "content": text},), **more)


TALK = Sample(
    "t",
    "And you?",
    (
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "And you?"},
        {"role": "assistant", "content": "I"},
    ),
)


def rendered(source, of=None):
    return Template(Text(source)).render(of or sample()).messages[-1]["content"]


def refused(source, of=None):
    with pytest.raises(TemplateError) as raised:
        rendered(source, of)
    return str(raised.value)


def test_a_template_sees_input_messages_metadata_id_and_fields():
    one = sample(fields={"level": 3, "choices": ["a", "b"]}, metadata={"place": "here"})

    assert rendered("{{ input }} {{ messages[0].content }} {{ metadata.place }} {{ id }} {{ level + 1 }}", one) == (
        "Who? Who? here s 4"
    )
    assert (
        rendered(
            "{% for c in choices %}{{ loop.index }}/{{ loop.length }}{{ c }}{% if not loop.last %},{% endif %}{% endfor %}",
            one,
        )
        == "1/2a,2/2b"
    )


def test_a_template_never_sees_the_target():
    assert refused("{{ target }}", sample(targets=("x",))) == "a template never sees the target"
    assert refused("{{ targets }}", sample(targets=("x",))).startswith("the row has no field 'targets'")


@given(st.text())
def test_what_a_row_says_is_never_rendered(text):
    assert rendered("{{ input }}", sample(text)) == text


@pytest.mark.parametrize("text", ["{{ 7 * 7 }}", "{% raw %}", "{# c #}", "{{ input }}", "a\n", "<b>&</b>"])
def test_braces_of_a_row_are_text(text):
    assert rendered("[{{ input }}]", sample(text)) == f"[{text}]"


def test_one_trailing_newline_of_the_template_is_dropped():
    assert rendered("{{ input }}\n\n", sample("a\n")) == "a\n\n"
    assert rendered("a\n") == "a"
    assert rendered("\na") == "\na"


def test_a_text_takes_the_place_of_the_last_user_message():
    assert [message["content"] for message in Template(Text("[{{ input }}]")).render(TALK).messages] == [
        "Hi",
        "Hello",
        "[And you?]",
        "I",
    ]


def test_the_entry_conversation_stands_for_the_samples_own():
    template = Template(turns=(Turn("user", Text("{{ id }}")), "conversation"))

    assert [message["content"] for message in template.render(TALK).messages] == ["t", "Hi", "Hello", "And you?", "I"]


def test_a_conversation_needs_that_entry():
    template = Template(turns=(Turn("user", Text("{{ input }}")),))

    assert template.render(sample()).messages == ({"role": "user", "content": "Who?"},)
    with pytest.raises(
        TemplateError, match="the sample is a conversation, and the template's `messages:` have no entry"
    ):
        template.render(TALK)


def test_system_texts_are_told_apart_from_messages():
    template = Template(turns=(Turn("system", Text("a {{ id }}")), "conversation"), system=Text("b {{ id }}"))

    found = template.render(sample())

    assert found.system == "b s\n\na s"
    assert found.messages == ({"role": "user", "content": "Who?"},)


def test_the_names_that_a_template_uses_are_known():
    template = Template(
        Text("{% set x = a %}{{ x }}{{ range(3) }}{% for i in b %}{{ i }}{% endfor %}"), system=Text("{{ c }}")
    )

    assert template.names == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ inptu }}", "the row has no field 'inptu'; did you mean 'input'?"),
        ("{{ nothing }}", "the row has no field 'nothing'; it has id, input, messages, metadata, place"),
        ("{{ metadata.yaer }}", "'dict object' has no attribute 'yaer'; did you mean 'year'?"),
        ("{{ place.x }}", "'str object' has no attribute 'x'"),
        (
            "{% for i in nothing %}{% endfor %}",
            "the row has no field 'nothing'; it has id, input, messages, metadata, place",
        ),
        ("{{ 1 / 0 }}", "ZeroDivisionError: division by zero"),
        ("{{ place + 1 }}", 'TypeError: can only concatenate str (not "int") to str'),
    ],
)
def test_what_is_missing_is_named(source, expected):
    assert refused(source, sample(fields={"place": "here"}, metadata={"year": "1"})) == expected


def test_a_name_that_need_not_be_there_need_not():
    assert rendered("{{ hint | default('none') }}{% if hint is defined %}x{% endif %}") == "none"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ input.__class__ }}", "line 1 of the template: it may not reach for '__class__'"),
        ("\n{{ input['__class__'] }}", "line 2 of the template: it may not reach for '__class__'"),
        ("{% if false %}{{ input.__init__.__globals__ }}{% endif %}", "line 1 of the template: it may not reach for "),
        ("{{ input|attr('__class__') }}", "it reaches for what a template may not see: "),
        ("{{ messages.append(1) }}", "it reaches for what a template may not see: "),
        ("{{ '{0.__class__}'.format(input) }}", "it reaches for what a template may not see: "),
        ("{% include 'a' %}", "line 1 of the template: a template stands alone, without include or import"),
        ("{% import 'a' as b %}", "line 1 of the template: a template stands alone, without include or import"),
        ("{% extends 'a' %}", "line 1 of the template: a template stands alone, without include or import"),
        ("{{ x | nothing }}", "No filter named 'nothing'."),
        ("{{ [1, 2] | random }}", "No filter named 'random'."),
        ("{{ lipsum() }}", "the row has no field 'lipsum'"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "it is nested too deep"),
    ],
)
def test_what_is_private_or_not_the_same_everywhere_is_refused(source, expected):
    assert refused(source).startswith(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% for i in range(10**9) %}x{% endfor %}", "OverflowError: Range too big."),
        (
            "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}",
            f"it takes over {MOST_STEPS:,} steps",
        ),
        (
            "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}",
            f"it takes over {MOST_STEPS:,} steps",
        ),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "it calls itself too often"),
        ("{% for i in range(9000) %}{{ 'a' * 9000 }}{% endfor %}", "it makes a text over 16 MiB"),
        ("{{ 'a' * 10**9 }}", "it makes a text over 16 MiB"),
        ("{{ 10**9 * [1] }}", "it makes a text over 16 MiB"),
        ("{{ 10 ** (10 ** 8) }}", "a power is too large"),
    ],
)
def test_what_would_never_end_ends(source, expected):
    assert refused(source).startswith(expected)


def test_a_row_cannot_be_changed_by_a_template():
    one = sample(fields={"choices": ["a"]}, metadata={"a": "b"})

    for source in ("{{ choices.append('b') }}", "{{ metadata.update({'c': 'd'}) }}", "{{ messages.clear() }}"):
        refused(source, one)
    assert one == sample(fields={"choices": ["a"]}, metadata={"a": "b"})


@given(st.text(st.characters(exclude_characters="{}%#\r", exclude_categories=["Cs"]), max_size=40))
def test_text_without_braces_is_itself(text):
    assert rendered(text) == text.removesuffix("\n")
