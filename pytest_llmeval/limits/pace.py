"""How fast a service can be asked, learnt from what it refuses. Pure; times are in monotonic nanoseconds.

Nobody is slowed before a first refusal, but for a ramp of a millisecond a call when sending begins: so the first
refusal is heard of before hundreds are on their way. A refusal (429) sets a pace in calls a second. A pace grows by a
share of itself a second and doubles when ten seconds were quiet. It falls once an *episode*: what was sent before the
fall and is refused after it tells nothing new. It falls to what came through since the last fall: a service that
refuses has nothing left, so between two refusals it let through what it lets through. ``told`` has the other source,
what services say of their own limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..core.admission import Refusal
from ..core.clock import SECOND
from ..core.exchange import RateLimits
from .told import UNTOLD, Later, Told

#: calls a second: no pace that was measured is slower, none for want of an answer, no first guess; a faster one is none
SLOWEST, SLOWEST_TRIED, SLOWEST_GUESS, FASTEST = 1 / 20, 1 / 5, 1.0, 1000.0
#: the share of itself that a pace grows by in a second: a first guess, what came after it, one that was learnt
GUESS, ROUGH, LEARNT = 1 / 0.3, 0.15, 0.03
#: seconds of sending without a refusal that double a pace
QUIET = 10.0
#: seconds that one call may count as, however long nothing was sent
STEP = 1.0
#: of what came through; an episode leaves of the pace at most, and at least (a guess at least)
AIM, MOST, LEAST, LEAST_OF_GUESS = 0.95, 0.9, 0.5, 0.25
#: of the throughput, where a service refuses for the first time that had sufficed for longer than a second
SUSTAINED = 0.7
#: the ramp: nanoseconds a call, for so long; the first few go at once
RAMP_NS, RAMP_TIME_NS, RAMP_FREE = SECOND // 1000, 3 * SECOND // 10, 4
#: nanoseconds without a call after which sending begins anew
IDLE_NS = 10 * SECOND
#: calls that are due within so many nanoseconds go together
TOGETHER_NS = SECOND // 100
#: nanoseconds that an episode lasts at least
EPISODE_NS = SECOND // 20
#: seconds: a wait that a service asks for is not taken to be longer
LONGEST_ASKED = 1e6
#: nanoseconds after a fall in which what else is refused of its episode corrects it
LATE_NS = SECOND
#: nanoseconds after a call in which the next one goes, whatever pace or headers say: nothing comes to a standstill
LONGEST_NS = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of one service with one key; all who ask it change it in turn.

    ``base`` is the pace when it last fell or doubled (None: none), ``adds`` the share it grows by in a second,
    ``grown`` the seconds it has grown for.
    """

    base: float | None = None
    adds: float = GUESS
    grown: float = 0.0
    #: the service is closed, it seems (nothing came through since the last fall): the pace when it opens again
    reopens: float | None = None
    #: when the next call is due
    due_ns: int = 0
    #: of the present stretch of sending: when it began, its calls, the last one, those of about the last second
    begun_ns: int = 0
    calls: int = 0
    last_ns: int = 0
    recent: float = 0.0
    #: of the last episode: when it fell; what is sent up to ``until_ns`` belongs to it; the pace before; the least that
    #: it may leave; what had come through in how many seconds
    fell_ns: int = 0
    until_ns: int = 0
    before: float | None = None
    least: float = 0.0
    through: float = 0.0
    span: float = 0.0
    #: calls since it fell
    since: int = 0
    #: a refusal asked to wait until then; a call sent after ``heard_ns`` was sent in knowledge of that
    asked_ns: int = 0
    heard_ns: int = 0
    #: the seconds that the last refusal asked to wait, None where it did not say
    asks: float | None = None
    #: nobody goes before
    held_ns: int = 0
    told: Told = UNTOLD

    @property
    def rate(self) -> float | None:
        """Calls a second; None for no limit."""
        return None if self.base is None else self.base * (1 + self.grown * self.adds)


NO_PACE = Pace()


def wait_ns(pace: Pace, now_ns: int, tokens: int) -> int:
    """Nanoseconds until a call of so many tokens may go; 0 for now."""
    due = pace.due_ns - now_ns - ((RAMP_FREE - 1) * RAMP_NS if pace.base is None else TOGETHER_NS)
    wait = max(due, pace.told.wait_ns(now_ns, tokens))
    return max(0, min(wait, pace.last_ns + LONGEST_NS - now_ns), pace.held_ns - now_ns)


def sent(pace: Pace, now_ns: int, tokens: int) -> Pace:
    """After a call was let go."""
    begins = pace.calls == 0 or now_ns - pace.last_ns > IDLE_NS
    passed = (now_ns - pace.last_ns) / SECOND
    if begins:
        pace = replace(pace, begun_ns=now_ns, calls=0, recent=0.0)
    elif pace.since > 0:
        # the first call after a fall shows nothing yet
        pace = _grow(pace, min(passed, STEP))
    rate = pace.rate
    ramp_ns = RAMP_NS if now_ns - pace.begun_ns < RAMP_TIME_NS else 0
    return replace(
        pace,
        due_ns=max(pace.due_ns, now_ns) + (ramp_ns if rate is None else math.ceil(SECOND / rate)),
        calls=pace.calls + 1,
        last_ns=now_ns,
        recent=pace.recent * math.exp(-max(passed, 0.0)) + 1.0,
        since=pace.since + 1,
        told=pace.told.less(now_ns, tokens),
    )


def unsent(pace: Pace) -> Pace:
    """A call that was let go never went."""
    less = pace.calls - 1, pace.since - 1, pace.recent - 1.0
    calls, since, recent = (max(0, one) for one in less)
    return replace(pace, calls=int(calls), since=int(since), recent=recent)


def remembered(pace: Pace) -> Pace:
    """What is left of it where its times mean nothing any more."""
    return Pace(base=pace.rate, adds=ROUGH if pace.adds == GUESS else pace.adds)


def answered(pace: Pace, sent_ns: int, now_ns: int, limits: RateLimits | None, later: Later) -> Pace:
    """After an answer to a call that was sent at ``sent_ns``, with what it said of the limits."""
    pace = replace(pace, told=pace.told.heard(sent_ns, now_ns, limits, later))
    if pace.base is None or pace.reopens is None or sent_ns <= pace.until_ns:
        return pace
    base = max(pace.base, pace.reopens)
    return replace(pace, base=base, reopens=None, due_ns=min(pace.due_ns, now_ns + math.ceil(SECOND / base)))


def refused(pace: Pace, sent_ns: int, now_ns: int, refusal: Refusal, later: Later, *, tokens: int = 0) -> Pace:
    """After a refusal of a call of so many tokens that was sent at ``sent_ns``."""
    known = pace.told.known_to(sent_ns)
    told = pace.told.heard(sent_ns, now_ns, refusal.limits, later)
    pace = replace(pace, told=told, asks=refusal.retry_after)
    pace = _asked(pace, sent_ns, now_ns, refusal)
    if pace.told.wait_ns(now_ns, tokens) > 0 and not known:
        # it was sent before the service had said so: from now on it is asked as it says
        return pace
    if sent_ns > pace.until_ns:
        return _fall(pace, sent_ns, now_ns)
    if pace.base is not None and now_ns - pace.fell_ns <= LATE_NS:
        return _set(replace(pace, through=max(0.0, pace.through - 1.0)), now_ns)
    return pace


def _asked(pace: Pace, sent_ns: int, now_ns: int, refusal: Refusal) -> Pace:
    """A wait that was asked for holds everybody back where what was sent in its knowledge is refused too."""
    seconds = refusal.retry_after
    if seconds is None:
        seconds = pace.told.seconds(now_ns)
    asks_ns = now_ns + math.ceil(min(seconds, LONGEST_ASKED) * SECOND)
    if now_ns < pace.asked_ns:
        if sent_ns <= pace.heard_ns:
            return replace(pace, asked_ns=max(pace.asked_ns, asks_ns))
        pace = replace(pace, held_ns=max(pace.held_ns, pace.asked_ns))
    return replace(pace, asked_ns=max(pace.asked_ns, asks_ns), heard_ns=_known_ns(sent_ns, now_ns))


def _known_ns(sent_ns: int, now_ns: int) -> int:
    """What is sent from then on has a refusal behind it: until now and as long again others are on their way."""
    return now_ns + min(now_ns - sent_ns, SECOND)


def _fall(pace: Pace, sent_ns: int, now_ns: int) -> Pace:
    """Begin an episode."""
    before = pace.rate
    guessed = pace.adds == GUESS
    if before is None:
        # what came through in less than a second was a burst: it says little of a rate
        sustained = now_ns - pace.begun_ns >= SECOND
        through = pace.recent * (SUSTAINED if sustained else 1.0)
        pace = replace(pace, through=through, span=1.0, adds=ROUGH if sustained else GUESS)
    else:
        pace = replace(
            pace,
            through=float(pace.since),
            span=max((now_ns - pace.fell_ns) / SECOND, 0.001),
            least=before * (LEAST_OF_GUESS if guessed else LEAST),
            adds=ROUGH if guessed else LEARNT,
        )
    until_ns = max(_known_ns(sent_ns, now_ns), now_ns + EPISODE_NS)
    through = max(0.0, pace.through - 1.0)
    return _set(replace(pace, before=before, fell_ns=now_ns, until_ns=until_ns, since=0, through=through), now_ns)


def _set(pace: Pace, now_ns: int) -> Pace:
    """The pace after a fall, by what had come through before it."""
    measured = pace.through / pace.span
    before = pace.before
    if before is None:
        return _at(pace, max(measured, SLOWEST_GUESS), now_ns)
    most = MOST * before
    if pace.through >= 1:
        return _at(pace, min(max(AIM * measured, pace.least), most), now_ns)
    # who says when to come again need not be tried less often than that
    tried = SLOWEST_TRIED if pace.asks is None else 1 / max(1.0, pace.asks)
    pace = replace(pace, reopens=pace.least if pace.reopens is None else pace.reopens)
    return _at(pace, max(pace.least, min(tried, before)), now_ns)


def _at(pace: Pace, base: float, now_ns: int) -> Pace:
    base = min(max(base, SLOWEST), FASTEST)
    return replace(pace, base=base, grown=0.0, due_ns=now_ns + math.ceil(SECOND / base))


def _grow(pace: Pace, seconds: float) -> Pace:
    if pace.base is None:
        return pace
    doubles = min(QUIET, 1 / pace.adds)
    grown = pace.grown + min(seconds, doubles)
    if grown < doubles:
        return replace(pace, grown=grown)
    base = pace.base * 2
    if base > FASTEST:
        return replace(pace, base=None, adds=GUESS, grown=0.0, reopens=None, before=None)
    return replace(pace, base=base, grown=grown - doubles)
