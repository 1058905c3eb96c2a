"""What a reply is to those who wait for it: an answer, an outcome, or an error."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import EndpointStopped, RequestError
from ..core.exchange import Response
from ..core.result import Outcome
from .work import Reply


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and whether it was there before this run began."""

    response: Response
    cached: bool


class RunStoppedError(Exception):
    """The run was stopped; nothing is asked any more."""


class SkippedError(RequestError):
    """Not asked: the endpoint's breaker is open, or the run's budget spent."""


def unanswered(reply: Reply) -> Outcome:
    """Of a unit to which no response came."""
    if reply.outcome is not None:
        return reply.outcome
    if reply.stopped:
        return Outcome("not_asked", error=reply.error, endpoint_stopped=True)
    if reply.skipped:
        return Outcome("not_asked", error=reply.error, attempts=reply.attempts)
    return Outcome("error", error=reply.error, attempts=reply.attempts)


def answer_of(reply: Reply) -> Answer:
    """To a test's own question. Raises RunStoppedError, SkippedError, EndpointStopped, RequestError."""
    if reply.run_stopped:
        raise RunStoppedError(reply.error)
    if reply.skipped:
        raise SkippedError(reply.error)
    if reply.response is None:
        raise EndpointStopped(reply.error) if reply.stopped else RequestError(reply.error)
    return Answer(reply.response, reply.cached)
