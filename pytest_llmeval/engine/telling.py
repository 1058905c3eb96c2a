"""Events as the engine makes them, from what it holds."""

from __future__ import annotations

from ..core.admission import Granted
from ..core.errors import Transient
from ..core.events import RequestEvent, ResponseEvent, ScoreEvent
from ..core.exchange import Response
from ..core.redaction import Redactor
from ..core.result import Outcome
from .work import Job, Work


def request_event(job: Job, claim: Granted) -> RequestEvent:
    return RequestEvent(claim.wanted.endpoint, job.request, claim.attempt, _nodeids(job))


def response_event(
    job: Job, claim: Granted, came: Response | BaseException, error: str, seconds: float
) -> ResponseEvent:
    """``error``: its text, without secrets."""
    return ResponseEvent(
        claim.wanted.endpoint,
        job.request,
        claim.attempt,
        seconds,
        response=came if isinstance(came, Response) else None,
        error=error,
        limited=isinstance(came, Transient) and came.limited,
        nodeids=_nodeids(job),
    )


def score_event(work: Work, outcome: Outcome, redactor: Redactor) -> ScoreEvent:
    """Of a unit's work."""
    assert work.plan is not None
    assert work.unit is not None
    record, unit = work.plan.record, work.unit.record
    return ScoreEvent(
        nodeid=unit.nodeid,
        recipe=record.recipe,
        endpoint=record.endpoint,
        sample=work.unit.sample,
        repeat=unit.repeat,
        outcome=outcome.kind,
        scores=outcome.scores,
        response=outcome.response,
        error=redactor.all(outcome.error or ""),
        cached=outcome.cached,
    )


def _nodeids(job: Job) -> tuple[str, ...]:
    return tuple(work.unit.record.nodeid for work in job.works if work.unit is not None)
