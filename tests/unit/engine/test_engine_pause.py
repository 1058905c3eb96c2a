"""While a test of the user's own runs, nothing stands between admission and the wire."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

import anyio
import pytest

from pytest_llmeval.core.errors import RequestError
from pytest_llmeval.core.exchange import Request, Response

#: how many asks were entered, and how many of them are out
entered: list[str] = []
out: list[str] = []
mock: list[str] = []


@dataclass(frozen=True)
class Slow:
    """Takes its time before a request is out, and says when it is."""

    id: ClassVar[str] = "slow"
    says_sent: ClassVar[bool] = True

    def identity(self):
        return {}

    def tampered(self) -> str:
        return mock[0] if mock else ""

    @asynccontextmanager
    async def open(self, run) -> AsyncIterator[Slow]:
        object.__setattr__(self, "run", run)
        yield self

    async def ask(self, request: Request) -> Response:
        entered.append(request.prompt)
        await anyio.sleep(0.1)
        out.append(request.prompt)
        self.run.sent()
        await anyio.sleep(0.05)
        return Response("mocked" if mock else "Paris")


@dataclass(frozen=True)
class Silent(Slow):
    """Says nothing; some turns of the loop pass before its request is out, none of them waits for anything."""

    id: ClassVar[str] = "silent"
    says_sent: ClassVar[bool] = False

    async def ask(self, request: Request) -> Response:
        entered.append(request.prompt)
        for _ in range(3):
            await asyncio.sleep(0)
        out.append(request.prompt)
        await anyio.sleep(0.05)
        return Response("Paris")


@pytest.fixture(autouse=True)
def _fresh():
    for kept in (entered, out, mock):
        kept.clear()


@pytest.mark.parametrize("connector", ["slow", "silent"])
def test_a_pause_is_granted_when_what_was_let_go_is_out_and_nothing_more_leaves(site, connector):
    plan = site.plan(f"connector: {connector}\nmax_concurrency: 4", 60, Slow, Silent)
    with site.evaluation(plan) as evaluation:
        engine = evaluation.engine
        engine.look_ahead((plan, unit) for unit in plan.units)
        for _ in range(6):
            before = len(entered)
            site.until(lambda before=before: len(entered) > before)
            engine.pause()
            left = list(entered)
            assert sorted(out) == sorted(left)
            time.sleep(0.1)
            assert entered == left
            engine.resume()


def test_what_a_test_asks_passes_the_pause(site):
    plan = site.plan("connector: slow\nmax_concurrency: 4", 20, Slow)
    with site.evaluation(plan) as evaluation:
        evaluation.engine.pause()
        evaluation.engine.look_ahead((plan, unit) for unit in plan.units)
        assert evaluation.engine.ask(plan.endpoint, [Request(({"role": "user", "content": "Mine"},))])
        assert evaluation.engine.settle(plan, plan.units[7:8])[0].kind == "passed"
        assert entered == ["Mine", "question 7"]


def test_a_question_answered_by_a_mock_leaves_the_unit_that_asks_the_same_to_the_service(site):
    plan = site.plan("connector: slow\nmax_concurrency: 1", 3, Slow)
    with site.evaluation(plan) as evaluation:
        engine = evaluation.engine
        engine.pause()
        engine.look_ahead((plan, unit) for unit in plan.units)
        mock.append("it is a mock")
        (answer,) = engine.ask(plan.endpoint, [plan.units[1].request])
        with pytest.raises(RequestError, match="it is a mock"):
            engine.settle(plan, plan.units)
        mock.clear()
        engine.resume()
        outcomes = engine.settle(plan, plan.units)

    assert answer.response.text == "mocked"
    assert [outcome.response.text for outcome in outcomes] == ["Paris"] * 3


def test_a_mock_that_comes_while_a_request_is_on_its_way_stops_the_endpoint(site):
    plan = site.plan("connector: slow\nmax_concurrency: 2", 8, Slow)
    with site.evaluation(plan) as evaluation:
        evaluation.engine.look_ahead((plan, unit) for unit in plan.units)
        site.until(lambda: len(entered) == 2)
        mock.append("it is a mock")
        outcomes = evaluation.engine.settle(plan, plan.units)
    mock.clear()
    with site.evaluation(plan) as evaluation:
        again = evaluation.engine.settle(plan, plan.units)

    assert {outcome.kind for outcome in outcomes} == {"not_asked"}
    assert "it is a mock: its answers may be a mock's" in outcomes[0].error
    assert len(entered) == 2 + 8
    assert not any(outcome.cached for outcome in again)
