"""The state of a run in an SQLite file, shared by all its processes and by other runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ...core.admission import Decision, Granted, Heard, Missing, Refusal, Wanted
from ...core.budget import Budget, Use
from ...core.clock import SECOND, Clock, SystemClock
from ...core.events import ProgressEvent
from ...core.exchange import Response
from ...core.identity import Identity
from ...core.record import CookbookRecord, RecipeRecord, Row, RunInfo, RunLedger, UnitRecord
from ...core.redaction import Redactor
from ...core.result import Outcome, Verdict
from ...limits.budget import settled
from . import breakers, budgets, cache, claims, ledger, paces, progress, rates, reading, requests
from .admitting import Look
from .cache import Mode, Terms
from .codec import dump, identity_name
from .nearest import why_missing
from .opening import Opened, damage_marker, open_file, owners_folder
from .owners import Owners
from .writer import Writer

DB = sqlite3.Connection
T = TypeVar("T")


class SqliteStore:
    """One process's door to the state; ``core.store.Store`` says what its methods do.

    ``path`` is where the state lies (not where it was asked for, if that cannot be written: then it is ``temporary``),
    ``new`` says that there was none, ``notes`` are for people, ``salt`` is a text of this file alone, for digests of
    keys. ``redactor`` is applied to all that is stored.
    """

    def __init__(self, opened: Opened, terms: Terms, clock: Clock, redactor: Redactor) -> None:
        self.path = opened.path
        self.new = opened.new
        self.temporary = opened.temporary
        self.notes = opened.notes
        self.redactor = redactor
        self.salt = opened.salt
        self._terms = terms
        self._run = terms.run
        self._clock = clock
        self._owner = opened.owner
        self._owners = Owners(owners_folder(opened.path))
        self._writer = Writer(opened.connection, str(opened.path), damage_marker(opened.path).touch)

    @classmethod
    def open(
        cls,
        path: Path,
        run_id: str,
        *,
        mode: Mode = "use",
        clock: Clock | None = None,
        ttl_days: float | None = None,
        budget: Budget | None = None,
        root: Path | None = None,
        redactor: Redactor | None = None,
    ) -> SqliteStore:
        """Open the state at ``path``, made where there is none; ``root`` is what paths in messages are relative to.

        Raises StateError where the file is of a newer version or belongs to another program.
        """
        clock = clock or SystemClock()
        terms = Terms(run_id, mode, ttl_days, budget)
        return cls(open_file(path, run_id, clock, root), terms, clock, redactor or Redactor())

    def _alive(self, owner: str) -> bool:
        return self._owners.alive(owner, self._clock.monotonic_ns())

    # --- the run ---

    def begin(self, run: RunInfo) -> Future[None]:
        assert run.id == self._run
        environment = {key: self._all(value) for key, value in run.environment.items()}

        def operation(connection: DB) -> None:
            self._owners.clear()
            ledger.begin(connection, replace(run, environment=environment), self._owner.id, self._alive)
            ledger.note(connection, self._run, self.notes)

        return self._writer.submit(operation)

    def _all(self, value: object) -> object:
        if isinstance(value, str):
            return self.redactor.all(value)
        return [self._all(one) for one in value] if isinstance(value, list | tuple) else value

    def plan(self, recipe: RecipeRecord, units: Sequence[UnitRecord]) -> Future[None]:
        return self._writer.submit(lambda connection: ledger.plan(connection, self._run, recipe, units, self.redactor))

    def select(self, recipe: str) -> Future[None]:
        return self._writer.submit(lambda connection: ledger.select(connection, self._run, recipe))

    def cookbook(self, cookbook: CookbookRecord) -> Future[None]:
        return self._writer.submit(lambda connection: ledger.cookbook(connection, self._run, cookbook))

    def end(self, *, complete: bool) -> Future[None]:
        def operation(connection: DB) -> None:
            ledger.end(connection, self._run, self._clock.now(), complete=complete)
            self._sweep_if_last(connection)

        return self._writer.submit(operation)

    def _sweep_if_last(self, connection: DB) -> None:
        if not ledger.living(connection, self._run, self._alive, but=self._owner.id):
            ledger.sweep(connection, self._run)

    def read(self) -> RunLedger:
        """What was submitted before is in it. Raises StateError where the run was never begun."""
        self._writer.submit(lambda _: None).exception()
        return reading.read_run(self.path, self._run)

    def close(self) -> None:
        """Settle what is queued, give back what this process still holds, close the file."""

        def operation(connection: DB) -> None:
            claims.bury(connection, self._owner.id)
            if ledger.ended(connection, self._run):
                self._sweep_if_last(connection)

        self._writer.submit(operation)
        self._writer.close()
        self._owner.close()

    def identify(self, endpoint: str, identity: Identity) -> Future[None]:
        """Keep what an endpoint's cache keys hold, for machines that cannot tell it by themselves."""
        values = (identity_name(endpoint), dump(identity))

        def operation(connection: DB) -> None:
            connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", values)

        return self._writer.submit(operation)

    # --- requests ---

    def admit(self, wanted: Sequence[Wanted]) -> Future[list[Decision]]:
        def operation(connection: DB) -> list[Decision]:
            look = Look(connection, self._terms, self._owner.id, self._alive, self._clock)
            decisions = [look.decide(one) for one in wanted]
            look.close()
            return [self._explained(connection, one, made) for one, made in zip(wanted, decisions, strict=True)]

        return self._writer.submit(operation)

    def _explained(self, connection: DB, wanted: Wanted, decision: Decision) -> Decision:
        if not isinstance(decision, Missing):
            return decision
        return Missing(why_missing(connection, wanted, cache.redacted_parts(wanted.parts, self.redactor)))

    def answer(self, claim: Granted, response: Response) -> Future[None]:
        wanted = replace(claim.wanted, parts=cache.redacted_parts(claim.wanted.parts, self.redactor))
        response = self.redactor.response(response)

        def operation(connection: DB) -> None:
            cache.keep(connection, self._terms, wanted, response, self._clock.now())
            requests.note_asked(connection, self._run, wanted.key, claim.attempt, response)
            rates.settle_tokens(connection, claim, response.tokens, self._clock.monotonic_ns())
            breakers.hear(connection, self._run, claim, "reply", self._clock.monotonic_ns())
            paces.answered(connection, claim, response.limits, self._clock)
            self._settle(connection, claim, settled(wanted.reserve, response))

        return self._writer.submit(operation)

    def fail(self, claim: Granted, message: str, *, sent: bool = True, heard: Heard | None = None) -> Future[None]:
        message = self.redactor.all(message)

        def operation(connection: DB) -> None:
            now_ns = self._clock.monotonic_ns()
            attempts = claim.attempt if sent else claim.attempt - 1
            requests.note_failed(connection, self._run, claim.wanted.key, attempts, message)
            if not sent:
                self._unsent(connection, claim)
            if heard is not None:
                breakers.hear(connection, self._run, claim, heard, now_ns, message=message)
            self._settle(connection, claim, claim.wanted.reserve if sent else None)

        return self._writer.submit(operation)

    def _settle(self, connection: DB, claim: Granted, used: Use | None) -> None:
        self._give_up(connection, claim, used)
        claims.settle(connection, self._run, claim.wanted.key)

    def _unsent(self, connection: DB, claim: Granted) -> None:
        rates.give_back(connection, claim, self._clock.monotonic_ns())
        paces.unsent(connection, claim, self._clock)

    def _give_up(self, connection: DB, claim: Granted, used: Use | None) -> None:
        """Give a claim back; ``used`` is what it took of the run's budget, None where nothing was sent."""
        held = claims.give_up(connection, claim.wanted.key, self._terms.scope(claim.wanted), self._owner.id)
        # what was taken away as a dead owner's is booked already
        if held and used is not None and self._terms.budget is not None:
            budgets.book(connection, self._run, used)

    def refuse(self, claim: Granted, refusal: Refusal) -> Future[None]:
        return self._writer.submit(lambda connection: paces.refused(connection, claim, refusal, self._clock))

    def release(
        self, claim: Granted, *, wait: float = 0.0, sent: bool = True, heard: Heard | None = None
    ) -> Future[None]:
        def operation(connection: DB) -> None:
            now_ns = self._clock.monotonic_ns()
            due = now_ns + round(wait * SECOND)
            attempts = claim.attempt if sent else claim.attempt - 1
            if not sent:
                self._unsent(connection, claim)
            if heard is not None:
                breakers.hear(connection, self._run, claim, heard, now_ns, last=False)
            first = claim.first_sent_ns if attempts else None
            self._give_up(connection, claim, claim.wanted.reserve if sent else None)
            claims.postpone(
                connection, self._run, claim.wanted.key, claims.Pending(attempts, first, due, claim.refused)
            )

        return self._writer.submit(operation)

    def withdraw(self, claim: Granted) -> Future[None]:
        def operation(connection: DB) -> None:
            self._unsent(connection, claim)
            self._settle(connection, claim, None)

        return self._writer.submit(operation)

    def forget(self, key: str, recipe: str, unit: str) -> Future[None]:
        def operation(connection: DB) -> None:
            requests.forget(connection, self._run, key)
            ledger.forget(connection, self._run, recipe, unit)

        return self._writer.submit(operation)

    # --- stops ---

    def stop_endpoint(self, endpoint: str, message: str) -> Future[None]:
        return self._stop(endpoint, message)

    def stop_run(self, reason: str) -> Future[None]:
        return self._stop("", reason)

    def _stop(self, endpoint: str, message: str) -> Future[None]:
        text = self.redactor.all(message)
        return self._writer.submit(lambda connection: ledger.stop(connection, self._run, endpoint, text))

    def show_stop(self, endpoint: str, recipe: str, unit: str) -> Future[bool]:
        return self._writer.submit(lambda connection: ledger.show_stop(connection, self._run, endpoint, recipe, unit))

    def run_stopped(self) -> Future[str]:
        return self._look(lambda connection: ledger.stops(connection, self._run).get("", ""))

    # --- results ---

    def record(self, outcomes: Sequence[tuple[str, str, Outcome]]) -> Future[list[bool]]:
        return self._writer.submit(lambda connection: ledger.record(connection, self._run, outcomes, self.redactor))

    def outcome(self, recipe: str, unit: str) -> Future[Outcome | None]:
        def operation(connection: DB) -> Outcome | None:
            number = ledger.recipe_number(connection, self._run, recipe)
            return None if number is None else ledger.outcome(connection, number, unit)

        return self._look(operation)

    def rows(self, recipe: str) -> Future[list[Row]]:
        def operation(connection: DB) -> list[Row]:
            number = ledger.recipe_number(connection, self._run, recipe)
            return [] if number is None else list(reading.rows(connection, number))

        return self._look(operation)

    def progress(self) -> Future[ProgressEvent | None]:
        """How far the run is, without times."""
        return self._look(lambda connection: progress.progress(connection, self._run))

    def verdict(self, gate: str, verdict: Verdict) -> Future[Verdict]:
        return self._writer.submit(
            lambda connection: ledger.verdict(connection, self._run, gate, verdict, self.redactor)
        )

    def once(self, name: str, value: str | None) -> Future[str | None]:
        return self._writer.submit(
            lambda connection: ledger.once(connection, self._run, name, value, owner=self._owner.id, alive=self._alive)
        )

    def _look(self, operation: Callable[[DB], T]) -> Future[T]:
        return self._writer.submit(operation, writes=False)
