"""The page for a pull request: what happened, what to look at, what it took. Under 60 KB, whatever a run holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import takewhile
from pathlib import Path
from typing import ClassVar

from pytest_llmeval.core.measures import Condition
from pytest_llmeval.core.naming import cookbook_names, recipe_names
from pytest_llmeval.core.numbers import ABSENT, count, dollars, figure_text, seconds, told_apart
from pytest_llmeval.core.record import Row
from pytest_llmeval.core.result import Figure
from pytest_llmeval.core.summary import Counts, GateSummary, RecipeSummary, RunRecord
from pytest_llmeval.core.text import one_line, safe, trim

#: bytes; a comment on the usual services holds 65,536 characters
_PAGE = 58_000
_TABLES = 24_000
_SAMPLES = 5
_TEXT = 700
_LABEL = 10
#: how many of a kind a line names
_NAMED = 3
#: how many different reasons are counted
_KINDS = 200
_ERRORS = frozenset({"error", "metric_error", "not_asked"})
_ELSEWHERE = "in the JSON report"


@dataclass(frozen=True, slots=True)
class MarkdownReport:
    """Writes ``.md``, for people: everything of a run stands in the JSON report."""

    id: ClassVar[str] = "markdown"
    suffix: ClassVar[str] = ".md"

    def write(self, record: RunRecord, path: Path) -> None:
        """Raises OSError where the file cannot be written."""
        path.write_text(page(record), encoding="utf-8", newline="\n")


def page(record: RunRecord) -> str:
    """The whole page. Every text that is not ours is inert in it: no markup, no mention, no link."""
    names = recipe_names(summary.recipe for summary in record.recipes)
    room = _Room(_PAGE)
    last = _took(record)
    room.take([last])
    blocks = [[_comment(record), f"### Evaluation: {_headline(record)}"]]
    room.take(blocks[0])
    tables = _Room(_TABLES)
    blocks.append(tables.table(_cookbook_rows(record, names), "cookbook"))
    blocks.append(tables.table(_recipe_rows(record, names), "recipe"))
    blocks.append(tables.listed([_gate_line(gate) for gate in _sorted_gates(record)], "gate"))
    blocks.append(tables.listed(list(_error_lines(record, names)), "recipe with errors", "recipes with errors"))
    room.take(line for block in blocks[1:] for line in block)
    blocks += _details(record, names, room)
    blocks.append([last])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


class _Room:
    """Bytes that are left; what does not fit is counted and said."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, lines: Iterable[str]) -> bool:
        """Whether the lines still fit; then they are counted."""
        size = sum(len(line.encode("utf-8", "replace")) + 2 for line in lines)
        if size > self.left:
            return False
        self.left -= size
        return True

    def table(self, rows: Sequence[Sequence[str]], what: str) -> list[str]:
        """A table of the rows that fit; the first row is its head."""
        if len(rows) < 2:
            return []
        lines = [f"| {' | '.join(row)} |" for row in rows]
        head, body = [lines[0], f"|{' --- |' * len(rows[0])}"], lines[1:]
        return [*head, *self._fitting(body, what)] if self.take(head) else []

    def listed(self, lines: Sequence[str], what: str, plural: str = "") -> list[str]:
        return self._fitting(lines, what, plural)

    def _fitting(self, lines: Sequence[str], what: str, plural: str = "") -> list[str]:
        for i, line in enumerate(lines):
            if not self.take([line]):
                more = count(len(lines) - i, f"more {what}", f"more {plural or f'{what}s'}")
                return [*lines[:i], "", f"… {more} {_ELSEWHERE}"]
        return list(lines)


# What Markdown or its renderers give a meaning to; of `_`, `:` and `.` only where they have one.
_MEANS_SOMETHING = re.compile(r"""[^\w .,:;/()=>'"%+?-]|(?<![^\W_])_|_(?![^\W_])|:(?=/)|(?<=www)\.""")


def _code(text: str, limit: int = 120) -> str:
    """A text as it is, within a line or a table's cell; no service looks for mentions or references in ``<code>``."""
    shown = one_line(trim(text, limit))
    return f"<code>{_MEANS_SOMETHING.sub(lambda match: f'&#{ord(match.group())};', shown)}</code>"


def _pre(text: str) -> str:
    """A text within a block of HTML, which a blank line would end; its lines stand under one another."""
    return escape(safe(trim(text, _TEXT)), quote=False).replace("\n", f"&#10;{' ' * _LABEL}")


def _comment(record: RunRecord) -> str:
    """By which a later run finds its comment again: the folder that all its recipes are in."""
    folders = [summary.recipe.path.split("/")[:-1] for summary in record.recipes]
    shared = takewhile(lambda parts: len(set(parts)) == 1, zip(*folders, strict=False))
    common = re.sub(r"[^\w./]+", "-", "/".join(parts[0] for parts in shared))
    return f"<!-- llmeval:{common or '.'} -->"


def _headline(record: RunRecord) -> str:
    kinds = Counter(gate.verdict.kind if gate.verdict else "open" for gate in record.gates)
    said = [] if record.complete else ["incomplete"]
    said += [f"{count(kinds['failed'], 'gate')} failed"] if kinds["failed"] else []
    said += [f"{count(kinds['unmeasurable'], 'gate')} cannot be judged"] if kinds["unmeasurable"] else []
    said += [f"{count(kinds['open'], 'gate')} not reached"] if kinds["open"] else []
    if record.gates and kinds["passed"] == len(record.gates):
        said.append("the gate held" if len(record.gates) == 1 else f"all {len(record.gates):,} gates held")
    if not record.gates:
        said += _answered(record)
    names = cookbook_names(summary.cookbook for summary in record.cookbooks)
    said += [
        f"{_code(f'{names[book.cookbook.id]} [{book.cookbook.endpoint}]', 60)}: "
        + (f"grade {_code(book.grade, 20)}" if book.grade else "no grade")
        for book in record.cookbooks[:_NAMED]
    ]
    said += _more(len(record.cookbooks) - _NAMED, "cookbook")
    return " · ".join(said)


def _more(many: int, what: str) -> list[str]:
    return [count(many, f"more {what}", f"more {what}s")] if many > 0 else []


def _answered(record: RunRecord) -> list[str]:
    counts = [summary.counts for summary in record.recipes]
    missed = sum(one.missed + one.refused for one in counts)
    answers = missed + sum(one.passed + one.metric_errors for one in counts)
    absent = sum(map(_without_answer, counts))
    raised = sum(one.metric_errors for one in counts)
    said = [f"{absent:,} without an answer"] if absent else []
    said += [count(raised, "metric error")] if raised else []
    return [*said, f"{missed:,} of {count(answers, 'answer')} missed" if answers else "no answers"]


def _without_answer(counts: Counts) -> int:
    return counts.errors + counts.not_asked


def _cookbook_rows(record: RunRecord, names: Mapping[str, str]) -> list[list[str]]:
    books = cookbook_names(summary.cookbook for summary in record.cookbooks)
    rows = [["cookbook", "endpoint", "grade", "recipes"]]
    for summary in record.cookbooks:
        book = summary.cookbook
        recipes = [_code(names.get(recipe, recipe), 40) for recipe in book.recipes[:8]]
        more = [f"{len(book.recipes) - 8:,} more"] if len(book.recipes) > 8 else []
        none = f"none: {_code(summary.reason, 200)}" if summary.reason else "none"
        grade = _code(summary.grade, 20) if summary.grade else none
        rows.append([_code(books[book.id]), _code(book.endpoint), grade, ", ".join(recipes + more)])
    return rows


def _recipe_rows(record: RunRecord, names: Mapping[str, str]) -> list[list[str]]:
    rows = [["recipe", "endpoint", "grade", "figure", "passed", "missed", "errors", "verdict"]]
    for summary in _worst_first(record):
        recipe, counts = summary.recipe, summary.counts
        rows.append(
            [
                _code(names[recipe.id]),
                _code(recipe.endpoint),
                _code(summary.grade, 20) if summary.grade else ABSENT,
                _figure(summary),
                f"{counts.passed:,}",
                f"{counts.missed + counts.refused:,}",
                f"{_without_answer(counts) + counts.metric_errors:,}",
                _verdict(record, summary),
            ]
        )
    return rows


def _worst_first(record: RunRecord) -> list[RecipeSummary]:
    """In the run's order while a reader can look over them all; else those with trouble first."""
    summaries = list(record.recipes)
    if len(summaries) > 40:
        summaries.sort(key=lambda summary: _verdict(record, summary) in {"held", ABSENT})
    return summaries


def _figure(summary: RecipeSummary) -> str:
    headline = summary.recipe.headline
    figure = summary.measures.get(headline)
    shown = f"{_code(headline, 40)} {figure_text(figure, headline)}" + (f" n {figure.n:,}" if figure else "")
    part = [] if summary.selected is None else [f"{summary.selected:,} of {summary.recipe.units:,} selected"]
    subset = [_code(summary.recipe.subset)] if summary.recipe.subset else []
    why = [_code(figure.reason)] if figure and figure.value is None and figure.reason else []
    return "; ".join([shown, *part, *subset, *why])


def _verdict(record: RunRecord, summary: RecipeSummary) -> str:
    kinds = {
        gate.verdict.kind if gate.verdict else "open"
        for gate in record.gates
        if gate.recipe is not None and gate.recipe.id == summary.recipe.id
    }
    words = {"failed": "**failed**", "unmeasurable": "**cannot be judged**", "open": "not reached", "passed": "held"}
    return next((word for kind, word in words.items() if kind in kinds), ABSENT)


def _sorted_gates(record: RunRecord) -> list[GateSummary]:
    """Those that failed, then those that cannot be judged."""
    bad = [gate for gate in record.gates if gate.verdict and gate.verdict.kind != "passed"]
    return sorted(bad, key=lambda gate: gate.verdict is not None and gate.verdict.kind == "unmeasurable")


def _gate_line(gate: GateSummary) -> str:
    verdict, condition = gate.verdict, gate.gate.condition
    assert verdict is not None
    figure = verdict.figure or Figure(None, 0)
    which = (condition.measure, condition.statistic)
    asks = f"{_code(gate.gate.id, 160)}: asks for {_code(condition.text)}"
    if verdict.kind == "unmeasurable":
        there = f"; what is there: {figure_text(figure, *which)}, n {figure.n:,}" if figure.value is not None else ""
        return f"- **cannot be judged** {asks}; {_code(verdict.reason or 'no figure', 300)}{there}"
    if condition.measure == "grade":
        return f"- **failed** {asks}; grade {_code(verdict.grade or ABSENT, 20)}"
    return f"- **failed** {asks}; {figure_text(figure, *which)}, n {figure.n:,}{_threshold(condition, figure)}"


def _threshold(condition: Condition, figure: Figure) -> str:
    if figure.value is None:
        return ""
    exact, limit = told_apart(figure, condition.value, condition.measure, condition.statistic)
    return f"{exact}; threshold {limit}"


def _error_lines(record: RunRecord, names: Mapping[str, str]) -> Iterator[str]:
    """Why answers or scores are missing, a line a recipe, the most frequent reasons first."""
    for summary in record.recipes:
        many = _without_answer(summary.counts) + summary.counts.metric_errors
        if many:
            whose = _code(f"{names[summary.recipe.id]} [{summary.recipe.endpoint}]")
            reasons = _reasons(record, summary)
            said = [f"{_code(text, 300)} ({times:,})" for text, times in reasons.most_common(_NAMED)]
            said += _more(len(reasons) - _NAMED, "reason")
            yield ": ".join([f"- **{count(many, 'error')}** in {whose}", *([", ".join(said)] if said else [])])


def _reasons(record: RunRecord, summary: RecipeSummary) -> Counter[str]:
    """How often each stands in the way of an answer or a score; of endless kinds the first are kept."""
    found: Counter[str] = Counter()
    for row in record.rows(summary.recipe.id):
        if row.outcome is not None and row.outcome.kind in _ERRORS:
            text = trim(row.outcome.error or row.outcome.kind, 300)
            if text in found or len(found) < _KINDS:
                found[text] += 1
    return found


def _details(record: RunRecord, names: Mapping[str, str], room: _Room) -> Iterator[list[str]]:
    """The worst samples of each recipe, while there is room."""
    summaries = [s for s in record.recipes if s.worst and s.counts.missed + s.counts.refused]
    summaries.sort(key=lambda summary: _verdict(record, summary) in {"held", ABSENT})
    for i, summary in enumerate(summaries):
        missed = summary.counts.missed + summary.counts.refused
        whose = _code(f"{names[summary.recipe.id]} [{summary.recipe.endpoint}]")
        frame = [f"<details><summary>{missed:,} missed in {whose}; the worst of them</summary>", "</details>"]
        shown = [lines for row in _rows(record, summary) if room.take(lines := _sample(row))]
        if not shown or not room.take(frame):
            yield [f"The missed samples of {count(len(summaries) - i, 'more recipe')} stand {_ELSEWHERE}."]
            return
        yield [frame[0], *(line for lines in shown for line in lines), frame[1]]


def _rows(record: RunRecord, summary: RecipeSummary) -> list[Row]:
    """The rows of the worst samples, worst first, found in one pass that keeps no others."""
    wanted = {nodeid: i for i, nodeid in enumerate(summary.worst[:_SAMPLES])}
    found = [row for row in record.rows(summary.recipe.id) if row.unit.nodeid in wanted and row.outcome is not None]
    return sorted(found, key=lambda row: wanted[row.unit.nodeid])


def _sample(row: Row) -> list[str]:
    unit, outcome = row.unit, row.outcome
    assert outcome is not None
    _, _, name = unit.nodeid.rpartition("::")
    scores = [
        _code(
            f"{metric} {ABSENT if score.value is None else f'{score.value:.4g}'}: {score.reason}".removesuffix(": "),
            200,
        )
        for metric, score in list(outcome.scores.items())[:4]
    ]
    question = next((m["content"] for m in reversed(unit.messages) if m["role"] == "user"), "")
    answer = outcome.response.text if outcome.response else "(none)"
    target = " | ".join(trim(text, 200) for text in unit.targets[:5])
    texts = [("question", question), ("answer", answer), *([("target", target)] if unit.targets else [])]
    block = "&#10;".join(f"{label:<{_LABEL}}{_pre(text)}" for label, text in texts)
    return [f"<p>{_code(name, 160)} {' '.join(scores)}</p>", f"<pre>{block}</pre>"]


def _took(record: RunRecord) -> str:
    """``102 requests, 61 answered before · $0.04 · 41 s · commit 3f2a9c1``."""
    totals = record.totals
    unanswered = f", {totals.unanswered:,} without an answer" if totals.unanswered else ""
    said = [f"{count(totals.asked + totals.cached, 'request')}{unanswered}, {totals.cached:,} answered before"]
    said += [] if totals.tokens is None else [count(totals.tokens, "token")]
    said += [dollars(totals.cost)] if totals.cost else []
    if record.ended is not None:
        said.append(seconds(max(0.0, record.ended - record.info.started)))
    git = record.info.environment.get("git")
    if isinstance(git, Mapping) and isinstance(git.get("commit"), str):
        dirty = " with changes" if git.get("dirty") else ""
        said.append(f"commit {_code(git['commit'][:7])}{dirty}")
    models = list(dict.fromkeys(summary.recipe.model for summary in record.recipes if summary.recipe.model))
    named = [_code(model, 60) for model in models[:_NAMED]] + _more(len(models) - _NAMED, "model")
    said += [f"model {', '.join(named)}"] if models else []
    return " · ".join(said)
