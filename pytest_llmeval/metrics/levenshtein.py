"""levenshtein: how near the answer is to an accepted text, letter by letter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Better
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.core.scores import best, folded, quoted, targets_of


@dataclass(frozen=True)
class Levenshtein:
    """0 to 1: 1 − edit distance / length of the longer text, best over targets; 1 where both are empty.

    The distance counts insertions, deletions and substitutions of code points, each as 1
    (Levenshtein 1966, "Binary codes capable of correcting deletions, insertions, and reversals").
    """

    ignore_case: bool = False

    id: ClassVar[str] = "levenshtein"
    better: ClassVar[Better] = "high"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    binary: ClassVar[bool] = False
    needs_target: ClassVar[bool] = True
    reads_text: ClassVar[bool] = True
    blocking: ClassVar[bool] = False

    def score(self, response: Response, sample: Sample) -> Score:
        answer = folded(response.text, ignore_case=self.ignore_case)
        value, target = best(
            targets_of(sample), lambda target: similarity(answer, folded(target, ignore_case=self.ignore_case))
        )
        return Score(value, f"{value:.3f} against {quoted(target)}")


def similarity(one: str, other: str) -> float:
    """1 − distance / longer length, from 0 (nothing in common) to 1 (equal)."""
    from rapidfuzz.distance import Levenshtein as Distance

    longer = max(len(one), len(other))
    return 1.0 if longer == 0 else 1.0 - int(Distance.distance(one, other)) / longer
