"""From paths to plans: files are read, then planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.endpoint import Endpoint
from ..core.errors import Faults
from ..core.plan import CookbookPlan, Items, Misses, RecipePlan
from ..core.registry import Registry
from ..files.load import RecipeFile, load_cookbook, load_endpoint, load_recipe
from ..planning.cookbooks import plan_cookbook
from ..planning.recipes import RunChoices, plan_recipe
from ..planning.selection import Sampling


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What a run says beside its files. ``endpoints`` are for recipes that name none, ``override_endpoints`` for all."""

    root: Path
    registry: Registry
    endpoints: tuple[str, ...] = ()
    override_endpoints: tuple[str, ...] = ()
    items: Items | None = None
    system: str = ""
    percentage: float | None = None
    seed: int = 0
    misses: Misses | None = None

    @property
    def choices(self) -> RunChoices:
        sampling = None if self.percentage is None else Sampling(percentage=self.percentage, seed=self.seed)
        return RunChoices(self.system, sampling, self.misses, self.items)


def read_recipe(path: Path, options: PlanOptions) -> tuple[RecipePlan, ...]:
    """A recipe file to its plans, one an endpoint. Raises Faults."""
    recipe = load_recipe(path, options.root, options.registry)
    return plan_recipe(recipe, _endpoints(recipe, options), options.choices)


def read_cookbook(
    path: Path, options: PlanOptions, recipe: Callable[[Path], tuple[RecipePlan, ...]]
) -> tuple[CookbookPlan, ...]:
    """A cookbook file to its plans; ``recipe`` reads the recipes it names. Raises Faults."""
    cookbook = load_cookbook(path, options.root, options.registry)
    plans, faults = [], []
    for recipe_path in cookbook.recipes:
        try:
            plans.append(recipe(recipe_path))
        except Faults as found:
            faults.extend(found.faults)
    if faults:
        raise Faults(faults)
    return plan_cookbook(cookbook, plans, options.choices)


def _endpoints(recipe: RecipeFile, options: PlanOptions) -> Sequence[Endpoint]:
    raise NotImplementedError
