"""Tests marked ``@pytest.mark.llmeval(RECIPE)``: one for each sample, with its answer as a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ..core.errors import Faults
from ..core.exchange import Response
from ..core.plan import RecipePlan, Unit
from ..core.text import one_line
from ..engine.answers import RunStoppedError
from .absence import fail, failure, leave, show_absence
from .served import check_fixtures
from .sigterm import heed_sigterm
from .tags import register_tags

if TYPE_CHECKING:
    from .run import Run

#: the fixture that carries a marked test's unit
UNIT = "_llmeval_unit"
HOW = "@pytest.mark.llmeval(RECIPE) or @pytest.mark.llmeval(RECIPE, endpoint=ENDPOINT)"


@dataclass(frozen=True, slots=True)
class Marked:
    """One response of a recipe as the parameter of a test."""

    plan: RecipePlan
    unit: Unit


def parametrize(metafunc: pytest.Metafunc, mark: pytest.Mark, run: Run) -> None:
    """Make a marked test one test a sample; rows' skip, xfail and tags hold for it."""
    where = f"{metafunc.definition.nodeid}: @pytest.mark.llmeval"
    recipe, endpoint = _arguments(mark, where)
    if UNIT not in metafunc.fixturenames:
        fail(f"{where}: the test takes llmeval_sample, llmeval_response or both; it has neither")
    try:
        plans = run.plans(recipe, endpoint, metafunc.definition.path)
        check_fixtures(metafunc.definition, [plan.endpoint for plan in plans])
        register_tags(metafunc.config, plans)
    except Faults as faults:
        raise failure(f"{where}: {faults}") from None
    heed_sigterm(metafunc.config)
    metafunc.parametrize(UNIT, list(_parameters(plans)), indirect=True)


def _arguments(mark: pytest.Mark, where: str) -> tuple[str, str | None]:
    unknown = sorted(set(mark.kwargs) - {"endpoint"})
    texts = [*mark.args, *mark.kwargs.values()]
    if len(mark.args) != 1 or unknown or not all(isinstance(text, str) for text in texts):
        fail(f"{where}: write {HOW}")
    return mark.args[0], mark.kwargs.get("endpoint")


def _parameters(plans: tuple[RecipePlan, ...]) -> Iterator[object]:
    for plan in plans:
        for unit in plan.units:
            marks = [getattr(pytest.mark, tag) for tag in dict.fromkeys((*plan.record.tags, *unit.sample.tags))]
            if unit.record.skip is not None:
                marks.append(pytest.mark.skip(reason=one_line(unit.record.skip)))
            if unit.sample.xfail is not None:
                # an outage stays an error: pytest's own failures alone are expected
                marks.append(pytest.mark.xfail(reason=one_line(unit.sample.xfail), raises=AssertionError))
            name = unit.record.id.replace("[", "-").removesuffix("]")
            yield pytest.param(Marked(plan, unit), id=name, marks=marks)


def marked(item: pytest.Item) -> Marked | None:
    """What a marked test is about; None for any other item."""
    callspec = getattr(item, "callspec", None)
    found = None if callspec is None else callspec.params.get(UNIT)
    return found if isinstance(found, Marked) else None


def of_request(request: pytest.FixtureRequest) -> Marked:
    found = getattr(request, "param", None)
    if not isinstance(found, Marked):
        fail(f"llmeval_sample and llmeval_response are for tests with the marker {HOW}")
    return found


def response(of: Marked, run: Run, item: pytest.Item) -> Response:
    """The answer; where there is none, the test is an error or skips as the recipe's own item would."""
    try:
        evaluation = run.for_test(item)
        if of.plan.endpoint.fixture is not None:
            run.serve(item, of.plan.endpoint)
            run.settle_marked(item, of)
        outcome = evaluation.outcome(of.plan, of.unit)
    except RunStoppedError as stop:
        leave(stop)
    show_absence(run, of.plan, of.unit, outcome)
    assert outcome.response is not None
    return outcome.response
