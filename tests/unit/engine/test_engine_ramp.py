"""Requests of an endpoint that begins to be asked leave no faster than they get out."""

from __future__ import annotations

import anyio
import pytest

from pytest_llmeval.core.clock import SECOND, SystemClock
from pytest_llmeval.engine.ramp import ABREAST, LASTS, Ramp


class Still:
    """Time stands still until it is set."""

    ns = 0

    def monotonic_ns(self):
        return self.ns

    def now(self):
        return 0.0


async def cleared(ramp: Ramp) -> bool:
    """Whether another may leave now, or after some turns of the loop."""
    with anyio.move_on_after(0.02) as scope:
        await ramp.clear()
    return not scope.cancelled_caught


def departed(clock) -> Ramp:
    ramp = Ramp(clock)
    for _ in range(ABREAST):
        ramp.depart()
    return ramp


def test_so_many_leave_abreast_and_another_when_one_is_out():
    async def run():
        ramp = departed(Still())
        assert not await cleared(ramp)

        ramp.out()

        assert await cleared(ramp)

    anyio.run(run)


def test_who_waits_hears_that_one_is_out():
    async def run():
        ramp = departed(Still())
        async with anyio.create_task_group() as group:
            group.start_soon(ramp.clear)
            await anyio.wait_all_tasks_blocked()
            ramp.out()

    anyio.run(run)


@pytest.mark.parametrize("late", [LASTS, 10.0])
def test_a_connector_that_takes_its_time_is_left_to_it(late):
    async def run():
        clock = Still()
        ramp = departed(clock)
        clock.ns = round(late * SECOND)

        assert await cleared(ramp)

    anyio.run(run)


def test_it_ends_by_itself_where_nothing_gets_out():
    anyio.run(departed(SystemClock()).clear)
