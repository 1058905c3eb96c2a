"""What a run may spend, and what a request takes of it."""

from __future__ import annotations

from dataclasses import dataclass

#: costs are kept as whole numbers of the trillionth part of a US dollar, so that sums of many stay exact
DOLLAR = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """What all processes of a run may spend together: requests (attempts), tokens, US dollars; None for no limit."""

    requests: int | None = None
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """What requests take or took of a budget; ``cost`` in trillionths of a US dollar."""

    requests: int = 0
    tokens: int = 0
    cost: int = 0

    def __add__(self, other: Use) -> Use:
        return Use(self.requests + other.requests, self.tokens + other.tokens, self.cost + other.cost)


#: one request of which nothing else is counted
ONE = Use(requests=1)
