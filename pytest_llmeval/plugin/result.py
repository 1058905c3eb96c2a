"""What ``llmeval.run`` gives a test: figures that compare like numbers and tell n, interval and worst samples when they miss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..core.measures import Grading
from ..core.numbers import figure_text
from ..core.result import Figure
from ..core.summary import Counts, RecipeSummary


class Measured(float):
    """A figure: compares as a number at nine decimals, as gates do; its text has interval, n and worst samples.

    ``low`` and ``high`` are the 95% interval (None where it cannot be given), ``n`` the distinct samples answered.
    """

    low: float | None
    high: float | None
    n: int
    _text: str

    def __new__(cls, figure: Figure, name: str, worst: tuple[str, ...]) -> Measured:
        assert figure.value is not None
        made = super().__new__(cls, round(figure.value, 9))
        made.low, made.high, made.n = figure.low, figure.high, figure.n
        tail = f"; worst: {', '.join(worst)}" if worst else ""
        made._text = f"<{name} {figure_text(figure, name)}, n = {figure.n:,}{tail}>"
        return made

    def __repr__(self) -> str:
        return self._text

    __str__ = __repr__


class Grade(str):
    """A label of a scale. A better grade is greater; comparing with a label that the scale lacks raises ValueError."""

    __slots__ = ("_labels",)
    _labels: tuple[str, ...]

    def __new__(cls, label: str, grading: Grading) -> Grade:
        made = super().__new__(cls, label)
        made._labels = grading.labels
        return made

    def _place(self, other: object) -> tuple[int, int]:
        if not isinstance(other, str) or other not in self._labels:
            raise ValueError(f"the scale has no label {other!r}; best first it has: {', '.join(self._labels)}")
        # labels stand best first: the better one has the smaller place
        return -self._labels.index(str(self)), -self._labels.index(str(other))

    def __lt__(self, other: str) -> bool:
        mine, theirs = self._place(other)
        return mine < theirs

    def __le__(self, other: str) -> bool:
        mine, theirs = self._place(other)
        return mine <= theirs

    def __gt__(self, other: str) -> bool:
        mine, theirs = self._place(other)
        return mine > theirs

    def __ge__(self, other: str) -> bool:
        mine, theirs = self._place(other)
        return mine >= theirs

    def __eq__(self, other: object) -> bool:
        mine, theirs = self._place(other)
        return mine == theirs

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


class Result(Mapping[str, Measured]):
    """A recipe on an endpoint, settled: its measures by name, its grade, its counts.

    ``result["exact_match"]`` raises KeyError, with the reason, where a measure has no figure. ``grade`` is None where the
    recipe has no grading; where it has one and it cannot be told, reading it raises ValueError with the reason.
    """

    def __init__(self, summary: RecipeSummary) -> None:
        self._summary = summary
        self._worst = tuple(nodeid.partition("::")[2] for nodeid in summary.worst)

    def __getitem__(self, name: str) -> Measured:
        figure = self._summary.measures.get(name)
        if figure is None or figure.value is None:
            known = ", ".join(sorted(self)) or "none"
            why = figure.reason if figure is not None and figure.reason else f"there are {known}"
            raise KeyError(f"{self._summary.recipe.recipe} has no figure for {name!r}: {why}")
        return Measured(figure, name, self._worst)

    def __iter__(self) -> Iterator[str]:
        return (name for name, figure in self._summary.measures.items() if figure.value is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def grade(self) -> Grade | None:
        grading = self._summary.recipe.grading
        if grading is None:
            return None
        if self._summary.grade is None:
            raise ValueError(f"{self._summary.recipe.recipe} has no grade: {self._summary.why_no_grade}")
        return Grade(self._summary.grade, grading)

    @property
    def counts(self) -> Counts:
        """Units by outcome, tokens (a count), cost (USD)."""
        return self._summary.counts

    @property
    def worst(self) -> tuple[str, ...]:
        """The ids of the worst samples, worst first."""
        return self._worst

    def __repr__(self) -> str:
        figures = ", ".join(repr(self[name]) for name in self)
        return f"<Result of {self._summary.recipe.id}: {figures}>"
