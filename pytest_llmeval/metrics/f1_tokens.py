"""f1_tokens: how many words the answer shares with an accepted text."""

from __future__ import annotations

import re
import string
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Better
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.core.scores import best, quoted, targets_of

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))


@dataclass(frozen=True)
class F1Tokens:
    """0 to 1: F1 of the bags of tokens of answer and target, best over targets.

    Tokens are what white space parts after lower-casing, dropping ASCII punctuation and the words a, an, the; with s
    tokens shared, F1 = 2s / (tokens of the answer + tokens of the target). Where both bags are empty it is 1, where
    one is, 0. Source: SQuAD 1.1, Rajpurkar et al. 2016, arXiv:1606.05250, section 6.1.
    """

    id: ClassVar[str] = "f1_tokens"
    better: ClassVar[Better] = "high"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    binary: ClassVar[bool] = False
    needs_target: ClassVar[bool] = True
    reads_text: ClassVar[bool] = True
    blocking: ClassVar[bool] = False

    def score(self, response: Response, sample: Sample) -> Score:
        answer = tokens(response.text)
        value, target = best(targets_of(sample), lambda target: f1(answer, tokens(target)))
        return Score(value, f"{value:.3f} against {quoted(target)}")


def tokens(text: str) -> Counter[str]:
    """The bag of tokens of a text."""
    plain = text.lower().translate(_PUNCTUATION)
    return Counter(_ARTICLES.sub(" ", plain).split())


def f1(one: Counter[str], other: Counter[str]) -> float:
    """The harmonic mean of precision and recall of one bag against another; it has no order."""
    total = one.total() + other.total()
    return 1.0 if total == 0 else 2 * (one & other).total() / total
