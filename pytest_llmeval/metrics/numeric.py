"""numeric: a number of the answer is the target's."""

from __future__ import annotations

import decimal
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import ClassVar, Literal

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Better
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.core.scores import listed, quoted, targets_of

Pick = Literal["last", "first", "only"]

# Digits with what may stand between them, and a power of ten; signs and a leading point are looked for by hand.
_RUN = re.compile(r"(?P<digits>\d(?:[\d.,]*\d)?)(?P<power>[eE][-+\u2212]?(?P<exponent>\d+))?")
_PLAIN = re.compile(r"\d*\.?\d+")
_LONGEST_EXPONENT = 6
_MINUS = "-\u2212"
_LATIN = re.compile(r"[A-Za-z_]")
# Room for any double, and no overflow: what is farther apart than that is not equal.
_CONTEXT = decimal.Context(prec=400, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])


@dataclass(frozen=True)
class Numeric:
    """0/1: the number that ``pick`` takes from the answer is the number of any target.

    Equal means that they differ by at most ``tolerance``, or by at most ``relative`` times the target's size.
    ``pick: only`` wants an answer with exactly one number. Numbers are read whole, with ``decimal`` as their point;
    the other of ``.`` and ``,`` groups where exactly three digits follow it. Read are a sign (``-``, ``+``, U+2212),
    powers of ten (``1e5``); currency, percent signs, brackets and sentence marks around are dropped. Digits that
    follow a Latin letter (``GPT4``) and runs with two points (``1.2.3``, ``31.12.2025``) are no numbers. Compared as
    decimal fractions, so that 0.11 is within 0.01 of 0.1.
    """

    tolerance: float = 0
    relative: float = 0
    pick: Pick = "last"
    decimal: Literal[".", ","] = "."

    id: ClassVar[str] = "numeric"
    better: ClassVar[Better] = "high"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    binary: ClassVar[bool] = True
    needs_target: ClassVar[bool] = True
    reads_text: ClassVar[bool] = True
    blocking: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name, value in (("tolerance", self.tolerance), ("relative", self.relative)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: {value:g} is no distance; write a number from 0 up")
        if self.decimal not in {".", ","}:
            raise ValueError(f"decimal: {self.decimal!r} is no decimal point; there are '.' and ','")

    def check(self, sample: Sample) -> str | None:
        for target in sample.targets:
            if self._picked(target) is None:
                several = self.pick == "only" and next(numbers(target, self.decimal), None) is not None
                found = "several numbers" if several else "no number"
                return f"its target {quoted(target)} has {found} (with decimal: '{self.decimal}')"
        return None

    def score(self, response: Response, sample: Sample) -> Score:
        wanted = [number for number in map(self._picked, targets_of(sample)) if number is not None]
        if not wanted:
            raise ValueError(f"the target {listed(sample.targets)} has no number")
        found = self._picked(response.text)
        if found is None:
            several = self.pick == "only" and next(numbers(response.text, self.decimal), None) is not None
            return Score(0.0, f"{'several numbers' if several else 'no number'} in {quoted(response.text)}")
        for number in wanted:
            if self._equal(found.value, number.value):
                return Score(1.0, f"{quoted(found.text)} is {quoted(number.text)}")
        return Score(0.0, f"{quoted(found.text)} is not {listed([number.text for number in wanted])}")

    def _picked(self, text: str) -> Number | None:
        if self.pick == "last":
            return next(numbers(text, self.decimal, backwards=True), None)
        found = list(islice(numbers(text, self.decimal), 2))
        return found[0] if len(found) == 1 or (found and self.pick == "first") else None

    def _equal(self, value: Decimal, wanted: Decimal) -> bool:
        if value == wanted:
            return True
        away = _CONTEXT.abs(_CONTEXT.subtract(value, wanted))
        return away <= Decimal(str(self.tolerance)) or away <= _CONTEXT.multiply(
            Decimal(str(self.relative)), _CONTEXT.abs(wanted)
        )


@dataclass(frozen=True, slots=True)
class Number:
    """A number that stands in a text, as written and as read."""

    text: str
    value: Decimal


def numbers(text: str, point: str = ".", *, backwards: bool = False) -> Iterator[Number]:
    """The numbers of a text, in order or from its end."""
    runs = _RUN.finditer(text)
    for run in reversed(list(runs)) if backwards else runs:
        yield from _read(text, run, point, backwards=backwards)


def _read(text: str, run: re.Match[str], point: str, *, backwards: bool) -> Iterator[Number]:
    """The numbers of one run of digits: one, none, or several that commas part."""
    start, power = run.start(), run["power"] or ""
    if len(run["exponent"] or "") > _LONGEST_EXPONENT or (start and _LATIN.match(text[start - 1])):
        return
    bare = run["digits"]
    if start and text[start - 1] == point and _opens(text, start - 1):
        start -= 1  # a leading point: .5
        bare = point + bare
    parts = _ungrouped(bare, point)
    if not all(_PLAIN.fullmatch(digits) for _, digits in parts if digits):
        return
    for i in reversed(range(len(parts))) if backwards else range(len(parts)):
        written, digits = parts[i]
        if not digits:
            continue
        sign = _sign(text, start) if i == 0 else ""
        tail = power if i == len(parts) - 1 else ""
        yield Number(f"{sign}{written}{tail}", Decimal(f"{sign}{digits}{tail}".replace("\u2212", "-")))


def _ungrouped(run: str, point: str) -> list[tuple[str, str]]:
    """The numbers that a run may be: as written, and without grouping, with a full stop as the point.

    A separator groups where exactly three digits follow it and no point came before. Another comma parts two numbers;
    another full stop (under ``decimal: ,``) is left in, so that the run is no number.
    """
    separator = "," if point == "." else "."
    parts: list[tuple[list[str], list[str]]] = []
    for piece in run.split(separator):
        before = parts[-1][0][-1] if parts else ""
        groups = len(piece.partition(point)[0]) == 3 and before != "" and point not in before
        if parts and (groups or separator == "."):
            written, digits = parts[-1]
            written.append(piece)
            digits.append(piece if groups else separator + piece)
        else:
            parts.append(([piece], [piece]))
    # swapped, so that the point is a full stop and a separator that groups nothing makes no number
    swap = str.maketrans(point + separator, "." + ",")
    return [(separator.join(written), "".join(digits).translate(swap)) for written, digits in parts]


def _sign(text: str, start: int) -> str:
    """The sign before a number, where one is meant: ``-5``, ``-$5``, ``$-5``, not ``3-5`` nor ``COVID-19``."""
    at = start - 1
    if at >= 0 and unicodedata.category(text[at]) == "Sc":
        at -= 1
    if at < 0 or text[at] not in _MINUS + "+":
        return ""
    return text[at] if _opens(text, at) else ""


def _opens(text: str, at: int) -> bool:
    """Whether what stands at a place belongs to what follows it: before it is no word, number or closing bracket."""
    if at == 0:
        return True
    before = text[at - 1]
    return not (before.isalnum() or before in "_.)]}%")
