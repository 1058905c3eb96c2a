"""Two texts compared by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal


@dataclass(frozen=True, slots=True)
class Piece:
    """Words in a row that stand in both texts, or in one alone; ``more`` counts those that were not compared."""

    side: Literal["both", "left", "right"]
    words: tuple[str, ...]
    more: int = 0


def compare(left: str, right: str, limit: int = 400) -> list[Piece]:
    """Pieces in order; white space is not compared.

    What the texts begin and end with alike is found in one pass; of what is between, ``limit`` words of each are
    compared (that takes their product in time).
    """
    ours, theirs = left.split(), right.split()
    head = _alike(ours, theirs)
    tail = _alike(ours[head:][::-1], theirs[head:][::-1])
    inner_left, inner_right = ours[head : len(ours) - tail], theirs[head : len(theirs) - tail]
    pieces = [Piece("both", tuple(ours[:head]))]
    matcher = SequenceMatcher(None, inner_left[:limit], inner_right[:limit], autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            pieces.append(Piece("both", tuple(inner_left[a:b])))
        else:
            pieces += [Piece("left", tuple(inner_left[a:b])), Piece("right", tuple(inner_right[c:d]))]
    pieces += [
        Piece("left", (), max(0, len(inner_left) - limit)),
        Piece("right", (), max(0, len(inner_right) - limit)),
        Piece("both", tuple(ours[len(ours) - tail :])),
    ]
    return [piece for piece in pieces if piece.words or piece.more]


def _alike(left: Sequence[str], right: Sequence[str]) -> int:
    """How many words both begin with."""
    for i, (ours, theirs) in enumerate(zip(left, right, strict=False)):
        if ours != theirs:
            return i
    return min(len(left), len(right))
