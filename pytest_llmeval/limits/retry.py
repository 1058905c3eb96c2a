"""How long until the next attempt, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.clock import SECOND
from ..core.endpoint import Patience
from ..core.errors import Transient

#: seconds: the first wait is up to BASE, each further one up to twice that, none over CAP
BASE, CAP = 0.5, 20.0
#: a connection refused before any answer: so many tries within so many seconds
TRIES_UNREACHED, SECONDS_UNREACHED = 3, 2.0


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further attempt; ``reason`` completes a message: "… (after 5 attempts)"."""

    reason: str


def next_wait(
    attempt: int, error: Transient, first_sent_ns: int, now_ns: int, patience: Patience, *, refused: int = 0
) -> float | GiveUp:
    """Seconds until another attempt may be made, after attempt number ``attempt`` failed.

    ``refused`` of them were refused for the rate: these are no failures, and the deadline alone ends them.
    Random between 0 and a bound that doubles (full jitter), never less than the service asked for. The deadline counts
    from the first sending; a wait that would outlast it ends the request at once.
    """
    elapsed = (now_ns - first_sent_ns) / SECOND
    attempts = f"after {attempt} attempt{'s' if attempt != 1 else ''}"
    failures = attempt - refused
    if failures >= patience.max_attempts and not error.limited:
        return GiveUp(attempts)
    wait = _jitter(refused if error.limited else failures)
    if error.unreached:
        if attempt >= TRIES_UNREACHED or elapsed >= SECONDS_UNREACHED:
            return GiveUp(attempts)
        # the tries that are left share what is left of the time
        wait = min(wait, (SECONDS_UNREACHED - elapsed) / (TRIES_UNREACHED - attempt))
    asked = error.retry_after
    if asked is not None and elapsed + asked >= patience.deadline:
        return GiveUp(
            f"{attempts}; the service asked to wait {round(asked, 1):g} s, past the deadline of {patience.deadline:g} s"
        )
    wait = max(wait, asked or 0.0)
    if elapsed + wait >= patience.deadline:
        return GiveUp(f"{attempts}; the deadline of {patience.deadline:g} s is over")
    return wait


def _jitter(attempt: int) -> float:
    # late: it takes 20 ms, and most runs retry nothing
    from tenacity import RetryCallState, Retrying, wait_random_exponential

    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempt
    return wait_random_exponential(multiplier=BASE, max=CAP)(state)
