"""Any interleaving of claims, answers, failures, deaths and steps of the clock keeps the promises."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pytest_llmeval.core.admission import Answered, FailedBefore, Granted, Wait, Wanted
from pytest_llmeval.core.endpoint import SECOND, Limits, Rate
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.record import RunInfo
from pytest_llmeval.state.sqlite import SqliteStore

CONCURRENCY = 3
RATE = Rate(20)
KEYS = [f"k{n}" for n in range(6)]
PROCESSES = st.integers(0, 2)


class Clock:
    ns = 100 * SECOND

    def monotonic_ns(self):
        return self.ns

    def now(self):
        return self.ns / SECOND


class Coordination(RuleBasedStateMachine):
    """Three processes (stores with owners of their own) and what each of them must see."""

    @initialize()
    def open(self):
        self.folder = tempfile.mkdtemp()
        self.clock = Clock()
        self.stores = [self.enter() for _ in range(3)]
        self.held: list[dict[str, Granted]] = [{} for _ in range(3)]
        self.answers: dict[str, str] = {}
        self.failed: dict[str, int] = {}
        self.attempts = dict.fromkeys(KEYS, 0)
        self.due = dict.fromkeys(KEYS, 0)
        self.sent: list[int] = []

    def enter(self):
        store = SqliteStore.open(Path(self.folder) / "state.sqlite3", "r", clock=self.clock)
        store.begin(RunInfo("r", 0.0)).result()
        return store

    @rule(process=PROCESSES, keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True))
    def want(self, process, keys):
        limits = Limits(CONCURRENCY, calls=RATE)
        wanted = [Wanted(key, "e", "b", limits, 0, {}) for key in keys]
        for key, decision in zip(keys, self.stores[process].admit(wanted).result(), strict=True):
            if key in self.answers:
                assert decision == Answered(Response(self.answers[key]), cached=False)
            elif key in self.failed:
                assert decision == FailedBefore("no", self.failed[key])
            elif any(key in held for held in self.held):
                assert isinstance(decision, Wait)
                assert decision.why == "claimed"
            elif self.due[key] > self.clock.ns:
                assert decision == Wait((self.due[key] - self.clock.ns) / SECOND, "retry")
            elif isinstance(decision, Granted):
                self.attempts[key] += 1
                assert decision.attempt == self.attempts[key]
                self.held[process][key] = decision
                self.sent.append(self.clock.ns)
            else:
                assert isinstance(decision, Wait)
                assert decision.why in {"concurrency", "calls", "pace"}
                # nobody waits for the dead, nor for a limit that has room
                full = sum(len(held) for held in self.held) >= CONCURRENCY
                assert full or decision.why in {"calls", "pace"}

    def claim(self, process, data):
        held = self.held[process]
        return held.pop(data.draw(st.sampled_from(sorted(held)))) if held else None

    @rule(process=PROCESSES, data=st.data())
    def answer(self, process, data):
        claim = self.claim(process, data)
        if claim is not None:
            self.answers[claim.wanted.key] = f"answer {claim.attempt}"
            self.stores[process].answer(claim, Response(f"answer {claim.attempt}")).result()

    @rule(process=PROCESSES, data=st.data())
    def fail(self, process, data):
        claim = self.claim(process, data)
        if claim is not None:
            self.failed[claim.wanted.key] = claim.attempt
            self.stores[process].fail(claim, "no").result()

    @rule(process=PROCESSES, data=st.data(), wait=st.sampled_from([0.0, 0.3, 2.0]), sent=st.booleans())
    def release(self, process, data, wait, sent):
        claim = self.claim(process, data)
        if claim is not None:
            key = claim.wanted.key
            self.due[key] = self.clock.ns + round(wait * SECOND)
            if not sent:
                self.attempts[key] -= 1
                self.sent.remove(claim.sent_ns)
            self.stores[process].release(claim, wait=wait, sent=sent).result()

    @rule(process=PROCESSES)
    def die(self, process):
        """As a kill does: the lock goes, nothing is given back. Another process takes its place."""
        self.stores[process]._owner.close()
        self.stores[process]._writer.close()
        self.held[process] = {}
        self.clock.ns += 51_000_000
        self.stores[process] = self.enter()

    @rule(seconds=st.sampled_from([0.001, 0.05, 0.4, 3.0]))
    def step(self, seconds):
        self.clock.ns += round(seconds * SECOND)

    @invariant()
    def never_over_the_rate(self):
        if not hasattr(self, "sent"):
            return
        for start in self.sent:
            assert sum(start <= sent < start + SECOND for sent in self.sent) <= 1.1 * RATE.amount

    def teardown(self):
        if hasattr(self, "stores"):
            for store in self.stores:
                store.close()
            shutil.rmtree(self.folder)


Coordination.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestCoordination = Coordination.TestCase
