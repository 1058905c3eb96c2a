"""Any interleaving of claims, answers, failures, deaths and steps of the clock keeps the promises."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pytest_llmeval.core.admission import Answered, FailedBefore, Granted, Skipped, Wait, Wanted
from pytest_llmeval.core.budget import Budget, Use
from pytest_llmeval.core.clock import SECOND
from pytest_llmeval.core.endpoint import Breaker, Limits, Rate
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.record import RunInfo
from pytest_llmeval.state.sqlite import SqliteStore

CONCURRENCY = 3
RATE = Rate(20)
BREAKER = Breaker(failures=2, recover=2.0)
#: what each of them may take of the budget, in tokens
KEYS = {f"k{n}": 10 + 5 * n for n in range(10)}
PROCESSES = st.integers(0, 2)
HEARD = st.sampled_from(["reply", "fault", "fault", "fault", "limit", None])


class Clock:
    ns = 100 * SECOND

    def monotonic_ns(self):
        return self.ns

    def now(self):
        return self.ns / SECOND


class Coordination(RuleBasedStateMachine):
    """Three processes (stores with owners of their own) and what each of them must see."""

    @initialize(requests=st.sampled_from([3, 10, 1000]), tokens=st.sampled_from([60, 200, 10_000]))
    def open(self, requests, tokens):
        self.folder = tempfile.mkdtemp()
        self.clock = Clock()
        self.budget = Budget(requests, tokens)
        self.stores = [self.enter() for _ in range(3)]
        self.held: list[dict[str, Granted]] = [{} for _ in range(3)]
        self.answers: dict[str, Response] = {}
        self.failed: dict[str, int] = {}
        self.skipped: dict[str, Skipped] = {}
        self.attempts = dict.fromkeys(KEYS, 0)
        self.due = dict.fromkeys(KEYS, 0)
        self.sent: list[int] = []
        self.spent = Use()
        self.failures = 0
        self.opened: int | None = None

    def enter(self):
        store = SqliteStore.open(Path(self.folder) / "state.sqlite3", "r", clock=self.clock, budget=self.budget)
        store.begin(RunInfo("r", 0.0)).result()
        return store

    # --- what is expected ---

    @property
    def on_wire(self):
        return [claim for held in self.held for claim in held.values()]

    def sum_with(self, *uses):
        return sum(uses, self.spent)

    def fits(self, use):
        return use.requests <= self.budget.requests and use.tokens <= self.budget.tokens

    @property
    def barred(self):
        if self.opened is None:
            return False
        half_open = self.clock.ns >= self.opened + BREAKER.recover * SECOND
        return not half_open or any(claim.probe for claim in self.on_wire)

    @rule(process=PROCESSES, keys=st.lists(st.sampled_from(sorted(KEYS)), min_size=1, max_size=4, unique=True))
    def want(self, process, keys):
        limits = Limits(CONCURRENCY, calls=RATE)
        wanted = [Wanted(key, "e", "b", limits, 0, {}, breaker=BREAKER, reserve=Use(1, KEYS[key])) for key in keys]
        for one, decision in zip(wanted, self.stores[process].admit(wanted).result(), strict=True):
            self.check(process, one, decision)

    def check(self, process, wanted, decision):
        key, reserved = wanted.key, [claim.wanted.reserve for claim in self.on_wire]
        if key in self.answers:
            assert decision == Answered(self.answers[key], cached=False)
        elif key in self.failed:
            assert decision == FailedBefore("no", self.failed[key])
        elif key in self.skipped:
            assert decision == self.skipped[key]
        elif any(key in held for held in self.held):
            assert isinstance(decision, Wait)
            assert decision.why == "claimed"
        elif self.barred or not self.fits(self.sum_with(wanted.reserve)):
            assert isinstance(decision, Skipped)
            assert decision.attempts == self.attempts[key]
            assert ("breaker open" in decision.reason) == self.barred
            self.skipped[key] = decision
        elif self.due[key] > self.clock.ns:
            assert decision == Wait((self.due[key] - self.clock.ns) / SECOND, "retry")
        elif not self.fits(self.sum_with(*reserved, wanted.reserve)):
            assert isinstance(decision, Wait)
            assert decision.why == "budget"
        elif isinstance(decision, Granted):
            self.attempts[key] += 1
            assert decision.attempt == self.attempts[key]
            assert decision.probe == (self.opened is not None)
            self.held[process][key] = decision
            self.sent.append(self.clock.ns)
        else:
            assert isinstance(decision, Wait)
            assert decision.why in {"concurrency", "calls", "pace"}
            # nobody waits for the dead, nor for a limit that has room
            assert len(self.on_wire) >= CONCURRENCY or decision.why in {"calls", "pace"}

    # --- what processes do ---

    def claim(self, process, data):
        held = self.held[process]
        return held.pop(data.draw(st.sampled_from(sorted(held)))) if held else None

    def hear(self, claim, heard, *, last):
        if heard == "reply":
            self.failures, self.opened = 0, None
        elif heard == "fault" and self.opened is not None:
            self.opened = self.clock.ns if claim.probe else self.opened
        elif heard == "fault" and last:
            self.failures += 1
            if self.failures >= BREAKER.failures:
                self.opened = self.clock.ns

    @rule(process=PROCESSES, data=st.data(), used=st.none() | st.integers(0, 10))
    def answer(self, process, data, used):
        claim = self.claim(process, data)
        if claim is not None:
            response = self.answers[claim.wanted.key] = Response(f"answer {claim.attempt}", output_tokens=used)
            self.spent += claim.wanted.reserve if used is None else Use(1, used)
            self.hear(claim, "reply", last=True)
            self.stores[process].answer(claim, response).result()

    @rule(process=PROCESSES, data=st.data(), heard=HEARD)
    def fail(self, process, data, heard):
        claim = self.claim(process, data)
        if claim is not None:
            self.failed[claim.wanted.key] = claim.attempt
            self.spent += claim.wanted.reserve
            self.hear(claim, heard, last=True)
            self.stores[process].fail(claim, "no", heard=heard).result()

    @rule(process=PROCESSES, data=st.data(), wait=st.sampled_from([0.0, 0.3, 2.0]), heard=HEARD)
    def release(self, process, data, wait, heard):
        claim = self.claim(process, data)
        if claim is not None:
            self.due[claim.wanted.key] = self.clock.ns + round(wait * SECOND)
            self.spent += claim.wanted.reserve
            self.hear(claim, heard, last=False)
            self.stores[process].release(claim, wait=wait, heard=heard).result()

    @rule(process=PROCESSES, data=st.data(), wait=st.sampled_from([0.0, 0.3]))
    def put_back(self, process, data, wait):
        """It was not sent."""
        claim = self.claim(process, data)
        if claim is not None:
            self.due[claim.wanted.key] = self.clock.ns + round(wait * SECOND)
            self.attempts[claim.wanted.key] -= 1
            self.sent.remove(claim.sent_ns)
            self.stores[process].release(claim, wait=wait, sent=False).result()

    @rule(process=PROCESSES, data=st.data())
    def withdraw(self, process, data):
        """As if it had never been admitted."""
        claim = self.claim(process, data)
        if claim is not None:
            self.due[claim.wanted.key] = self.attempts[claim.wanted.key] = 0
            self.sent.remove(claim.sent_ns)
            self.stores[process].withdraw(claim).result()

    @rule(process=PROCESSES)
    def die(self, process):
        """As a kill does: the lock goes, nothing is given back. Another process takes its place."""
        self.stores[process]._owner.close()
        self.stores[process]._writer.close()
        # nobody knows what became of these
        self.spent = self.sum_with(*(claim.wanted.reserve for claim in self.held[process].values()))
        for key in self.held[process]:
            self.due[key] = 0
        self.held[process] = {}
        self.clock.ns += 51_000_000
        self.stores[process] = self.enter()

    @rule(seconds=st.sampled_from([0.001, 0.05, 0.4, 3.0]))
    def step(self, seconds):
        self.clock.ns += round(seconds * SECOND)

    # --- what always holds ---

    @invariant()
    def never_over_the_rate(self):
        if not hasattr(self, "sent"):
            return
        for start in self.sent:
            assert sum(start <= sent < start + SECOND for sent in self.sent) <= 1.1 * RATE.amount

    @invariant()
    def never_over_the_concurrency_nor_the_budget_and_one_probe_at_a_time(self):
        if not hasattr(self, "sent"):
            return
        assert len(self.on_wire) <= CONCURRENCY
        assert self.fits(self.sum_with(*(claim.wanted.reserve for claim in self.on_wire)))
        assert sum(claim.probe for claim in self.on_wire) <= 1

    def teardown(self):
        if hasattr(self, "stores"):
            for store in self.stores:
                store.close()
            shutil.rmtree(self.folder)


Coordination.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestCoordination = Coordination.TestCase
