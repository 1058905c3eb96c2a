"""not: the contrary of another metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.extension import Checks, Metric
from pytest_llmeval.core.measures import Better
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.core.scores import Traits, checked, traits


@runtime_checkable
class _Loads(Protocol):
    """A metric that has something to import."""

    def load(self) -> None: ...


@dataclass(frozen=True)
class Not:
    """The score of ``inner`` mirrored within its range: 1 − score where that is 0 to 1.

    Its direction is that of ``inner``, so that ``not_includes`` is 1 where the text is absent, and high is good. Where
    there is no text to read it takes its own worst value, not the contrary of the inner one's. Raises ValueError
    where the range of ``inner`` has an open end.
    """

    inner: Metric

    id: ClassVar[str] = "not"

    def __post_init__(self) -> None:
        # a function may say only when it is imported that its scores have two ends
        self.load()
        if not self._traits.bounded:
            raise ValueError(f"{self.inner.id} has no contrary, since its scores have no two ends; give it bounds")

    @property
    def _traits(self) -> Traits:
        return traits(self.inner)

    @property
    def better(self) -> Better | None:
        return self._traits.better

    @property
    def range(self) -> tuple[float | None, float | None]:
        return self._traits.range

    @property
    def binary(self) -> bool:
        return self._traits.binary

    @property
    def needs_target(self) -> bool:
        return self._traits.needs_target

    @property
    def reads_text(self) -> bool:
        return self._traits.reads_text

    @property
    def raw(self) -> bool:
        return self._traits.raw

    @property
    def blocking(self) -> bool:
        return self._traits.blocking

    def load(self) -> None:
        if isinstance(self.inner, _Loads):
            self.inner.load()

    def check(self, sample: Sample) -> str | None:
        return self.inner.check(sample) if isinstance(self.inner, Checks) else None

    def score(self, response: Response, sample: Sample) -> Score:
        found = checked(self.inner.score(response, sample), self.inner)
        low, high = self.range
        assert found.value is not None and low is not None and high is not None  # noqa: PT018 - one fact: bounded
        return Score(low + high - found.value, f"not: {found.reason}" if found.reason else "")
