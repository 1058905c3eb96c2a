"""One response to one outcome: extraction, metrics, whether it was good enough. Pure but for users' own metrics."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path

from ..core.errors import ScoreError
from ..core.exchange import Response
from ..core.plan import MetricUse, Scoring
from ..core.result import Outcome, Score
from ..core.sample import Sample
from ..core.scores import checked, traits, worst_value

#: where this package stands
_OWN = Path(__file__).parents[1]

REFUSED = "the service's filter refused to answer"


def evaluate(response: Response, sample: Sample, scoring: Scoring) -> Outcome:
    """Score a response with every metric of a recipe.

    A metric that raises makes the outcome a ``metric_error``; the others' scores stand beside it.
    """
    try:
        text, unread = _read(response, scoring)
    except Exception as error:  # noqa: BLE001 - a pattern without end, say: as bad as a metric that raises
        return Outcome("metric_error", response, error=f"extract: {type(error).__name__}: {error}")
    read = response if text is None or text == response.text else replace(response, text=text)
    scores: dict[str, Score] = {}
    failures: list[tuple[str, BaseException]] = []
    for use in scoring.metrics:
        try:
            scores[use.name] = _score(use, response, read, unread, sample)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever users' code raises is this sample's metric error
            failures.append((use.name, error))
    outcome = Outcome(
        kind="passed",
        response=response,
        scores=scores,
        extracted=text if scoring.extraction is not None else None,
    )
    if failures:
        return replace(
            outcome,
            kind="metric_error",
            error="; ".join(f"{name}: {_said(raised)}" for name, raised in failures),
            traceback=_traceback_of_metric(*failures[0]),
        )
    if response.refused and not _expected(scoring, scores):
        return replace(outcome, kind="refused")
    good = all(good_enough(use, scores[use.name]) is not False for use in scoring.metrics)
    return outcome if good else replace(outcome, kind="missed")


def score(response: Response, sample: Sample, use: MetricUse) -> Score:
    """One metric's score of one response, without ``extract``; what the metric raises goes through."""
    text, unread = _read(response, Scoring((use,)))
    return _score(use, response, response if text is None else replace(response, text=text), unread, sample)


def good_enough(use: MetricUse, score: Score) -> bool | None:
    """Whether a score decides for or against a response; None where its metric decides nothing."""
    of = traits(use.metric)
    if use.passing is not None:
        if score.value is None:
            return False
        return score.value <= use.passing if of.better == "low" else score.value >= use.passing
    if of.binary:
        return score.value == (0.0 if of.better == "low" else 1.0)
    return False if score.value is None else None


def _read(response: Response, scoring: Scoring) -> tuple[str | None, str]:
    """The text that metrics read, and why there is none."""
    if response.refused:
        return None, REFUSED
    if scoring.extraction is None:
        return response.text, ""
    text = scoring.extraction.apply(response.text)
    return text, "" if text is not None else scoring.extraction.describe_failure(response.text)


def _score(use: MetricUse, response: Response, read: Response, unread: str, sample: Sample) -> Score:
    of = traits(use.metric)
    if unread and of.reads_text and not of.raw:
        return Score(worst_value(use.metric), unread)
    return checked(use.metric.score(response if of.raw else read, sample), use.metric)


def _expected(scoring: Scoring, scores: dict[str, Score]) -> bool:
    """A filter's refusal is none where ``refusal`` alone decides and expects it."""
    deciding = [use for use in scoring.metrics if traits(use.metric).binary or use.passing is not None]
    return bool(deciding) and all(traits(use.metric).raw and good_enough(use, scores[use.name]) for use in deciding)


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, ScoreError) else f"{type(error).__name__}: {error}"


def _traceback_of_metric(name: str, error: BaseException) -> str:
    """The traceback from the first frame that is not ours, if there is one."""
    frames = traceback.extract_tb(error.__traceback__)
    start = next((i for i, frame in enumerate(frames) if not Path(frame.filename).is_relative_to(_OWN)), len(frames))
    if start == len(frames):
        return f"{name}: {_said(error)}"
    lines = traceback.format_list(frames[start:]) + traceback.format_exception_only(error)
    return "".join(lines).rstrip("\n")
