"""Every error of the project.

LlmevalError
├── Faults             one or more faults in a user's files, each with its place; a collection error
├── UsageError         an option or an ini value that cannot be meant
├── RequestError       what a connector raises; classed, so that the engine knows what to do
│   ├── Transient          worth another attempt (timeouts, 429, 5xx, malformed replies)
│   ├── InvalidRequest     this request is at fault; not retried
│   ├── Refused            the service's own filter held the answer back: an outcome, no error
│   └── EndpointStopped    no request to this endpoint can succeed (refused key, unknown model, …)
├── TemplateError      a template that cannot be used, or cannot be rendered for a sample (a ValueError too)
├── ScoreError         a metric that cannot score an answer, or returned what is no score (a ValueError too)
├── Unmeasurable       a figure or grade that cannot be given, since answers are missing, say
├── StateError         the state file cannot be used as it is
└── EngineFailure      the engine's thread ended by a fault of its own
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .exchange import RateLimits
from .sample import Origin


class LlmevalError(Exception):
    """Base of all."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a user's file: where, and what to do about it."""

    origin: Origin
    message: str

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}"


class Faults(LlmevalError):
    """All faults found in a file and in what it names, in order of place."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    @classmethod
    def one(cls, origin: Origin, message: str) -> Faults:
        return cls([Fault(origin, message)])


class TemplateError(LlmevalError, ValueError):
    """A template that cannot be used, or cannot be rendered for a sample. The text is for users."""


class ScoreError(LlmevalError, ValueError):
    """A metric that cannot score an answer, or returned what is no score."""


class UsageError(LlmevalError):
    """An option or an ini value that cannot be meant."""


class RequestError(LlmevalError):
    """Base of what a connector raises, and what a test's own question raises when no usable answer came."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class Transient(RequestError):
    """Worth another attempt.

    ``retry_after``: seconds that the service asked to wait. ``limited``: it was a refusal for the rate (429).
    ``unreached``: the connection was refused before any answer (retried thrice within two seconds only; where no
    answer ever came, it stops the endpoint).
    """

    def __init__(
        self,
        message: str,
        retry_after: float | None = None,
        limits: RateLimits | None = None,
        *,
        limited: bool = False,
        unreached: bool = False,
    ) -> None:
        self.retry_after = retry_after
        self.limits = limits
        self.limited = limited
        self.unreached = unreached
        super().__init__(message)


class InvalidRequest(RequestError):
    """The service calls this request invalid; it is not retried. ``status``: the HTTP status, if there was one."""

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class Refused(RequestError):
    """The service's own filter held the answer back."""


class EndpointStopped(RequestError):
    """No request to this endpoint can succeed now; one message stands for all."""


class Unmeasurable(LlmevalError):
    """A figure or grade that cannot be given; the text says why."""


class StateError(LlmevalError):
    """The state file cannot be used as it is."""


class EngineFailure(LlmevalError):
    """The engine's thread ended by a fault of its own; the cause is chained."""
