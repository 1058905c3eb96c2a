"""regex: a pattern is found in the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Better
from pytest_llmeval.core.patterns import Pattern, shown
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.core.scores import quoted


@dataclass(frozen=True)
class Regex:
    """0/1: ``pattern`` is found in the answer, or with ``full`` matches the whole of it, ends included.

    The syntax is that of the package ``regex``, a superset of Python's ``re``; a search may take two seconds, past
    which that is a metric error.
    """

    pattern: str
    full: bool = False

    id: ClassVar[str] = "regex"
    better: ClassVar[Better] = "high"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    binary: ClassVar[bool] = True
    needs_target: ClassVar[bool] = False
    reads_text: ClassVar[bool] = True
    blocking: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.pattern:
            raise ValueError("pattern: the empty pattern is found in every answer; write what to look for")
        Pattern(self.pattern)

    def score(self, response: Response, sample: Sample) -> Score:  # noqa: ARG002 - the protocol's signature
        pattern = Pattern(self.pattern)
        found = pattern.fullmatch(response.text) if self.full else pattern.search(response.text)
        if found is None:
            missing = "does not match as a whole" if self.full else "has no match of"
            return Score(0.0, f"{quoted(response.text)} {missing} {shown(self.pattern)}")
        return Score(1.0, f"{shown(self.pattern)} matches {quoted(found.group() or '')}")
