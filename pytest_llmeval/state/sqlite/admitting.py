"""One look into the state for a batch of requests: what is known of each, leave to send it, or how long to wait."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from ...core.admission import Answered, Decision, Granted, Wait, Wanted
from ...core.clock import Clock
from ...core.result import Outcome
from ...limits import pace
from ...limits.admission import Grant, Room, Seen, decide
from ...limits.pace import Pace
from . import claims, ledger, paces, rates, requests
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
        self._cached: list[str] = []

    def decide(self, wanted: Wanted) -> Decision:
        seen = self._see(wanted)
        decision = decide(seen, wanted, self._now_ns, partial(self._room, wanted))
        if isinstance(decision, Grant):
            return self._grant(wanted, decision)
        if isinstance(decision, Answered) and decision.cached:
            self._cached.append(wanted.key)
        elif isinstance(decision, Wait) and decision.why not in {"claimed", "retry"}:
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
        return replace(seen, failed=requests.failed(self._connection, self._terms.run, wanted.key))

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
        pending = claims.pending(self._connection, self._terms.run, wanted.key)
        return Room(
            due_ns=pending.due_ns,
            first_sent_ns=pending.first_sent_ns,
            in_flight=self._in_flight(wanted),
            calls_tat=bucket.calls_tat,
            tokens_tat=bucket.tokens_tat,
            pace=bucket.pace,
            full=bucket.full,
        )

    def _lives(self, owner: str) -> bool:
        if owner == self._owner or self._alive(owner):
            return True
        claims.bury(self._connection, owner)
        for bucket in self._buckets.values():
            bucket.in_flight = None
        return False

    def _grant(self, wanted: Wanted, grant: Grant) -> Granted:
        bucket = self._bucket(wanted)
        bucket.calls_tat, bucket.tokens_tat, bucket.granted = grant.calls_tat, grant.tokens_tat, True
        bucket.pace = pace.sent(bucket.pace, self._now_ns, wanted.tokens)
        if bucket.in_flight is not None:
            bucket.in_flight += 1
        before = claims.pending(self._connection, self._terms.run, wanted.key)
        first = self._now_ns if before.first_sent_ns is None else before.first_sent_ns
        granted = Granted(wanted, before.attempts + 1, first, self._now_ns, refused=before.refused)
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
