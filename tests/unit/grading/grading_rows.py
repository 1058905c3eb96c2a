"""Builds recipes and rows for tests of figures: one call says what was asked and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pytest_llmeval.core.condition import built_in_measures, parse_condition
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Band, Condition, Grading, Measure
from pytest_llmeval.core.record import Group, RecipeRecord, Row, UnitRecord
from pytest_llmeval.core.result import Outcome, Score

EXACT = Measure("exact_match", binary=True)
F1 = Measure("f1")
LENGTH = Measure("length", None, (0.0, None))
SCALE = (Band("A", 80, 100), Band("B", 60, 79), Band("C", 40, 59), Band("D", 20, 39), Band("E", 0, 19))


@dataclass
class World:
    """A recipe's record with its rows, in the order of the calls."""

    groups: tuple[Group, ...] = (Group("capitals", None),)
    metrics: tuple[Measure, ...] = (EXACT,)
    grading: Grading | None = None
    options: dict = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    @property
    def recipe(self) -> RecipeRecord:
        measures = {**{metric.name: metric for metric in self.metrics}, **built_in_measures(self.grading)}
        return RecipeRecord(
            id="recipes/capitals.yaml[local]",
            recipe="capitals",
            path="recipes/capitals.yaml",
            title="Capitals",
            endpoint="local",
            groups=self.groups,
            measures=measures,
            gates=(),
            headline=self.metrics[0].name,
            metrics=tuple(metric.name for metric in self.metrics),
            grading=self.grading,
            units=len(self.rows),
            **self.options,
        )

    def condition(self, source: object) -> Condition:
        return parse_condition(source, self.recipe.measures)

    def unit(self, sample: str, group: int, repeat: int, cluster: str | None, skip: str | None, key: str) -> UnitRecord:
        of = self.groups[group]
        place = f"{of.dataset}/{sample}[local-{of.template}-r{repeat}]"
        return UnitRecord(
            id=place,
            nodeid=f"recipes/capitals.yaml::{place}",
            ordinal=len(self.rows),
            key=key or place,
            sample=sample,
            dataset=of.dataset,
            template=of.template,
            repeat=repeat,
            messages=(),
            targets=(),
            cluster=cluster,
            skip=skip,
        )

    def add(
        self,
        sample: str,
        outcome: Outcome | None,
        *,
        group: int = 0,
        repeat: int = 1,
        cluster: str | None = None,
        skip: str | None = None,
        selected: bool = True,
        key: str = "",
    ) -> None:
        self.rows.append(Row(self.unit(sample, group, repeat, cluster, skip, key), outcome, selected))

    def answer(self, sample: str, score: float | Mapping[str, float | None], **where: object) -> None:
        """An answer scored by the first metric, or by each that the mapping has; good at a first score of 1."""
        options = {
            name: where.pop(name) for name in ("kind", "response", "cached", "error", "attempts") if name in where
        }
        scores = score if isinstance(score, Mapping) else {self.metrics[0].name: score}
        kind = options.pop("kind", "passed" if scores.get(self.metrics[0].name) == 1 else "missed")
        outcome = Outcome(
            kind,
            response=options.pop("response", answer()),
            scores={name: Score(value) for name, value in scores.items()},
            **options,
        )
        self.add(sample, outcome, **where)

    def answers(self, scores: Iterable[float], **where: object) -> World:
        for number, score in enumerate(scores):
            self.answer(f"s{number}", score, **where)
        return self

    def error(self, sample: str, text: str = "timeout after 5 attempts", **where: object) -> None:
        self.add(sample, Outcome("error", error=text, attempts=5), **where)


def answer(
    latency: float | None = 0.5, tokens: int | None = 10, cost: float | None = 0.001, finish: str = "stop"
) -> Response:
    return Response("Paris", finish, tokens, None if tokens is None else 5, latency, cost)
