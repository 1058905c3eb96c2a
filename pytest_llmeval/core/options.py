"""How an extension's fields say what a file may write in them: marks on annotations, and ``${NAME}`` expansion.

The loader of files acts on the marks; the extension gets plain values.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, get_args, get_type_hints

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Mark:
    """What the loader does with a field: ``environment``, ``secret``, ``path`` or ``document``."""

    does: str


#: a text in which ``${NAME}`` and ``${NAME:-default}`` stand for environment variables, expanded where it is used
EnvironmentText = Annotated[str, Mark("environment")]
#: as above, and nothing but such references: a literal is refused, the value is never stored or shown
SecretText = Annotated[str, Mark("secret")]
#: a path relative to the file that names it; the loader makes it absolute (``${NAME}`` may stand in it)
PathText = Annotated[str, Mark("path")]
#: a mapping, or a path (relative to the naming file, inside the root) of a JSON or YAML file that holds one
Document = Annotated[Mapping[str, object], Mark("document")]


def annotations_of(cls: type) -> dict[str, Any]:
    """Annotations, evaluated where each class was written.

    Two conftests share one module name, so that the module found by name may be another's; the namespace of a method
    is the right one.
    """
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        own = inspect.get_annotations(base)
        if own and base is not object:
            stand_in = type(base.__name__, (), {"__annotations__": own, "__module__": base.__module__})
            hints |= get_type_hints(stand_in, globalns=_namespace(base), localns=dict(vars(base)), include_extras=True)
    return hints


def _namespace(cls: type) -> dict[str, Any]:
    for member in vars(cls).values():
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        function = inspect.unwrap(function) if callable(function) else function
        if isinstance(function, types.FunctionType) and function.__code__.co_filename != "<string>":
            return function.__globals__
    module = inspect.getmodule(cls)
    return dict(vars(module)) if module else {}


def marks_of(hint: Any) -> list[Mark]:
    """The marks of an annotation, and of those within it."""
    found = [extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Mark)]
    for inner in get_args(hint):
        found.extend(marks_of(inner))
    return found


def secret_values(extension: object, environ: Mapping[str, str]) -> set[str]:
    """What is never to be stored or shown.

    The values of the variables in fields marked as secret, and whatever an optional method ``secrets`` gives.
    """
    values = set(getattr(extension, "secrets", tuple)())
    if is_dataclass(extension):
        hints = annotations_of(type(extension))
        for field in fields(extension):
            if any(mark.does == "secret" for mark in marks_of(hints[field.name])):
                held = getattr(extension, field.name)
                texts = held.values() if isinstance(held, Mapping) else [held]
                values |= {environ.get(name, "").strip() for text in texts for name in names(str(text))}
    return values - {""}


class MissingVariableError(Exception):
    """An environment variable that a text refers to is not set. ``name`` is its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"the environment variable {name} is not set")


def expand(text: str, environ: Mapping[str, str]) -> str:
    """The text with its references replaced; white space around a value is dropped, set but empty is unset.

    Raises MissingVariableError for a variable that is unset and has no default.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match.group(1), match.group(2)
        found = environ.get(name, "").strip()
        if found:
            return found
        if default is None:
            raise MissingVariableError(name)
        return default

    return _REFERENCE.sub(value, text)


def names(text: str) -> Iterator[str]:
    """The variables that a text refers to."""
    for match in _REFERENCE.finditer(text):
        yield match.group(1)


def only_references(text: str) -> bool:
    """Whether a text is nothing but references without a literal default: fit for a secret."""
    return bool(text) and all(not m.group(2) for m in _REFERENCE.finditer(text)) and not _REFERENCE.sub("", text)


def as_names(text: str) -> str:
    """A text as it may stand in a cache key: literal parts as they are, references as their names."""
    return _REFERENCE.sub(lambda match: f"${{{match.group(1)}}}", text)
