"""From paths to plans: files are read, then planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.endpoint import Endpoint
from ..core.errors import Fault, Faults
from ..core.plan import CookbookPlan, Items, MetricUse, Misses, RecipePlan
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
    #: called before a recipe is read, so that what stands above it (a conftest, say) may register extensions
    before_recipe: Callable[[Path], None] = lambda _path: None

    @property
    def choices(self) -> RunChoices:
        sampling = None if self.percentage is None else Sampling(percentage=self.percentage, seed=self.seed)
        return RunChoices(self.system, sampling, self.misses, self.items)


class Reader:
    """Reads recipes and cookbooks under one root, each file once."""

    def __init__(self, options: PlanOptions) -> None:
        self._options = options
        self._loader = Loader(options.root, options.registry)
        self._files: dict[Path, RecipeFile] = {}
        self._recipes: dict[Path, tuple[RecipePlan, ...]] = {}
        self._asked: dict[tuple[Path, str], RecipePlan] = {}

    @property
    def plans(self) -> list[RecipePlan]:
        """All that were read, in the order of reading."""
        return [*(plan for plans in self._recipes.values() for plan in plans), *self._asked.values()]

    def recipe(self, path: Path) -> tuple[RecipePlan, ...]:
        """A recipe file to its plans, one an endpoint. Raises Faults."""
        if path not in self._recipes:
            recipe = self._read(path)
            self._recipes[path] = plan_recipe(recipe, self._endpoints(recipe), self._options.choices)
        return self._recipes[path]

    def recipe_on(self, path: Path, reference: str, naming: Path) -> RecipePlan:
        """A recipe on an endpoint, whether it names it or not.

        One that it names goes first; else the endpoint is looked up from ``naming``, then from the recipe's own place.
        Raises Faults.
        """
        recipe = self._read(path)
        own = next((endpoint for endpoint in recipe.endpoints if endpoint.id == reference), None)
        endpoint = own or self._near(reference, naming, path)
        known = next((plan for plan in self._recipes.get(path, ()) if plan.endpoint.id == endpoint.id), None)
        if known is not None:
            return known
        key = (path, endpoint.id)
        if key not in self._asked:
            (self._asked[key],) = plan_recipe(recipe, [endpoint], self._options.choices)
        return self._asked[key]

    def find_recipe(self, reference: str, naming: Path) -> Path:
        """The recipe file that a reference means, looked up from a file or folder. Raises Faults."""
        return self._loader.find_recipe(reference, naming)

    def metric(self, value: object, naming: Path) -> MetricUse:
        """A metric from what ``metrics:`` takes. Raises Faults."""
        return self._loader.metric(value, naming)

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

    def _read(self, path: Path) -> RecipeFile:
        if path not in self._files:
            self._options.before_recipe(path)
            overridden = bool(self._options.override_endpoints)
            self._files[path] = self._loader.recipe(path, endpoints=not overridden)
        return self._files[path]

    def _near(self, reference: str, naming: Path, recipe: Path) -> Endpoint:
        try:
            return self._loader.endpoint(reference, naming)
        except Faults as faults:
            try:
                return self._loader.endpoint(reference, recipe)
            except Faults:
                raise faults from None

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
