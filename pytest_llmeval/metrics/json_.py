"""json_valid, json_schema: the answer is JSON, and fits a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Better
from pytest_llmeval.core.options import Document
from pytest_llmeval.core.patterns import Pattern
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.core.scores import quoted
from pytest_llmeval.core.text import one_line, trim

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: the drafts' own schemas, which the validator knows
_DRAFTS = ("https://json-schema.org/draft/", "http://json-schema.org/draft-")
#: keywords whose values are no schemas
_VALUES = frozenset({"const", "enum", "default", "examples"})
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
#: what int() reads without a limit of its own
_INTEGER_DIGITS = 4000


@dataclass(frozen=True)
class JsonValid:
    """0/1: the whole answer is JSON (RFC 8259), or with ``fenced`` what stands in one of its fenced code blocks.

    Strict: ``NaN`` and ``Infinity``, comments, single quotes and trailing commas are no JSON.
    """

    fenced: bool = True

    id: ClassVar[str] = "json_valid"
    better: ClassVar[Better] = "high"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    binary: ClassVar[bool] = True
    needs_target: ClassVar[bool] = False
    reads_text: ClassVar[bool] = True
    blocking: ClassVar[bool] = False

    def score(self, response: Response, sample: Sample) -> Score:  # noqa: ARG002 - the protocol's signature
        values, why = documents(response.text, fenced=self.fenced)
        return Score(1.0, "is JSON") if values else Score(0.0, f"no JSON in {quoted(response.text)}: {why}")


@dataclass(frozen=True)
class JsonSchema:
    """0/1: the answer is JSON, as ``json_valid`` reads it, and fits ``schema`` (JSON Schema, draft 2020-12).

    Of several fenced blocks one that fits is enough. ``format`` is an annotation, as in the draft; the schema's own
    ``pattern`` and ``patternProperties`` are run as all patterns are, with a limit of two seconds. References lead
    to places in the schema; nothing is fetched.
    """

    schema: Document
    fenced: bool = True

    id: ClassVar[str] = "json_schema"
    better: ClassVar[Better] = "high"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    binary: ClassVar[bool] = True
    needs_target: ClassVar[bool] = False
    reads_text: ClassVar[bool] = True
    blocking: ClassVar[bool] = True

    def __post_init__(self) -> None:
        from jsonschema import Draft202012Validator, FormatChecker
        from jsonschema.exceptions import SchemaError

        dialect = self.schema.get("$schema", _DIALECT)
        if str(dialect).rstrip("#") != _DIALECT:
            raise ValueError(f"schema: $schema is {quoted(str(dialect))}; this metric reads {_DIALECT}")
        try:
            # patterns are checked below, as the package `regex` reads them
            Draft202012Validator.check_schema(self.schema, format_checker=FormatChecker(()))
        except SchemaError as error:
            raise ValueError(f"schema: {_place(error.absolute_path)}: {_shown(error.message)}") from None
        entries = list(_walk(self.schema, "$"))
        for place, keyword, value in entries:
            if keyword == "pattern" and isinstance(value, str):
                _check_pattern(place, value)
            elif keyword == "patternProperties" and isinstance(value, Mapping):
                for pattern in value:
                    _check_pattern(place, pattern)
        if not any(keyword == "$id" and place != "$.$id" for place, keyword, _ in entries):
            _check_references(self.schema, entries)

    def score(self, response: Response, sample: Sample) -> Score:  # noqa: ARG002 - the protocol's signature
        values, why = documents(response.text, fenced=self.fenced)
        if not values:
            return Score(0.0, f"no JSON in {quoted(response.text)}: {why}")
        faults = [self._fault(value) for value in values]
        return Score(1.0, "fits the schema") if None in faults else Score(0.0, faults[-1] or "")

    def _fault(self, value: object) -> str | None:
        """The first thing that does not fit, or None."""
        try:
            error = next(self._validator.iter_errors(value), None)
        except (RecursionError, OverflowError):  # nested, or a number, beyond what can be checked
            return "too deep or too great to check"
        return None if error is None else f"{_place(error.absolute_path)}: {_shown(error.message)}"

    @cached_property
    def _validator(self) -> Any:
        from jsonschema import Draft202012Validator
        from jsonschema.validators import extend
        from referencing import Registry

        keywords = {
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "additionalProperties": _additional_properties,
        }
        # with a registry of its own it fetches nothing
        return extend(Draft202012Validator, keywords)(self.schema, registry=Registry())  # type: ignore[no-untyped-call] # its stubs give it no types


def documents(text: str, *, fenced: bool) -> tuple[list[object], str]:
    """The JSON values that an answer gives, and where there is none, why not."""
    try:
        return [_parsed(text)], ""
    except ValueError as error:
        why = _shown(str(error))
    found: list[object] = []
    for block in blocks(text) if fenced else ():
        try:
            found.append(_parsed(block))
        except ValueError as error:
            why = _shown(str(error))
    return found, why


def blocks(text: str) -> Iterator[str]:
    """What stands in a text's fenced code blocks; a fence that nothing closes runs to the end."""
    fence = ""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        found = _FENCE.match(line)
        if not fence:
            if found:
                fence, lines = found[1], []
        elif found and found[1].startswith(fence) and not line[found.end() :].strip():
            yield "".join(lines)
            fence = ""
        else:
            lines.append(line)
    if fence:
        yield "".join(lines)


def _parsed(text: str) -> object:
    """The value of a JSON text. Raises ValueError with the reason."""
    if not text.strip():
        raise ValueError("it is empty")
    try:
        return json.loads(text, parse_constant=_constant, parse_int=_integer)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _integer(digits: str) -> int | float:
    # Python refuses to read very long integers; JSON has no limit.
    return int(digits) if len(digits) <= _INTEGER_DIGITS else float(digits)


def _check_pattern(place: str, pattern: str) -> None:
    try:
        Pattern(pattern)
    except ValueError as error:
        raise ValueError(f"schema: {place}: {error}") from None


def _check_references(schema: Mapping[str, object], entries: list[tuple[str, str, object]]) -> None:
    """Every reference leads somewhere, in a schema that has one base URI."""
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY

    resolver = EMPTY_REGISTRY.resolver_with_root(DRAFT202012.create_resource(schema))
    for place, keyword, value in entries:
        if keyword in {"$ref", "$dynamicRef"} and isinstance(value, str) and not value.startswith(_DRAFTS):
            try:
                resolver.lookup(value)
            except Unresolvable:
                raise ValueError(f"schema: {place}: {quoted(value)} leads nowhere in the schema") from None


def _walk(schema: object, place: str) -> Iterator[tuple[str, str, object]]:
    """Every entry of every mapping within, with its place."""
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            yield f"{place}.{key}", str(key), value
            if key not in _VALUES:
                yield from _walk(value, f"{place}.{key}")
    elif isinstance(schema, list | tuple):
        for i, value in enumerate(schema):
            yield from _walk(value, f"{place}[{i}]")


def _pattern(_validator: Any, pattern: str, instance: object, _schema: object) -> Iterator[Any]:
    from jsonschema import ValidationError

    if isinstance(instance, str) and Pattern(pattern).search(instance) is None:
        yield ValidationError(f"{quoted(instance)} does not match {quoted(pattern)}")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: object, _schema: object
) -> Iterator[Any]:
    if not isinstance(instance, Mapping):
        return
    for pattern, wanted in patterns.items():
        for key, value in instance.items():
            if Pattern(pattern).search(key):
                yield from validator.descend(value, wanted, path=key, schema_path=pattern)


def _additional_properties(validator: Any, wanted: Any, instance: object, schema: Mapping[str, Any]) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not isinstance(instance, Mapping):
        return
    named: Mapping[str, Any] = schema.get("properties", {})
    patterns = [Pattern(pattern) for pattern in schema.get("patternProperties", {})]
    for key, value in instance.items():
        if key in named or any(pattern.search(key) for pattern in patterns):
            continue
        if wanted is False:
            yield ValidationError(f"the property {quoted(key)} is not in the schema")
        else:
            yield from validator.descend(value, wanted, path=key)


def _place(path: Any) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return one_line(trim("$" + "".join(steps), 60))


def _shown(message: str) -> str:
    return one_line(trim(message, 100))
