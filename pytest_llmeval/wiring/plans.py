"""From paths to plans: files are read, then planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.endpoint import Endpoint
from ..core.errors import Fault, Faults
from ..core.plan import CookbookPlan, Items, Misses, RecipePlan
from ..core.registry import Registry
from ..files.load import Loader, RecipeFile
from ..planning.cookbooks import plan_cookbook
from ..planning.recipes import RunChoices, plan_recipe
from ..planning.selection import Sampling


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What a run says beside its files: ``endpoints`` for recipes that name none, ``override_endpoints`` for all."""

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


class Reader:
    """Reads recipes and cookbooks under one root, each file once."""

    def __init__(self, options: PlanOptions) -> None:
        self._options = options
        self._loader = Loader(options.root, options.registry)
        self._recipes: dict[Path, tuple[RecipePlan, ...]] = {}

    @property
    def plans(self) -> list[RecipePlan]:
        """All that were read, in the order of reading."""
        return [plan for plans in self._recipes.values() for plan in plans]

    def recipe(self, path: Path) -> tuple[RecipePlan, ...]:
        """A recipe file to its plans, one an endpoint. Raises Faults."""
        if path not in self._recipes:
            overridden = bool(self._options.override_endpoints)
            recipe = self._loader.recipe(path, endpoints=not overridden)
            self._recipes[path] = plan_recipe(recipe, self._endpoints(recipe), self._options.choices)
        return self._recipes[path]

    def cookbook(self, path: Path) -> tuple[CookbookPlan, ...]:
        """A cookbook file to its plans, one an endpoint that its recipes share. Raises Faults."""
        cookbook = self._loader.cookbook(path)
        plans: list[tuple[RecipePlan, ...]] = []
        faults: list[Fault] = []
        for recipe in cookbook.recipes:
            try:
                plans.append(self.recipe(recipe))
            except Faults as found:
                faults.extend(found.faults)
        if faults:
            raise Faults(faults)
        return plan_cookbook(cookbook, plans, self._options.choices)

    def endpoint(self, reference: str, naming: Path) -> Endpoint:
        """The endpoint that a reference means, looked up from a file or folder. Raises Faults."""
        return self._loader.endpoint(reference, naming)

    def _endpoints(self, recipe: RecipeFile) -> Sequence[Endpoint]:
        """Those of the run where it overrides, else the recipe's own, else the run's."""
        options = self._options
        if recipe.endpoints and not options.override_endpoints:
            return recipe.endpoints
        references = options.override_endpoints or options.endpoints
        if not references:
            raise Faults(
                [
                    recipe.place.fault(
                        "nothing says which endpoint to ask: name one in `endpoints:`, by --llmeval-endpoint, "
                        "or in the ini llmeval_endpoints"
                    )
                ]
            )
        found: list[Endpoint] = []
        faults: list[Fault] = []
        for reference in dict.fromkeys(references):
            try:
                found.append(self._named_by_run(reference, recipe))
            except Faults as missing:
                faults.extend(missing.faults)
        if faults:
            raise Faults(faults)
        return found

    def _named_by_run(self, reference: str, recipe: RecipeFile) -> Endpoint:
        """Looked for from the recipe's place, as those that it names itself, so that one word means one file."""
        return self._loader.endpoint(reference, recipe.path)
