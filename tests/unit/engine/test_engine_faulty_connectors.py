"""A connector that cannot be opened stops its endpoint; what it does wrong with a request is that request's error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

import pytest

from pytest_llmeval.core.errors import EndpointStopped
from pytest_llmeval.core.extension import Asker

RAISED = {
    "ValueError": (ValueError("broken"), "ValueError: broken"),
    "SystemExit": (SystemExit(3), "SystemExit: 3"),
    "EndpointStopped": (EndpointStopped("no such file"), "no such file"),
}


@dataclass(frozen=True)
class Broken:
    id: ClassVar[str] = "broken"
    raises: str

    def identity(self):
        return {}

    @asynccontextmanager
    async def open(self, _run) -> AsyncIterator[Asker]:
        raise RAISED[self.raises][0]
        yield


@dataclass(frozen=True)
class Offline(Broken):
    id: ClassVar[str] = "offline"
    offline: ClassVar[bool] = True


@dataclass(frozen=True)
class Odd:
    """Gives a text where a Response is expected, or leaves the interpreter."""

    id: ClassVar[str] = "odd"

    def identity(self):
        return {}

    @asynccontextmanager
    async def open(self, _run) -> AsyncIterator[Asker]:
        yield self

    async def ask(self, request):
        if request.prompt == "question 1":
            raise SystemExit(3)
        return "Paris"


@dataclass(frozen=True)
class OddOffline(Odd):
    id: ClassVar[str] = "odd_offline"
    offline: ClassVar[bool] = True


@pytest.mark.parametrize("connector", ["broken", "offline"])
@pytest.mark.parametrize("raised", RAISED)
def test_the_endpoint_is_stopped_and_nobody_waits(site, connector, raised):
    plan = site.plan(f"connector: {connector}\nraises: {raised}", 5, Broken, Offline)

    with site.evaluation(plan) as evaluation:
        outcomes = evaluation.engine.settle(plan, plan.units)

    assert {(outcome.kind, outcome.error, outcome.endpoint_stopped) for outcome in outcomes} == {
        ("not_asked", RAISED[raised][1], True)
    }


@pytest.mark.parametrize("connector", ["odd", "odd_offline"])
def test_what_is_no_answer_is_the_error_of_its_request(site, connector):
    plan = site.plan(f"connector: {connector}", 3, Odd, OddOffline)

    with site.evaluation(plan) as evaluation:
        outcomes = evaluation.engine.settle(plan, plan.units)

    odd = "TypeError: the connector gave str, not a Response"
    assert [(outcome.kind, outcome.error) for outcome in outcomes] == [
        ("error", odd),
        ("error", "SystemExit: 3"),
        ("error", odd),
    ]
