"""A sample whose answer was not good enough, or on which a metric raised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Measure
from pytest_llmeval.core.numbers import ABSENT, count, dollars, seconds
from pytest_llmeval.core.record import RecipeRecord, UnitRecord
from pytest_llmeval.core.result import Outcome, Score
from pytest_llmeval.core.sample import Message
from pytest_llmeval.core.shell import Shell
from pytest_llmeval.core.text import one_line, trim
from pytest_llmeval.core.worddiff import Piece, compare

from .texts import EMPTY, ROOM, View, aligned, columns, ends, joined, place

_REFUSED = "refused by the service's filter"
#: lines of a diff
_DIFF = 10
#: characters of a reason on one line
_LINE = 240


def sample(
    recipe: RecipeRecord,
    unit: UnitRecord,
    outcome: Outcome,
    nodeid: str,
    *,
    verbose: bool = False,
    shell: Shell | None = None,
) -> str:
    """Prompt, answer, target, metrics, and the command that runs it again."""
    view = View(verbose, 5, 3)
    word = _REFUSED if outcome.kind == "refused" else outcome.kind.replace("_", " ")
    lines = [f"{place(unit.origin, recipe.path)}: {word}", "", *_exchange(unit, outcome, recipe, view), ""]
    lines += _metrics(recipe, outcome, view, 6)
    return joined(lines, _again(nodeid, shell), whole=verbose)


def metric_error(
    recipe: RecipeRecord,
    unit: UnitRecord,
    outcome: Outcome,
    nodeid: str,
    *,
    verbose: bool = False,
    shell: Shell | None = None,
) -> str:
    """As ``sample``, with the traceback of the metric alone."""
    view = View(verbose, 3, 2)
    raised = [one_line(line) for line in (outcome.traceback or outcome.error or "").split("\n")]
    if not verbose:
        raised = ends([trim(line, 160) for line in raised], 3, 8, "line")
    lines = [f"{place(unit.origin, recipe.path)}: metric error", "", *_exchange(unit, outcome, recipe, view), ""]
    lines += [*raised, "", *_metrics(recipe, outcome, view, 3)]
    return joined(lines, _again(nodeid, shell), whole=verbose)


def summary(recipe: RecipeRecord, outcome: Outcome) -> str:
    """One line of why an answer was not good enough: the metrics that decided against it."""
    if outcome.kind == "refused":
        return _REFUSED
    against = [
        one_line(f"{name} {_score(score.value)}" + (f": {score.reason}" if score.reason else ""))
        for name, score in outcome.scores.items()
        if name in recipe.measures and _good(recipe.measures[name], score) is False
    ]
    return _within(_LINE, against) or "not good enough"


def _within(width: int, parts: Sequence[str]) -> str:
    """Whole parts, as many as fit: reasons are trimmed in their middle already, and a second cut would blur that."""
    for shown in range(len(parts), 0, -1):
        more = f"; and {len(parts) - shown:,} more" if shown < len(parts) else ""
        text = "; ".join(parts[:shown]) + more
        if len(text) <= width:
            return text
    return trim("".join(parts[:1]), width)


def _again(nodeid: str, shell: Shell | None) -> str:
    return f"again: {(shell or Shell()).pytest(nodeid)}"


def _exchange(unit: UnitRecord, outcome: Outcome, recipe: RecipeRecord, view: View) -> list[str]:
    """Prompt, answer and target under one another, each with its label."""
    return aligned([*_prompt(unit.messages, view), *_answer(unit, outcome, recipe, view)])


def _answer(unit: UnitRecord, outcome: Outcome, recipe: RecipeRecord, view: View) -> list[tuple[str, Sequence[str]]]:
    response = outcome.response
    target = [("target", _targets(unit.targets, view))] if unit.targets else []
    if response is None:
        return [("answer", ["(none)"]), *target]
    facts = _facts(response, outcome)
    if recipe.extracts and outcome.extracted is None and not response.refused:
        raw = _with_facts(view.text(response.text, view.rows), facts)
        return [("answer", [f"(nothing: {_why_nothing(outcome)})"]), ("raw", raw), *target]
    read = response.text if outcome.extracted is None else outcome.extracted
    behind = [("raw", view.text(response.text, view.fewer))] if read != response.text else []
    if view.whole and response.reasoning:
        behind.append(("reasoning", view.text(response.reasoning, view.fewer)))
    difference = _difference(read, unit.targets)
    legend = "[-in the answer alone-] {+in the target alone+}"
    if difference and not view.whole:
        return [("answer", [f"{facts}   {legend}", *difference]), *behind]
    answer = ("answer", _with_facts(view.text(read, view.rows), facts))
    diff = [("diff", [legend, *difference])] if difference else []
    return [answer, *behind, *target, *diff]


def _prompt(messages: Sequence[Message], view: View) -> list[tuple[str, list[str]]]:
    """Every message, or system text, the last two and how many were left out."""
    shown = list(messages)
    left_out = 0
    if not view.whole and len(shown) > 3:
        first = 1 if shown[0]["role"] == "system" else 0
        left_out = len(shown) - first - 2
        shown = shown[:first] + shown[-2:]
    blocks = []
    for i, message in enumerate(shown):
        if left_out and i == len(shown) - 2:
            blocks.append(("", [f"… {count(left_out, 'message')} …"]))
        last = i == len(shown) - 1
        label = trim(one_line(message["role"]), 12)
        blocks.append((label, view.text(message["content"], view.rows if last else view.fewer)))
    return blocks


def _with_facts(lines: list[str], facts: str) -> list[str]:
    if len(lines) == 1 and len(lines[0]) + len(facts) < ROOM + 20:
        return [f"{lines[0]:<24}  {facts}"]
    return [facts, *lines]


def _facts(response: Response, outcome: Outcome) -> str:
    """``(stop; 3 tokens; 0.21 s; answered before)``."""
    finish = one_line(trim(response.finish, 40))
    facts = [f"{finish}: cut at the limit of tokens" if response.truncated else finish]
    tokens = response.tokens if response.output_tokens is None else response.output_tokens
    facts += [] if tokens is None else [count(tokens, "token")]
    facts += [] if response.latency is None else [seconds(response.latency)]
    facts += [dollars(response.cost)] if response.cost else []
    facts += ["answered before"] if outcome.cached else []
    return f"({'; '.join(facts)})"


def _why_nothing(outcome: Outcome) -> str:
    """The reason that metrics gave when `extract` left them nothing to read."""
    reasons = [score.reason for score in outcome.scores.values() if "extract" in score.reason]
    return one_line(trim(reasons[0], 200)) if reasons else "extract found nothing"


def _targets(targets: Sequence[str], view: View) -> list[str]:
    if view.whole:
        return [line for target in targets for line in view.text(target, view.rows)]
    if len(targets) == 1:
        return view.text(targets[0], view.rows)
    shown = [one_line(trim(target, 80)) or EMPTY for target in targets[:5]]
    more = [f"{len(targets) - 5:,} more"] if len(targets) > 5 else []
    return [" | ".join(shown + more)]


def _difference(answer: str, targets: Sequence[str]) -> list[str]:
    """The words in which answer and nearest target differ, where both are longer than a line; else nothing."""
    compared = [compare(answer, target) for target in targets[:5] if _long(target)] if _long(answer) else []
    best = min(compared, key=_apart, default=[])
    if not _apart(best):
        return []
    text = " ".join(_marked(piece, i == 0, i == len(best) - 1) for i, piece in enumerate(best))
    lines = wrap(text, ROOM, break_long_words=False, break_on_hyphens=False)
    return ends(lines, _DIFF // 2, _DIFF - _DIFF // 2 - 1, "line")


def _long(text: str) -> bool:
    return len(text) > ROOM or "\n" in text


def _apart(pieces: Iterable[Piece]) -> int:
    return sum(len(piece.words) + piece.more for piece in pieces if piece.side != "both")


def _marked(piece: Piece, first: bool, last: bool) -> str:
    words = [one_line(trim(word, 80)) for word in piece.words[:24]]
    hidden = len(piece.words) - len(words)
    if piece.side != "both":
        left_out = hidden + piece.more
        text = " ".join([*words, *([f"… {count(left_out, 'word')} …"] if left_out else [])])
        return f"[-{text}-]" if piece.side == "left" else f"{{+{text}+}}"
    head, tail = (0 if first else 4), (0 if last else 4)
    if len(piece.words) <= head + tail + 2:
        return " ".join(words)
    end = [one_line(trim(word, 80)) for word in piece.words[len(piece.words) - tail :]]
    return " ".join([*words[:head], f"… {len(piece.words) - head - tail:,} words …", *end])


def _metrics(recipe: RecipeRecord, outcome: Outcome, view: View, rows: int) -> list[str]:
    """Score, from where on it is good, and why; those that decided against the answer first where not all are shown."""
    table = [("metric", "score", "good from", "why")]
    names = list(recipe.metrics or outcome.scores)
    if not view.whole and len(names) > rows:
        names.sort(key=lambda name: _good_or_unknown(recipe, outcome, name) is not False)
        names = names[:rows]
    for name in names:
        measure, score = recipe.measures.get(name), outcome.scores.get(name)
        why = score.reason if score else _raised(outcome.error or "", name, recipe.metrics)
        table.append(
            (
                trim(one_line(name), 30),
                _score(score.value if score else None, measure.passing if measure else None),
                _good_from(measure),
                one_line(why if view.whole else trim(why, 160)),
            )
        )
    hidden = len(recipe.metrics) - len(names)
    more = [f"… {count(hidden, 'more metric', 'more metrics')}: -vv"] if recipe.metrics and hidden else []
    return [*columns(table), *more]


def _raised(error: str, name: str, names: Sequence[str]) -> str:
    """What one metric raised, of an error that tells of all; the whole where it tells of none by name."""
    _, found, rest = f"; {error}".partition(f"; {name}: ")
    ends = [at for other in names if (at := rest.find(f"; {other}: ")) >= 0]
    return rest[: min(ends, default=len(rest))] if found else error


def _good_or_unknown(recipe: RecipeRecord, outcome: Outcome, name: str) -> bool | None:
    measure, score = recipe.measures.get(name), outcome.scores.get(name)
    return False if score is None else None if measure is None else _good(measure, score)


def _good(measure: Measure, score: Score) -> bool | None:
    """Whether a score speaks for or against an answer; None where its metric decides nothing."""
    low = measure.better == "low"
    bound = measure.passing if measure.passing is not None else (0.0 if low else 1.0) if measure.binary else None
    if score.value is None:
        return False
    if bound is None:
        return None
    return score.value <= bound if low else score.value >= bound


def _good_from(measure: Measure | None) -> str:
    if measure is None or (measure.passing is None and not measure.binary):
        return ABSENT
    low = measure.better == "low"
    if measure.passing is not None:
        return f"{measure.passing:g} or less" if low else f"{measure.passing:g}"
    return "0" if low else "1"


def _score(value: float | None, bound: float | None = None) -> str:
    if value is None:
        return ABSENT
    shown = f"{value:.4g}"
    return f"{value:.9g}" if bound is not None and value != bound and shown == f"{bound:.4g}" else shown
