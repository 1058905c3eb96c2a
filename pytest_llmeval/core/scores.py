"""What a metric says of itself, what it returns, and how it words its reasons."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

from .errors import ScoreError
from .extension import Metric
from .measures import Better
from .result import Score
from .sample import Sample
from .text import one_line, trim

#: characters of an answer or a target that a reason shows
SHOWN = 60
#: what arithmetic may add to the end of a range without leaving it
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Traits:
    """What a metric's class or object says of itself, with the defaults for what it leaves out.

    ``raw``: it reads the answer as it came, before ``extract:``, and a filter's refusal too. ``blocking``: it may take
    its time (patterns, users' code).
    """

    better: Better | None = "high"
    range: tuple[float | None, float | None] = (0.0, 1.0)
    binary: bool = False
    needs_target: bool = False
    reads_text: bool = True
    raw: bool = False
    blocking: bool = False

    @property
    def bounded(self) -> bool:
        return None not in self.range


def traits(metric: Metric) -> Traits:
    """What is read of a metric, whether it says all of it or nothing. A 0/1 score has that range."""
    said: dict[str, Any] = {name: getattr(metric, name) for name in Traits.__slots__ if hasattr(metric, name)}
    if said.get("binary"):
        said["range"] = (0.0, 1.0)
    return Traits(**said)


def worst_value(metric: Metric) -> float | None:
    """The score where there is no text to read: the worse end of the range, None where that end is open.

    A metric without a direction has no worse end.
    """
    own = traits(metric)
    if own.better is None:
        return None
    low, high = own.range
    worst = low if own.better == "high" else high
    return None if worst is None else float(worst)


def checked(value: object, metric: Metric) -> Score:
    """What a metric returned, as a Score with a finite float.

    Raises ScoreError for what is no finite number and no boolean, for a number outside its range
    (0 and 1 alone where it is binary), and for a Score without a value where the range has two ends.
    """
    own = traits(metric)
    score = value if isinstance(value, Score) else None
    reason = str(score.reason) if score else ""
    if score and score.value is None and not own.bounded:
        return Score(None, reason)
    number = _number(score.value if score else value)
    if number is None or not math.isfinite(number):
        what = _what(score.value if score else value)
        raise ScoreError(f"it returned {what}; a score is a finite number or a boolean")
    low, high = own.range
    if (low is not None and number < low - _SLACK) or (high is not None and number > high + _SLACK):
        raise ScoreError(f"it returned {number:g}, outside its range {_range(low, high)}")
    if own.binary and number not in {0.0, 1.0}:
        raise ScoreError(f"it returned {number:g}; its scores are 0 or 1")
    number = number if low is None else max(number, low)
    number = number if high is None else min(number, high)
    return Score(number + 0.0, reason)  # + 0.0: no negative zero


def _number(value: object) -> float | None:
    if not isinstance(value, SupportsFloat):
        return None
    try:
        return float(value)
    except (ArithmeticError, TypeError, ValueError):
        return None


def _what(value: object) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {one_line(trim(repr(value), SHOWN))}"


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"up to {high:g}"
    return f"from {low:g}" if high is None else f"{low:g} to {high:g}"


def quoted(text: str) -> str:
    """A text as reasons show it: one line, in quotes, trimmed in the middle."""
    line = one_line(trim(text, SHOWN))
    return f'"{line}"' if "'" in line and '"' not in line else f"'{line}'"


def listed(texts: Sequence[str]) -> str:
    """The first three, quoted, and how many more there are."""
    rest = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(quoted(text) for text in texts[:3]) + rest


def targets_of(sample: Sample) -> tuple[str, ...]:
    """The accepted texts. Raises ScoreError where a sample has none (asked for by hand; files are checked before)."""
    if not sample.targets:
        raise ScoreError("it needs a target, and there is none")
    return sample.targets


def best(targets: Sequence[str], measure: Callable[[str], float]) -> tuple[float, str]:
    """The highest value over the targets, and the first target that has it."""
    return max(((measure(target), target) for target in targets), key=lambda pair: pair[0])


def folded(text: str, *, ignore_case: bool) -> str:
    """The text, or its case folded."""
    return text.casefold() if ignore_case else text
