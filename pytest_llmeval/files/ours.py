"""Which files are ours: a glob over the end of a path, then a look at the bytes.

Every suite pays for this on every file that matches, so that it needs the standard library alone and microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Literal

Kind = Literal["recipe", "cookbook"]

#: longer suffixes first; all but these are one suffix each
_COMPOUND = (".jsonl.gz",)
_TITLE = re.compile(
    rb"^(?P<indent>[ \t]*)(?P<quote>[\"']?)(?P<key>recipe|cookbook)(?P=quote)[ \t]*:(?=[ \t\r\n]|\Z)"
    rb"[ \t]*(?P<value>[^\r\n]*)",
    re.MULTILINE,
)
_KEY = re.compile(
    rb"^(?P<indent>[ \t]*)(?P<quote>[\"']?)(?P<key>[A-Za-z_][\w-]*)(?P=quote)[ \t]*:(?=[ \t\r\n]|\Z)", re.MULTILINE
)
_FIRST = re.compile(rb"^(?P<indent>[ \t]*)(?!#|---|%)(?P<first>[^\s])", re.MULTILINE)
_NO_TEXT = re.compile(
    rb"~|null|Null|NULL|true|True|TRUE|false|False|FALSE|[-+]?[0-9]+|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
)
_MARKS_OF_OURS = (b"datasets", b"samples", b"recipes")
#: keys of recipes and cookbooks; the models cannot be asked, for they are not imported here
KNOWN_KEYS = frozenset(
    [
        "recipe",
        "cookbook",
        "description",
        "tags",
        "categories",
        "datasets",
        "samples",
        "templates",
        "endpoints",
        "system",
        "parameters",
        "repeats",
        "reduce",
        "sampling",
        "extract",
        "metrics",
        "thresholds",
        "grading",
        "misses",
        "items",
        "slices",
        "cluster",
        "max_errors",
        "recipes",
    ]
)
_FLOW_KEY = re.compile(
    rb"""(?P<quote>["']?)(?P<key>recipe|cookbook)(?P=quote)[ \t\r\n]*:[ \t\r\n]*(?P<value>[^,}\r\n]*)"""
)


@dataclass(frozen=True, slots=True)
class Look:
    """What the bytes of a file say.

    ``kind``: it is ours. Else ``near`` is the unknown key that was most likely meant as ``meant``, at ``line``, and
    ``why`` says in a line why it is not ours.
    """

    kind: Kind | None = None
    near: str = ""
    meant: str = ""
    line: int = 0
    why: str = ""

    @property
    def message(self) -> str:
        """The fault of a file that has everything but its title."""
        return f"unknown key {self.near!r}; did you mean {self.meant!r}?"


def look(data: bytes) -> Look:
    """Whether a file with these bytes is a recipe or a cookbook."""
    if b"recipe" in data or b"cookbook" in data:
        indent, flow = _top(data)
        title = None if indent is None else _flow_title(data) if flow else _block_title(data, indent)
        if title is not None:
            key, value = title
            if _is_text(value):
                return Look("recipe" if key == b"recipe" else "cookbook")
            return Look(why=f"the value of its top-level `{key.decode()}:` is no text")
    if any(mark in data for mark in _MARKS_OF_OURS):
        near = _near_miss(data)
        if near is not None:
            return near
    return Look(why="it has no top-level `recipe:` or `cookbook:` with a title")


def matches(path: PurePath | str, patterns: Iterable[str]) -> bool:
    """Whether a glob matches the end of a path; ``**`` stands for any number of folders, none too."""
    text = PurePath(path).as_posix()
    return any(_pattern(pattern).search(text) for pattern in patterns)


def file_id(path: PurePath | str) -> str:
    """A file's id: its stem (``.jsonl.gz`` is one suffix), without a trailing ``.recipe`` or ``.cookbook``."""
    name = PurePath(path).name
    stem = name[: len(name) - len(suffix_of(name))]
    for ending in (".recipe", ".cookbook"):
        if stem.endswith(ending) and stem != ending:
            return stem.removesuffix(ending)
    return stem


def suffix_of(path: PurePath | str) -> str:
    """``.yaml``, ``.jsonl.gz``; empty where there is none."""
    name = PurePath(path).name.lower()
    for compound in _COMPOUND:
        if name.endswith(compound):
            return compound
    return PurePath(name).suffix


@lru_cache(maxsize=64)
def _pattern(glob: str) -> re.Pattern[str]:
    parts = glob.replace("\\", "/").strip("/").split("/")
    made = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            made += ".*" if last else "(?:[^/]+/)*"
        else:
            made += _component(part) + ("" if last else "/")
    return re.compile(rf"(?:^|/){made}\Z", re.DOTALL)


def _component(part: str) -> str:
    made = ""
    index = 0
    while index < len(part):
        character = part[index]
        close = part.find("]", index + 2) if character == "[" else -1
        if character == "*":
            made += "[^/]*"
        elif character == "?":
            made += "[^/]"
        elif close > 0:
            inner = part[index + 1 : close].replace("\\", "\\\\")
            made += f"[^{inner[1:]}]" if inner[0] == "!" else f"[{inner}]"
            index = close
        else:
            made += re.escape(character)
        index += 1
    return made


def _top(data: bytes) -> tuple[bytes | None, bool]:
    """The indent of the top level, and whether it is written in braces."""
    first = _FIRST.search(data.removeprefix(b"\xef\xbb\xbf"))
    if first is None:
        return None, False
    return first["indent"], first["first"] == b"{"


def _block_title(data: bytes, indent: bytes) -> tuple[bytes, bytes] | None:
    data = data.removeprefix(b"\xef\xbb\xbf")
    for match in _TITLE.finditer(data):
        if match["indent"] == indent:
            value = match["value"].strip()
            if value and not value.startswith(b"#"):
                return match["key"], value
            return match["key"], _next_line(data, match.end(), indent)
    return None


def _next_line(data: bytes, start: int, indent: bytes) -> bytes:
    """The value that stands in the lines after its key: its first line, or nothing."""
    for line in data[start:].splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith(b"#"):
            continue
        deeper = line.startswith((indent + b" ", indent + b"\t"))
        entry = stripped.startswith((b"- ", b"? ")) or stripped == b"-"
        mapping = re.match(rb"[^\"'\s][^:]*:(\s|\Z)", stripped)
        return stripped if deeper and not entry and not mapping else b""
    return b""


def _flow_title(data: bytes) -> tuple[bytes, bytes] | None:
    for match in _FLOW_KEY.finditer(data):
        before = re.sub(rb"\"(?:\\.|[^\"\\])*\"|'[^']*'", b"", data[: match.start()])
        depth = sum(before.count(opening) for opening in (b"{", b"[")) - sum(before.count(c) for c in (b"}", b"]"))
        if depth == 1 and before.rstrip().endswith((b"{", b",")):
            return match["key"], match["value"].strip()
    return None


def _is_text(value: bytes) -> bool:
    if not value or value[:1] in {b"{", b"[", b"*", b"!", b"#"}:
        return False
    if value[:1] == b"&":
        return _is_text(value.partition(b" ")[2].strip())
    if value[:1] in {b'"', b"'"}:
        return True
    if value[:1] in {b"|", b">"}:
        return True
    return _NO_TEXT.fullmatch(re.sub(rb"\s+#.*", b"", value)) is None


def _near_miss(data: bytes) -> Look | None:
    data = data.removeprefix(b"\xef\xbb\xbf")
    indent, flow = _top(data)
    if indent is None or flow:
        return None
    keys = [(match["key"].decode(), match.start()) for match in _KEY.finditer(data) if match["indent"] == indent]
    names = {key for key, _ in keys}
    if not names & {"datasets", "samples", "recipes"} or names & {"recipe", "cookbook"}:
        return None
    for key, start in keys:
        if key in KNOWN_KEYS:
            continue
        for meant in ("recipe", "cookbook"):
            if distance(key, meant) <= 2:
                return Look(
                    near=key,
                    meant=meant,
                    line=data.count(b"\n", 0, start) + 1,
                    why=f"its key {key!r} may be meant as {meant!r}",
                )
    return None


def distance(one: str, other: str) -> int:
    """Letters to add, drop or change, or neighbours to swap, until one word is the other."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before = before, row
        row = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
