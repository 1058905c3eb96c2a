"""What happens in a run, for those who want to hear of it: each event one frozen value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .exchange import Request, Response
from .result import OutcomeKind, Score, VerdictKind
from .sample import Sample


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """A request leaves; ``attempt`` counts from 1 over all processes.

    ``nodeids`` are the samples that wait for it in this process: several where they ask the same, none for a question
    of a test's own.
    """

    endpoint: str
    request: Request
    attempt: int
    nodeids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseEvent:
    """What came of a request that left: a response, or the text of an error; ``seconds`` it took.

    ``limited``: the service refused it for its rate (429).
    """

    endpoint: str
    request: Request
    attempt: int
    seconds: float
    response: Response | None = None
    error: str = ""
    limited: bool = False
    nodeids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreEvent:
    """What a sample came to.

    ``outcome`` is ``passed``, ``missed``, ``refused``, ``error``, ``metric_error`` or ``not_asked``; ``error`` the text
    of the latter three. ``recipe`` and ``endpoint`` are ids. ``cached``: answered before this run began.
    """

    nodeid: str
    recipe: str
    endpoint: str
    sample: Sample
    repeat: int
    outcome: OutcomeKind
    scores: Mapping[str, Score] = field(default_factory=dict)
    response: Response | None = None
    error: str = ""
    cached: bool = False


@dataclass(frozen=True, slots=True)
class GateEvent:
    """What a gate found; figures are None where there are none.

    ``nodeid`` is the gate's; it is a recipe's or a cookbook's, by id. ``reason``: why it cannot be judged.
    """

    nodeid: str
    endpoint: str
    condition: str
    verdict: VerdictKind
    recipe: str | None = None
    cookbook: str | None = None
    figure: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    grade: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """How far a run is, over all its processes.

    ``done`` of ``total`` samples are settled, ``refused`` of them by the service's filter. ``cached`` requests were
    answered before this run began, ``in_flight`` are on the wire, ``waiting`` wait for another attempt. ``tokens`` and
    ``cost`` (USD) are those of the answers so far, None where one came without. ``seconds`` have passed since the first
    look; ``left`` is a guess at how many more it takes, None where there is nothing to guess by.
    """

    done: int
    total: int
    in_flight: int = 0
    waiting: int = 0
    cached: int = 0
    refused: int = 0
    tokens: int | None = 0
    cost: float | None = 0.0
    seconds: float = 0.0
    left: float | None = None


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who wants to hear of what; None: nobody, and then nothing is made for it. Called from any thread."""

    request: Callable[[RequestEvent], None] | None = None
    response: Callable[[ResponseEvent], None] | None = None
    score: Callable[[ScoreEvent], None] | None = None
    gate: Callable[[GateEvent], None] | None = None


NOBODY = Listeners()
