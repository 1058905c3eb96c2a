"""includes, includes_any, includes_all, starts_with: a text stands in the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Better
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.core.scores import folded, listed, quoted, targets_of

_EMPTY = "its target is the empty text, which every answer contains"


@dataclass(frozen=True)
class _Contained:
    """What the four have in common. No class of its own to users."""

    better: ClassVar[Better] = "high"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    binary: ClassVar[bool] = True
    reads_text: ClassVar[bool] = True
    blocking: ClassVar[bool] = False


@dataclass(frozen=True)
class Includes(_Contained):
    """0/1: the answer contains ``text`` (default: any target), to the letter or with its case folded."""

    text: str | None = None
    ignore_case: bool = False

    id: ClassVar[str] = "includes"

    def __post_init__(self) -> None:
        if self.text == "":
            raise ValueError("text: the empty text is in every answer; write what to look for")

    @property
    def needs_target(self) -> bool:
        return self.text is None

    def check(self, sample: Sample) -> str | None:
        return _EMPTY if self.text is None and "" in sample.targets else None

    def score(self, response: Response, sample: Sample) -> Score:
        wanted = targets_of(sample) if self.text is None else (self.text,)
        return _any_in(response.text, wanted, ignore_case=self.ignore_case)


@dataclass(frozen=True)
class IncludesAny(_Contained):
    """0/1: the answer contains at least one of ``texts`` (default: the targets)."""

    texts: tuple[str, ...] | None = None
    ignore_case: bool = False

    id: ClassVar[str] = "includes_any"

    def __post_init__(self) -> None:
        _check_texts(self.texts)

    @property
    def needs_target(self) -> bool:
        return self.texts is None

    def check(self, sample: Sample) -> str | None:
        return _EMPTY if self.texts is None and "" in sample.targets else None

    def score(self, response: Response, sample: Sample) -> Score:
        wanted = targets_of(sample) if self.texts is None else self.texts
        return _any_in(response.text, wanted, ignore_case=self.ignore_case)


@dataclass(frozen=True)
class IncludesAll(_Contained):
    """0/1: the answer contains every one of ``texts`` (default: the targets)."""

    texts: tuple[str, ...] | None = None
    ignore_case: bool = False

    id: ClassVar[str] = "includes_all"

    def __post_init__(self) -> None:
        _check_texts(self.texts)

    @property
    def needs_target(self) -> bool:
        return self.texts is None

    def check(self, sample: Sample) -> str | None:
        return _EMPTY if self.texts is None and "" in sample.targets else None

    def score(self, response: Response, sample: Sample) -> Score:
        wanted = targets_of(sample) if self.texts is None else self.texts
        answer = folded(response.text, ignore_case=self.ignore_case)
        missing = [text for text in wanted if folded(text, ignore_case=self.ignore_case) not in answer]
        if missing:
            return Score(0.0, f"{quoted(response.text)} lacks {listed(missing)}")
        return Score(1.0, f"contains {listed(wanted)}")


@dataclass(frozen=True)
class StartsWith(_Contained):
    """0/1: the answer begins with ``text`` (default: any target), white space before both left out."""

    text: str | None = None
    ignore_case: bool = False

    id: ClassVar[str] = "starts_with"

    def __post_init__(self) -> None:
        if self.text is not None and not self.text.strip():
            raise ValueError("text: every answer starts with the empty text; write what to look for")

    @property
    def needs_target(self) -> bool:
        return self.text is None

    def check(self, sample: Sample) -> str | None:
        blank = self.text is None and any(not target.strip() for target in sample.targets)
        return "its target is the empty text, with which every answer starts" if blank else None

    def score(self, response: Response, sample: Sample) -> Score:
        wanted = targets_of(sample) if self.text is None else (self.text,)
        answer = folded(response.text, ignore_case=self.ignore_case).lstrip()
        for text in wanted:
            if answer.startswith(folded(text, ignore_case=self.ignore_case).lstrip()):
                return Score(1.0, f"starts with {quoted(text)}")
        return Score(0.0, f"{quoted(response.text.lstrip())} does not start with {listed(wanted)}")


def _any_in(answer: str, wanted: tuple[str, ...], *, ignore_case: bool) -> Score:
    read = folded(answer, ignore_case=ignore_case)
    for text in wanted:
        if folded(text, ignore_case=ignore_case) in read:
            return Score(1.0, f"contains {quoted(text)}")
    if len(wanted) == 1:
        return Score(0.0, f"{quoted(answer)} does not contain {quoted(wanted[0])}")
    return Score(0.0, f"{quoted(answer)} contains none of {listed(wanted)}")


def _check_texts(texts: tuple[str, ...] | None) -> None:
    if texts is None:
        return
    if not texts:
        raise ValueError("texts: an empty list; write what to look for, or leave it out for the targets")
    if "" in texts:
        raise ValueError("texts: the empty text is in every answer; write what to look for")
