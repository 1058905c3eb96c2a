"""Whether an endpoint that keeps failing is asked: a breaker that is closed, open, or lets a probe through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ..core.admission import Heard
from ..core.clock import SECOND
from ..core.endpoint import Breaker


@dataclass(frozen=True, slots=True)
class State:
    """``failures``: requests in a row that spent their attempts; ``opened_ns``: None while it is closed.

    ``reason`` is what those are told that it holds back; it stays the same until it closes.
    """

    failures: int = 0
    opened_ns: int | None = None
    reason: str = ""


CLOSED = State()


def entry(state: State, breaker: Breaker, now_ns: int) -> Literal["open", "probe", "pass"]:
    """What a request meets; ``probe``: one may pass while no other probe is on the wire."""
    if state.opened_ns is None:
        return "pass"
    return "open" if now_ns < state.opened_ns + round(breaker.recover * SECOND) else "probe"


def after(state: State, breaker: Breaker, heard: Heard, message: str, now_ns: int, *, last: bool, probe: bool) -> State:
    """The state once it is known what an attempt told of its service.

    ``last``: the request has no further attempt, and ``message`` says what became of it. Whatever the service replies
    closes the breaker. A fault counts at a request's last attempt; at a probe's any keeps it open. A refusal for the
    rate changes nothing.
    """
    if heard == "reply":
        return CLOSED
    if heard == "limit":
        return state
    if state.opened_ns is not None:
        # what failed beside a probe was sent before it opened
        return replace(state, opened_ns=now_ns) if probe else state
    if not last:
        return state
    failures = state.failures + 1
    if failures < breaker.failures:
        return State(failures)
    requests = "1 failed request" if failures == 1 else f"{failures:,} failed requests in a row"
    return State(failures, now_ns, f"breaker open after {requests}: {message}")
