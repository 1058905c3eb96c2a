"""The JSON report: everything of a run, written row by row, so that a hundred thousand samples need no memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import ClassVar, TextIO

from pytest_llmeval.core.clock import timestamp
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.naming import cookbook_names, recipe_names
from pytest_llmeval.core.record import RecipeRecord, Row
from pytest_llmeval.core.result import Figure
from pytest_llmeval.core.summary import CookbookSummary, GateSummary, GroupSummary, RecipeSummary, RunRecord

#: names the format; the schema is ``pytest_llmeval/schemas/report.json``
SCHEMA = "urn:pytest-llmeval:report:1"


@dataclass(frozen=True, slots=True)
class JsonReport:
    """Writes ``.json``: one value or row a line, ASCII (any text survives by its escapes), every number finite."""

    id: ClassVar[str] = "json"
    suffix: ClassVar[str] = ".json"

    def write(self, record: RunRecord, path: Path) -> None:
        """Raises OSError where the file cannot be written."""
        names = recipe_names(summary.recipe for summary in record.recipes)
        books = cookbook_names(summary.cookbook for summary in record.cookbooks)
        with path.open("w", encoding="ascii", newline="\n") as file:
            file.write(
                f'{{"schema": {_json(SCHEMA)},\n"complete": {_json(record.complete)},\n"run": {_json(_run(record))}'
            )
            _write_list(file, "recipes", (_recipe(summary, names) for summary in record.recipes))
            _write_list(file, "cookbooks", (_cookbook(summary, names, books) for summary in record.cookbooks))
            _write_list(file, "gates", (_gate(summary, names, books) for summary in record.gates))
            _write_list(
                file,
                "samples",
                (_sample(recipe, row, names) for recipe, row in record.samples if row.selected or row.outcome),
            )
            file.write("}\n")


def _write_list(file: TextIO, key: str, values: Iterable[Mapping[str, object]]) -> None:
    file.write(f",\n{_json(key)}: [")
    separator = "\n"
    for value in values:
        file.write(f"{separator}{_json(value)}")
        separator = ",\n"
    file.write("]")


def _run(record: RunRecord) -> dict[str, object]:
    info, totals = record.info, record.totals
    own: dict[str, object] = {
        "id": info.id,
        "started": timestamp(info.started),
        "ended": None if record.ended is None else timestamp(record.ended),
        "seconds": None if record.ended is None else round(max(0.0, record.ended - info.started), 3),
        "totals": {
            "asked": totals.asked,
            "unanswered": totals.unanswered,
            "cached": totals.cached,
            "attempts": totals.attempts,
            "tokens": totals.tokens,
            "cost": totals.cost,
        },
        "notes": list(record.notes),
    }
    return own | {name: fact for name, fact in info.environment.items() if name not in own}


def _recipe(summary: RecipeSummary, names: Mapping[str, str]) -> dict[str, object]:
    recipe, counts = summary.recipe, summary.counts
    part = {} if summary.selected is None else {"selected": summary.selected}
    return {
        "id": names[recipe.id],
        "path": recipe.path,
        "title": recipe.title,
        "endpoint": recipe.endpoint,
        "grade": summary.grade,
        **part,
        "counts": {
            "passed": counts.passed,
            "missed": counts.missed,
            "refused": counts.refused,
            "errors": counts.errors,
            "metric_errors": counts.metric_errors,
            "not_asked": counts.not_asked,
            "skipped": counts.skipped,
            "requests": counts.requests,
            "asked": counts.asked,
            "cached": counts.cached,
            "tokens": counts.tokens,
            "cost": counts.cost,
        },
        "measures": {name: _figure(figure) for name, figure in summary.measures.items()},
        "groups": [_group(group) for group in summary.groups],
        "headline": recipe.headline,
        "ungraded": summary.why_no_grade,
        "model": recipe.model,
        "description": recipe.description,
        "tags": recipe.tags,
        "categories": recipe.categories,
        "subset": recipe.subset,
        "units": recipe.units,
        "datasets": recipe.datasets,
    }


def _figure(figure: Figure | None) -> dict[str, object]:
    if figure is None:
        return {"figure": None, "low": None, "high": None, "n": None}
    return {"figure": figure.value, "low": figure.low, "high": figure.high, "n": figure.n}


def _group(summary: GroupSummary) -> dict[str, object]:
    own: dict[str, object] = {"dataset": summary.group.dataset, "template": summary.group.template, "n": summary.n}
    # a metric may have been renamed to `dataset`; none can hold a dot
    figures = {f"metric.{name}" if name in own else name: figure.value for name, figure in summary.figures.items()}
    return own | figures


def _cookbook(summary: CookbookSummary, names: Mapping[str, str], books: Mapping[str, str]) -> dict[str, object]:
    cookbook = summary.cookbook
    return {
        "id": books[cookbook.id],
        "endpoint": cookbook.endpoint,
        "grade": summary.grade,
        "recipes": [names.get(recipe, recipe) for recipe in cookbook.recipes],
        "path": cookbook.path,
        "title": cookbook.title,
        "ungraded": summary.reason,
    }


def _gate(summary: GateSummary, names: Mapping[str, str], books: Mapping[str, str]) -> dict[str, object]:
    verdict = summary.verdict
    whose = {}
    if summary.cookbook is not None:
        whose = {"cookbook": books.get(summary.cookbook.id, summary.cookbook.cookbook)}
    elif summary.recipe is not None:
        whose = {"recipe": names.get(summary.recipe.id, summary.recipe.recipe)}
    graded = {"grade": verdict.grade if verdict else None} if summary.gate.condition.measure == "grade" else {}
    return {
        "id": summary.gate.id,
        **whose,
        "endpoint": summary.endpoint,
        "condition": summary.gate.condition.text,
        "verdict": verdict.kind if verdict else None,
        **_figure(verdict.figure if verdict else None),
        **graded,
        "reason": verdict.reason if verdict else "",
    }


def _sample(recipe: RecipeRecord, row: Row, names: Mapping[str, str]) -> dict[str, object]:
    unit, outcome = row.unit, row.outcome
    response = outcome.response if outcome else None
    extracted = {"extracted": outcome.extracted if outcome else None} if recipe.extracts else {}
    kind, error = _outcome(row)
    reasoning = {"reasoning": response.reasoning} if response and response.reasoning is not None else {}
    return {
        "nodeid": unit.nodeid,
        "recipe": names[recipe.id],
        "sample": unit.sample,
        "dataset": unit.dataset,
        "template": unit.template,
        "endpoint": recipe.endpoint,
        "repeat": unit.repeat,
        "outcome": kind,
        "truncated": response is not None and response.truncated,
        "error": error,
        "messages": unit.messages,
        "answer": response.text if response else None,
        **reasoning,
        **extracted,
        "targets": unit.targets,
        "scores": {
            name: {"value": score.value, "reason": score.reason}
            for name, score in (outcome.scores if outcome else {}).items()
        },
        "finish": response.finish if response else None,
        "tokens": _tokens(response),
        "latency": response.latency if response else None,
        "cost": response.cost if response else None,
        "cached": outcome is not None and outcome.cached,
    }


def _outcome(row: Row) -> tuple[str, str | None]:
    if row.outcome is not None:
        return row.outcome.kind, row.outcome.error
    return ("not_asked", None) if row.unit.skip is None else ("skipped", row.unit.skip)


def _tokens(response: Response | None) -> dict[str, object] | None:
    if response is None or response.tokens is None:
        return None
    return {"input": response.input_tokens, "output": response.output_tokens}


def _json(value: object) -> str:
    return json.dumps(_plain(value), allow_nan=False)


def _plain(value: object) -> object:
    """What JSON can hold: numbers that are not finite become null, whole ones lose their ``.0``."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            if not isfinite(value):
                return None
            return int(value) if value.is_integer() and abs(value) < 1e15 else value
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)
