"""Recipe and cookbook files as collectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..core.errors import Faults
from ..core.plan import CookbookPlan, RecipePlan
from ..core.sample import Origin
from ..core.text import safe
from ..files.ours import Look
from ..planning.naming import encode
from .items import CookbookGateItem, CookbookRecipeItem, GateItem, LlmevalItem, SampleItem
from .run import run_share
from .shown import ShownFaults
from .sigterm import heed_sigterm
from .tags import register_tags
from .unavailable import UnavailableWarning, warn_of_lacks

if TYPE_CHECKING:
    from _pytest._code.code import ExceptionInfo, TerminalRepr


def collector_for(path: Path, parent: pytest.Collector, found: Look) -> pytest.Collector:
    """The collector of a file that is ours, or was most likely meant to be."""
    if found.kind is None:
        return MistitledFile.from_parent(parent, path=path, found=found)
    run_share(parent.config)
    of = RecipeFile if found.kind == "recipe" else CookbookFile
    return of.from_parent(parent, path=path)


class LlmevalFile(pytest.File):
    """What both kinds have in common."""

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:  # noqa: ARG002 - the shape of pytest's nodes
        if isinstance(excinfo.value, Faults):
            return ShownFaults(excinfo.value)
        # a warning comes here where the suite's filters make it an error
        if isinstance(excinfo.value, UnavailableWarning):
            return safe(str(excinfo.value))
        return super().repr_failure(excinfo)

    def _make(
        self, kind: type[LlmevalItem], name: str, tags: tuple[str, ...], marker: str, **kwargs: Any
    ) -> LlmevalItem:
        """An item whose id can be read back from pytest's caches: for that it is given whole."""
        item = kind.from_parent(self, name=name, nodeid=f"{self.nodeid}::{name}", **kwargs)
        item.add_marker("llmeval")
        item.add_marker(marker)
        for tag in tags:
            item.add_marker(tag)
        assert isinstance(item, LlmevalItem)
        return item


class MistitledFile(LlmevalFile):
    """A file that has all that a recipe has but the title's key."""

    def __init__(self, *, found: Look, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._found = found

    def collect(self) -> Iterator[LlmevalItem]:
        raise Faults.one(Origin(self.nodeid, self._found.line), self._found.message)


class RecipeFile(LlmevalFile):
    """A recipe: an item for each sample on each endpoint, then one for each gate."""

    def collect(self) -> Iterator[LlmevalItem]:
        plans = run_share(self.config).recipe(self)
        register_tags(self.config, plans)
        heed_sigterm(self.config)
        warn_of_lacks(self.config, plans)
        for plan in plans:
            if plan.items == "samples":
                yield from self._samples(plan)
        for plan in plans:
            yield from self._gates(plan)

    def _samples(self, plan: RecipePlan) -> Iterator[LlmevalItem]:
        for unit in plan.units:
            yield self._make(SampleItem, unit.record.id, plan.record.tags, "llmeval_sample", plan=plan, unit=unit)

    def _gates(self, plan: RecipePlan) -> Iterator[LlmevalItem]:
        for gate in plan.record.gates:
            name = gate.id.partition("::")[2]
            yield self._make(GateItem, name, plan.record.tags, "llmeval_gate", plan=plan, gate=gate)


class CookbookFile(LlmevalFile):
    """A cookbook: an item for each recipe on each endpoint, then its own gates."""

    def collect(self) -> Iterator[LlmevalItem]:
        cookbooks = run_share(self.config).cookbook(self)
        register_tags(self.config, cookbooks)
        heed_sigterm(self.config)
        warn_of_lacks(self.config, [plan for cookbook in cookbooks for plan in cookbook.recipes])
        for cookbook in cookbooks:
            yield from self._recipes(cookbook)
        for cookbook in cookbooks:
            for gate in cookbook.record.gates:
                name = gate.id.partition("::")[2]
                yield self._make(CookbookGateItem, name, cookbook.tags, "llmeval_gate", cookbook=cookbook, gate=gate)

    def _recipes(self, cookbook: CookbookPlan) -> Iterator[LlmevalItem]:
        place = (cookbook.origin.path, cookbook.origin.line)
        for plan in cookbook.recipes:
            tags = (*cookbook.tags, *plan.record.tags)
            if cookbook.items == "samples":
                for unit in plan.units:
                    name = f"{encode(plan.record.recipe)}/{unit.record.id}"
                    yield self._make(SampleItem, name, tags, "llmeval_sample", plan=plan, unit=unit)
            name = f"{encode(plan.record.recipe)}[{encode(plan.endpoint.id)}]"
            yield self._make(CookbookRecipeItem, name, tags, "llmeval_gate", plan=plan, place=place)
