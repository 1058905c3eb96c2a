"""length: how long the answer is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pytest_llmeval.core.errors import ScoreError
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Better
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample


@dataclass(frozen=True)
class Length:
    """With a bound 0/1: the length is within it, bounds included; without one, the length, which has no direction.

    ``characters`` are code points, ``words`` what white space parts, ``tokens`` the endpoint's own count of the
    answer's tokens (the whole answer's, whatever ``extract:`` took); an answer that came without that count is a
    metric error.
    """

    unit: Literal["characters", "words", "tokens"] = "characters"
    at_least: int | None = None
    at_most: int | None = None

    id: ClassVar[str] = "length"
    needs_target: ClassVar[bool] = False
    reads_text: ClassVar[bool] = True
    blocking: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name, bound in (("at_least", self.at_least), ("at_most", self.at_most)):
            if bound is not None and bound < 0:
                raise ValueError(f"{name}: {bound} is no length; write 0 or more")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least: {self.at_least} is more than at_most: {self.at_most}; no answer could be both")

    @property
    def binary(self) -> bool:
        return self.at_least is not None or self.at_most is not None

    @property
    def better(self) -> Better | None:
        return "high" if self.binary else None

    @property
    def range(self) -> tuple[float | None, float | None]:
        return (0.0, 1.0) if self.binary else (0.0, None)

    def score(self, response: Response, sample: Sample) -> Score:  # noqa: ARG002 - the protocol's signature
        length = self._length(response)
        if not self.binary:
            return Score(float(length), f"{length} {self.unit}")
        if self.at_least is not None and length < self.at_least:
            return Score(0.0, f"{length} {self.unit}, fewer than {self.at_least}")
        if self.at_most is not None and length > self.at_most:
            return Score(0.0, f"{length} {self.unit}, more than {self.at_most}")
        return Score(1.0, f"{length} {self.unit}")

    def _length(self, response: Response) -> int:
        if self.unit == "characters":
            return len(response.text)
        if self.unit == "words":
            return len(response.text.split())
        if response.output_tokens is None or response.input_tokens is None:
            # a bare total stands among the output tokens, with the input's unknown
            raise ScoreError("the answer came without a count of its own tokens")
        return response.output_tokens
