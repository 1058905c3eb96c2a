"""A recipe as read, on its endpoints, to plans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..core.budget import Budget
from ..core.condition import any_grade, built_in_measures, gate_names, needs_prices, parse_condition, parse_measure
from ..core.endpoint import Endpoint
from ..core.errors import Fault, Faults, TemplateError
from ..core.exchange import Request
from ..core.extension import Checks
from ..core.measures import Band, Condition, Grading, Measure, check_grading
from ..core.naming import marker_name
from ..core.plan import Items, MetricUse, Misses, RecipePlan, Scoring, Unit
from ..core.record import GateRecord, Group, RecipeRecord, UnitRecord
from ..core.sample import Message, Origin, Sample
from ..core.scores import traits
from ..files.datasets import Dataset
from ..files.load import RecipeFile
from ..files.templates import TemplateFile
from ..limits.budget import unbounded
from .naming import encode, unit_name
from .selection import Sampling, select

#: how many faults of one kind are told; more of the same help nobody
MOST_ALIKE = 20


@dataclass(frozen=True, slots=True)
class RunChoices:
    """What a run decides over what recipes say."""

    system: str = ""
    sampling: Sampling | None = None
    misses: Misses | None = None
    items: Items | None = None
    budget: Budget | None = None


def plan_recipe(recipe: RecipeFile, endpoints: Sequence[Endpoint], choices: RunChoices) -> tuple[RecipePlan, ...]:
    """One plan an endpoint. Raises Faults with all that is wrong with the recipe as a whole."""
    return _Planner(recipe, choices).plans(endpoints)


class _Planner:
    """Works through one recipe; faults are collected, so that all are told at once."""

    def __init__(self, recipe: RecipeFile, choices: RunChoices) -> None:
        self._recipe = recipe
        self._spec = recipe.spec
        self._choices = choices
        self._faults: list[Fault] = []

    def plans(self, endpoints: Sequence[Endpoint]) -> tuple[RecipePlan, ...]:
        grading = self._grading()
        measures = self._measures(grading)
        conditions = self._conditions(measures, grading)
        self._check_deciding(conditions)
        sampling = self._sampling()
        rows = [(dataset, self._rows(dataset, sampling)) for dataset in self._recipe.datasets]
        self._check_samples(rows)
        plans = [
            self._plan(endpoint, rows, measures, conditions, grading=grading, sampling=sampling)
            for endpoint in endpoints
        ]
        self._check_ids(plans)
        if self._faults:
            raise Faults(self._faults)
        return tuple(plans)

    def _fault(self, message: str, *steps: str | int) -> None:
        self._faults.append(self._recipe.place.at(*steps).fault(message))

    # --- what is judged ---

    def _grading(self) -> Grading | None:
        spec = self._recipe.grading
        if spec is None:
            return None
        bands = tuple(Band(band.label, band.low, band.high) for band in spec.bands)
        known = {**self._own_measures(), **built_in_measures(None)}
        try:
            measure, statistic = parse_measure(spec.measure, known)
        except ValueError as error:
            self._fault(str(error), "grading", "measure")
            return None
        grading = Grading(measure.name, statistic, bands)
        wrong = check_grading(measure, grading)
        if wrong:
            self._fault(wrong, "grading", "scale")
            return None
        return grading

    def _own_measures(self) -> dict[str, Measure]:
        return {use.name: _measure_of(use) for use in self._recipe.metrics}

    def _measures(self, grading: Grading | None) -> dict[str, Measure]:
        return {**self._own_measures(), **built_in_measures(grading)}

    def _conditions(self, measures: Mapping[str, Measure], grading: Grading | None) -> list[Condition]:
        conditions = []
        for index, written in enumerate(self._recipe.thresholds):
            try:
                conditions.append(parse_condition(written.source, measures, written.origin))
            except ValueError as error:
                self._fault(str(error), "thresholds", index)
        if not self._spec.thresholds and grading is not None:
            assert self._recipe.grading is not None
            conditions.append(any_grade(grading, self._recipe.grading.origin))
        return conditions

    def _check_deciding(self, conditions: Sequence[Condition]) -> None:
        if conditions or self._spec.thresholds or self._spec.grading is not None:
            return
        if not any(traits(use.metric).binary or use.passing is not None for use in self._recipe.metrics):
            names = ", ".join(use.name for use in self._recipe.metrics) or "none"
            self._fault(
                f"nothing says what is good enough: no metric decides ({names}). Give one `pass: NUMBER`, "
                "or write `thresholds:` or `grading:`",
                "metrics",
            )
        if self._items() == "gates":
            self._fault("`items: gates` needs `thresholds:` or `grading:`, else there is nothing to run", "items")

    # --- what is asked ---

    def _sampling(self) -> Sampling | None:
        if self._choices.sampling is not None:
            return self._choices.sampling
        spec = self._spec.sampling
        return None if spec is None else Sampling(spec.percentage, spec.count, spec.first, spec.seed)

    def _rows(self, dataset: Dataset, sampling: Sampling | None) -> Sequence[Sample]:
        return select(dataset.samples, sampling)

    def _check_samples(self, rows: Iterable[tuple[Dataset, Sequence[Sample]]]) -> None:
        """What a metric cannot work with, told once a metric and sample, a few of a kind."""
        for use in self._recipe.metrics:
            told = 0
            for _, samples in rows:
                for sample in samples:
                    wrong = _unfit(use, sample)
                    if wrong is None or sample.skip is not None:
                        continue
                    told += 1
                    if told <= MOST_ALIKE:
                        self._faults.append(Fault(sample.origin, wrong))
            if told > MOST_ALIKE:
                self._fault(f"{use.name}: {told - MOST_ALIKE} more such rows", "metrics")

    def _plan(
        self,
        endpoint: Endpoint,
        rows: Sequence[tuple[Dataset, Sequence[Sample]]],
        measures: Mapping[str, Measure],
        conditions: Sequence[Condition],
        *,
        grading: Grading | None,
        sampling: Sampling | None,
    ) -> RecipePlan:
        recipe, spec = self._recipe, self._spec
        self._check_prices(endpoint, conditions)
        self._check_parameters(endpoint)
        self._check_budget(endpoint)
        units = tuple(self._units(endpoint, rows))
        self._check_requests(endpoint, units)
        names = gate_names(conditions)
        record = RecipeRecord(
            id=f"{recipe.shown}[{endpoint.id}]",
            recipe=recipe.id,
            path=recipe.shown,
            title=spec.recipe,
            endpoint=endpoint.id,
            groups=tuple(Group(dataset.id, template) for dataset, _ in rows for template in self._template_ids()),
            measures=measures,
            gates=tuple(
                GateRecord(f"{recipe.shown}::{name}[{encode(endpoint.id)}]", condition)
                for name, condition in zip(names, conditions, strict=True)
            ),
            headline=_headline(recipe.metrics, conditions, grading),
            description=spec.description,
            model=str(getattr(endpoint.connector, "model", "") or ""),
            tags=tuple(dict.fromkeys(marker_name(tag) for tag in spec.tags)),
            categories=tuple(spec.categories),
            metrics=tuple(use.name for use in recipe.metrics),
            grading=grading,
            max_errors=spec.max_errors,
            repeats=spec.repeats,
            clustered=spec.cluster is not None,
            extracts=recipe.extraction is not None,
            subset="" if sampling is None else str(sampling),
            priced=_priced(endpoint),
            units=len(units),
            datasets={dataset.id: {"sha256": dataset.sha256, "license": dataset.license} for dataset, _ in rows},
        )
        return RecipePlan(
            record=record,
            endpoint=endpoint,
            units=units,
            scoring=Scoring(tuple(recipe.metrics), recipe.extraction),
            misses=self._choices.misses or spec.misses or ("note" if conditions else "fail"),
            items=self._items(),
            origin=recipe.origin,
            tags_origin=recipe.place.at("tags").origin,
        )

    def _items(self) -> Items:
        return self._choices.items or self._spec.items or "samples"

    def _template_ids(self) -> list[str | None]:
        return [template.id for template in self._recipe.templates] or [None]

    def _units(self, endpoint: Endpoint, rows: Sequence[tuple[Dataset, Sequence[Sample]]]) -> Iterator[Unit]:
        spec, several = self._spec, len(rows) > 1
        identity = endpoint.known_as()
        parameters = {**endpoint.parameters, **spec.parameters}
        templates: Sequence[TemplateFile | None] = self._recipe.templates or [None]
        ordinal = 0
        for dataset, samples in rows:
            for template in templates:
                for sample in samples:
                    messages = self._messages(template, sample)
                    if messages is None:
                        continue
                    cluster = self._cluster(sample)
                    for repeat in range(1, spec.repeats + 1):
                        sent = _seeded(parameters, repeat)
                        key, parts = endpoint.key(messages, sent, repeat, identity)
                        template_id = None if template is None else template.id
                        name = unit_name(
                            sample.id,
                            endpoint.id,
                            dataset=dataset.id if several else None,
                            template=template_id,
                            repeat=repeat if spec.repeats > 1 else None,
                        )
                        record = UnitRecord(
                            id=name,
                            nodeid=f"{self._recipe.shown}::{name}",
                            ordinal=ordinal,
                            key=key,
                            sample=sample.id,
                            dataset=dataset.id,
                            template=template_id,
                            repeat=repeat,
                            messages=messages,
                            targets=sample.targets,
                            cluster=cluster,
                            skip=sample.skip,
                            xfail=sample.xfail is not None,
                            origin=sample.origin,
                        )
                        request = Request(messages, sent, repeat, sample, dataset.id, template_id)
                        yield Unit(record, sample, request, parts)
                        ordinal += 1

    def _messages(self, template: TemplateFile | None, sample: Sample) -> tuple[Message, ...] | None:
        """As sent: the system texts in their order as one message, then the conversation."""
        conversation, of_template = sample.messages, ""
        if template is not None:
            try:
                rendered = template.template.render(sample)
            except TemplateError as error:
                fault = Fault(template.origin, f"sample {sample.id!r} ({sample.origin}): {error}")
                if fault not in self._faults:
                    self._faults.append(fault)
                return None
            conversation, of_template = rendered.messages, rendered.system
        texts = [self._choices.system, self._spec.system, of_template, sample.system]
        system = "\n\n".join(text for text in texts if text)
        return ({"role": "system", "content": system}, *conversation) if system else tuple(conversation)

    def _cluster(self, sample: Sample) -> str | None:
        name = self._spec.cluster
        if name is None:
            return None
        of_metadata = name.startswith("metadata.")
        known: Mapping[str, object] = sample.metadata if of_metadata else sample.fields
        key = name.removeprefix("metadata.")
        if key not in known:
            self._faults.append(
                Fault(sample.origin, f"this row has no {name!r}, which `cluster:` of {self._recipe.shown} names")
            )
            return None
        return str(known[key])

    # --- what could not be ---

    def _check_prices(self, endpoint: Endpoint, conditions: Sequence[Condition]) -> None:
        if _priced(endpoint) or getattr(endpoint.connector, "carries_cost", True):
            return
        for condition in conditions:
            if needs_prices(condition):
                message = f"{condition.text}: endpoint {endpoint.id!r} has no `prices:`, so its cost is unknown, not 0"
                self._faults.append(Fault(condition.origin, message))

    def _check_parameters(self, endpoint: Endpoint) -> None:
        refuses = getattr(endpoint.connector, "refuses_parameters", None)
        if refuses is None:
            return
        why = refuses({**endpoint.parameters, **self._spec.parameters})
        if not why:
            return
        if refuses(endpoint.parameters):
            self._faults.append(Fault(endpoint.origin, why))
        else:
            self._fault(f"endpoint {endpoint.id!r}: {why.removeprefix('parameters: ')}", "parameters")

    def _check_budget(self, endpoint: Endpoint) -> None:
        budget = self._choices.budget
        why = None if budget is None else unbounded(endpoint, {**endpoint.parameters, **self._spec.parameters}, budget)
        if why is not None:
            self._fault(f"endpoint {endpoint.id!r}: {why}", "endpoints")

    def _check_requests(self, endpoint: Endpoint, units: Iterable[Unit]) -> None:
        refuses = getattr(endpoint.connector, "refuses", None)
        if refuses is None:
            return
        told: set[str] = set()
        for unit in units:
            why = refuses(unit.record.messages)
            if why and why not in told:
                told.add(why)
                self._faults.append(Fault(unit.record.origin, f"endpoint {endpoint.id!r}: {why}"))

    def _check_ids(self, plans: Sequence[RecipePlan]) -> None:
        seen: dict[str, Origin] = {gate.id: gate.condition.origin for plan in plans for gate in plan.record.gates}
        for plan in plans:
            for unit in plan.units:
                origin = unit.record.origin
                if unit.record.nodeid in seen:
                    other = seen[unit.record.nodeid]
                    message = f"two items would be called {unit.record.id!r}; the other stands in {other}"
                    self._faults.append(Fault(origin, message))
                seen[unit.record.nodeid] = origin


def _measure_of(use: MetricUse) -> Measure:
    of = traits(use.metric)
    unit = "tokens" if getattr(use.metric, "unit", "") == "tokens" else ""
    return Measure(use.name, of.better, of.range, of.binary, use.passing, unit=unit)


def _headline(metrics: Sequence[MetricUse], conditions: Sequence[Condition], grading: Grading | None) -> str:
    """The measure whose figure the table shows: the grading's, else the first condition's, else the first metric's."""
    if grading is not None:
        return grading.measure
    return next((c.measure for c in conditions if c.measure != "grade"), metrics[0].name if metrics else "passed")


def _unfit(use: MetricUse, sample: Sample) -> str | None:
    if traits(use.metric).needs_target and not sample.targets:
        return f"sample {sample.id!r} has no target, which metric {use.name!r} needs"
    if isinstance(use.metric, Checks):
        wrong = use.metric.check(sample)
        if wrong:
            return f"sample {sample.id!r}, metric {use.name!r}: {wrong}"
    return None


def _seeded(parameters: Mapping[str, object], repeat: int) -> Mapping[str, object]:
    """Where a seed is sent, each repeat has its own."""
    seed = parameters.get("seed")
    if repeat == 1 or isinstance(seed, bool) or not isinstance(seed, int):
        return parameters
    return {**parameters, "seed": seed + repeat - 1}


def _priced(endpoint: Endpoint) -> bool:
    return endpoint.prices is not None or bool(getattr(endpoint.connector, "free", False))
