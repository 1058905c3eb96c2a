"""What a recipe's ``extract:`` takes out of an answer before the metrics read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from typing import Literal, Protocol

from .patterns import Pattern, shown

_LINE_END = re.compile(r"\r\n|\r|\n")


class Step(Protocol):
    """One step: a text to a text, or None where it finds nothing (``failure`` says so in one line)."""

    def apply(self, text: str) -> str | None: ...

    @property
    def failure(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RegexStep:
    """What a pattern matches: the first group that took part, else the whole match.

    ``match`` says which of several matches counts. Raises ValueError for a pattern that does not compile;
    ``apply`` raises PatternTimeoutError.
    """

    pattern: str
    match: Literal["first", "last"] = "last"

    def __post_init__(self) -> None:
        Pattern(self.pattern)

    def apply(self, text: str) -> str | None:
        pattern = Pattern(self.pattern)
        if self.match == "first":
            found = pattern.search(text)
        else:
            found = None
            for found in pattern.matches(text):  # noqa: B007 - the last one is what is wanted
                pass
        if found is None:
            return None
        return next((group for group in found.groups() if group is not None), found.group())

    @property
    def failure(self) -> str:
        return f"extract regex {shown(self.pattern)} does not match"


@dataclass(frozen=True, slots=True)
class Strip:
    """The text without white space at its ends."""

    failure = "extract strip finds nothing"

    def apply(self, text: str) -> str:
        return text.strip()


@dataclass(frozen=True, slots=True)
class Lower:
    """The text in lower case."""

    failure = "extract lower finds nothing"

    def apply(self, text: str) -> str:
        return text.lower()


@dataclass(frozen=True, slots=True)
class LastLine:
    """The last line that is not blank; the empty text where all are."""

    failure = "extract last_line finds nothing"

    def apply(self, text: str) -> str:
        return next((line for line in reversed(_LINE_END.split(text)) if line.strip()), "")


@dataclass(frozen=True, slots=True)
class Extraction:
    """Steps, one after another. Only a regex can find nothing; an empty text that it finds is a text."""

    steps: tuple[Step, ...]

    def apply(self, text: str) -> str | None:
        """The text that metrics read, or None where a step finds nothing. Raises PatternTimeoutError."""
        return reduce(lambda rest, step: None if rest is None else step.apply(rest), self.steps, _some(text))

    def describe_failure(self, text: str) -> str:
        """Which step finds nothing in this text, in one line; empty where all find something."""
        for step in self.steps:
            found = step.apply(text)
            if found is None:
                return step.failure
            text = found
        return ""


def _some(text: str) -> str | None:
    """The text, typed as a step's result."""
    return text
