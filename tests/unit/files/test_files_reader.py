"""YAML and JSON as trees: text as written, places, and every refusal with its place."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmeval.core.errors import Faults
from pytest_llmeval.core.plain import Plain, text_of, value_of
from pytest_llmeval.files import reader
from pytest_llmeval.files.fallback import PythonLoader
from pytest_llmeval.files.reader import read_json_document, read_yaml

PYTHON = reader._loader(PythonLoader)


def told(text, path="f.yaml", loader=None):
    try:
        return [str(fault) for fault in read_yaml(text, path, loader).faults]
    except Faults as raised:
        return str(raised).splitlines()


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("1_000", "1_000"),
        ("2024-01-02", "2024-01-02"),
        ("1:30", "1:30"),
        ("1.10", 1.1),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("~", None),
        ("null", None),
        ("", None),
        ("<", "<"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_an_unquoted_scalar_is_typed_by_the_core_schema_and_keeps_its_spelling(written, value):
    node = read_yaml(f"key: {written}\n", "f.yaml").root["key"]

    assert value_of(node) == value
    assert type(value_of(node)) is type(value)
    assert str(node) == written
    assert text_of(node) == (None if value is None else written)


def test_a_quoted_scalar_is_text():
    root = read_yaml("""{a: "1", b: 'true', c: "~"}""", "f.yaml").root

    assert {key: value_of(value) for key, value in root.items()} == {"a": "1", "b": "true", "c": "~"}


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60))
def test_any_text_survives_in_double_quotes(text):
    # the library escapes what it must
    dumped = yaml.safe_dump({"input": text}, default_style='"', allow_unicode=False)

    document = read_yaml(dumped, "f.yaml")

    assert document.faults == ()
    assert document.root == {"input": text}


@given(st.lists(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1), min_size=1, max_size=5))
def test_any_lines_survive_in_a_literal(lines):
    document = read_yaml("input: |\n" + "".join(f"  {line}\n" for line in lines), "f.yaml")

    assert document.faults == ()
    assert document.root == {"input": "".join(f"{line}\n" for line in lines)}


@given(st.from_regex(r"[a-z0-9.+-][a-z0-9.+_-]{0,12}", fullmatch=True).filter(lambda text: text not in {"-", "---"}))
def test_a_plain_scalar_keeps_its_spelling(written):
    node = read_yaml(f"key: {written}", "f.yaml").root["key"]

    assert isinstance(node, Plain)
    assert str(node) == written


PIECES = st.sampled_from(
    ["a", "b: ", "- ", "\n", "\n  ", " ", "\t", "?", "?x", ":", ": ", ",", "[", "]", "{", "}", "#", " #c", "'", '"']
    + ["x y", "é", "|\n  ", ">\n  ", "&a ", "*a", "!t ", "---", "1.5", "~", "\r\n", "Where?", "-", "%", "...", "<<: "]
)


@given(st.lists(PIECES, max_size=9).map("".join))
@example("{input: Where?, target: x}")
@example("input:\tx\ny: a\tb")
@example('input: "\\ud800"')
@example("a\n\tb")
@example("|\n\tx")
def test_the_python_loader_reads_what_the_c_loader_reads(text):
    """The same tree, or refused by both: what one of them alone would take, is no reading of ours."""

    def read(loader):
        try:
            document = read_yaml(text, "f.yaml", loader)
        except Faults:
            return None
        faults = [(fault.origin, fault.message) for fault in document.faults]
        return None if faults else document.root

    assert read(None) == read(PYTHON)


@pytest.mark.parametrize("loader", [None, PYTHON], ids=["c", "python"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", ["f.yaml:3:1: duplicate key 'a'; it stands in line 1 already"]),
        ("a: 1\n'a': 2\n", ["f.yaml:2:1: duplicate key 'a'; it stands in line 1 already"]),
        ("a: !!str 5\n", ["f.yaml:1:4: YAML tags are refused; quote a text that begins with `!`"]),
        ("a: !!python/name:os.system x", ["f.yaml:1:4: YAML tags are refused; quote a text that begins with `!`"]),
        ("a: ! 5\n", ["f.yaml:1:4: YAML tags are refused; quote a text that begins with `!`"]),
        ("a: &x !t 5\n", ["f.yaml:1:4: YAML tags are refused; quote a text that begins with `!`"]),
        ("!t a: 5\n", ["f.yaml:1:1: YAML tags are refused; quote a text that begins with `!`"]),
        (
            "a: &x {b: 1}\nc:\n  <<: *x\n",
            ["f.yaml:3:3: a merge (`<<`); write the keys out, or use an alias for a whole value"],
        ),
        ("a: 1\n---\nb: 2\n", ["f.yaml:2:1: several documents in one file; a file holds one"]),
        ("? [a]\n: 1\n", ["f.yaml:1:3: a key must be a text; quote a text that begins with `{` or `[`"]),
        ("? \n: 1\n", ["f.yaml:1:2: a key is missing before `:`"]),
        ("a: &a [*a]\n", ["f.yaml:1:4: an alias within what it stands for"]),
        (
            "a: b: c\n",
            [
                "f.yaml:1:5: an unquoted `: ` within a text, which must then be quoted; "
                "or a key that is indented too far"
            ],
        ),
        (
            "text: {{ input }}\nb: 1\n",
            ["f.yaml:1:7: a text that begins with `{{` is a mapping in YAML; quote the text"],
        ),
        (
            "text: {{ input }} in short\n",
            ["f.yaml:1:19: a text that begins with `{{` is a mapping in YAML; quote the text"],
        ),
        ("a: @b\n", ["f.yaml:1:4: a text cannot begin with '@' without quotes; quote it"]),
        (
            "a: *b\n",
            ["f.yaml:1:4: `*` begins an alias, and there is no anchor of that name; quote a text that begins with `*`"],
        ),
        (
            'a: "Paris" is it\n',
            ["f.yaml:1:12: a text that begins with a quote ends at the next one; quote the whole text"],
        ),
        ('a: "x\nb: 1\n', ["f.yaml:1:4: this is no YAML: a quote is not closed"]),
        ("a:\n\tb: 1\n", ["f.yaml:2:1: a tab cannot indent; use spaces"]),
        (b"a: 1\nb: \xc3\xa9\xff\n", ["f.yaml:2:5: the byte 0xff is not UTF-8; save the file as UTF-8"]),
        (
            "a: x\u2028y\nb: '\x85'\nc: \u2029\n",
            [
                'f.yaml:1:5: a raw U+2028, which YAML libraries fold: write "\\u2028" in double quotes',
                'f.yaml:2:5: a raw U+0085, which YAML libraries fold: write "\\x85" in double quotes',
                'f.yaml:3:4: a raw U+2029, which YAML libraries fold: write "\\u2029" in double quotes',
            ],
        ),
        ("a: x\x00y\n", ['f.yaml:1:5: a raw U+0000, which YAML does not allow: write "\\x00" in double quotes']),
        ("[" * 101 + "]" * 101, ["f.yaml:1:101: it is nested deeper than 100 levels"]),
    ],
)
def test_what_is_refused_is_refused_with_its_place(text, expected, loader):
    assert told(text, loader=loader) == expected


def test_a_text_of_half_a_character_is_refused_by_both_loaders():
    assert [told('a: "\\ud800"', loader=loader)[0].split(":")[1] for loader in (None, PYTHON)] == ["1", "1"]


def test_all_faults_of_a_file_are_told_at_once_in_order():
    text = "a: 1\na: 2\nb: !t 1\nc: \u2028\n<<: 3\n"

    assert [line.split(": ")[0] for line in told(text)] == ["f.yaml:2:1", "f.yaml:3:4", "f.yaml:4:4", "f.yaml:5:1"]


def test_an_alias_is_what_it_stands_for():
    document = read_yaml("a: &x [1, b]\nc: *x\n", "f.yaml")

    assert document.root["c"] == document.root["a"]
    assert document.faults == ()


@pytest.mark.parametrize("loader", [None, PYTHON], ids=["c", "python"])
def test_an_alias_bomb_is_refused_at_once(loader):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    assert told("\n".join(lines), loader=loader) == [
        "f.yaml:6:5: its aliases stand for over 1,000,000 nodes, or nest too deep"
    ]


def test_nesting_by_aliases_counts_as_nesting():
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]

    assert told("\n".join(lines)) == ["f.yaml:100:6: its aliases stand for over 1,000,000 nodes, or nest too deep"]


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{a: " * 50_000, "- " * 100_000, "".join(f"{' ' * n}a:\n" for n in range(3_000))],
    ids=["lists", "mappings", "dashes", "indentation"],
)
def test_nesting_past_all_reason_is_a_fault(text):
    assert told(text)[0].endswith("it is nested too deep")


def test_a_text_of_20_mb_is_refused_and_one_of_16_mib_is_not():
    assert told("a: 1\nb: '" + "x" * 20_000_000 + "'\n") == ["f.yaml:2:4: a text over 16 MiB"]
    assert told("b: '" + "x" * (16 * 1024 * 1024) + "'\n") == []


def test_a_file_full_of_what_yaml_does_not_allow_is_not_read_on():
    found = told(b"\x00" * 5_000_000)

    assert len(found) == 101
    assert found[-1] == "f.yaml:1:101: it is not read on after 100 faults"


def test_a_fault_is_one_harmless_line_whatever_keys_there_are():
    document = read_yaml('"a\\e[31m\\nb": 1', "f.yaml")

    assert str(document.fault("c\nd", "a\x1b[31m\nb")) == "f.yaml:1:15: a\\x1b[31m\\nb: c\\nd"


def test_a_byte_order_mark_is_dropped():
    assert read_yaml(b"\xef\xbb\xbfa: b\n", "f.yaml").root == {"a": "b"}
    assert read_json_document(b'\xef\xbb\xbf{"a": "b"}', "f.json").root == {"a": "b"}


def test_an_empty_file_is_nothing():
    assert read_yaml("", "f.yaml").root is None
    assert read_yaml("# a comment\n", "f.yaml").root is None


def test_places_are_those_of_keys_and_values():
    document = read_yaml("a:\r\n  - x\r\n  - {b:  y}\r\n", "f.yaml")

    assert str(document.origin("a", 0)) == "f.yaml:2:5"
    assert str(document.origin("a", 1, "b")) == "f.yaml:3:10"
    assert str(document.key("a", 1, "b")) == "f.yaml:3:6"
    assert str(document.origin("a", 7)) == "f.yaml:2:3"


@pytest.mark.parametrize(
    ("text", "commented"),
    [
        ("a: Who is #1?", True),
        ("a: #1 is who", True),
        ("a: x\t# c", True),
        ("a: x#1", False),
        ("a: 'Who is' # c", False),
        ("# c\na: x\n", False),
        ("a: x\n# c\n", False),
        ("a:\n  x\n  y # c\n", True),
    ],
)
def test_a_comment_behind_an_unquoted_text_is_noticed(text, commented):
    assert getattr(read_yaml(text, "f.yaml").root["a"], "commented", False) is commented


def test_json_keeps_the_digits_of_numbers_and_the_words_of_booleans():
    root = read_json_document('{"a": 1.10, "b": true, "c": [007.0], "d": null}'.replace("007.0", "7.0"), "f.json").root

    assert [text_of(root["a"]), text_of(root["b"]), text_of(root["c"][0]), text_of(root["d"])] == [
        "1.10",
        "true",
        "7.0",
        None,
    ]
    assert value_of(root) == {"a": 1.1, "b": True, "c": [7.0], "d": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1,\n "a": 2}', "f.json: duplicate key 'a'"),
        ('{"a": NaN}', "f.json: NaN is no JSON; a number must be finite"),
        ('{"a":\n x}', "f.json:2:2: this is no JSON: Expecting value"),
        ("[" * 100_000, "f.json: it is nested too deep"),
    ],
)
def test_what_is_no_json_is_refused(text, expected):
    with pytest.raises(Faults) as raised:
        read_json_document(text, "f.json")

    assert str(raised.value) == expected
