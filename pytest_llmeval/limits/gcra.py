"""A rate as GCRA (the leaky bucket of ITU-T I.371, kept as one time) in whole nanoseconds.

The state of a rate is its *theoretical arrival time* (``tat``): the moment at which all that was taken will have
drained. A time in the past is an empty bucket, whatever it is exactly.
"""

from __future__ import annotations

import math

from ..core.clock import SECOND
from ..core.endpoint import Rate


def interval_ns(rate: Rate) -> int:
    """What one call or token takes, rounded up: rounded down, 3 a second would let a fourth in every second."""
    return max(1, math.ceil(rate.seconds * SECOND / rate.amount))


def take(tat_ns: int, now_ns: int, rate: Rate, amount: int = 1) -> tuple[int | None, int]:
    """The new ``tat`` where ``amount`` may go now, else None and the nanoseconds to wait (0 with a new ``tat``).

    More than the burst at once waits for an empty bucket and leaves it in debt, rather than waiting for ever.
    No half-open window of ``rate.seconds`` sees more than ceil(amount) - 1 + burst taken one by one; for whole
    amounts that is at most 1.1 x amount.
    """
    interval = interval_ns(rate)
    start = max(tat_ns, now_ns)
    new = start + amount * interval
    wait = start - now_ns if amount > rate.burst else new - now_ns - rate.burst * interval
    return (None, wait) if wait > 0 else (new, 0)


def give_back(tat_ns: int, rate: Rate, amount: int = 1, age_ns: int = 0) -> int:
    """The ``tat`` with ``amount`` given back that was taken ``age_ns`` ago and not used.

    Meanwhile the bucket may have stood empty, and what would have drained then is lost: it was at most ``age_ns``.
    """
    return tat_ns - max(0, amount * interval_ns(rate) - age_ns)


def settle(tat_ns: int, now_ns: int, rate: Rate, reserved: int, used: int) -> int:
    """The ``tat`` once it is known what was used in place of what was reserved; using more leaves a debt."""
    if used <= reserved:
        return give_back(tat_ns, rate, reserved - used)
    return max(tat_ns, now_ns) + (used - reserved) * interval_ns(rate)
