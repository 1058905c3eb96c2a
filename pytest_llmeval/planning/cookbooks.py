"""A cookbook as read, with the plans of its recipes, to plans of its own."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.condition import gate_names, grade_measure, parse_condition
from ..core.errors import Fault, Faults
from ..core.measures import Condition
from ..core.naming import marker_name
from ..core.plan import CookbookPlan, RecipePlan
from ..core.record import CookbookRecord, GateRecord
from ..files.load import CookbookFile
from .naming import encode
from .recipes import RunChoices


def plan_cookbook(
    cookbook: CookbookFile, recipes: Sequence[Sequence[RecipePlan]], choices: RunChoices
) -> tuple[CookbookPlan, ...]:
    """One plan for each endpoint that all recipes share. Raises Faults.

    ``recipes`` are the plans of each recipe in the cookbook's order, one an endpoint.
    """
    spec, place = cookbook.spec, cookbook.place
    faults: list[Fault] = []
    endpoints = [plan.endpoint.id for plan in recipes[0]]
    shared = [name for name in endpoints if all(any(plan.endpoint.id == name for plan in plans) for plans in recipes)]
    if not shared:
        each = "; ".join(
            f"{plans[0].record.recipe}: {', '.join(plan.endpoint.id for plan in plans)}" for plans in recipes
        )
        faults.append(place.at("recipes").fault(f"these recipes share no endpoint ({each})"))
    known: dict[str, str] = {}
    for index, plans_ in enumerate(recipes):
        one = plans_[0].record
        other = known.setdefault(one.recipe, one.path)
        if other != one.path:
            two = f"two of its recipes are called {one.recipe!r} ({other}, {one.path}), and so would their items be"
            faults.append(place.at("recipes", index).fault(f"{two}: rename one"))
    conditions = _conditions(cookbook, recipes, faults)
    if faults:
        raise Faults(faults)
    names = gate_names(conditions)
    plans = []
    for name in shared:
        of_endpoint = tuple(plan for plans_ in recipes for plan in plans_ if plan.endpoint.id == name)
        record = CookbookRecord(
            id=f"{cookbook.shown}[{name}]",
            cookbook=cookbook.id,
            path=cookbook.shown,
            title=spec.cookbook,
            endpoint=name,
            recipes=tuple(plan.record.id for plan in of_endpoint),
            gates=tuple(
                GateRecord(f"{cookbook.shown}::{gate}[{encode(name)}]", condition)
                for gate, condition in zip(names, conditions, strict=True)
            ),
        )
        plans.append(
            CookbookPlan(
                record=record,
                recipes=of_endpoint,
                tags=tuple(dict.fromkeys(marker_name(tag) for tag in spec.tags)),
                items=choices.items or spec.items or "gates",
                origin=cookbook.origin,
                tags_origin=cookbook.place.at("tags").origin,
            )
        )
    return tuple(plans)


def _conditions(
    cookbook: CookbookFile, recipes: Sequence[Sequence[RecipePlan]], faults: list[Fault]
) -> list[Condition]:
    """On the grade alone; its labels are those of all its recipes' scales."""
    gradings = [plans[0].record.grading for plans in recipes]
    labels = tuple(dict.fromkeys(label for grading in gradings if grading is not None for label in grading.labels))
    measures = {"grade": grade_measure(labels)} if labels else {}
    conditions = []
    for written in cookbook.thresholds:
        try:
            conditions.append(parse_condition(written.source, measures, written.origin))
        except ValueError as error:
            message = str(error) if labels else "none of its recipes has a `grading:`, so there is no grade to judge"
            faults.append(Fault(written.origin, message))
    return conditions
