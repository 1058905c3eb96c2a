"""How an extension's fields say what a file may write in them: marks on annotations, and ``${NAME}`` expansion.

The loader of files acts on the marks; the extension gets plain values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

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
