"""One process's share of a run: the recipes it read, and the evaluation that the first of our items opens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from ..core.endpoint import Endpoint
from ..core.errors import Faults, StateError
from ..core.plan import CookbookPlan, RecipePlan, Unit
from ..core.record import GateRecord, RunInfo
from ..core.registry import Registry
from ..core.result import Outcome, Verdict
from ..engine.answers import RunStoppedError
from ..reports import failure
from ..wiring.evaluation import Evaluation, open_evaluation
from ..wiring.plans import PlanOptions, Reader, identities_in
from .absence import fail
from .hooks import Hooks
from .items import LlmevalItem
from .keys import REGISTRY, RUN, RUN_ID, SETTINGS, USED, WATCH
from .marked import Marked, marked
from .meter import Count
from .needs import needed_by, selected
from .options import Settings
from .progress import Progress, look_on
from .served import Served, check_fixtures
from .shell import shell_of
from .shown import in_short
from .telling import tell
from .unavailable import lack_of
from .xdist import share, watch_controller

T = TypeVar("T")


class Run:
    """Made when the first file of ours is collected, closed when the session ends."""

    def __init__(self, config: pytest.Config, settings: Settings, registry: Registry) -> None:
        self.config = config
        self.settings = settings
        self.registry = registry
        self.reader = Reader(_plan_options(config, settings, registry))
        self._evaluation: Evaluation | None = None
        self._served: Served | None = None
        self._hooks: Hooks | None = None
        self._progress: Progress | None = None
        self._faults: list[Faults] = []
        #: a test of the user's own runs: it has the process to itself
        self._paused = False
        #: recipes whose marked tests' answers were waited for
        self._marked: set[str] = set()

    # --- collection ---

    def recipe(self, file: pytest.File) -> tuple[RecipePlan, ...]:
        """The plans of a recipe file, one an endpoint, read once. Raises Faults."""
        plans = self._noting_faults(lambda: self.reader.recipe(file.path))
        self._noting_faults(lambda: check_fixtures(file, [plan.endpoint for plan in plans]))
        return plans

    def cookbook(self, file: pytest.File) -> tuple[CookbookPlan, ...]:
        """The plans of a cookbook file, one an endpoint. Raises Faults."""
        cookbooks = self._noting_faults(lambda: self.reader.cookbook(file.path))
        endpoints = [plan.endpoint for cookbook in cookbooks for plan in cookbook.recipes]
        self._noting_faults(lambda: check_fixtures(file, endpoints))
        return cookbooks

    def plans(self, reference: str, endpoint: str | None, naming: Path) -> tuple[RecipePlan, ...]:
        """The plans of a recipe that a test names, on one endpoint where it says which. Raises Faults."""
        path = self.reader.find_recipe(reference, naming)
        return self.reader.recipe(path) if endpoint is None else (self.reader.recipe_on(path, endpoint, naming),)

    def _noting_faults(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except Faults as faults:
            self._faults.append(faults)
            raise

    def announce(self, items: Iterable[pytest.Item]) -> None:
        """What is out of the ordinary about how these will be asked."""
        if self.config.option.collectonly or self.config.option.setuponly:
            return
        endpoints = {plan.endpoint.id: plan.endpoint for plan, _ in needed_by(items)}
        for endpoint in endpoints.values():
            if getattr(endpoint.connector, "keep", "always") == "run":
                why = " (it has no `version:`)" if endpoint.connector.id == "python" else ""
                tell(self.config, f"answers of {endpoint.id} serve this run only{why}")
        if endpoints and self._step_by_step:
            tell(self.config, "no look-ahead, so that prints and debuggers stand beside the sample that is asked")

    # --- running ---

    def evaluation(self, session: pytest.Session) -> Evaluation:
        """Opened once, with what the session has selected asked ahead."""
        if self._evaluation is None:
            run_id, started = self.config.stash[RUN_ID]
            settings = self.settings
            self._hooks = Hooks(self.config)
            if WATCH in self.config.stash:
                # a worker's controller looks on for it
                self._progress = look_on(self.config, self._count)
            try:
                self._evaluation = open_evaluation(
                    settings.state,
                    RunInfo(run_id, started, str(self.config.rootpath)),
                    mode=settings.cache,
                    ttl_days=settings.ttl_days,
                    budget=settings.budget,
                    root=self.config.rootpath,
                    abandoned=watch_controller(self.config),
                    share=share(self.config),
                    listeners=self._hooks.listeners,
                    onlooker=self._progress,
                )
            except StateError as error:
                fail(str(error))
            if self._paused:
                self.pause()
            self._served = Served(self._evaluation.engine)
            self.config.pluginmanager.register(self._served, "llmeval-served")
            self._enter(session, self._evaluation)
        return self._evaluation

    def _count(self) -> Future[Count]:
        return self._opened.store.progress()

    def for_test(self, item: pytest.Item) -> Evaluation:
        """The evaluation for a test of the user's own, which counts from now on among those that use it."""
        item.stash[USED] = True
        self._set_paused(True)
        return self.evaluation(item.session)

    def _enter(self, session: pytest.Session, evaluation: Evaluation) -> None:
        recipes, cookbooks = selected(session.items)
        evaluation.enter(recipes, cookbooks)
        if not self._step_by_step:
            # what a fixture serves begins when that is up
            needed = needed_by(session.items)
            evaluation.engine.look_ahead((plan, unit) for plan, unit in needed if plan.endpoint.fixture is None)

    def serve(self, item: pytest.Item, endpoint: Endpoint) -> None:
        """Before an endpoint is waited for: what a fixture of the suite serves is set up, and asked ahead."""
        self.evaluation(item.session)
        assert self._served is not None
        if endpoint.fixture is not None and self._served.bring_up(item, endpoint) and not self._step_by_step:
            needed = needed_by(item.session.items)
            self._opened.engine.look_ahead((plan, unit) for plan, unit in needed if plan.endpoint.id == endpoint.id)

    def prepare(self, item: pytest.Item) -> None:
        """Before the first marked test of a recipe is set up, all that its tests need is asked and waited for."""
        about = marked(item)
        option = self.config.option
        if about is None or option.setuponly or option.setupplan or about.plan.endpoint.fixture is not None:
            return
        self.settle_marked(item, about)

    def settle_marked(self, item: pytest.Item, about: Marked) -> None:
        """Once a recipe: all that its marked tests need."""
        if about.plan.record.id in self._marked:
            return
        self._marked.add(about.plan.record.id)
        tests = [other for other in item.session.items if marked(other) is not None]
        with contextlib.suppress(RunStoppedError):
            evaluation = self.evaluation(item.session)
            wanted = [unit for plan, unit in needed_by(tests) if plan.record.id == about.plan.record.id]
            evaluation.engine.settle(about.plan, wanted)

    @property
    def _step_by_step(self) -> bool:
        """Look-ahead is off where a user wants to see prints or a debugger beside the sample that caused them."""
        option = self.config.option
        if option.usepdb or getattr(option, "trace", False):
            return True
        return option.capture == "no" and any(_runs_users_code(plan) for plan in self.reader.plans)

    def look_for_faults(self, item: LlmevalItem) -> None:
        """Under xdist, what is left runs after a collection error: then nothing is sent, and every item says why."""
        if self._faults:
            # one line: there are as many of it as items, and the whole list stands where the files were collected
            fail(f"nothing was asked, since files of this run have faults: {self._first_fault()}")
        self.evaluation(item.session)

    def _first_fault(self) -> str:
        return in_short(Faults(fault for faults in self._faults for fault in faults.faults))

    @property
    def _opened(self) -> Evaluation:
        assert self._evaluation is not None
        return self._evaluation

    def outcome(self, plan: RecipePlan, unit: Unit) -> Outcome:
        return self._opened.outcome(plan, unit)

    def forget(self, plan: RecipePlan, unit: Unit) -> None:
        self._opened.engine.forget(plan, unit)

    def shows_stop(self, plan: RecipePlan, unit: Unit) -> bool:
        return self._opened.store.show_stop(plan.endpoint.id, plan.record.id, unit.record.id).result()

    def lacks(self, endpoint: Endpoint) -> str:
        """What this machine lacks for an endpoint, where the ini ``llmeval_unavailable`` says to skip for it."""
        found = lack_of(endpoint) if self.settings.unavailable == "skip" else ""
        return f"endpoint {endpoint.id} is not available here: {found}" if found else ""

    def verdict(self, plan: RecipePlan, gate: GateRecord) -> Verdict:
        return self._opened.verdict(plan, gate)

    def recipe_verdict(self, plan: RecipePlan, item: str) -> tuple[Verdict, list[tuple[GateRecord, Verdict]]]:
        """Of a recipe as a whole, kept under the id of the item that shows it, and of each of its gates."""
        return self._opened.recipe_verdict(plan, item)

    def cookbook_verdict(self, cookbook: CookbookPlan, gate: GateRecord) -> Verdict:
        return self._opened.cookbook_verdict(cookbook, gate)

    def gate_failure(self, plan: RecipePlan, gate: GateRecord, verdict: Verdict) -> str:
        worst = [sample.nodeid for sample in self._opened.worst(plan, gate)]
        return failure.failed_gate(self._opened.summary(plan), gate, verdict, worst=worst, shell=shell_of(self.config))

    def gate_unmeasurable(self, plan: RecipePlan, gate: GateRecord, verdict: Verdict) -> str:
        asks = self.settings.cache != "only"
        return failure.unmeasurable(gate, verdict, self._opened.summary(plan), asks=asks)

    def pause(self) -> None:
        """A test of the user's own begins: it has the process to itself."""
        self._set_paused(True)
        if self._evaluation is not None:
            self._evaluation.engine.pause()

    def resume(self) -> None:
        self._set_paused(False)
        if self._evaluation is not None:
            self._evaluation.engine.resume()

    def _set_paused(self, paused: bool) -> None:
        self._paused = paused
        if self._progress is not None:
            self._progress.beside_test = paused

    @property
    def opened(self) -> bool:
        return self._evaluation is not None

    def stop(self, reason: str) -> None:
        """All processes of the run ask nothing more."""
        self._opened.stop(reason)

    @property
    def stopped(self) -> str:
        """Why the run was stopped; empty while it goes on."""
        return "" if self._evaluation is None else self._evaluation.engine.stopped

    def close(self) -> None:
        if self._evaluation is not None:
            self._evaluation.close()
        if self._hooks is not None:
            # what was in flight is settled now
            self._hooks.deliver()


def _plan_options(config: pytest.Config, settings: Settings, registry: Registry) -> PlanOptions:
    return PlanOptions(
        root=config.rootpath,
        registry=registry,
        endpoints=settings.endpoints,
        override_endpoints=settings.override_endpoints,
        items=settings.items,
        system=settings.system,
        percentage=settings.percentage,
        seed=settings.seed,
        misses=settings.misses,
        budget=settings.budget,
        last_identity=identities_in(settings.state),
        before_recipe=partial(_load_conftests, config),
    )


def _load_conftests(config: pytest.Config, path: Path) -> None:
    """Those above a file, as pytest's own collection does: they may register what the file names."""
    config.pluginmanager._loadconftestmodules(  # noqa: SLF001 - pytest has no public door to it
        path,
        config.getoption("importmode"),
        rootpath=config.rootpath,
        consider_namespace_packages=config.getini("consider_namespace_packages"),
    )


def run_share(config: pytest.Config) -> Run:
    """This process's share of the run, made at its first use."""
    if RUN not in config.stash:
        config.stash[RUN] = Run(config, config.stash[SETTINGS], config.stash[REGISTRY])
    return config.stash[RUN]


def _runs_users_code(plan: RecipePlan) -> bool:
    ids = [plan.endpoint.connector.id, *(use.metric.id for use in plan.scoring.metrics)]
    return "python" in ids
