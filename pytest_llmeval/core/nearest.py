"""What differs between a request and a stored one, as it is told. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .digest import canonical
from .text import one_line, trim

#: characters of a value
_WIDTH = 60
#: of those, how many stand before the place at which two long texts part
_BEFORE = 16
#: how many differences are named in a sentence
_NAMED = 3
#: in place of a value that is not there
_NOT_THERE = "none"


@dataclass(frozen=True, slots=True)
class Difference:
    """``part`` says where (``parameters.temperature``); ``here`` and ``stored`` are values as they are shown."""

    part: str
    here: str
    stored: str


@dataclass(frozen=True, slots=True)
class Nearest:
    """The stored request that comes nearest, and when its answer was stored (seconds since the epoch).

    ``differences`` is empty where the two differ in what is not stored alone: the values of secrets.
    """

    created: float
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        if not self.differences:
            return "The nearest stored request differs in the value of a secret alone, which is not kept"
        named = [f"{one.part} (here {one.here}, stored {one.stored})" for one in self.differences[:_NAMED]]
        more = len(self.differences) - len(named)
        if more:
            named.append(f"{more:,} more")
        listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
        return f"The nearest stored request differs in {listed}"


def differences(here: Mapping[str, object], stored: Mapping[str, object]) -> tuple[Difference, ...]:
    """Between the parts of two requests, in the order of the first one."""
    return tuple(_differing("", here, stored))


def likeness(here: object, stored: object) -> float:
    """How much two conversations have in common, from 0 (nothing) to 1."""
    ours, theirs = _words(here), _words(stored)
    return len(ours & theirs) / (len(ours | theirs) or 1)


def _differing(part: str, here: object, stored: object) -> Iterator[Difference]:
    if isinstance(here, Mapping) and isinstance(stored, Mapping):
        for name in dict.fromkeys([*here, *stored]):
            inner = f"{part}.{name}" if part else str(name)
            if name in here and name in stored:
                yield from _differing(inner, here[name], stored[name])
            else:
                yield Difference(
                    one_line(inner),
                    _shown(here[name]) if name in here else _NOT_THERE,
                    _shown(stored[name]) if name in stored else _NOT_THERE,
                )
    elif isinstance(here, list | tuple) and isinstance(stored, list | tuple) and len(here) == len(stored):
        for index, (ours, theirs) in enumerate(zip(here, stored, strict=True)):
            yield from _differing(f"{part}[{index}]", ours, theirs)
    # by their text: 0, 0.0 and False are equal, and are not the same request
    elif canonical(here) != canonical(stored):
        yield _difference(part, here, stored)


def _difference(part: str, here: object, stored: object) -> Difference:
    part = one_line(part)
    if isinstance(here, str) and isinstance(stored, str) and max(len(here), len(stored)) > _WIDTH:
        place = _parting(here, stored)
        return Difference(f"{part} from character {place + 1:,} on", _around(here, place), _around(stored, place))
    roles = _roles(here), _roles(stored)
    if roles[0] and roles[1]:
        return Difference(part, *(trim(one_line(", ".join(names)), _WIDTH) for names in roles))
    return Difference(part, _shown(here), _shown(stored))


def _shown(value: object) -> str:
    """In one line, long values trimmed in the middle."""
    return trim(repr(value) if isinstance(value, str) else one_line(canonical(value)), _WIDTH)


def _parting(here: str, stored: str) -> int:
    """The first place at which two texts differ."""
    pairs = enumerate(zip(here, stored, strict=False))
    return next((place for place, (ours, theirs) in pairs if ours != theirs), min(len(here), len(stored)))


def _around(text: str, place: int) -> str:
    begin = max(0, place - _BEFORE)
    end = begin + _WIDTH
    return f"{'…' if begin else ''}{text[begin:end]!r}{'…' if end < len(text) else ''}"


def _roles(value: object) -> list[str]:
    """Of a conversation; empty for anything else."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, Mapping) and "role" in one for one in value):
        return []
    return [str(one["role"]) for one in value]


def _words(conversation: object) -> set[str]:
    messages: Sequence[object] = conversation if isinstance(conversation, list | tuple) else ()
    return {word for one in messages if isinstance(one, Mapping) for word in str(one.get("content", "")).split()}
