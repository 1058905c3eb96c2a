"""One look into the state for a batch of requests: what is known of each, leave to send it, or how long to wait."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from ...core.admission import Answered, Decision, Granted, Skipped, Wait, Wanted
from ...core.clock import Clock
from ...core.result import Outcome
from ...limits import breaker, pace
from ...limits.admission import Grant, Room, Seen, decide
from ...limits.budget import Purse, lack
from ...limits.pace import Pace
from . import breakers, budgets, claims, ledger, paces, rates, requests, skips
from .cache import Terms, find


@dataclass(slots=True)
class _Bucket:
    """The limits that several requests fall under, as they stand in the course of the look."""

    calls_tat: int
    tokens_tat: int
    pace: Pace
    in_flight: int | None = None
    full: Wait | None = None
    granted: bool = False


class Look:
    """Made for one transaction; ``close`` writes what many requests share."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        terms: Terms,
        owner: str,
        alive: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._terms = terms
        self._owner = owner
        self._alive = alive
        self._clock = clock
        self._now_ns = clock.monotonic_ns()
        self._now = clock.now()
        self._stops = ledger.stops(connection, terms.run)
        self._horizon = ledger.horizon(connection, terms.run)
        self._recipes: dict[str, int | None] = {}
        self._buckets: dict[str, _Bucket] = {}
        self._breakers: dict[str, breaker.State] = {}
        self._purse: Purse | None = None
        self._skips = skips.some(connection, terms.run)
        self._cached: list[str] = []

    def decide(self, wanted: Wanted) -> Decision:
        seen = self._see(wanted)
        decision = decide(seen, wanted, self._now_ns, partial(self._room, wanted))
        if isinstance(decision, Grant):
            return self._grant(wanted, decision)
        if isinstance(decision, Answered) and decision.cached:
            self._cached.append(wanted.key)
        elif isinstance(decision, Skipped) and seen.skipped is None:
            skips.note(self._connection, self._terms.run, wanted.key, decision)
        elif isinstance(decision, Wait) and decision.why not in {"claimed", "retry", "budget"}:
            self._bucket(wanted).full = decision
        return decision

    def close(self) -> None:
        requests.note_cached(self._connection, self._terms.run, self._cached)
        for name, bucket in self._buckets.items():
            if bucket.granted:
                paces.write(self._connection, name, bucket.pace, self._clock)
            for kind, tat in (("calls", bucket.calls_tat), ("tokens", bucket.tokens_tat)):
                # 0: no such limit, nothing was ever taken
                if bucket.granted and tat:
                    rates.write(self._connection, name, kind, tat, self._now_ns)

    def _see(self, wanted: Wanted) -> Seen:
        """What is known, read no further than is needed."""
        seen = Seen(
            run_stopped=self._stops.get(""),
            endpoint_stopped=self._stops.get(wanted.endpoint),
            asks=self._terms.mode != "only",
        )
        if seen.run_stopped is not None:
            return seen
        outcome = self._outcome(wanted)
        if outcome is not None:
            return replace(seen, outcome=outcome)
        answer = find(self._connection, self._terms, wanted, self._horizon, self._now)
        if answer is not None:
            return replace(seen, answer=answer)
        return replace(
            seen,
            failed=requests.failed(self._connection, self._terms.run, wanted.key),
            skipped=skips.find(self._connection, self._terms.run, wanted.key) if self._skips else None,
        )

    def _outcome(self, wanted: Wanted) -> Outcome | None:
        if wanted.recipe is None or wanted.unit is None:
            return None
        if wanted.recipe not in self._recipes:
            self._recipes[wanted.recipe] = ledger.recipe_number(self._connection, self._terms.run, wanted.recipe)
        number = self._recipes[wanted.recipe]
        return None if number is None else ledger.outcome(self._connection, number, wanted.unit)

    def _room(self, wanted: Wanted) -> Room:
        """Who else is asking. The dead are removed before anybody is made to wait for them."""
        holder = claims.holder(self._connection, wanted.key, self._terms.scope(wanted))
        if holder is not None and self._lives(holder):
            return Room(claimed=True)
        bucket = self._bucket(wanted)
        if self._in_flight(wanted) >= wanted.limits.max_concurrency:
            for owner in claims.owners_in(self._connection, wanted.bucket):
                self._lives(owner)
        state = self._breaker(wanted)
        probing = self._probing(wanted, state)
        purse = self._purse_for(wanted)
        pending = claims.pending(self._connection, self._terms.run, wanted.key)
        return Room(
            due_ns=pending.due_ns,
            first_sent_ns=pending.first_sent_ns,
            in_flight=self._in_flight(wanted),
            calls_tat=bucket.calls_tat,
            tokens_tat=bucket.tokens_tat,
            pace=bucket.pace,
            full=bucket.full,
            breaker=state,
            probing=probing,
            purse=purse,
            attempts=pending.attempts,
        )

    def _breaker(self, wanted: Wanted) -> breaker.State:
        if wanted.breaker is None:
            return breaker.CLOSED
        if wanted.endpoint not in self._breakers:
            self._breakers[wanted.endpoint] = breakers.read(self._connection, self._terms.run, wanted.endpoint)
        return self._breakers[wanted.endpoint]

    def _probing(self, wanted: Wanted, state: breaker.State) -> bool:
        if state.opened_ns is None:
            return False
        owner = breakers.prober(self._connection, self._terms.run, wanted.endpoint)
        return owner is not None and self._lives(owner)

    def _purse_for(self, wanted: Wanted) -> Purse | None:
        """The run's budget; what the dead have reserved of it counts as spent before anybody waits for them."""
        purse = self._read_purse()
        short = None if purse is None else lack(purse, wanted.reserve)
        if short is None or short.final:
            return purse
        for owner in budgets.owners(self._connection, self._terms.run):
            self._lives(owner)
        return self._read_purse()

    def _read_purse(self) -> Purse | None:
        run, budget = self._terms.run, self._terms.budget
        if self._purse is None and budget is not None:
            self._purse = Purse(budget, budgets.spent(self._connection, run), budgets.reserved(self._connection, run))
        return self._purse

    def _lives(self, owner: str) -> bool:
        if owner == self._owner or self._alive(owner):
            return True
        claims.bury(self._connection, owner)
        for bucket in self._buckets.values():
            bucket.in_flight = None
        self._purse = None
        return False

    def _grant(self, wanted: Wanted, grant: Grant) -> Granted:
        bucket = self._bucket(wanted)
        bucket.calls_tat, bucket.tokens_tat, bucket.granted = grant.calls_tat, grant.tokens_tat, True
        bucket.pace = pace.sent(bucket.pace, self._now_ns, wanted.tokens)
        if bucket.in_flight is not None:
            bucket.in_flight += 1
        if self._purse is not None:
            self._purse = replace(self._purse, reserved=self._purse.reserved + wanted.reserve)
        before = claims.pending(self._connection, self._terms.run, wanted.key)
        first = self._now_ns if before.first_sent_ns is None else before.first_sent_ns
        granted = Granted(wanted, before.attempts + 1, first, self._now_ns, grant.probe, before.refused)
        claims.claim(self._connection, self._terms.run, self._owner, self._terms.scope(wanted), granted)
        return granted

    def _bucket(self, wanted: Wanted) -> _Bucket:
        bucket = self._buckets.get(wanted.bucket)
        if bucket is None:
            bucket = self._buckets[wanted.bucket] = _Bucket(
                rates.read(self._connection, wanted.bucket, "calls", self._now_ns),
                rates.read(self._connection, wanted.bucket, "tokens", self._now_ns),
                paces.read(self._connection, wanted.bucket, self._clock),
            )
        return bucket

    def _in_flight(self, wanted: Wanted) -> int:
        bucket = self._bucket(wanted)
        if bucket.in_flight is None:
            bucket.in_flight = claims.in_flight(self._connection, wanted.bucket)
        return bucket.in_flight
