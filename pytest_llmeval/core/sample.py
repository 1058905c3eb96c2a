"""A sample: one row of a dataset, as every layer above the files reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict


class Message(TypedDict):
    """One turn of a conversation, in the shape that chat APIs take."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something stands in a user's file: lines and columns count from 1, 0 is "the file as a whole"."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([self.path, *numbers])


NOWHERE = Origin("")


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a dataset.

    ``input`` is the last user message, ``messages`` the whole conversation without system texts
    (one user message where the row has ``input:``), ``targets`` the accepted texts (empty: none given),
    ``fields`` the row's other keys, ``digest`` the content hash over input, targets and fields.
    """

    id: str
    input: str
    messages: tuple[Message, ...]
    targets: tuple[str, ...] = ()
    fields: Mapping[str, object] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    system: str = ""
    skip: str | None = None
    xfail: str | None = None
    origin: Origin = NOWHERE
    digest: str = ""
