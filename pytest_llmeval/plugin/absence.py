"""An answer that could not be had, as pytest shows it: an error of the setup, or a skip with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from _pytest.outcomes import Failed, Skipped

from ..core.plan import RecipePlan, Unit
from ..core.result import Outcome
from ..core.text import one_line, safe
from .shown import shown

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr

    from ..engine.answers import RunStoppedError
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
        error = outcome.error or ""
        fail(f"{origin.path}:{origin.line}: no answer from {plan.endpoint.id}: {error}", error)
    if outcome.kind == "not_asked":
        skip(outcome.error or "not asked")


def leave(why: RunStoppedError) -> NoReturn:
    """The run was stopped before this item was settled."""
    skip(f"run stopped: {why}")


def stopped(endpoint: str, message: str | None) -> str:
    return f"endpoint {endpoint} stopped: {message}"


class TextAlone(Failed):
    """An error or a failure that is a text, with a reason for summaries of one line."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(safe(text), pytrace=False)
        self.reason = reason


def failure(text: str, reason: str = "") -> BaseException:
    """To be raised: an error or a failure that is this text alone; without a reason it is its own."""
    return TextAlone(text, reason or text)


def fail(text: str, reason: str = "") -> NoReturn:
    raise failure(text, reason)


def in_full(item: pytest.Item, call: pytest.CallInfo[None]) -> TerminalRepr | None:
    """What is shown of such an error: pytest asks an item of ours about its call alone, and begins with ``Failed:``."""
    error = call.excinfo.value if call.excinfo is not None else None
    if not isinstance(error, TextAlone):
        return None
    path, line, _ = item.location
    return shown(getattr(item, "place", (path, line or 0)), error.msg or "", error.reason)


class NotAsked(Skipped):
    """A skip that is ours; to pytest it is one like any, by its name too, with which a test's own reason begins."""


NotAsked.__module__, NotAsked.__qualname__, NotAsked.__name__ = "builtins", "Skipped", "Skipped"


def skip(reason: str) -> NoReturn:
    raise NotAsked(one_line(reason), _use_item_location=True)


def folded(item: pytest.Item, call: pytest.CallInfo[None]) -> tuple[str, int, str] | None:
    """Such a skip of an item of ours, placed in its file: pytest folds those of one place and reason into one line."""
    error = call.excinfo.value if call.excinfo is not None else None
    return (str(item.path), 1, str(error.msg)) if isinstance(error, NotAsked) else None
