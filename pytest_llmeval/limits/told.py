"""What a service says of its own limits, followed as a bucket that is full at the time it tells.

A limit, what remains of it and the seconds until it is full again make a rate: what was used comes back in that time.
For a limit that comes back all at once that is too early; a wait that is asked for mends it (``pace``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..core.clock import SECOND
from ..core.exchange import RateLimits

#: nanoseconds that a reply may have taken from where its figures were made
LAG_NS = SECOND // 20
#: seconds that a service's figures may keep everybody waiting
LONGEST = 60.0
#: seconds: no limit is taken to come back later
LONGEST_RESET = 1e6


@dataclass(frozen=True, slots=True)
class Later:
    """What is on the wire and was sent after a call of which a reply came: calls, and tokens as they were estimated."""

    calls: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Bucket:
    """Room for ``limit``; one comes back every ``interval_ns``; full at ``full_ns``."""

    limit: int
    interval_ns: float
    full_ns: int

    def wait_ns(self, now_ns: int, amount: int) -> int:
        """Until ``amount`` fits; more than the limit waits until it is full."""
        room_ns = (self.limit - min(amount, self.limit)) * self.interval_ns
        return max(0, self.full_ns - now_ns - math.floor(room_ns))

    def less(self, now_ns: int, amount: int) -> Bucket:
        """With so much taken out."""
        return replace(self, full_ns=max(self.full_ns, now_ns) + math.ceil(amount * self.interval_ns))


@dataclass(frozen=True, slots=True)
class Told:
    """The latest account: of the call that was sent at ``of_ns``; such accounts have come since ``since_ns``."""

    calls: Bucket | None = None
    tokens: Bucket | None = None
    of_ns: int = 0
    since_ns: int = 0

    def known_to(self, sent_ns: int) -> bool:
        """Whether a call that was sent then was sent by such an account."""
        return 0 < self.since_ns < sent_ns

    def wait_ns(self, now_ns: int, tokens: int) -> int:
        calls = 0 if self.calls is None else self.calls.wait_ns(now_ns, 1)
        return max(calls, 0 if self.tokens is None else self.tokens.wait_ns(now_ns, max(tokens, 1)))

    def seconds(self, now_ns: int) -> float:
        """Until all that has nothing left is full again; 0 where nothing is known."""
        empty = [one for one in (self.calls, self.tokens) if one is not None and one.wait_ns(now_ns, 1) > 0]
        return min(LONGEST, max(((one.full_ns - now_ns) / SECOND for one in empty), default=0.0))

    def less(self, now_ns: int, tokens: int) -> Told:
        """After a call was let go."""
        if self.calls is None and self.tokens is None:
            return self
        return replace(
            self,
            calls=self.calls and self.calls.less(now_ns, 1),
            tokens=self.tokens and self.tokens.less(now_ns, tokens),
        )

    def heard(self, sent_ns: int, now_ns: int, limits: RateLimits | None, later: Later) -> Told:
        """After a reply to a call that was sent at ``sent_ns``; older news changes nothing.

        One that says nothing ends the matter: what was said before is no guide for long.
        """
        if sent_ns < self.of_ns:
            return self
        if limits is None:
            return UNTOLD
        calls = _bucket((limits.calls, limits.calls_remaining, limits.calls_reset), sent_ns, now_ns, later.calls)
        tokens = _bucket((limits.tokens, limits.tokens_remaining, limits.tokens_reset), sent_ns, now_ns, later.tokens)
        return Told(calls, tokens, sent_ns, self.since_ns or now_ns)


UNTOLD = Told()


def _bucket(said: tuple[int | None, int | None, float | None], sent_ns: int, now_ns: int, later: int) -> Bucket | None:
    """What three figures say together. None where they say nothing of use; a full bucket does not tell its rate."""
    limit, remaining, reset = said
    if not limit or remaining is None or not reset:
        return None
    used = limit - min(max(remaining, 0), limit)
    if not used:
        return None
    reset = min(reset, LONGEST_RESET)
    interval_ns = reset * SECOND / used
    # a reply that took long was counted early; one that came soon tells of a moment ago
    counted_ns = sent_ns + min(now_ns - sent_ns, LAG_NS, limit * interval_ns / 4)
    return Bucket(limit, interval_ns, math.ceil(counted_ns + reset * SECOND + later * interval_ns))
