"""Long texts as a few harmless lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_llmeval.core.numbers import count
from pytest_llmeval.core.sample import Origin
from pytest_llmeval.core.text import one_line, trim

#: lines of one failure, unless everything is asked for
LINES = 40
#: characters that a line holds beside its label
ROOM = 71
EMPTY = "(the empty text)"


@dataclass(frozen=True, slots=True)
class View:
    """How much of a text is shown: all of it, or ``rows`` lines of what matters and ``fewer`` of the rest."""

    whole: bool
    rows: int
    fewer: int

    def text(self, text: str, rows: int) -> list[str]:
        """Harmless lines; of a long text head and tail."""
        if text == "":
            return [EMPTY]
        lines = text.split("\n")
        if self.whole:
            return [one_line(line) for line in lines]
        lines = ends(lines, rows // 2, rows - rows // 2 - 1, "line")
        room = 6 * ROOM // min(len(lines), 3)
        return [one_line(trim(line, room)) for line in lines]


def ends(lines: Sequence[str], head: int, tail: int, what: str) -> list[str]:
    """The first and the last lines with a count of those between; ``head + tail + 1`` lines at most."""
    if len(lines) <= head + tail + 1:
        return list(lines)
    return [*lines[:head], f"… {count(len(lines) - head - tail, what)} …", *lines[len(lines) - tail :]]


def aligned(blocks: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """Each block of lines with its label in front, all blocks beginning in one column."""
    blocks = list(blocks)
    width = max(len(label) for label, _ in blocks) + 3
    return [
        f"{label if i == 0 else '':{width}}{line}".rstrip() for label, lines in blocks for i, line in enumerate(lines)
    ]


def columns(rows: Sequence[Sequence[str]], gap: str = "   ") -> list[str]:
    """A table; its last column is not padded."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [gap.join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def joined(lines: Sequence[str], last: str, *, whole: bool) -> str:
    """One text; where it would be too long, its middle is left out and ``last`` still stands."""
    if not whole:
        lines = ends(lines, LINES - 12, 10, "line")
    return "\n".join([*lines, last])


def place(origin: Origin, otherwise: str = "") -> str:
    """``recipes/capitals.yaml:17``; the column would say nothing to a reader."""
    return one_line(f"{origin.path}:{origin.line}" if origin.line else origin.path or otherwise)
