"""The summary before pytest's last line: a table of recipes, cookbooks' grades, what was asked."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Literal

from pytest_llmeval.core.naming import cookbook_names, recipe_names
from pytest_llmeval.core.numbers import ABSENT, count, dollars, figure_text, seconds
from pytest_llmeval.core.result import Figure
from pytest_llmeval.core.shell import Shell
from pytest_llmeval.core.summary import RecipeSummary, RunRecord
from pytest_llmeval.core.text import one_line, trim

#: keyword of pytest's terminal writer
Style = Literal["bold", "red", "green", "yellow", "light"]

# A name is shortened to this before a column goes, and the columns that the last lines sum up go first.
_NAME = 16
_SHED = ("cached", "asked", "tokens", "cost")


@dataclass(frozen=True, slots=True)
class Line:
    """One line without a line feed, and how it may be coloured; it reads as well without."""

    text: str
    style: Style | None = None


@dataclass(frozen=True, slots=True)
class _Column:
    """``limit``: how short a cell may be cut at least; None for what is never cut."""

    head: str
    cells: tuple[str, ...]
    right: bool = False
    limit: int | None = None

    @property
    def width(self) -> int:
        return max(_cells(text) for text in (self.head, *self.cells))


def lines(
    record: RunRecord, width: int = 80, verbosity: int = 0, *, missed: int | None = None, shell: Shell | None = None
) -> list[Line]:
    """What is shown at the end of a run: the table, or under ``-qq`` one line; nothing where nothing was done.

    ``missed`` is how many items pytest shows as *missed* (those that ``-rm`` lists); by default as many as the record
    has misses.
    """
    if verbosity <= -2:
        return brief(record)
    return table(record, width, missed=missed, shell=shell)


def table(record: RunRecord, width: int = 80, *, missed: int | None = None, shell: Shell | None = None) -> list[Line]:
    """Everything, at most ``width`` columns wide where that can be."""
    shown = _recipes(record, width)
    shown += [Line(text) for text in _cookbooks(record)]
    summed = _gates_and_misses(record, width, missed, shell or Shell())
    if shown and summed:
        shown.append(Line(""))
    shown += summed
    if asked := _asked(record):
        shown.append(Line(asked))
    if not record.complete and (record.recipes or record.gates):
        shown.append(
            Line("incomplete: not all that was selected was settled; run again, answers are not asked twice", "yellow")
        )
    return shown + [Line(one_line(note)) for note in record.notes]


def brief(record: RunRecord) -> list[Line]:
    """One line, or none where there was nothing to do."""
    books = _cookbooks(record)
    parts = [text.removeprefix("cookbook ") for text in books[:3]]
    parts += [f"{len(books) - 3:,} more cookbooks"] if len(books) > 3 else []
    if record.recipes and not parts:
        parts = [count(len(record.recipes), "recipe")]
    parts += [part for part in (_gates(record), _misses(record, None)) if part]
    if not record.complete and record.recipes:
        parts.append("incomplete")
    if asked := _asked(record, at_length=False):
        parts.append(asked)
    return [Line(f"llmeval: {'; '.join(parts)}", _style(record))] if parts else []


def _recipes(record: RunRecord, width: int) -> list[Line]:
    if not record.recipes:
        return []
    columns = _fit(_columns(record), width)
    failed = {
        summary.recipe.id
        for summary in record.gates
        if summary.recipe is not None and summary.verdict is not None and summary.verdict.kind != "passed"
    }
    gap = "  " if _total(columns, 2) <= width else " "
    lines = [Line(_row([(column, column.head) for column in columns], gap), "bold")]
    for i, summary in enumerate(record.recipes):
        style: Style | None = "red" if summary.recipe.id in failed else None
        lines.append(Line(_row([(column, column.cells[i]) for column in columns], gap), style))
        lines += [Line(f"  {text}", "light") for note in _notes(summary) for text in _wrapped(note, width - 2)]
    return lines


def _columns(record: RunRecord) -> list[_Column]:
    summaries = record.recipes
    names = recipe_names(summary.recipe for summary in summaries)
    counts = [summary.counts for summary in summaries]

    def numbers(head: str, values: Sequence[int | None]) -> _Column:
        return _Column(head, tuple("?" if value is None else f"{value:,}" for value in values), right=True)

    labels = [one_line(summary.recipe.headline) for summary in summaries]
    columns = [
        _Column("recipe", tuple(one_line(names[summary.recipe.id]) for summary in summaries), limit=8),
        _Column("endpoint", tuple(one_line(summary.recipe.endpoint) for summary in summaries), limit=8),
        _Column("grade", tuple(one_line(summary.grade or ABSENT) for summary in summaries)),
        _Column("figure", tuple(labels), limit=6),
        _Column("", tuple(figure_text(_headline(summary), summary.recipe.headline) for summary in summaries)),
        numbers("n", [figure.n if (figure := _headline(summary)) else 0 for summary in summaries]),
        numbers("pass", [one.passed for one in counts]),
        numbers("miss", [one.missed + one.refused for one in counts]),
        numbers("err", [one.errors + one.metric_errors for one in counts]),
        numbers("asked", [one.asked for one in counts]),
        numbers("cached", [one.cached for one in counts]),
        numbers("tokens", [one.tokens for one in counts]),
    ]
    if any(one.cost for one in counts):
        costs = tuple("?" if one.cost is None else dollars(one.cost) for one in counts)
        columns.append(_Column("cost", costs, right=True))
    return columns


def _headline(summary: RecipeSummary) -> Figure | None:
    return summary.measures.get(summary.recipe.headline)


def _fit(columns: list[_Column], width: int) -> list[_Column]:
    """Names give way first, down to a legible length, then whole columns, then names again; figures stay whole."""
    for gone in range(len(_SHED) + 1):
        kept = [column for column in columns if column.head not in _SHED[:gone]]
        fitted = _shorten(kept, width, _NAME)
        if _total(fitted) <= width:
            return fitted
    return _shorten(kept, width, 0)


def _shorten(columns: list[_Column], width: int, floor: int) -> list[_Column]:
    """The widest name column gives way first, none below ``floor`` or its own limit."""
    columns = list(columns)
    widths = [column.width for column in columns]
    bounds = [column.width if column.limit is None else max(column.limit, floor) for column in columns]
    while sum(widths) + len(widths) - 1 > width:
        spare = [i for i in range(len(columns)) if widths[i] > bounds[i]]
        if not spare:
            break
        widths[max(spare, key=lambda i: widths[i])] -= 1
    return [
        _Column(column.head, tuple(_cut(text, room) for text in column.cells), column.right, column.limit)
        for column, room in zip(columns, widths, strict=True)
    ]


def _row(cells: Sequence[tuple[_Column, str]], gap: str) -> str:
    padded = []
    for column, text in cells:
        room = " " * (column.width - _cells(text))
        padded.append(room + text if column.right else text + room)
    return gap.join(padded).rstrip()


def _total(columns: Sequence[_Column], gap: int = 1) -> int:
    return sum(column.width + gap for column in columns) - gap


def _cut(text: str, room: int) -> str:
    if _cells(text) <= room:
        return text
    while text and _cells(text) > room - 1:
        text = text[:-1]
    return f"{text}…"


def _cells(text: str) -> int:
    """Columns of a terminal that a text takes: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _notes(summary: RecipeSummary) -> list[str]:
    """What must not be overlooked about a row: that it is a part, and what is missing from it."""
    counts, recipe = summary.counts, summary.recipe
    part = [] if summary.selected is None else [f"{summary.selected:,} of {recipe.units:,} selected"]
    subset = [one_line(recipe.subset)] if recipe.subset else []
    missing = [
        text
        for amount, text in (
            (counts.refused, f"{counts.refused:,} refused by the service's filter"),
            (counts.metric_errors, count(counts.metric_errors, "metric error")),
            (counts.not_asked, f"{counts.not_asked:,} not asked"),
            (counts.skipped, f"{counts.skipped:,} skipped"),
        )
        if amount
    ]
    ungraded = f"no grade: {one_line(summary.why_no_grade)}" if summary.why_no_grade and not part else ""
    return [note for note in ("; ".join(part + subset + missing), ungraded) if note]


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(trim(text, 5 * width), width)


def _cookbooks(record: RunRecord) -> list[str]:
    names = cookbook_names(summary.cookbook for summary in record.cookbooks)
    return [
        f"cookbook {one_line(names[summary.cookbook.id])} [{one_line(summary.cookbook.endpoint)}]: "
        + one_line(summary.grade or ("no grade: " + summary.reason if summary.reason else "no grade"))
        for summary in record.cookbooks
    ]


def _kinds(record: RunRecord) -> Counter[str]:
    return Counter(summary.verdict.kind if summary.verdict else "open" for summary in record.gates)


def _style(record: RunRecord) -> Style | None:
    kinds = _kinds(record)
    return "red" if kinds["failed"] or kinds["unmeasurable"] else None


def _gates(record: RunRecord) -> str:
    kinds = _kinds(record)
    words = {"passed": "held", "failed": "failed", "unmeasurable": "cannot be judged", "open": "not reached"}
    said = ", ".join(f"{kinds[kind]:,} {word}" for kind, word in words.items() if kinds[kind])
    return f"gates: {said}" if said else ""


def _misses(record: RunRecord, missed: int | None) -> str:
    if missed is None:
        missed = sum(summary.counts.missed + summary.counts.refused for summary in record.recipes)
    return f"missed: {missed:,}" if missed else ""


def _gates_and_misses(record: RunRecord, width: int, missed: int | None, shell: Shell) -> list[Line]:
    gates, misses = _gates(record), _misses(record, missed)
    style = _style(record)
    if not misses:
        return [Line(gates, style)] if gates else []
    said = ". ".join(part for part in (gates, misses) if part) + ", listed by -rm"
    one = next((s.worst[0] for s in record.recipes if s.worst and s.counts.missed + s.counts.refused), None)
    if one is None:
        return [Line(said, style)]
    whole = f"one of them whole: {shell.pytest(one, '-vv')}"
    # a command on a line of its own is easier to take than one that the terminal breaks
    if len(said) + len(whole) + 2 > width:
        return [Line(said, style), Line(whole)]
    return [Line(f"{said}; {whole}", style)]


def _asked(record: RunRecord, *, at_length: bool = True) -> str:
    totals = record.totals
    if not (totals.asked or totals.cached or totals.attempts):
        return ""
    said = f"asked {count(totals.asked, 'request')}"
    if totals.asked and at_length:
        if record.ended is not None:
            said += f" in {seconds(max(0.0, record.ended - record.info.started))}"
        took = [count(totals.attempts, "attempt")] if totals.attempts > totals.asked else []
        answered = totals.asked > totals.unanswered
        took += [count(totals.tokens, "token")] if totals.tokens is not None and answered else []
        took += [dollars(totals.cost)] if totals.cost else []
        said += f" ({', '.join(took)})" if took else ""
    said += f", {totals.unanswered:,} without an answer" if totals.unanswered else ""
    return f"{said}, {totals.cached:,} answered before"
