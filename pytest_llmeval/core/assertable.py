"""What a recipe came to as a test asserts it: figures that compare as thresholds do, grades that know their scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from .errors import Unmeasurable
from .naming import short_id
from .numbers import figure_text
from .result import Figure
from .summary import Counts, RecipeSummary

#: decimals at which figures are compared, in thresholds as in tests: 3 of 5 is 0.6 however it was summed
DECIMALS = 9


class Measured(float):
    """A figure, comparable as a threshold compares it (at nine decimals); its text shows interval, n and worst samples.

    ``figure`` is the statistic with its interval and n; ``worst`` are the node ids of the samples that cost it most,
    worst first.
    """

    figure: Figure
    measure: str
    statistic: str
    recipe: RecipeSummary
    worst: tuple[str, ...]

    def __new__(
        cls, figure: Figure, measure: str, statistic: str, recipe: RecipeSummary, worst: tuple[str, ...] = ()
    ) -> Self:
        assert figure.value is not None
        made = super().__new__(cls, figure.value)
        made.figure, made.measure, made.statistic, made.recipe, made.worst = figure, measure, statistic, recipe, worst
        return made

    def __repr__(self) -> str:
        names = list(dict.fromkeys(short_id(nodeid, self.recipe.recipe.endpoint) for nodeid in self.worst))
        worst = f", worst: {', '.join(names)}" if names else ""
        return f"{figure_text(self.figure, self.measure, self.statistic)}, n = {self.figure.n:,}{worst}"

    def __hash__(self) -> int:
        return hash(_rounded(self))

    def __eq__(self, other: object) -> bool:
        return _rounded(self) == _rounded(other)

    def __ne__(self, other: object) -> bool:
        return _rounded(self) != _rounded(other)

    def __lt__(self, other: float) -> bool:
        return _rounded(self) < round(float(other), DECIMALS)

    def __le__(self, other: float) -> bool:
        return _rounded(self) <= round(float(other), DECIMALS)

    def __gt__(self, other: float) -> bool:
        return _rounded(self) > round(float(other), DECIMALS)

    def __ge__(self, other: float) -> bool:
        return _rounded(self) >= round(float(other), DECIMALS)


def _rounded(value: object) -> float:
    """At the decimals of a comparison; what is no number equals none."""
    return round(float(value), DECIMALS) if isinstance(value, float | int) else float("nan")


class Grade(str):
    """A label of a scale; a better one is greater.

    Comparing it with a label that its scale lacks raises ValueError: such a test could not mean what it says.
    """

    __slots__ = ("labels", "text")

    labels: tuple[str, ...]
    text: str

    def __new__(cls, label: str, labels: tuple[str, ...], text: str = "") -> Self:
        """``labels`` best first; ``text`` is the figure behind the grade, for people."""
        made = super().__new__(cls, label)
        made.labels, made.text = labels, text
        return made

    def __repr__(self) -> str:
        return f"{str(self)!r} ({self.text})" if self.text else repr(str(self))

    def __hash__(self) -> int:
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        __tracebackhide__ = True
        return self._worse_than(other) == 0

    def __ne__(self, other: object) -> bool:
        __tracebackhide__ = True
        return self._worse_than(other) != 0

    def __lt__(self, other: str) -> bool:
        __tracebackhide__ = True
        return self._worse_than(other) > 0

    def __le__(self, other: str) -> bool:
        __tracebackhide__ = True
        return self._worse_than(other) >= 0

    def __gt__(self, other: str) -> bool:
        __tracebackhide__ = True
        return self._worse_than(other) < 0

    def __ge__(self, other: str) -> bool:
        __tracebackhide__ = True
        return self._worse_than(other) <= 0

    def _worse_than(self, other: object) -> int:
        """By how many labels it is worse."""
        __tracebackhide__ = True
        labels = list(self.labels)
        if str(other) not in labels:
            raise ValueError(f"the scale has no label {other!r}; best first it has {', '.join(labels)}")
        return labels.index(str(self)) - labels.index(str(other))


@dataclass(frozen=True, eq=False)
class Result(Mapping[str, Measured]):
    """A recipe on one endpoint, asked whole and judged.

    ``result["exact_match"]`` is a figure by its default statistic, ``result["latency.p95"]`` by another one. Raises
    KeyError for what is no measure of the recipe and Unmeasurable where no figure can be given (answers are missing
    beyond ``max_errors``, say). As a mapping it holds all measures that have a figure.
    """

    summary: RecipeSummary
    _measure: Callable[[str], Measured]

    def __getitem__(self, name: str) -> Measured:
        __tracebackhide__ = True
        return self._measure(name)

    def __iter__(self) -> Iterator[str]:
        return iter(name for name, figure in self.summary.measures.items() if figure.value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __repr__(self) -> str:
        recipe, counts = self.summary.recipe, self.summary.counts
        return f"<Result {recipe.recipe}[{recipe.endpoint}]: {counts.passed} passed, {counts.missed} missed>"

    @property
    def grade(self) -> Grade:
        """The recipe's grade. Raises Unmeasurable where it has none, and says why."""
        summary = self.summary
        grading = summary.recipe.grading
        if grading is None:
            raise Unmeasurable(f"{summary.recipe.path} has no `grading:`, so there is no grade")
        if summary.grade is None:
            raise Unmeasurable(f"{summary.recipe.path} on {summary.recipe.endpoint}: no grade, {summary.why_no_grade}")
        figure = summary.measures.get(grading.measure)
        text = figure_text(figure, grading.measure, grading.statistic)
        n = "" if figure is None else f", n = {figure.n:,}"
        return Grade(summary.grade, grading.labels, f"{grading.measure} {text}{n}")

    @property
    def counts(self) -> Counts:
        """Units by what became of them, requests, tokens, cost."""
        return self.summary.counts

    @property
    def worst(self) -> tuple[str, ...]:
        """The node ids of the worst samples by the recipe's first figure, worst first."""
        return self.summary.worst
