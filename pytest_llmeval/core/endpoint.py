"""An endpoint: a configured connector with its limits, patience and prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

from .digest import digest
from .extension import Connector
from .sample import NOWHERE, Message, Origin


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit of ``amount`` in ``seconds``, kept as GCRA in whole nanoseconds.

    ``burst`` is how many may go at once: 1 + floor(amount / 10), so that no half-open window of ``seconds`` holds more
    than 1.1 x amount (at least one).
    """

    amount: float
    seconds: float = 1.0

    @property
    def burst(self) -> int:
        return 1 + floor(self.amount / 10)


@dataclass(frozen=True, slots=True)
class Limits:
    """``max_concurrency`` requests on the wire at once; calls and tokens by rate, None for no limit."""

    max_concurrency: int = 8
    calls: Rate | None = None
    tokens: Rate | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for one attempt, attempts for one request, seconds for one request with all its waits."""

    timeout: float = 60.0
    max_attempts: int = 5
    deadline: float = 600.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """After so many failed requests in a row nothing is asked for ``recover`` seconds, then one request as a probe."""

    failures: int = 5
    recover: float = 30.0


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per million tokens."""

    input: float
    output: float


@dataclass(frozen=True, slots=True)
class Fixture:
    """A session fixture of the user's suite that brings an endpoint's address; ``origin``: where it is named."""

    name: str
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A configured connector.

    ``id`` is what users write (a file's stem, or ``connector:model``); ``connector`` carries its own options;
    ``parameters`` go on the wire under a recipe's own; ``identity`` stands in for the connector's own where this
    machine lacks what that is made of, and where a ``fixture`` brings what would change with every run. ``breaker``
    None: a failing endpoint is asked on and on.
    """

    id: str
    connector: Connector
    title: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    limits: Limits = Limits()
    patience: Patience = Patience()
    prices: Prices | None = None
    breaker: Breaker | None = Breaker()
    origin: Origin = NOWHERE
    identity: Mapping[str, object] | None = None
    fixture: Fixture | None = None

    def known_as(self) -> Mapping[str, object]:
        """What stands for the connector in cache keys."""
        return self.connector.identity() if self.identity is None else self.identity

    def key(
        self,
        messages: Sequence[Message],
        parameters: Mapping[str, object],
        repeat: int,
        identity: Mapping[str, object] | None = None,
    ) -> tuple[str, Mapping[str, object]]:
        """The cache key of a request (SHA-256, hex) and the parts it is made of.

        ``identity`` spares asking the connector again and again where many requests are keyed.
        """
        parts = {
            "connector": self.connector.id,
            "identity": dict(self.known_as() if identity is None else identity),
            "messages": list(messages),
            "parameters": dict(parameters),
            "repeat": repeat,
        }
        return digest(parts), parts
