"""Whether a request may leave now: one pure decision over all that the state knows of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..core.admission import Answered, Decision, FailedBefore, Missing, Recorded, Skipped, Stopped, Wait, Wanted
from ..core.clock import SECOND
from ..core.result import Outcome
from . import breaker, gcra, pace
from .budget import Purse, lack
from .pace import NO_PACE, Pace

#: seconds until a look again at what ends at a time that nobody can tell
LOOK_AGAIN = 0.02


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a request without looking at who else is asking.

    ``answer`` is one that may serve in this run's cache mode; ``asks`` is False where the run asks nothing.
    """

    run_stopped: str | None = None
    outcome: Outcome | None = None
    answer: Answered | None = None
    failed: FailedBefore | None = None
    endpoint_stopped: str | None = None
    asks: bool = True
    skipped: Skipped | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """Who else is asking, and what the limits of the bucket have left.

    ``claimed``: somebody alive is asking this very thing. ``due_ns``: when the next attempt may be, None for at once;
    ``first_sent_ns``: when the first one was sent, if any was.
    ``in_flight`` counts claims in the bucket; ``calls_tat`` and ``tokens_tat`` are the states of its rates, ``pace``
    what was learnt of the service.
    ``full`` is the wait that an earlier request of this bucket was told in the same look: nobody passes it by.
    ``probing``: somebody alive is asking as the endpoint's probe. ``attempts`` were made so far.
    """

    claimed: bool = False
    due_ns: int | None = None
    first_sent_ns: int | None = None
    in_flight: int = 0
    calls_tat: int = 0
    tokens_tat: int = 0
    pace: Pace = NO_PACE
    full: Wait | None = None
    breaker: breaker.State = breaker.CLOSED
    probing: bool = False
    purse: Purse | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """All is granted; these are the states of the rates from now on. ``probe``: as the one that may pass a breaker."""

    calls_tat: int
    tokens_tat: int
    probe: bool = False


def decide(seen: Seen, wanted: Wanted, now_ns: int, room: Callable[[], Room]) -> Decision | Grant:
    """What is known, a grant of all that it takes, or how long to wait with nothing taken.

    ``room`` is called only where the request must be asked.
    """
    return known(seen) or admit(room(), wanted, now_ns)


def known(seen: Seen) -> Decision | None:
    """What needs no asking."""
    if seen.run_stopped is not None:
        return Stopped(seen.run_stopped, run=True)
    found: Recorded | Answered | FailedBefore | Skipped | None = seen.answer or seen.failed or seen.skipped
    if seen.outcome is not None:
        found = Recorded(seen.outcome)
    if found is None and seen.endpoint_stopped is not None:
        return Stopped(seen.endpoint_stopped)
    return Missing() if found is None and not seen.asks else found


def admit(room: Room, wanted: Wanted, now_ns: int) -> Grant | Wait | Skipped:
    """All limits at once; where several say wait, the longest wait is told.

    What can never go is told at once, whatever else it would wait for. Whose time is over waits for no limit: it is not
    sent any more.
    """
    if room.claimed:
        return Wait(LOOK_AGAIN, "claimed")
    entry = "pass" if wanted.breaker is None else breaker.entry(room.breaker, wanted.breaker, now_ns)
    short = None if room.purse is None else lack(room.purse, wanted.reserve)
    if entry == "open" or (entry == "probe" and room.probing):
        return Skipped(f"endpoint {wanted.endpoint}: {room.breaker.reason}", room.attempts)
    if short is not None and short.final:
        return Skipped(short.reason, room.attempts)
    left = _left(room, wanted, now_ns)
    if left <= 0:
        return Grant(room.calls_tat, room.tokens_tat)
    decision = _held_back(room, now_ns, short=short is not None) or _take(room, wanted, now_ns, probe=entry == "probe")
    return Wait(left, decision.why) if isinstance(decision, Wait) and decision.seconds > left else decision


def _left(room: Room, wanted: Wanted, now_ns: int) -> float:
    """Seconds until a request's deadline, which runs from its first sending."""
    if room.first_sent_ns is None or wanted.deadline is None:
        return math.inf
    return wanted.deadline - (now_ns - room.first_sent_ns) / SECOND


def _held_back(room: Room, now_ns: int, *, short: bool) -> Wait | None:
    """What one has to wait for before the limits of the bucket count."""
    if room.due_ns is not None and room.due_ns > now_ns:
        return Wait((room.due_ns - now_ns) / SECOND, "retry")
    # before the rates: what waits for those may meanwhile be known to never go
    return Wait(LOOK_AGAIN, "budget") if short else room.full


def _take(room: Room, wanted: Wanted, now_ns: int, *, probe: bool) -> Grant | Wait:
    limits = wanted.limits
    calls_tat: int | None = room.calls_tat
    tokens_tat: int | None = room.tokens_tat
    waits = []
    if room.in_flight >= limits.max_concurrency:
        waits.append(Wait(LOOK_AGAIN, "concurrency"))
    paced_ns = pace.wait_ns(room.pace, now_ns, wanted.tokens)
    if paced_ns > 0:
        waits.append(Wait(paced_ns / SECOND, "pace"))
    if limits.calls is not None:
        calls_tat, wait_ns = gcra.take(room.calls_tat, now_ns, limits.calls)
        if calls_tat is None:
            waits.append(Wait(wait_ns / SECOND, "calls"))
    if limits.tokens is not None and wanted.tokens > 0:
        tokens_tat, wait_ns = gcra.take(room.tokens_tat, now_ns, limits.tokens, wanted.tokens)
        if tokens_tat is None:
            waits.append(Wait(wait_ns / SECOND, "tokens"))
    if calls_tat is None or tokens_tat is None or waits:
        return max(waits, key=lambda wait: wait.seconds)
    return Grant(calls_tat, tokens_tat, probe)
