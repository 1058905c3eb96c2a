"""A connector that cannot be opened stops its endpoint, whatever it raises, whether it asks or looks up."""

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


@pytest.mark.parametrize("connector", ["broken", "offline"])
@pytest.mark.parametrize("raised", RAISED)
def test_the_endpoint_is_stopped_and_nobody_waits(site, connector, raised):
    plan = site.plan(f"connector: {connector}\nraises: {raised}", 5, Broken, Offline)

    with site.evaluation(plan) as evaluation:
        outcomes = evaluation.engine.settle(plan, plan.units)

    assert {(outcome.kind, outcome.error, outcome.endpoint_stopped) for outcome in outcomes} == {
        ("not_asked", RAISED[raised][1], True)
    }
