"""From paths to plans: files are read, then planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..core.budget import Budget
from ..core.endpoint import Endpoint
from ..core.errors import Fault, Faults, StateError
from ..core.identity import Identity
from ..core.plan import CookbookPlan, Items, MetricUse, Misses, RecipePlan
from ..core.registry import Registry
from ..core.sample import Origin
from ..files.document import Document, Place
from ..files.load import Loader, RecipeFile
from ..files.references import shown
from ..planning.cookbooks import plan_cookbook
from ..planning.recipes import RunChoices, plan_recipe
from ..planning.selection import Sampling
from ..state.sqlite import reading


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
    budget: Budget | None = None
    #: the identity that an endpoint had when it last was asked, by its id; None where nobody knows
    last_identity: Callable[[str], Identity | None] = lambda _: None
    #: called before a recipe is read, so that what stands above it (a conftest, say) may register extensions
    before_recipe: Callable[[Path], None] = lambda _path: None

    @property
    def choices(self) -> RunChoices:
        sampling = None if self.percentage is None else Sampling(percentage=self.percentage, seed=self.seed)
        return RunChoices(self.system, sampling, self.misses, self.items, self.budget)


def identities_in(state: Path) -> Callable[[str], Identity | None]:
    """``PlanOptions.last_identity`` by what a state holds; a state that cannot be read holds nothing."""
    return partial(_last_identity, state)


def _last_identity(state: Path, endpoint: str) -> Identity | None:
    try:
        return reading.last_identity(state, endpoint) if state.exists() else None
    except StateError:
        return None


class Reader:
    """Reads recipes and cookbooks under one root, each file once."""

    def __init__(self, options: PlanOptions) -> None:
        self._options = options
        self._loader = Loader(options.root, options.registry)
        self._files: dict[Path, RecipeFile] = {}
        self._recipes: dict[Path, tuple[RecipePlan, ...]] = {}
        self._asked: dict[tuple[Path, str], RecipePlan] = {}
        #: what is wrong with recipes, and under which file it was told
        self._faulty: dict[Path, tuple[Faults, str]] = {}
        #: by id the endpoints of the run, each with the place that named it first
        self._named: dict[str, tuple[Endpoint, Place]] = {}

    @property
    def plans(self) -> list[RecipePlan]:
        """All that were read, in the order of reading."""
        return [*(plan for plans in self._recipes.values() for plan in plans), *self._asked.values()]

    @property
    def recipes(self) -> Mapping[Path, tuple[RecipePlan, ...]]:
        """The plans of each recipe that was read, in the order of reading."""
        return self._recipes

    def recipe(self, path: Path) -> tuple[RecipePlan, ...]:
        """A recipe file to its plans, one an endpoint. Raises Faults: once, then a line that says where they stand."""
        if path in self._faulty:
            faults, told_in = self._faulty[path]
            here = shown(path, self._options.root)
            raise faults if told_in == here else Faults.one(Origin(here), f"its faults stand under {told_in}")
        if path not in self._recipes:
            try:
                self._recipes[path] = self._planned(path)
            except Faults as faults:
                self._faulty[path] = (faults, shown(path, self._options.root))
                raise
        return self._recipes[path]

    def _planned(self, path: Path) -> tuple[RecipePlan, ...]:
        recipe = self._read(path)
        endpoints = self._endpoints(recipe)
        self._name(endpoints, recipe.place.at("endpoints") if recipe.spec.endpoints else recipe.place)
        known = [self._identified(endpoint) for endpoint in endpoints]
        return plan_recipe(recipe, known, self._options.choices)

    def recipe_on(self, path: Path, reference: str, naming: Path) -> RecipePlan:
        """A recipe on an endpoint, whether it names it or not.

        One that it names goes first; else the endpoint is looked up from ``naming``, then from the recipe's own place.
        Raises Faults.
        """
        recipe = self._read(path)
        own = next((endpoint for endpoint in recipe.endpoints if endpoint.id == reference), None)
        endpoint = own or self._near(reference, naming, path)
        self._name([endpoint], recipe.place.at("endpoints") if own else self._place_of(naming))
        endpoint = self._identified(endpoint)
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
        for index, recipe in enumerate(cookbook.recipes):
            told = recipe in self._faulty
            try:
                plans.append(self.recipe(recipe))
            except Faults as found:
                message = f"{shown(recipe, self._options.root)} has faults"
                faults.append(cookbook.place.at("recipes", index).fault(message))
                if not told:
                    self._faulty[recipe] = (found, cookbook.shown)
                    faults.extend(found.faults)
        if faults:
            raise Faults(faults)
        return plan_cookbook(cookbook, plans, self._options.choices)

    def endpoint(self, reference: str, naming: Path) -> Endpoint:
        """The endpoint that a reference means, looked up from a file or folder. Raises Faults."""
        found = self._loader.endpoint(reference, naming)
        self._name([found], self._place_of(naming))
        return self._identified(found)

    def _identified(self, endpoint: Endpoint) -> Endpoint:
        """With the identity that it had last, where this machine cannot tell it: stored answers are then found."""
        here = Identity.of(endpoint.connector)
        if here.whole:
            return endpoint
        last = self._options.last_identity(endpoint.id)
        return replace(endpoint, identity=last.parts) if last is not None and last.may_stand_for(here) else endpoint

    def _name(self, endpoints: Sequence[Endpoint], place: Place) -> None:
        """Note what is asked under which id. Raises Faults where a run would have two different endpoints of one id.

        Limits, stops and reports go by that id.
        """
        faults = []
        for endpoint in endpoints:
            other, first = self._named.setdefault(endpoint.id, (endpoint, place))
            if replace(other, origin=endpoint.origin) != endpoint:
                faults.append(
                    place.fault(
                        f"the endpoint {endpoint.id!r} is {_defined(endpoint)} here and {_defined(other)} in "
                        f"{first.origin.path}; a run tells endpoints apart by their ids: rename one of the files"
                    )
                )
        if faults:
            raise Faults(faults)

    def _place_of(self, path: Path) -> Place:
        """A file as a whole."""
        return Place(Document(shown(path, self._options.root), None))

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


def _defined(endpoint: Endpoint) -> str:
    return endpoint.origin.path or f"the connector {endpoint.connector.id!r} itself"
