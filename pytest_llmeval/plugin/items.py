"""The items: a sample's answer, a gate, a recipe within a cookbook. Setup gets the outcome, the call shows it."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..core.endpoint import Endpoint
from ..core.errors import StateError
from ..core.plan import CookbookPlan, RecipePlan, Unit
from ..core.record import GateRecord
from ..core.result import Outcome, Verdict
from ..core.text import one_line
from ..engine.answers import RunStoppedError
from ..reports import failure, junit
from .absence import fail, leave, show_absence, skip
from .keys import RUN
from .shell import shell_of
from .shown import shown

if TYPE_CHECKING:
    from _pytest._code.code import ExceptionInfo, TerminalRepr

    from .run import Run


class MissedError(Exception):
    """A sample whose answer came and was not good enough."""


class MetricFailedError(Exception):
    """A metric of a sample raised."""


class GateFailedError(Exception):
    """A condition does not hold."""


OURS = (MissedError, MetricFailedError, GateFailedError)


def left_out(item: pytest.Item) -> bool:
    """Whether an item was marked to be skipped before the run began: then nothing is asked for it."""
    return item.get_closest_marker("skip") is not None


class LlmevalItem(pytest.Item):
    """What our items have in common."""

    #: facts for the process that prints: they travel with the item's reports, under xdist too
    facts: dict[str, Any]
    place: tuple[str, int]

    def __init__(self, *, place: tuple[str, int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.place = place
        self.facts = {}
        if self.config.pluginmanager.hasplugin("timeout"):
            # a gate may wait for a whole recipe; an endpoint's `deadline` bounds each request
            self.add_marker(pytest.mark.timeout(0))

    @property
    def ledger_id(self) -> str | None:
        """Under which the ledger keeps what became of it; None for a skipped row, of which nothing can become."""
        return self.nodeid

    @property
    def run_share(self) -> Run:
        return self.config.stash[RUN]

    def recipes(self) -> tuple[RecipePlan, ...]:
        """The recipes of which this item needs every unit."""
        return ()

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Those that this item needs answers of."""
        return tuple(plan.endpoint for plan in self.recipes())

    def reportinfo(self) -> tuple[Path, int, str]:
        # with the trailing blank, pytest shows the id as it is typed, whatever it ends with
        return self.path, max(self.place[1] - 1, 0), f"{self.nodeid} "

    def setup(self) -> None:
        # both options show what would be set up, and here that costs requests
        if self.config.option.setuponly:
            return
        run = self.run_share
        run.look_for_faults(self)
        try:
            for endpoint in self.endpoints():
                run.serve(self, endpoint)
            self.settle(run)
        except StateError as error:
            # nothing more can be kept, and every other item would say the same
            self.session.shouldstop = "the state cannot be used any more"
            fail(str(error))

    @abstractmethod
    def settle(self, run: Run) -> None:
        """Get what this item shows, or say why it cannot be had."""

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        if isinstance(excinfo.value, OURS):
            return shown(self.place, excinfo.value.args[0], excinfo.value.args[1])
        return super().repr_failure(excinfo, style)

    def _skip_for_lack(self, *plans: RecipePlan) -> None:
        """Before an item that could not be settled becomes an error."""
        for plan in plans:
            lack = self.run_share.lacks(plan.endpoint)
            if lack:
                skip(lack)


class SampleItem(LlmevalItem):
    """One response of one sample."""

    plan: RecipePlan
    unit: Unit
    outcome: Outcome | None = None

    def __init__(self, *, plan: RecipePlan, unit: Unit, **kwargs: Any) -> None:
        origin = unit.record.origin
        super().__init__(place=(origin.path, origin.line), **kwargs)
        self.plan = plan
        self.unit = unit
        for tag in unit.sample.tags:
            self.add_marker(tag)
        if unit.record.skip is not None:
            self.add_marker(pytest.mark.skip(reason=one_line(unit.record.skip)))
        if unit.sample.xfail is not None:
            self.add_marker(pytest.mark.xfail(reason=one_line(unit.sample.xfail), raises=MissedError))

    @property
    def ledger_id(self) -> str | None:
        # within a cookbook too it is the recipe's
        return None if self.unit.record.skip is not None else self.unit.record.nodeid

    def endpoints(self) -> tuple[Endpoint, ...]:
        return (self.plan.endpoint,)

    def settle(self, run: Run) -> None:
        if self.outcome is not None and self.outcome.kind == "error":
            run.forget(self.plan, self.unit)
        try:
            outcome = self.outcome = run.outcome(self.plan, self.unit)
        except RunStoppedError as stop:
            leave(stop)
        if run.settings.junit == "all":
            self.user_properties.extend(junit.sample_properties(self.plan.record, outcome))
        # a stopped endpoint is an error of the item that shows it alone; that is known when it does
        self.facts = {"kind": outcome.kind}
        try:
            show_absence(run, self.plan, self.unit, outcome)
        except pytest.fail.Exception:
            self.facts = {"kind": "error"}
            raise

    def runtest(self) -> None:
        outcome = self.outcome
        assert outcome is not None
        verbose = self.config.get_verbosity() >= 2
        shell = shell_of(self.config)
        if outcome.kind == "metric_error":
            text = failure.metric_error(
                self.plan.record, self.unit.record, outcome, self.nodeid, verbose=verbose, shell=shell
            )
            raise MetricFailedError(text, f"metric error: {outcome.error}")
        if outcome.kind not in {"missed", "refused"}:
            return
        summary = failure.summary(self.plan.record, outcome)
        text = failure.sample(self.plan.record, self.unit.record, outcome, self.nodeid, verbose=verbose, shell=shell)
        if self.plan.misses == "fail" or self.unit.sample.xfail is not None:
            raise MissedError(text, f"{outcome.kind}: {summary}")
        self.facts["missed"] = one_line(summary)
        if verbose:
            self.facts["text"] = text


class ConditionItem(LlmevalItem):
    """One condition: setup judges it, the call says whether it holds."""

    def __init__(self, *, gate: GateRecord, **kwargs: Any) -> None:
        origin = gate.condition.origin
        super().__init__(place=(origin.path, origin.line), **kwargs)
        self.gate = gate
        self.verdict: Verdict | None = None

    @property
    def ledger_id(self) -> str | None:
        return self.gate.id

    @abstractmethod
    def judge(self, run: Run) -> Verdict: ...

    def unmeasurable(self, verdict: Verdict) -> str:
        return failure.unmeasurable(self.gate, verdict)

    def failed(self, verdict: Verdict) -> str:
        return failure.failed_grade(self.gate, verdict)

    def settle(self, run: Run) -> None:
        try:
            verdict = self.verdict = self.judge(run)
        except RunStoppedError as stop:
            leave(stop)
        self.facts = {"gate": verdict.kind}
        if run.settings.junit == "all":
            self.user_properties.extend(junit.gate_properties(self.gate, verdict))
        if verdict.kind == "unmeasurable":
            self._skip_for_lack(*self.recipes())
            fail(self.unmeasurable(verdict), f"cannot be judged: {verdict.reason}")

    def runtest(self) -> None:
        assert self.verdict is not None
        if self.verdict.kind == "failed":
            text = self.failed(self.verdict)
            raise GateFailedError(text, f"{self.gate.condition.text} does not hold")


class GateItem(ConditionItem):
    """One condition over a whole recipe."""

    def __init__(self, *, plan: RecipePlan, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan

    def recipes(self) -> tuple[RecipePlan, ...]:
        return (self.plan,)

    def judge(self, run: Run) -> Verdict:
        return run.verdict(self.plan, self.gate)

    def unmeasurable(self, verdict: Verdict) -> str:
        return self.run_share.gate_unmeasurable(self.plan, self.gate, verdict)

    def failed(self, verdict: Verdict) -> str:
        return self.run_share.gate_failure(self.plan, self.gate, verdict)


class CookbookRecipeItem(LlmevalItem):
    """A recipe within a cookbook: passes when all its gates do."""

    def __init__(self, *, plan: RecipePlan, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan
        self.verdict: Verdict | None = None
        self.gates: list[tuple[GateRecord, Verdict]] = []

    def recipes(self) -> tuple[RecipePlan, ...]:
        return (self.plan,)

    def settle(self, run: Run) -> None:
        try:
            self.verdict, self.gates = run.recipe_verdict(self.plan, self.nodeid)
        except RunStoppedError as stop:
            leave(stop)
        self.facts = {"recipe": self.verdict.kind}
        if self.verdict.kind == "unmeasurable":
            self._skip_for_lack(self.plan)
            unmeasurable = [(gate, verdict) for gate, verdict in self.gates if verdict.kind == "unmeasurable"]
            texts = [run.gate_unmeasurable(self.plan, gate, verdict) for gate, verdict in unmeasurable]
            reason = f"cannot be judged: {self.verdict.reason}"
            fail("\n".join(texts) or f"{self.plan.record.path} {reason}", reason)

    def runtest(self) -> None:
        failed = [(gate, verdict) for gate, verdict in self.gates if verdict.kind == "failed"]
        if failed:
            texts = [self.run_share.gate_failure(self.plan, gate, verdict) for gate, verdict in failed]
            names = ", ".join(gate.condition.text for gate, _ in failed)
            raise GateFailedError("\n".join(texts), f"{names}: does not hold")


class CookbookGateItem(ConditionItem):
    """A cookbook's own condition on its grade."""

    def __init__(self, *, cookbook: CookbookPlan, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cookbook = cookbook

    def recipes(self) -> tuple[RecipePlan, ...]:
        return self.cookbook.recipes

    def judge(self, run: Run) -> Verdict:
        return run.cookbook_verdict(self.cookbook, self.gate)
