"""An answer that could not be had, as pytest shows it: an error of the setup, or a skip with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from ..core.plan import RecipePlan, Unit
from ..core.result import Outcome
from ..core.text import one_line, safe

if TYPE_CHECKING:
    from ..engine.engine import RunStoppedError
    from .run import Run


def show_absence(run: Run, plan: RecipePlan, unit: Unit, outcome: Outcome) -> None:
    """Fails or skips where there is no answer; an endpoint that was stopped is one error and else skips."""
    if outcome.endpoint_stopped:
        text = stopped(plan.endpoint.id, outcome.error)
        lack = run.lacks(plan.endpoint)
        if lack:
            skip(lack)
        if run.shows_stop(plan, unit):
            fail(text)
        skip(text)
    if outcome.kind == "error":
        origin = unit.record.origin
        fail(f"{origin.path}:{origin.line}: no answer from {plan.endpoint.id}: {outcome.error}")
    if outcome.kind == "not_asked":
        skip(outcome.error or "not asked")


def leave(item: pytest.Item, why: RunStoppedError) -> NoReturn:
    """The run was stopped: this item skips, and the session leaves the rest of its queue."""
    item.session.shouldstop = f"run stopped: {why}"
    skip(f"run stopped: {why}")


def stopped(endpoint: str, message: str | None) -> str:
    return f"endpoint {endpoint} stopped: {message}"


def failure(text: str) -> BaseException:
    """To be raised: an error or a failure that is this text alone."""
    return pytest.fail.Exception(safe(text), pytrace=False)


def fail(text: str) -> NoReturn:
    raise failure(text)


def skip(reason: str) -> NoReturn:
    raise pytest.skip.Exception(one_line(reason), _use_item_location=True)
