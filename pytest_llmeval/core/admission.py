"""What the engine asks of the state before a request may leave, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .budget import ONE, Use
from .endpoint import Breaker, Limits
from .exchange import RateLimits, Response
from .result import Outcome


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request that somebody wants the answer of.

    ``bucket`` names the rows of limits it falls under (URL or identity, model, salted digest of the key);
    ``tokens`` is the estimate to reserve; ``parts`` are kept beside the answer; ``recipe`` and ``unit`` are given
    where a recorded outcome would do as well; ``reserve`` is the most that it may take of the run's budget.
    """

    key: str
    endpoint: str
    bucket: str
    limits: Limits
    tokens: int
    parts: Mapping[str, object]
    recipe: str | None = None
    unit: str | None = None
    #: False for a connector whose answers are for the run alone
    reusable: bool = True
    breaker: Breaker | None = None
    reserve: Use = ONE
    #: seconds from the first sending in which it is to be answered; None for no such bound
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """Send it now.

    ``attempt`` counts from 1 over all processes; ``first_sent_ns`` is the monotonic time of the first attempt;
    ``probe``: what comes of it closes an open breaker or keeps it open; ``refused`` of the attempts were refused for
    the rate.
    """

    wanted: Wanted
    attempt: int
    first_sent_ns: int
    sent_ns: int
    probe: bool = False
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """The service refused a request for its rate (429): seconds it asked to wait, and what it said of its limits."""

    retry_after: float | None = None
    limits: RateLimits | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A stored answer; ``cached``: from before this run began."""

    response: Response
    cached: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """The unit's outcome stands in the ledger already."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class FailedBefore:
    """This request came to nothing in this run."""

    message: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Missing:
    """``--llmeval-cache only`` and no stored answer; ``why`` is a sentence on what is stored instead (no full stop)."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The endpoint was stopped; ``run`` is True where the whole run was."""

    message: str
    run: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing was taken; ask again in ``seconds`` (sooner where something of this process settles)."""

    seconds: float
    #: claimed | retry | concurrency | calls | tokens | budget | pace (the service refused requests, or says what it has
    #: left)
    why: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """It is not asked in this run, or not again: the breaker is open, or the budget spent."""

    reason: str
    attempts: int = 0


Decision = Granted | Answered | Recorded | FailedBefore | Missing | Stopped | Wait | Skipped

#: what an attempt told of its service: it replies; it fails (a transient fault); it is busy (a refusal for the rate)
Heard = Literal["reply", "fault", "limit"]
