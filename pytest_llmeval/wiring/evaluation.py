"""A run in one process, without pytest: the state, the engine, verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ..core.assertable import Result
from ..core.budget import Budget
from ..core.clock import SystemClock
from ..core.endpoint import Endpoint
from ..core.events import NOBODY, GateEvent, Listeners
from ..core.identity import Identity
from ..core.plan import CookbookPlan, RecipePlan, Unit
from ..core.record import GateRecord, RunInfo
from ..core.redaction import Redactor
from ..core.result import Outcome, Verdict
from ..core.summary import RecipeSummary
from ..engine.engine import Engine
from ..engine.waiting import Onlooker
from ..grading.counts import Counting
from ..grading.grades import Graded
from ..grading.summary import summary_of
from ..grading.tally import Tally, tally
from ..grading.verdicts import judge, judge_cookbook, judge_recipe
from ..grading.worst import Sample, worst
from ..state.sqlite.store import SqliteStore
from .results import result_of

CacheMode = Literal["use", "refresh", "only", "off"]


class Evaluation:
    """Plans are entered once, units are settled as asked for, verdicts are reached once and kept."""

    def __init__(self, store: SqliteStore, engine: Engine, listeners: Listeners = NOBODY) -> None:
        self.store = store
        self.engine = engine
        self._listeners = listeners
        self._tallies: dict[str, Tally] = {}
        self._summaries: dict[str, RecipeSummary] = {}
        self._identified: set[str] = set()
        self._closed = False

    def enter(
        self,
        recipes: Iterable[tuple[RecipePlan, frozenset[str] | None]],
        cookbooks: Iterable[CookbookPlan],
    ) -> None:
        """Enter plans into the ledger; beside each recipe the ids of its selected units (None: all)."""
        for plan, selected in recipes:
            self._enter(plan, selected)
        for cookbook in cookbooks:
            self.store.cookbook(cookbook.record)

    def _enter(self, plan: RecipePlan, selected: frozenset[str] | None) -> None:
        units = [unit.record for unit in plan.units]
        if selected is not None:
            units = [replace(unit, selected=unit.id in selected) for unit in units]
        self.store.plan(plan.record, units)
        skipped = [unit for unit in units if unit.skip is not None and unit.selected]
        if skipped:
            self.store.record([(plan.record.id, unit.id, Outcome("skipped", error=unit.skip)) for unit in skipped])
        self._identify(plan.endpoint)

    def _identify(self, endpoint: Endpoint) -> None:
        """Once an endpoint: what it is here may be unknown where the next run takes place."""
        if endpoint.id not in self._identified:
            self._identified.add(endpoint.id)
            identity = Identity.of(endpoint.connector)
            if identity.whole:
                self.store.identify(endpoint.id, identity)

    def result(self, plan: RecipePlan) -> Result:
        """A recipe asked whole, whatever else was selected, and what it came to."""
        if plan.record.id not in self._tallies:
            self._enter(plan, None)
            self.store.select(plan.record.id)
        return result_of(self.tally(plan), self.summary(plan))

    def outcome(self, plan: RecipePlan, unit: Unit) -> Outcome:
        return self.engine.settle(plan, [unit])[0]

    def verdict(self, plan: RecipePlan, gate: GateRecord) -> Verdict:
        """Judge a condition over the whole recipe: what nobody has asked yet is asked now."""
        verdict = self.store.verdict(gate.id, judge(self.tally(plan), gate.condition)).result()
        self._tell(gate, verdict, plan.record.endpoint, recipe=plan.record.recipe)
        return verdict

    def _tell(
        self,
        gate: GateRecord,
        verdict: Verdict,
        endpoint: str,
        *,
        recipe: str | None = None,
        cookbook: str | None = None,
    ) -> None:
        """Once a run, whichever of its processes judged first."""
        if self._listeners.gate is None:
            return
        told = f"told {gate.id}"
        if self.store.once(told, None).result() != "":
            return
        # else another process takes it up when this one has ended
        self.store.once(told, "yes")
        figure = verdict.figure
        self._listeners.gate(
            GateEvent(
                nodeid=gate.id,
                endpoint=endpoint,
                condition=gate.condition.text,
                verdict=verdict.kind,
                recipe=recipe,
                cookbook=cookbook,
                figure=None if figure is None else figure.value,
                low=None if figure is None else figure.low,
                high=None if figure is None else figure.high,
                n=None if figure is None else figure.n,
                grade=verdict.grade,
                reason=verdict.reason,
            )
        )

    def recipe_verdict(self, plan: RecipePlan, item: str) -> tuple[Verdict, list[tuple[GateRecord, Verdict]]]:
        """Of the recipe as a whole, kept under the id of the item that shows it, and of each of its gates."""
        gates = [(gate, self.verdict(plan, gate)) for gate in plan.record.gates]
        whole = judge_recipe(self.tally(plan), [verdict for _, verdict in gates])
        return self.store.verdict(item, whole).result(), gates

    def cookbook_verdict(self, cookbook: CookbookPlan, gate: GateRecord) -> Verdict:
        """Judge a cookbook's condition on its grade."""
        graded = {plan.record.id: Graded.of(self.summary(plan)) for plan in cookbook.recipes}
        judged = judge_cookbook(gate.condition, cookbook.record, graded)
        verdict = self.store.verdict(gate.id, judged).result()
        self._tell(gate, verdict, cookbook.record.endpoint, cookbook=cookbook.record.cookbook)
        return verdict

    def tally(self, plan: RecipePlan) -> Tally:
        """A recipe's outcomes, counted; waits until the last of them is settled."""
        self._settle(plan)
        return self._tallies[plan.record.id]

    def summary(self, plan: RecipePlan) -> RecipeSummary:
        """A recipe summed up; waits until the last outcome is settled."""
        self._settle(plan)
        return self._summaries[plan.record.id]

    def worst(self, plan: RecipePlan, gate: GateRecord) -> tuple[Sample, ...]:
        """The samples that cost a gate most."""
        return worst(self.tally(plan), gate.condition)

    def _settle(self, plan: RecipePlan) -> None:
        if plan.record.id in self._tallies:
            return
        self.engine.settle(plan, [unit for unit in plan.units if unit.record.skip is None])
        counting = Counting(set())
        found = tally(plan.record, counting.through(self.store.rows(plan.record.id).result()))
        self._summaries[plan.record.id] = summary_of(found, counting)
        self._tallies[plan.record.id] = found

    def stop(self, reason: str) -> None:
        """All processes of the run ask nothing more."""
        self.store.stop_run(reason)
        self.engine.stop(reason)

    def close(self) -> None:
        """Once; a second call changes nothing."""
        if not self._closed:
            self._closed = True
            self.engine.close()
            self.store.close()


def open_evaluation(
    state: Path,
    run: RunInfo,
    *,
    mode: CacheMode,
    ttl_days: float | None,
    root: Path,
    budget: Budget | None = None,
    abandoned: Callable[[], str] = str,
    share: tuple[int, int] = (0, 1),
    listeners: Listeners = NOBODY,
    onlooker: Onlooker | None = None,
) -> Evaluation:
    """Open the state, enter the run, start the engine. Raises StateError where the state cannot be used.

    ``abandoned`` says why nobody waits for this process any more (empty while somebody does); ``share``: which of how
    many processes of the run this is; ``budget``: what the run may spend, None for no limit; ``listeners`` are told
    what happens, the ``onlooker`` while somebody waits.
    """
    clock, redactor = SystemClock(), Redactor()
    store = SqliteStore.open(
        state, run.id, mode=mode, clock=clock, ttl_days=ttl_days, budget=budget, root=root, redactor=redactor
    )
    store.begin(run)
    engine = Engine(
        store,
        clock,
        store.path.parent,
        redactor,
        store.salt,
        abandoned=abandoned,
        share=share,
        budgeted=budget is not None,
        listeners=listeners,
        onlooker=onlooker,
    )
    engine.start()
    return Evaluation(store, engine, listeners)
