"""Which units of which recipes the items of a session need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from ..core.plan import CookbookPlan, RecipePlan, Unit
from .items import CookbookGateItem, LlmevalItem, SampleItem, left_out
from .marked import marked


def selected(
    items: Iterable[pytest.Item],
) -> tuple[list[tuple[RecipePlan, frozenset[str] | None]], list[CookbookPlan]]:
    """The recipes, each with the ids of its selected units (None: all of them), and the cookbooks of gates."""
    plans: dict[str, RecipePlan] = {}
    whole: set[str] = set()
    parts: dict[str, set[str]] = {}
    cookbooks: dict[str, CookbookPlan] = {}
    for item in items:
        if isinstance(item, LlmevalItem) and not left_out(item):
            for plan in item.recipes():
                plans.setdefault(plan.record.id, plan)
                whole.add(plan.record.id)
            if isinstance(item, CookbookGateItem):
                cookbooks[item.cookbook.record.id] = item.cookbook
        for plan, unit in _own(item):
            plans.setdefault(plan.record.id, plan)
            parts.setdefault(plan.record.id, set()).add(unit.record.id)
    recipes = [(plan, None if name in whole else frozenset(parts[name])) for name, plan in plans.items()]
    return recipes, list(cookbooks.values())


def needed_by(items: Iterable[pytest.Item]) -> Iterator[tuple[RecipePlan, Unit]]:
    """What the items need to be asked, in their order."""
    for item in items:
        if left_out(item):
            continue
        if isinstance(item, LlmevalItem):
            for plan in item.recipes():
                yield from ((plan, unit) for unit in plan.units if unit.record.skip is None)
        yield from _own(item)


def _own(item: pytest.Item) -> Iterator[tuple[RecipePlan, Unit]]:
    """What a single sample's item or a marked test is about."""
    about = item if isinstance(item, SampleItem) else marked(item)
    # a row that is skipped by its file is part of its recipe, one that a conftest skips is left out
    if about is not None and (about.unit.record.skip is not None or not left_out(item)):
        yield about.plan, about.unit
