"""What junit files get: properties of one item, of one gate, and of the whole suite. XML holds no controls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isfinite

from pytest_llmeval.core.naming import cookbook_names, recipe_names
from pytest_llmeval.core.record import GateRecord, RecipeRecord
from pytest_llmeval.core.result import Figure, Outcome, Verdict
from pytest_llmeval.core.summary import RunRecord
from pytest_llmeval.core.text import one_line

Property = tuple[str, str]


def sample_properties(recipe: RecipeRecord, outcome: Outcome) -> list[Property]:
    """Scores by metric, then what the answer took; what is unknown has no property."""
    response = outcome.response
    own: list[tuple[str, object]] = [("endpoint", recipe.endpoint), ("outcome", outcome.kind)]
    if response is not None:
        own += [("tokens", response.tokens), ("cost", response.cost), ("cached", outcome.cached)]
    scores = [(name, score.value) for name, score in outcome.scores.items()]
    return _properties([*scores, *own])


def gate_properties(gate: GateRecord, verdict: Verdict) -> list[Property]:
    """What a gate found: condition, verdict, figure, interval, n, and the grade where it is about one."""
    figure = verdict.figure or Figure(None, 0)
    return _properties(
        [
            ("condition", gate.condition.text),
            ("verdict", verdict.kind),
            ("grade", verdict.grade),
            ("figure", figure.value),
            ("low", figure.low),
            ("high", figure.high),
            ("n", figure.n if verdict.figure else None),
        ]
    )


def suite_properties(record: RunRecord) -> list[Property]:
    """``llmeval.capitals[local].exact_match`` and the like, recipes first, then cookbooks' grades."""
    return _properties(_suite(record))


def _suite(record: RunRecord) -> Iterator[tuple[str, object]]:
    names = recipe_names(summary.recipe for summary in record.recipes)
    for summary in record.recipes:
        whose = f"{names[summary.recipe.id]}[{summary.recipe.endpoint}]"
        yield f"{whose}.grade", summary.grade
        yield f"{whose}.selected", summary.selected
        for measure, figure in summary.measures.items():
            yield f"{whose}.{measure}", figure.value
            yield f"{whose}.{measure}.low", figure.low
            yield f"{whose}.{measure}.high", figure.high
            yield f"{whose}.{measure}.n", figure.n
    books = cookbook_names(summary.cookbook for summary in record.cookbooks)
    for book in record.cookbooks:
        yield f"cookbook.{books[book.cookbook.id]}[{book.cookbook.endpoint}].grade", book.grade


def _properties(pairs: Iterable[tuple[str, object]]) -> list[Property]:
    return [(one_line(f"llmeval.{name}"), shown) for name, value in pairs if (shown := _value(value)) is not None]


def _value(value: object) -> str | None:
    """None for what is unknown: a property that says ``None`` would read as a value."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.9g}" if isfinite(value) else None
        case _:
            return one_line(str(value))
