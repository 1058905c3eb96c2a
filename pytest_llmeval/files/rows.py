"""Rows to samples: ids, targets, reasons, near misses of field names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pydantic import ValidationError

from pytest_llmeval.core.digest import digest
from pytest_llmeval.core.errors import Fault, Faults
from pytest_llmeval.core.lines import MOST_FAULTS
from pytest_llmeval.core.naming import marker_name
from pytest_llmeval.core.plain import any_too_long, finite, value_of
from pytest_llmeval.core.sample import Message, Sample

from .document import Place
from .fields import kind_of
from .messages import faults_of
from .ours import distance
from .reader import TOO_LONG
from .specs import RowSpec

#: a row's own keys that a field's name may be a slip of
_LONG_KEYS = tuple(name for name in RowSpec.model_fields if len(name) >= 4)
_NO_WORD = re.compile(r"[\W_]+")
_SLUG = 40


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A field whose name is a letter off a key of a row: a fault where no template uses it."""

    name: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Read:
    """What rows came to."""

    samples: tuple[Sample, ...]
    near_misses: tuple[NearMiss, ...]
    faults: tuple[Fault, ...]


def read_rows(rows: Iterable[tuple[object, Place]]) -> Read:
    """Samples of rows, each with its place. Faults that the rows themselves raise are gathered with the others."""
    reading = _Reading()
    try:
        for node, place in rows:
            reading.row(node, place)
            if len(reading.faults) >= MOST_FAULTS:
                reading.faults.append(place.fault(f"it is not read on after {MOST_FAULTS} faults"))
                break
    except Faults as raised:
        reading.faults.extend(raised.faults)
    return Read(tuple(reading.samples), tuple(reading.near.values()), tuple(reading.faults))


@dataclass(slots=True)
class _Reading:
    samples: list[Sample] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    near: dict[str, NearMiss] = field(default_factory=dict)
    ids: dict[str, Place] = field(default_factory=dict)
    #: how many samples without an id of their own had the same input
    equals: dict[str, int] = field(default_factory=dict)

    def row(self, node: object, place: Place) -> None:
        try:
            if not isinstance(node, Mapping) or any_too_long(node):
                reason = TOO_LONG if isinstance(node, Mapping) else f"a row is a mapping, this is {kind_of(node)}"
                self.faults.append(place.fault(reason))
                return
            spec = RowSpec.model_validate(node)
            fields = self._fields(spec, place)
            self.samples.append(self._sample(spec, fields, place))
        except ValidationError as error:
            self.faults.extend(faults_of(error, RowSpec, place))
        except _RowFault as error:
            self.faults.append((place.at(error.key) if error.key else place).fault(str(error)))
        except RecursionError:
            self.faults.append(place.fault("it is nested too deep"))

    def _fields(self, spec: RowSpec, place: Place) -> dict[str, object]:
        fields = {}
        for name, node in (spec.model_extra or {}).items():
            value = value_of(node)
            if not finite(value):
                raise _RowFault("a number must be finite", name)
            meant = meant_by(name)
            if meant is not None and name not in self.near:
                message = f"unknown key {name!r}; did you mean {meant!r}?"
                self.near[name] = NearMiss(name, place.key_fault(message, name))
            fields[name] = value
        return fields

    def _sample(self, spec: RowSpec, fields: dict[str, object], place: Place) -> Sample:
        system, messages = _conversation(spec)
        spoken = next((message["content"] for message in reversed(messages) if message["role"] == "user"), None)
        if spoken is None:
            raise _RowFault("a conversation needs a message of the user", "messages")
        asked: object = spec.input
        if spec.messages is not None:
            asked = [{"role": turn.role, "content": turn.content} for turn in spec.messages]
        try:
            content = digest({"input": asked, "targets": spec.target, "fields": fields})
        except (TypeError, ValueError) as error:
            raise _RowFault(f"its fields cannot stand in JSON: {error}") from None
        return Sample(
            id=self._id(spec, asked, spoken, place),
            input=spoken,
            messages=messages,
            targets=spec.target,
            fields=fields,
            metadata=spec.metadata,
            tags=tuple(dict.fromkeys(marker_name(tag) for tag in spec.tags)),
            system="\n\n".join(part for part in (spec.system, *system) if part),
            skip=spec.skip,
            xfail=spec.xfail,
            origin=place.origin,
            digest=content,
        )

    def _id(self, spec: RowSpec, asked: object, spoken: str, place: Place) -> str:
        if spec.id is not None:
            if spec.id in self.ids:
                first = self.ids[spec.id].origin
                where = f"line {first.line}" if first.line else "another row"
                line = place.at("id").origin.line
                here = f" and here, line {line}" if line else ""
                raise _RowFault(f"two samples have the id {spec.id!r}: {where}{here}", "id")
            self.ids[spec.id] = place.at("id")
            return spec.id
        made = f"{slug(spoken)}-{digest(asked)[:12]}".removeprefix("-")
        number = self.equals.get(made, 0) + 1
        while (name := made if number == 1 else f"{made}~{number}") in self.ids:
            number += 1
        self.equals[made] = number
        self.ids[name] = place
        return name


class _RowFault(Exception):
    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


def _conversation(spec: RowSpec) -> tuple[list[str], tuple[Message, ...]]:
    """The leading system texts, and the rest."""
    if spec.input is not None:
        if spec.messages is not None:
            raise _RowFault("a row has `input:` or `messages:`, not both")
        return [], (Message(role="user", content=spec.input),)
    if spec.messages is None:
        raise _RowFault("a row needs `input:` or `messages:`")
    turns = [Message(role=turn.role, content=turn.content) for turn in spec.messages]
    leading = 0
    while leading < len(turns) and turns[leading]["role"] == "system":
        leading += 1
    if any(turn["role"] == "system" for turn in turns[leading:]):
        raise _RowFault("system messages stand at the beginning", "messages")
    return [turn["content"] for turn in turns[:leading]], tuple(turns[leading:])


@lru_cache(maxsize=1024)
def meant_by(name: str) -> str | None:
    """The key of a row that a name is a single letter off (added, dropped, changed, two swapped)."""
    return next((key for key in _LONG_KEYS if name != key and distance(name, key) == 1), None)


def slug(text: str) -> str:
    """A readable start of a text: words in lower case, joined by hyphens."""
    words = _NO_WORD.sub("-", text[: 4 * _SLUG].lower()).strip("-")
    if len(words) <= _SLUG:
        return words
    cut = words[: _SLUG + 1].rpartition("-")[0] or words[:_SLUG]
    return cut.strip("-")
