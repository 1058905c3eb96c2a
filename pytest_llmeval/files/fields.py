"""The types of fields in our files: text as it was written, typed values, one or a list; each with its fault's text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from pytest_llmeval.core.plain import Plain, absent, finite, text_of, value_of

from .document import Map

SCALAR = {"type": ["string", "number", "boolean"]}
NOT_YET = "not available in this version"
_PERCENTAGE = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*%\s*")


def fault(message: str) -> PydanticCustomError:
    """What a validator raises: the message reaches users as it is."""
    return PydanticCustomError("llmeval", "{message}", {"message": message})


def kind_of(node: object) -> str:
    """What a node is, in a user's words; never its content."""
    if absent(node):
        return "nothing"
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, list | tuple):
        return "a list"
    value = value_of(node)
    if isinstance(value, bool):
        return "a boolean"
    return "a number" if isinstance(value, int | float) else "a text"


def shown(node: object) -> str:
    """A scalar as it was written, texts in quotes and shortened; else what it is."""
    text = text_of(node)
    if text is None:
        return kind_of(node)
    text = text if len(text) <= 60 else text[:57] + "..."
    return repr(text) if isinstance(value_of(node), str) else text


def text(node: object) -> str:
    """A text as it was written."""
    found = text_of(node)
    if found is None:
        if isinstance(node, Map) and not node.flow:
            raise fault("a text is expected, this is a mapping; quote a text that has `: ` in it")
        raise fault(f"a text is expected, this is {kind_of(node)}")
    return found


def prose(node: object) -> str:
    """A text by nature: as above, and no comment may stand behind it, for it may be a part of the text."""
    check_comment(node)
    return text(node)


def check_comment(node: object) -> None:
    if isinstance(node, Plain) and node.commented:
        raise fault("a `#` behind an unquoted text begins a comment: quote the text, or put the comment above")


def title(node: object) -> str:
    found = text(node)
    if not found.strip():
        raise fault("a text is expected, this one is empty")
    return found


def integer(node: object) -> int:
    value = value_of(node)
    if isinstance(value, bool) or not isinstance(value, int):
        raise fault(f"a whole number is expected, found {shown(node)}")
    return value


def number(node: object) -> int | float:
    value = value_of(node)
    if isinstance(value, bool) or not isinstance(value, int | float) or not finite(value):
        raise fault(f"a number is expected, found {shown(node)}")
    return value


def positive(node: object) -> float:
    found = number(node)
    if found <= 0:
        raise fault(f"it must be greater than 0, found {shown(node)}")
    return float(found)


def not_negative(node: object) -> float:
    found = number(node)
    if found < 0:
        raise fault(f"it must be at least 0, found {shown(node)}")
    return float(found)


def count(node: object) -> int:
    found = integer(node)
    if found < 1:
        raise fault(f"it must be at least 1, found {shown(node)}")
    return found


def percentage(node: object) -> float:
    """0 to 100, with or without its sign."""
    match = _PERCENTAGE.fullmatch(str(node)) if isinstance(node, str) else None
    found = float(match.group(1)) if match else float(number(node))
    if not 0 < found <= 100:
        raise fault(f"a percentage above 0, up to 100, is expected, found {shown(node)}")
    return found


def count_or_share(node: object) -> int | float:
    """An int is a count; ``1%`` is a share, 0.01."""
    match = _PERCENTAGE.fullmatch(str(node)) if isinstance(node, str) else None
    if match:
        share = float(match.group(1)) / 100
        if share > 1:
            raise fault(f"a share of at most 100% is expected, found {shown(node)}")
        return share
    value = value_of(node)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise fault(f"a count such as 2 or a share such as 1% is expected, found {shown(node)}")
    return value


def as_list(node: object) -> Sequence[object]:
    """One stands for a list of one."""
    if isinstance(node, list):
        return node
    return [node]


def items(node: object) -> Sequence[object]:
    if not isinstance(node, list):
        raise fault(f"a list is expected, this is {kind_of(node)}")
    return node


def mapping(node: object) -> Mapping[str, Any]:
    if not isinstance(node, Mapping):
        raise fault(f"a mapping is expected, this is {kind_of(node)}")
    return node


def typed_mapping(node: object) -> Mapping[str, object]:
    """A mapping of typed, finite values."""
    found = {key: value_of(value) for key, value in mapping(node).items()}
    for key, value in found.items():
        if not finite(value):
            raise fault(f"{key} is not a finite number")
    return found


def one_of(*words: str) -> Any:
    """A text out of a few."""

    def check(node: object) -> str:
        found = text_of(node)
        if found not in words:
            raise fault(f"{' or '.join(words)} is expected, found {shown(node)}")
        return found

    return PlainValidator(check, json_schema_input_type=Literal[words])


def _later(_node: object) -> object:
    raise fault(NOT_YET)


Text = Annotated[str, PlainValidator(text), WithJsonSchema(SCALAR)]
Prose = Annotated[str, PlainValidator(prose), WithJsonSchema(SCALAR)]
Title = Annotated[str, PlainValidator(title), WithJsonSchema(SCALAR)]
Count = Annotated[int, PlainValidator(count), WithJsonSchema({"type": "integer", "minimum": 1})]
Integer = Annotated[int, PlainValidator(integer), WithJsonSchema({"type": "integer"})]
Positive = Annotated[float, PlainValidator(positive), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
NotNegative = Annotated[float, PlainValidator(not_negative), WithJsonSchema({"type": "number", "minimum": 0})]
Percentage = Annotated[
    float, PlainValidator(percentage), WithJsonSchema({"type": ["number", "string"], "pattern": "%$", "maximum": 100})
]
CountOrShare = Annotated[
    int | float,
    PlainValidator(count_or_share),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"}]}
    ),
]
Parameters = Annotated[Mapping[str, object], PlainValidator(typed_mapping), WithJsonSchema({"type": "object"})]
#: a key that a later version brings
Later = Annotated[SkipJsonSchema[Any], PlainValidator(_later)]


class _OneOrMore:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(as_list, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


T = TypeVar("T")
#: a tuple of T, written as one or as a list
OneOrMore = Annotated[tuple[T, ...], _OneOrMore()]


class Spec(BaseModel):
    """A mapping in a file: unknown keys are refused, known keys with nothing behind them are absent."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)
    #: keys whose text a comment may have cut
    prose: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _present(cls, node: object) -> object:
        known = cls.model_fields
        return {
            key: value
            for key, value in mapping(node).items()
            if not (absent(value) and key in known) or (key in cls.prose and getattr(value, "commented", False))
        }
