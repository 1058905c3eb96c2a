"""Extensions made of options: each checked against the field that takes it, marks acted on."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

from pytest_llmeval.core.errors import Faults
from pytest_llmeval.core.options import Document as DocumentOption
from pytest_llmeval.core.options import EnvironmentText, PathText, SecretText
from pytest_llmeval.core.registry import Registry
from pytest_llmeval.files.document import Document, Place
from pytest_llmeval.files.fitting import Where
from pytest_llmeval.files.options import build, option_schema
from pytest_llmeval.files.reader import read_yaml
from pytest_llmeval.files.references import Scope


@dataclass(frozen=True)
class Everything:
    id: ClassVar[str] = "everything"
    text: str | None = None
    number: float = 0
    count: int = 0
    flag: bool = False
    mode: Literal["off", "on"] = "off"
    texts: tuple[str, ...] = ()
    ends: tuple[float | None, float | None] = (0, 1)
    either: float | str = 0
    weights: Mapping[str, float] = field(default_factory=dict)
    anything: Any = None
    bounded: Annotated[int, Field(ge=1, le=5)] = 1
    names: list[str] = field(default_factory=list)
    made: int = field(default=3, init=False)

    def score(self, response, sample): ...


@dataclass(frozen=True)
class Asking:
    id: ClassVar[str] = "asking"
    base_url: EnvironmentText = ""
    api_key: SecretText = ""
    headers: Mapping[str, EnvironmentText] = field(default_factory=dict)
    path: PathText | None = None
    schema: DocumentOption | None = None


@dataclass(frozen=True)
class Refusing:
    id: ClassVar[str] = "refusing"
    pattern: str

    def __post_init__(self):
        if self.pattern == "bad":
            raise ValueError("pattern: it is bad")
        if self.pattern == "worse":
            raise RuntimeError("out of paper")


@pytest.fixture
def make(world):
    world.registry.add("metric", Everything)
    world.registry.add("metric", Asking)
    world.registry.add("metric", Refusing)

    def making(name, options, **where):
        document = read_yaml(options, "r.yaml")
        scope = Scope(world.root / "recipes", world.root)
        return build(world.registry, "metric", name, document.root or {}, Where(Place(document), scope, **where))

    return making


def told(call, *arguments, **named):
    with pytest.raises(Faults) as raised:
        call(*arguments, **named)
    return str(raised.value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("text: 1.10", "1.10"),
        ("text: no", "no"),
        ("text: ~", None),
        ("number: 1", 1),
        ("number: 0.5", 0.5),
        ("flag: true", True),
        ("mode: on", "on"),
        ("texts: [1, no, 'x']", ("1", "no", "x")),
        ("texts: []", ()),
        ("ends: [~, 5]", (None, 5)),
        ("either: 007", 7),
        ("either: many", "many"),
        ("either: '7'", "7"),
        ("weights: {a: 1, no: 0.5}", {"a": 1, "no": 0.5}),
        ("anything: {a: [1, no, 'x']}", {"a": [1, "no", "x"]}),
        ("bounded: 5", 5),
        ("names: [1.10]", ["1.10"]),
    ],
)
def test_an_option_is_what_its_field_asks_for(make, written, value):
    assert getattr(make("everything", written), written.partition(":")[0]) == value


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("text: [a]", "r.yaml:1:7: text: a text is expected, found a list"),
        ("number: '1'", "r.yaml:1:9: number: a number is expected, found '1'"),
        ("number: true", "r.yaml:1:9: number: a number is expected, found true"),
        ("number: .nan", "r.yaml:1:9: number: a finite number is expected"),
        ("count: 1.5", "r.yaml:1:8: count: a whole number is expected, found 1.5"),
        ("flag: yes", "r.yaml:1:7: flag: true or false is expected, found 'yes'"),
        ("flag: 1", "r.yaml:1:7: flag: true or false is expected, found 1"),
        ("mode: maybe", "r.yaml:1:7: mode: off or on is expected, found 'maybe'"),
        ("texts: a", "r.yaml:1:8: texts: a list is expected, found 'a'"),
        ("texts: [a, [b]]", "r.yaml:1:8: texts: a list is expected, found a list"),
        ("weights: {a: b}", "r.yaml:1:10: weights: a mapping is expected, found a mapping"),
        ("either: [1]", "r.yaml:1:9: either: a number or a text is expected, found a list"),
        ("bounded: 9", "r.yaml:1:10: bounded: it must be less than or equal to 5"),
        ("made: 4", "r.yaml:1:1: no option 'made' of the metric 'everything'; did you mean 'mode'?"),
        ("nmber: 4", "r.yaml:1:1: no option 'nmber' of the metric 'everything'; did you mean 'number'?"),
    ],
)
def test_an_option_that_does_not_fit_is_told_at_its_place(make, written, expected):
    assert told(make, "everything", written) == expected


def test_all_that_is_wrong_with_the_options_is_told_at_once(make):
    assert told(make, "everything", "number: a\nflag: b\nzzz: c").count("\n") == 2


def test_what_is_missing_and_what_the_extension_says_itself_is_told(make):
    assert told(make, "refusing", "") == "r.yaml:1:1: the metric 'refusing' needs `pattern:`"
    assert told(make, "refusing", "pattern: ~") == "r.yaml:1:1: the metric 'refusing' needs `pattern:`"
    assert told(make, "refusing", "pattern: bad") == "r.yaml:1:1: pattern: it is bad"
    assert told(make, "refusing", "pattern: worse") == (
        f"r.yaml:1:1: the metric 'refusing' ({__name__}.Refusing) cannot be made: RuntimeError: out of paper"
    )


def test_an_unknown_name_is_told(make):
    assert told(make, "evrything", "") == "r.yaml:1:1: no metric 'evrything'; did you mean 'everything'?"


def test_an_extension_that_is_no_dataclass_is_named(world):
    class Odd:
        id = "odd"

    world.registry.add("metric", Odd)
    where = Where(Place(Document("r.yaml", None)), Scope(world.root, world.root))

    assert "the metric 'odd' (" in told(build, world.registry, "metric", "odd", {}, where)
    assert "is broken: an extension is a frozen dataclass" in told(build, world.registry, "metric", "odd", {}, where)


def test_a_literal_key_is_refused_and_never_shown(make):
    for key in ("sk-123456789", "Bearer ${KEY}", "${KEY:-sk-123456789}", "[sk-123456789]", "12345678901234"):
        message = told(make, "asking", f"api_key: {key}")
        assert message == (
            "r.yaml:1:10: api_key: only a reference to an environment variable, such as ${API_KEY}, may stand here; "
            "no literal key"
        )
    assert make("asking", "api_key: ${API_KEY}").api_key == "${API_KEY}"


def test_what_an_endpoint_holds_by_mistake_is_never_shown(make):
    assert told(make, "asking", "headers: sk-123456789", may_leave=True) == (
        "r.yaml:1:10: headers: a mapping is expected, found a text"
    )
    assert "sk-" not in told(make, "asking", "headers: {a: [sk-123456789]}", may_leave=True)


def test_references_stay_as_they_are_written(make):
    made = make("asking", "base_url: ${BASE:-http://a}/v1\nheaders: {X-Team: '${TEAM}', n: 1.10}")

    assert made.base_url == "${BASE:-http://a}/v1"
    assert made.headers == {"X-Team": "${TEAM}", "n": "1.10"}


def test_a_path_is_made_absolute_from_the_naming_file(world, make):
    assert make("asking", "path: a/b.jsonl").path == str(world.root / "recipes" / "a" / "b.jsonl")
    assert make("asking", "path: ../b.jsonl").path == str(world.root / "b.jsonl")
    assert make("asking", "path: ${HERE}/b", environ={"HERE": "x"}).path == str(world.root / "recipes" / "x" / "b")


def test_the_path_of_an_endpoint_may_leave_the_root_others_may_not(world, make):
    outside = world.root.parent / "weights.gguf"

    assert make("asking", "path: ../../weights.gguf", may_leave=True).path == str(outside)
    assert make("asking", f"path: {outside}", may_leave=True).path == str(outside)
    assert make("asking", "path: ${W}", may_leave=True, environ={"W": str(outside)}).path == str(outside)
    assert "leaves the root" in told(make, "asking", "path: ../../weights.gguf")


def test_a_path_whose_variable_is_not_set_is_left_to_who_uses_it(make):
    assert make("asking", "path: ${NOWHERE}/b", may_leave=True, environ={}).path == "${NOWHERE}/b"


def test_a_document_is_a_mapping_or_a_file_that_holds_one(world, make):
    world.write("recipes/s.json", '{"type": "object", "maximum": 1.0}')
    world.write("recipes/s.yaml", "type: object\nmaximum: 1.0\n")

    for written in ("schema: {type: object, maximum: 1.0}", "schema: s.json", "schema: s.yaml"):
        assert make("asking", written).schema == {"type": "object", "maximum": 1.0}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("schema: none.json", "r.yaml:1:9: schema: 'none.json' cannot be read: No such file or directory"),
        ("schema: list.json", "recipes/list.json:1:1: a mapping is expected, this is a list"),
        ("schema: twice.yaml", "recipes/twice.yaml:2:1: duplicate key 'a'; it stands in line 1 already"),
        (
            "schema: bad.json",
            "recipes/bad.json:1:2: this is no JSON: Expecting property name enclosed in double quotes",
        ),
        (
            "schema: [a]",
            "r.yaml:1:9: schema: a mapping, or the path of a file that holds one, is expected; this is a list",
        ),
    ],
)
def test_a_document_that_cannot_be_had_is_told(world, make, written, expected):
    world.write("recipes/list.json", "[1]")
    world.write("recipes/twice.yaml", "a: 1\na: 2\n")
    world.write("recipes/bad.json", "{a}")

    assert told(make, "asking", written) == expected


def test_a_document_outside_the_root_is_refused(world, make):
    (world.root.parent / "s.json").write_text("{}")

    assert "leaves the root" in told(make, "asking", "schema: ../../s.json", may_leave=True)


def test_two_conftests_of_one_module_name_each_mean_their_own_types(tmp_path):
    """The second takes the first one's place in ``sys.modules``; both of their classes stay usable."""
    source = """
from __future__ import annotations
from dataclasses import dataclass
from typing import Literal
{name} = Literal["{word}"]
@dataclass(frozen=True)
class Metric{name}:
    id = "metric_{word}"
    word: {name} = "{word}"
    def score(self, response, sample): return 1
"""
    registry = Registry()
    before = sys.modules.get("conftest_of_two")
    try:
        for name in ("One", "Two"):
            module = types.ModuleType("conftest_of_two")
            module.__file__ = str(Path(tmp_path) / name / "conftest.py")
            sys.modules["conftest_of_two"] = module
            exec(compile(source.format(name=name, word=name.lower()), module.__file__, "exec"), module.__dict__)
            registry.add("metric", getattr(module, f"Metric{name}"))
    finally:
        if before is None:
            del sys.modules["conftest_of_two"]
    where = Where(Place(Document("r.yaml", None)), Scope(tmp_path, tmp_path))

    for word in ("one", "two"):
        assert build(registry, "metric", f"metric_{word}", {"word": word}, where).word == word


def test_options_give_their_schema():
    assert option_schema(Refusing) == {
        "type": "object",
        "properties": {"pattern": {"type": ["string", "number", "boolean"]}},
        "additionalProperties": False,
        "required": ["pattern"],
    }
    properties = option_schema(Asking)["properties"]
    assert properties["api_key"] == {"type": "string"}
    assert {"type": ["string", "object"], "additionalProperties": True} in properties["schema"]["anyOf"]
