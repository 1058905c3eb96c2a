"""max_latency: the answer came in time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from pytest_llmeval.core.errors import ScoreError
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Better
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample


@dataclass(frozen=True)
class MaxLatency:
    """0/1: the call that got the answer took at most ``seconds``; earlier attempts and waits do not count.

    An answer that came without a latency (recorded ones may) is a metric error.
    """

    seconds: float

    id: ClassVar[str] = "max_latency"
    better: ClassVar[Better] = "high"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    binary: ClassVar[bool] = True
    needs_target: ClassVar[bool] = False
    reads_text: ClassVar[bool] = False
    blocking: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.seconds) and self.seconds > 0):
            raise ValueError(f"seconds: {self.seconds:g} is no time to wait; write a number above 0")

    def score(self, response: Response, sample: Sample) -> Score:  # noqa: ARG002 - the protocol's signature
        if response.latency is None:
            raise ScoreError("the latency of this answer is not known")
        within = response.latency <= self.seconds
        return Score(float(within), f"{response.latency:.3f} s {'<=' if within else '>'} {self.seconds:g} s")
