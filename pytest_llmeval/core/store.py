"""The state that all processes of a run share, as the engine and the plugin see it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from .admission import Decision, Granted, Heard, Refusal, Wanted
from .exchange import Response
from .record import CookbookRecord, RecipeRecord, Row, RunInfo, RunLedger, UnitRecord
from .result import Outcome, Verdict


class Store(Protocol):
    """The state that all processes of a run share.

    Every call returns at once; its future is settled by the store's own thread.
    """

    def begin(self, run: RunInfo) -> Future[None]:
        """Enter the run (the first process makes it, others join)."""
        ...

    def plan(self, recipe: RecipeRecord, units: Sequence[UnitRecord]) -> Future[None]:
        """Enter what is to be settled; the same plan from another process changes nothing."""
        ...

    def select(self, recipe: str) -> Future[None]:
        """This run is to settle all units of an entered recipe, whatever was selected of it before."""
        ...

    def admit(self, wanted: Sequence[Wanted]) -> Future[list[Decision]]:
        """One transaction: for each request what is known of it, or leave to send it now, or how long to wait."""
        ...

    def answer(self, claim: Granted, response: Response) -> Future[None]:
        """Keep an answer and give the claim back; the estimates of rate and budget are settled by what it used."""
        ...

    def fail(self, claim: Granted, message: str, *, sent: bool = True, heard: Heard | None = None) -> Future[None]:
        """The request came to nothing: nobody of this run asks it again. ``heard``: what that tells of its service."""
        ...

    def refuse(self, claim: Granted, refusal: Refusal) -> Future[None]:
        """The service refused it for its rate: all processes are to ask slower. The claim is still held."""
        ...

    def release(
        self, claim: Granted, *, wait: float = 0.0, sent: bool = True, heard: Heard | None = None
    ) -> Future[None]:
        """Give the claim back without an answer, for another attempt in ``wait`` seconds.

        ``sent`` False gives the places in rate and budget back too, and the attempt does not count.
        """
        ...

    def withdraw(self, claim: Granted) -> Future[None]:
        """Give the claim back as if the request had never been admitted: the service was not asked."""
        ...

    def forget(self, key: str, recipe: str, unit: str) -> Future[None]:
        """A re-run of an item asks anew what came to nothing: the failed request and the unit's outcome are dropped."""
        ...

    def stop_endpoint(self, endpoint: str, message: str) -> Future[None]:
        """No request to it can succeed in this run."""
        ...

    def show_stop(self, endpoint: str, recipe: str, unit: str) -> Future[bool]:
        """Whether a stopped endpoint is shown at this unit: True for the first that asks, then for it alone.

        Its outcome becomes an error; the others' stay not asked.
        """
        ...

    def stop_run(self, reason: str) -> Future[None]:
        """All processes of the run stop asking."""
        ...

    def run_stopped(self) -> Future[str]:
        """Why the run was stopped; empty while it goes on. Cheap: looked at every 50 ms."""
        ...

    def cookbook(self, cookbook: CookbookRecord) -> Future[None]:
        """Enter a cookbook on an endpoint; the same one from another process changes nothing."""
        ...

    def record(self, outcomes: Sequence[tuple[str, str, Outcome]]) -> Future[list[bool]]:
        """(recipe, unit, outcome) each; the first one recorded stays. Which of these were the first."""
        ...

    def outcome(self, recipe: str, unit: str) -> Future[Outcome | None]: ...

    def rows(self, recipe: str) -> Future[list[Row]]:
        """All units of a recipe on an endpoint with their outcomes, in plan order."""
        ...

    def verdict(self, gate: str, verdict: Verdict) -> Future[Verdict]:
        """Record a verdict; what was recorded first is returned."""
        ...

    def once(self, name: str, value: str | None) -> Future[str | None]:
        """A value of the run by name. A text sets it. None asks: the value; "" to the one process that shall make it
        (again, where the one that should is dead); None to all others while it is being made."""
        ...

    def end(self, *, complete: bool) -> Future[None]: ...

    def read(self) -> RunLedger:
        """The run as it stands in the ledger, for reports; its rows are read as they are iterated."""
        ...

    def close(self) -> None: ...
