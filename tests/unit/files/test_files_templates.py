"""Template files and what is wrong with them."""

from __future__ import annotations

import pytest

from pytest_llmeval.core.sample import Sample
from pytest_llmeval.files.templates import read_template


@pytest.fixture
def load(world):
    return lambda text: read_template(world.write("templates/t.yaml", text), world.root)


def test_a_template_of_a_text(load):
    template = load('template: Terse\ntext: "{{ input }}\\nOne word, please."\nsystem: Be {{ id }}.\n')
    rendered = template.template.render(Sample("brief", "a", ({"role": "user", "content": "a"},)))

    assert (template.id, template.title, str(template.origin)) == ("t", "Terse", "templates/t.yaml:2:7")
    assert rendered.messages == ({"role": "user", "content": "a\nOne word, please."},)
    assert rendered.system == "Be brief."
    assert template.template.names == {"input", "id"}


def test_a_template_of_messages(load):
    template = load(
        """\
        template: Shots
        messages:
          - {role: system, content: Be brief.}
          - {role: user, content: 1 + 1?}
          - {role: assistant, content: 2}
          - conversation
        """
    )
    rendered = template.template.render(Sample("x", "a", ({"role": "user", "content": "a"},)))

    assert [message["content"] for message in rendered.messages] == ["1 + 1?", "2", "a"]
    assert rendered.system == "Be brief."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("template: T\n", "1:1: a template has `text:` or `messages:`, it has neither"),
        ("template: T\ntext: a\nmessages: [conversation]\n", "1:1: a template has `text:` or `messages:`, not both"),
        ("template: T\nmessages: []\n", "2:11: messages: it has no messages"),
        ("text: a\n", "1:1: `template:` is missing"),
        ("template: T\ntexts: a\n", "2:1: unknown key 'texts'; did you mean 'text'?"),
        ("template: T\ntext: Who is #{{ id }}?\n", "2:7: text: a `#` behind an unquoted text begins a comment: quote the text, or put the comment above"),
        ("template: T\ntext: {{ input }}\n", "2:7: a text that begins with `{{` is a mapping in YAML; quote the text"),
        ("template: T\ntext: 'a {{ b'\n", "2:7: text: unexpected end of template, expected 'end of print statement'."),
        ("template: T\ntext: |\n  a\n  {% if %}\n", "2:7: text: line 2 of the template: Expected an expression, got 'end of statement block'"),
        ("template: T\ntext: '{{ input.__class__ }}'\n", "2:7: text: line 1 of the template: it may not reach for '__class__'"),
        ("template: T\nsystem: '{{ a'\ntext: b\n", "2:9: system: unexpected end of template, expected 'end of print statement'."),
        ("template: T\nmessages: [{role: user, content: '{{ a'}]\n", "2:34: messages[0].content: unexpected end of template, expected 'end of print statement'."),
        ("template: T\nmessages: [conversations]\n", "2:12: messages[0]: {role, content} or `conversation` is expected, found 'conversations'"),
        ("template: T\nmessages: [conversation, {role: system, content: a}]\n", "2:26: messages[1]: system messages stand at the beginning"),
        ("template: T\nmessages: [{role: user}]\n", "2:12: messages[0]: `content:` is missing"),
        ("- a\n", "1:1: a template is a mapping, this is a list"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_template_is_told(load, told_by, text, expected):
    assert told_by(lambda: load(text))[0] == f"templates/t.yaml:{expected}"
