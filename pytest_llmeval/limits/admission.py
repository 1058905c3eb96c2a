"""Whether a request may leave now: one pure decision over all that the state knows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..core.admission import Answered, Decision, FailedBefore, Missing, Recorded, Stopped, Wait, Wanted
from ..core.endpoint import SECOND
from ..core.result import Outcome
from . import gcra, pace
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


@dataclass(frozen=True, slots=True)
class Room:
    """Who else is asking, and what the limits of the bucket have left.

    ``claimed``: somebody alive is asking this very thing. ``due_ns``: when the next attempt may be, None for at once;
    ``first_sent_ns``: when the first one was sent, if any was.
    ``in_flight`` counts claims in the bucket; ``calls_tat`` and ``tokens_tat`` are the states of its rates, ``pace``
    what was learnt of the service.
    ``full`` is the wait that an earlier request of this bucket was told in the same look: nobody passes it by.
    """

    claimed: bool = False
    due_ns: int | None = None
    first_sent_ns: int | None = None
    in_flight: int = 0
    calls_tat: int = 0
    tokens_tat: int = 0
    pace: Pace = NO_PACE
    full: Wait | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """All is granted; these are the states of the rates from now on."""

    calls_tat: int
    tokens_tat: int


def decide(seen: Seen, wanted: Wanted, now_ns: int, room: Callable[[], Room]) -> Decision | Grant:
    """What is known, a grant of all that it takes, or how long to wait with nothing taken.

    ``room`` is called only where the request must be asked.
    """
    return known(seen) or admit(room(), wanted, now_ns)


def known(seen: Seen) -> Decision | None:
    """What needs no asking."""
    if seen.run_stopped is not None:
        return Stopped(seen.run_stopped, run=True)
    found: Recorded | Answered | FailedBefore | None = seen.answer or seen.failed
    if seen.outcome is not None:
        found = Recorded(seen.outcome)
    if found is None and seen.endpoint_stopped is not None:
        return Stopped(seen.endpoint_stopped)
    return Missing() if found is None and not seen.asks else found


def admit(room: Room, wanted: Wanted, now_ns: int) -> Grant | Wait:
    """All limits at once; where several say wait, the longest wait is told.

    Whose time is over waits for none of them: it is not sent any more.
    """
    if room.claimed:
        return Wait(LOOK_AGAIN, "claimed")
    if room.first_sent_ns is None or wanted.deadline is None:
        return _limited(room, wanted, now_ns)
    left = wanted.deadline - (now_ns - room.first_sent_ns) / SECOND
    if left <= 0:
        return Grant(room.calls_tat, room.tokens_tat)
    decision = _limited(room, wanted, now_ns)
    if isinstance(decision, Wait) and decision.seconds > left:
        return Wait(left, decision.why)
    return decision


def _limited(room: Room, wanted: Wanted, now_ns: int) -> Grant | Wait:
    if room.due_ns is not None and room.due_ns > now_ns:
        return Wait((room.due_ns - now_ns) / SECOND, "retry")
    if room.full is not None:
        return room.full
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
    return Grant(calls_tat, tokens_tat)
