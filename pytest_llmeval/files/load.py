"""Recipes and cookbooks with everything that they name; all faults of all files at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pytest_llmeval.core.endpoint import Endpoint
from pytest_llmeval.core.errors import Fault, Faults
from pytest_llmeval.core.extraction import Extraction
from pytest_llmeval.core.plain import absent, value_of
from pytest_llmeval.core.plan import MetricUse
from pytest_llmeval.core.registry import Registry
from pytest_llmeval.core.sample import NOWHERE, Origin

from .datasets import (
    Dataset,
    checked,
    in_order,
    read_bytes,
    read_file,
    read_inline,
    read_named_file,
    read_source,
    suffixes,
)
from .document import Document, Place
from .endpoints import load_endpoint
from .fields import kind_of
from .fitting import Where
from .ours import file_id
from .reader import read_yaml
from .references import YAML, ReferenceFault, Referred, Scope, find, shown
from .scoring import extraction_from, metric_from, metrics_from
from .specs import CookbookSpec, RecipeSpec
from .templates import TemplateFile, read_template

T = TypeVar("T", Dataset, TemplateFile, Endpoint)


@dataclass(frozen=True, slots=True)
class ConditionSource:
    """A threshold as it was written: a text, or a mapping (the long form) of typed values."""

    source: str | Mapping[str, object]
    origin: Origin


@dataclass(frozen=True, slots=True)
class BandSource:
    """A band of a scale as it was written."""

    label: str
    low: int
    high: int
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class GradingSource:
    """A grading as it was written: ``measure`` may carry a statistic, ``bands`` stand in the file's order."""

    measure: str
    bands: tuple[BandSource, ...]
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """A recipe with all that it names.

    ``path`` is its file, ``shown`` what errors and reports call that. ``endpoints`` are those that it names itself.
    ``place`` finds the origin of every key: ``recipe.place.at("cluster").origin``.
    """

    id: str
    path: Path
    shown: str
    spec: RecipeSpec
    datasets: tuple[Dataset, ...]
    templates: tuple[TemplateFile, ...]
    endpoints: tuple[Endpoint, ...]
    metrics: tuple[MetricUse, ...]
    extraction: Extraction | None
    thresholds: tuple[ConditionSource, ...]
    grading: GradingSource | None
    place: Place
    origin: Origin


@dataclass(frozen=True, slots=True)
class CookbookFile:
    """A cookbook with the files of its recipes, in order; the recipes themselves are read by ``Loader.recipe``."""

    id: str
    path: Path
    shown: str
    spec: CookbookSpec
    recipes: tuple[Path, ...]
    thresholds: tuple[ConditionSource, ...]
    place: Place
    origin: Origin


@dataclass(frozen=True)
class Loader:
    """Reads files under one root; a dataset, template or endpoint that several recipes name is read once."""

    root: Path
    registry: Registry
    _datasets: dict[Path, Dataset] = field(default_factory=dict, repr=False)
    _templates: dict[Path, TemplateFile] = field(default_factory=dict, repr=False)
    _endpoints: dict[tuple[str, Path], Endpoint] = field(default_factory=dict, repr=False)

    def recipe(self, path: Path, *, endpoints: bool = True) -> RecipeFile:
        """A recipe. ``endpoints`` False leaves out those that it names (they are overridden). Raises Faults."""
        return _Recipe(self, path).read(endpoints=endpoints)

    def cookbook(self, path: Path) -> CookbookFile:
        """A cookbook. Raises Faults."""
        name = shown(path, self.root)
        document = read_yaml(read_bytes(path, name), name)
        place = Place(document)
        spec, faults = checked(CookbookSpec, document, "cookbook")
        if not spec.recipes:
            faults.append(place.at("recipes").fault("it names no recipe"))
        scope = Scope.of(path, self.root)
        found: list[Path] = []
        for index, reference in enumerate(spec.recipes):
            try:
                recipe = find("recipe", reference, scope)
            except ReferenceFault as error:
                faults.append(place.at("recipes", index).fault(str(error)))
                continue
            if recipe in found:
                faults.append(place.at("recipes", index).fault(f"the recipe {reference!r} stands in it twice"))
            found.append(recipe)
        if faults:
            raise in_order(faults)
        conditions = _conditions(spec.thresholds, place)
        return CookbookFile(file_id(path), path, name, spec, tuple(found), conditions, place, place.origin)

    def endpoint(self, reference: str, naming: Path, named_at: Place | None = None) -> Endpoint:
        """The endpoint that a reference means, looked up from a file or folder. Raises Faults."""
        key = (reference, naming if naming.is_dir() else naming.parent)
        if key not in self._endpoints:
            made = load_endpoint(reference, naming, self.root, self.registry, named_at=named_at)
            # one file is one endpoint, whoever names it
            same = next((known for known in self._endpoints.values() if known == made), made)
            self._endpoints[key] = same
        return self._endpoints[key]

    def find_recipe(self, reference: str, naming: Path) -> Path:
        """The recipe file that a reference means, looked up from a file or folder. Raises Faults."""
        try:
            return find("recipe", reference, Scope.of(naming, self.root))
        except ReferenceFault as error:
            raise Faults([Place(Document(shown(naming, self.root), None)).fault(str(error))]) from None

    def dataset(self, path: Path) -> Dataset:
        """A dataset from a description or a data file. Raises Faults."""
        if path not in self._datasets:
            self._datasets[path] = read_file(path, self.root, self.registry)
        return self._datasets[path]

    def metric(self, value: object, naming: Path) -> MetricUse:
        """A metric from what ``metrics:`` takes (a name, or a mapping of one to its options). Raises Faults."""
        place = Place(Document(shown(naming, self.root), value))
        return metric_from(value, Where(place, Scope.of(naming, self.root)), self.registry)

    def template(self, path: Path) -> TemplateFile:
        """A template. Raises Faults."""
        if path not in self._templates:
            self._templates[path] = read_template(path, self.root)
        return self._templates[path]


class _Recipe:
    """One recipe being read."""

    def __init__(self, loader: Loader, path: Path) -> None:
        self._loader = loader
        self._path = path
        self._shown = shown(path, loader.root)
        self._scope = Scope.of(path, loader.root)
        self._faults: list[Fault] = []

    def read(self, *, endpoints: bool) -> RecipeFile:
        document = read_yaml(read_bytes(self._path, self._shown), self._shown)
        place = Place(document)
        spec, self._faults = checked(RecipeSpec, document, "recipe")
        # a key that is at fault may be the one that is missed
        if (spec.samples is None) == (not spec.datasets) and not self._faults:
            both = "it has neither" if spec.samples is None else "not both"
            self._faults.append(place.fault(f"a recipe has `datasets:` or `samples:`, {both}"))
        where = Where(place, self._scope)
        templates = self._each(spec.templates, place.at("templates"), self._template)
        datasets = self._datasets(spec, place, templates)
        asked = self._each(spec.endpoints, place.at("endpoints"), self._endpoint) if endpoints else ()
        metrics, faults = metrics_from(spec.metrics, _at(where, "metrics"), self._loader.registry)
        self._faults.extend(faults)
        extraction, faults = extraction_from(spec.extract, place.at("extract"))
        self._faults.extend(faults)
        if self._faults:
            raise in_order(self._faults)
        return RecipeFile(
            id=file_id(self._path),
            path=self._path,
            shown=self._shown,
            spec=spec,
            datasets=datasets,
            templates=templates,
            endpoints=asked,
            metrics=metrics,
            extraction=extraction,
            thresholds=_conditions(spec.thresholds, place),
            grading=_grading(spec, place),
            place=place,
            origin=place.origin,
        )

    def _each(self, nodes: Sequence[object], place: Place, one: Callable[[object, Place], T]) -> tuple[T, ...]:
        made: list[T] = []
        for index, node in enumerate(nodes):
            at = place.at(index)
            try:
                made.append(one(node, at))
            except Faults as raised:
                self._faults.extend(raised.faults)
            except ReferenceFault as error:
                self._faults.append(at.fault(str(error)))
        seen: set[str] = set()
        for index, each in enumerate(made if len(made) == len(nodes) else ()):
            if each.id in seen:
                self._faults.append(place.at(index).fault(f"two of them are called {each.id!r}"))
            seen.add(each.id)
        return tuple(made)

    def _find(self, kind: Referred, reference: object, read: Sequence[str]) -> Path:
        return find(kind, str(reference), self._scope, read)

    def _template(self, node: object, _place: Place) -> TemplateFile:
        return self._loader.template(self._find("template", node, YAML))

    def _endpoint(self, node: object, place: Place) -> Endpoint:
        return self._loader.endpoint(str(node), self._path, place)

    def _dataset(self, node: object, place: Place) -> Dataset:
        if isinstance(node, Mapping) and "file" in node:
            return read_named_file(node, Where(place, self._scope), self._loader.registry)
        if isinstance(node, Mapping):
            name, options = next(iter(node.items()))
            where = Where(place.at(name), self._scope)
            if not isinstance(options, Mapping) and not absent(options):
                raise Faults([where.place.fault(f"the options of {name} are a mapping, this is {kind_of(options)}")])
            return read_source(name, options if isinstance(options, Mapping) else {}, where, self._loader.registry)
        return self._loader.dataset(self._find("dataset", node, (*YAML, *suffixes(self._loader.registry))))

    def _datasets(self, spec: RecipeSpec, place: Place, templates: tuple[TemplateFile, ...]) -> tuple[Dataset, ...]:
        if (spec.samples is None) == (not spec.datasets):
            return ()
        if spec.samples is None:
            made = self._each(spec.datasets, place.at("datasets"), self._dataset)
        else:
            at = place.at("samples")
            rows = spec.samples
            made = self._each([None], at, lambda _node, _at: read_inline(file_id(self._path), spec.recipe, rows, at))
        used = frozenset().union(*(template.template.names for template in templates))
        for dataset in made:
            self._faults.extend(miss.fault for miss in dataset.near_misses if miss.name not in used)
        return made


def _at(where: Where, key: str) -> Where:
    return Where(where.place.at(key), where.scope, where.may_leave, where.environ)


def _conditions(nodes: Sequence[object], place: Place) -> tuple[ConditionSource, ...]:
    made = []
    for index, node in enumerate(nodes):
        source = value_of(node) if isinstance(node, Mapping) else str(node)
        assert isinstance(source, str | Mapping)
        made.append(ConditionSource(source, place.at("thresholds", index).origin))
    return tuple(made)


def _grading(spec: RecipeSpec, place: Place) -> GradingSource | None:
    if spec.grading is None:
        return None
    at = place.at("grading")
    bands = tuple(
        BandSource(label, low, high, at.at("scale", label).origin) for label, (low, high) in spec.grading.scale.items()
    )
    return GradingSource(spec.grading.measure, bands, at.origin)
