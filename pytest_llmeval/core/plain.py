"""Values as they were written: the scalars of files, which are text or typed as the field that takes them asks.

A file is read into mappings, lists and scalars. An unquoted scalar of YAML, and a number of JSON, is a ``Plain``: the
text as it was written with the value that it has where a value is asked for. So ``1.10`` stays ``1.10`` where text
belongs and is 1.1 where a number does.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Self

#: the longest text that a file may hold, in bytes of UTF-8
LONGEST_TEXT = 16 * 1024 * 1024

Scalar = bool | int | float | str | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"), float),
    (re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?\.(?:inf|Inf|INF)"), lambda text: float(text.replace(".", ""))),
)
_STARTS = frozenset("~nNtTfF0123456789+-.")
#: Python itself refuses to read longer ones
_MOST_DIGITS = 4000


class Plain(str):
    """A scalar without quotes.

    ``value`` is what it is where a type is asked for: None, a bool, an int, a float, or the text itself.
    ``commented``: a comment stands behind it on its line, so that it may have been cut there.
    """

    __slots__ = ("commented", "value")

    value: Scalar
    commented: bool

    def __new__(cls, text: str, value: Scalar, *, commented: bool = False) -> Self:
        made = super().__new__(cls, text)
        made.value = value
        made.commented = commented
        return made


def resolve(text: str) -> Scalar:
    """What an unquoted scalar is by the core schema of YAML 1.2; ``yes``, ``1_000`` and dates are text."""
    if text and text[0] not in _STARTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _MOST_DIGITS:
        for pattern, number in _NUMBERS:
            if pattern.fullmatch(text):
                return number(text)
    return text


def text_of(node: object) -> str | None:
    """A scalar as text: what was written, ``true`` for True; None for nothing and for what is no scalar."""
    if type(node) is str:
        return node
    if isinstance(node, Plain):
        return None if node.value is None else str(node)
    if isinstance(node, bool):
        return "true" if node else "false"
    if isinstance(node, str):
        return str(node)
    if isinstance(node, int | float):
        return repr(node)
    return None


def value_of(node: object) -> object:
    """The typed value, through mappings and lists."""
    kind = type(node)
    if kind is str or node is None:
        return node
    if kind is Plain:
        return node.value  # type: ignore[attr-defined] # a Plain; looking at the class itself is what makes this quick
    if isinstance(node, dict | Mapping):
        return {str(key): value_of(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [value_of(value) for value in node]
    return node


def absent(node: object) -> bool:
    """Nothing, ``null`` or ``~`` without quotes."""
    return node is None or (isinstance(node, Plain) and node.value is None)


def finite(value: object) -> bool:
    """Whether all numbers of a typed value are finite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str | int):
        return True
    return all(map(finite, _inner(value)))


def too_long(text: str) -> bool:
    """Whether a text is longer than a file may hold."""
    if len(text) * 4 <= LONGEST_TEXT:
        return False
    return len(text.encode("utf-8", "surrogatepass")) > LONGEST_TEXT


def any_too_long(node: object) -> bool:
    """Whether any text in a tree is."""
    return too_long(node) if isinstance(node, str) else any(map(any_too_long, _inner(node)))


def _inner(node: object) -> Iterable[object]:
    if isinstance(node, dict | Mapping):
        return node.values()
    return node if isinstance(node, list | tuple) else ()


def _number(text: str) -> Plain:
    return Plain(text, resolve(text))


def _refuse(text: str) -> object:
    raise ValueError(f"{text} is no JSON; a number must be finite")


def _mapping(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"duplicate key {key!r}")
            seen.add(key)
    return made


#: reads strict JSON whose numbers keep their digits; raises ValueError
JSON = json.JSONDecoder(
    parse_float=_number, parse_int=_number, parse_constant=_refuse, object_pairs_hook=_mapping, strict=True
)


def read_json(text: str) -> object:
    """A JSON text as mappings, lists and scalars, numbers as ``Plain``.

    Raises ValueError (json.JSONDecodeError with line and column where the grammar is at fault) for what is no JSON, and
    for duplicate keys, numbers that are not finite and nesting that goes too deep.
    """
    try:
        return JSON.decode(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
