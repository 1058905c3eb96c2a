"""exact_match: the answer is an accepted text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar, Literal

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Better
from pytest_llmeval.core.patterns import Pattern
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.core.scores import folded, listed, quoted, targets_of

_PUNCTUATION = r"[\p{P}`]+"
# A minus or a point that begins a number belongs to it: -5 is not 5, and .5 is not 5.
_NUMBER_HEAD = re.compile(r"-?\.?$")
_OPENERS = "\"'([{$€£"
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class ExactMatch:
    """0/1: the answer equals any target, white space at the ends of both left out.

    ``ignore_case`` compares folded case. ``ignore_punctuation`` leaves out every character of Unicode's punctuation
    and the backtick, and squeezes white space; what stands between two digits stays (``1,000``, ``3.14``), as do a
    minus and a point that begin a number; a text of nothing else is compared as it is. ``normalize`` is a Unicode
    normal form (UAX 15). The measure is the accuracy of most benchmarks, after SQuAD's "exact match"
    (Rajpurkar et al. 2016, arXiv:1606.05250) without its normalising.
    """

    ignore_case: bool = False
    ignore_punctuation: bool = False
    normalize: Literal["none", "nfc", "nfkc"] = "none"

    id: ClassVar[str] = "exact_match"
    better: ClassVar[Better] = "high"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    binary: ClassVar[bool] = True
    needs_target: ClassVar[bool] = True
    reads_text: ClassVar[bool] = True
    blocking: ClassVar[bool] = False

    def score(self, response: Response, sample: Sample) -> Score:
        targets = targets_of(sample)
        answer = self._form(response.text)
        for target in targets:
            if answer == self._form(target):
                return Score(1.0, f"is {quoted(target.strip())}")
        said = quoted(response.text.strip())
        if len(targets) == 1:
            return Score(0.0, f"{said} is not {quoted(targets[0].strip())}")
        return Score(0.0, f"{said} is none of {listed(targets)}")

    def _form(self, text: str) -> str:
        text = self._normal(folded(self._normal(text), ignore_case=self.ignore_case)).strip()
        return without_punctuation(text) or text if self.ignore_punctuation else text

    def _normal(self, text: str) -> str:
        if self.normalize == "none":
            return text
        return unicodedata.normalize("NFC" if self.normalize == "nfc" else "NFKC", text)


def without_punctuation(text: str) -> str:
    """The text without its punctuation, save what belongs to a number; white space squeezed."""
    kept: list[str] = []
    end = 0
    for run in Pattern(_PUNCTUATION).matches(text):
        kept += [text[end : run.start()], _numeric_part(text, run.start(), run.end())]
        end = run.end()
    return _SPACES.sub(" ", "".join([*kept, text[end:]])).strip()


def _numeric_part(text: str, start: int, end: int) -> str:
    """What of a run of punctuation belongs to the number after it."""
    if not text[end : end + 1].isdecimal():
        return ""
    if text[start - 1 : start].isdecimal():
        return text[start:end]
    head = _NUMBER_HEAD.search(text, start, end)
    assert head is not None  # it may be empty
    before = text[head.start() - 1 : head.start()]
    return head.group() if not before or before.isspace() or before in _OPENERS else ""
