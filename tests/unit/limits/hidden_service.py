"""A service with a limit of its own, and who asks it, in a time of their own: nothing waits, nothing is random."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

from pytest_llmeval.core.admission import Refusal
from pytest_llmeval.core.clock import SECOND
from pytest_llmeval.core.exchange import RateLimits
from pytest_llmeval.limits import pace
from pytest_llmeval.limits.pace import Pace
from pytest_llmeval.limits.told import Later


@dataclass
class Service:
    """Lets ``burst`` through at once, then ``rate`` a second; what it refuses takes nothing."""

    rate: float
    burst: int
    full_at: float = 0.0

    def take(self, now: float) -> tuple[bool, RateLimits]:
        interval = 1 / self.rate
        slot = max(self.full_at, now)
        lets = slot - now <= (self.burst - 1) * interval + 1e-9
        if lets:
            self.full_at = slot + interval
        full_in = max(0.0, self.full_at - now)
        return lets, RateLimits(self.burst, max(0, math.floor(self.burst - full_in / interval)), full_in)


@dataclass
class Met:
    """What came of it: seconds, refusals, the pace at the end, how often it fell."""

    seconds: float = 0.0
    refusals: int = 0
    falls: int = 0
    pace: Pace = field(default_factory=Pace)
    sent: list[float] = field(default_factory=list)


def ask(
    service: Service,
    count: int,
    *,
    at_once: int = 32,
    latency: float = 0.0,
    way: float = 0.002,
    retry_after: float | None = None,
    headers: bool = False,
    known: Pace | None = None,
    start: float = 1.0,
) -> Met:
    """Have ``count`` answers; a request is on its way for ``way`` seconds, an answer takes ``latency`` more.

    A refused one is asked again after what the service asked for, or a quarter of a second.
    """
    met = Met(pace=known or Pace())
    now = start
    left = count
    done = number = 0
    again: list[float] = []
    on_wire: dict[int, int] = {}
    events: list[tuple[float, int, str, RateLimits | None]] = []

    def let_go() -> float:
        """Send what may go; when the next look is worth it."""
        nonlocal left, number
        while len(on_wire) < at_once and (left or (again and again[0] <= now)):
            now_ns = round(now * SECOND)
            wait = pace.wait_ns(met.pace, now_ns, 0)
            if wait:
                return now + wait / SECOND + 1e-9
            if again and again[0] <= now:
                heapq.heappop(again)
            else:
                left -= 1
            met.pace = pace.sent(met.pace, now_ns, 0)
            met.sent.append(now - start)
            number += 1
            on_wire[number] = now_ns
            heapq.heappush(events, (now + way, number, "arrives", None))
        return again[0] if again and len(on_wire) < at_once else math.inf

    while done < count:
        look = let_go()
        if not events or look < events[0][0]:
            now = look
            continue
        now, this, what, said = heapq.heappop(events)
        if what == "arrives":
            lets, said = service.take(now)
            heapq.heappush(events, (now + way + latency * lets, this, "answer" if lets else "refusal", said))
            continue
        now_ns, sent_ns = round(now * SECOND), on_wire.pop(this)
        later = Later(sum(other > sent_ns for other in on_wire.values()))
        told = said if headers else None
        if what == "answer":
            done += 1
            met.pace = pace.answered(met.pace, sent_ns, now_ns, told, later)
            continue
        met.refusals += 1
        fell_ns = met.pace.fell_ns
        met.pace = pace.refused(met.pace, sent_ns, now_ns, Refusal(retry_after, told), later)
        met.falls += met.pace.fell_ns != fell_ns
        heapq.heappush(again, now + (0.25 if retry_after is None else retry_after))
    met.seconds = now - start
    return met
