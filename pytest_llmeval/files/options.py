"""An extension made of the options that a file gives it, each checked against the field that takes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from pytest_llmeval.core.errors import Fault, Faults
from pytest_llmeval.core.options import annotations_of, marks_of
from pytest_llmeval.core.plain import absent, finite
from pytest_llmeval.core.registry import Kind, Registry
from pytest_llmeval.core.text import did_you_mean

from .fields import SCALAR, kind_of, shown
from .fitting import Unfit, Where, expected, fitted
from .messages import described


@dataclass(frozen=True, slots=True)
class Option:
    """A field of an extension that a file may set."""

    name: str
    hint: Any
    required: bool
    adapter: TypeAdapter[Any]


def unknown(registry: Registry, kind: Kind, name: str) -> str | None:
    """Why nothing of this kind has that name, or None where something has."""
    if registry.get(kind, name) is not None:
        return None
    known = registry.names(kind)
    hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
    return f"no {kind} {name!r}{hint}"


def build(registry: Registry, kind: Kind, name: str, options: Mapping[str, object], where: Where) -> Any:
    """The extension of that name with these options.

    Raises Faults: for an unknown name, and for every option that is unknown, missing or unfit.
    """
    reason = unknown(registry, kind, name)
    if reason is not None:
        raise Faults([where.place.fault(reason)])
    cls = registry.get(kind, name)
    assert cls is not None
    return make(cls, f"{kind} {name!r}", options, where)


def make(cls: type, what: str, options: Mapping[str, object], where: Where) -> Any:
    """A frozen dataclass from its options. Raises Faults."""
    try:
        known = options_of(cls)
    except Exception as error:
        raise Faults([where.place.fault(f"the {what} ({_address(cls)}) is broken: {error}")]) from error
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    for key, node in options.items():
        option = known.get(key)
        if option is None:
            hint = did_you_mean(key, list(known)) or (f"; there are {', '.join(known)}" if known else "; it has none")
            faults.append(where.place.key_fault(f"no option {key!r} of the {what}{hint}", key))
        elif not absent(node):
            try:
                values[key] = _checked(option, node, where)
            except Unfit as unfit:
                faults.append(where.place.at(key).fault(str(unfit)))
            except Faults as inner:
                faults.extend(inner.faults)
    missing = [name for name, option in known.items() if option.required and absent(options.get(name))]
    faults.extend(where.place.fault(f"the {what} needs `{name}:`") for name in missing)
    if faults:
        raise Faults(faults)
    try:
        return cls(**values)
    except ValueError as error:
        raise Faults([where.place.fault(str(error))]) from error
    except Exception as error:
        reason = f"the {what} ({_address(cls)}) cannot be made: {type(error).__name__}: {error}"
        raise Faults([where.place.fault(reason)]) from error


@cache
def options_of(cls: type) -> dict[str, Option]:
    """The options of an extension's class by name. Raises TypeError where it is no dataclass."""
    if not dataclasses.is_dataclass(cls):
        raise TypeError("an extension is a frozen dataclass")
    hints = annotations_of(cls)
    found = {}
    for each in dataclasses.fields(cls):
        if not each.init:
            continue
        required = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        hint = hints[each.name]
        found[each.name] = Option(each.name, hint, required, _adapter(hint))
    return found


def option_schema(cls: type) -> dict[str, Any]:
    """The JSON Schema of an extension's options."""
    options = options_of(cls)
    properties = {name: _schema(option) for name, option in options.items()}
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    required = [name for name, option in options.items() if option.required]
    return schema | ({"required": required} if required else {})


def _schema(option: Option) -> dict[str, Any]:
    schema = option.adapter.json_schema()
    marks = {mark.does for mark in marks_of(option.hint)}
    if "document" in marks:
        for branch in (schema, *schema.get("anyOf", ())):
            if branch.get("type") == "object":
                branch["type"] = ["string", "object"]
    found = schema if "secret" in marks else _widened(schema)
    assert isinstance(found, dict)
    return found


def _widened(schema: Any) -> Any:
    """Text where text belongs is what was written: editors shall not mark a number there."""
    if isinstance(schema, list):
        return [_widened(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _widened(value) for key, value in schema.items()}
    return made | SCALAR if made.get("type") == "string" and not {"enum", "const"} & set(made) else made


def _address(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _adapter(hint: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(hint, config=ConfigDict(strict=True, arbitrary_types_allowed=True))
    except PydanticUserError:
        # a type with a configuration of its own
        return TypeAdapter(hint)


def _checked(option: Option, node: object, where: Where) -> Any:
    place = where.place.at(option.name)
    value = fitted(node, option.hint, place, where)
    if not finite(value):
        raise Unfit("a finite number is expected")
    try:
        return option.adapter.validate_python(value)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        kinds = ("_type", "literal_error", "_parsing", "is_instance_of", "_tag_invalid")
        if len(detail["loc"]) <= 1 and detail["type"].endswith(kinds):
            # what was typed by mistake may be a secret
            found = kind_of(node) if where.may_leave else shown(node)
            raise Unfit(f"{expected(option.hint)} is expected, found {found}") from None
        raise Unfit(described(detail)) from None
