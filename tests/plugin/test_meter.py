"""How far a run is, is looked up seldom, and tells how long it may take."""

from __future__ import annotations

from concurrent.futures import Future

from pytest_llmeval.core.errors import StateError
from pytest_llmeval.core.events import ProgressEvent
from pytest_llmeval.plugin.meter import Meter


class World:
    """A clock that the test sets, and counts that it gives."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked: list[Future] = []
        self.meter = Meter(self._count, lambda: self.now)

    def _count(self) -> Future:
        self.asked.append(Future())
        return self.asked[-1]

    def at(self, seconds: float, done: int | None = None) -> ProgressEvent | None:
        """What is seen then, when that much was done."""
        self.now = 1000.0 + seconds
        self.meter.look()
        if done is not None:
            self.asked[-1].set_result(ProgressEvent(done, 100))
        return self.meter.look()


def test_it_is_asked_at_most_once_a_second():
    world = World()

    assert world.at(0, done=1).done == 1
    assert world.at(0.9) is None
    assert len(world.asked) == 1
    assert world.at(1.0) is None
    assert world.at(1.05, done=2).done == 2


def test_who_takes_long_to_count_is_asked_less_often():
    world = World()
    world.at(0)

    assert world.at(0.3, done=1).done == 1
    assert world.at(3.2) is None
    assert len(world.asked) == 1
    assert world.at(3.4, done=2).done == 2


def test_who_takes_very_long_is_asked_again_after_five_seconds():
    world = World()
    world.at(0)
    world.at(60, done=1)

    assert world.at(65.1, done=2).done == 2


def test_the_time_left_follows_the_pace_of_the_last_half_minute():
    world = World()

    assert world.at(0, done=0).left is None
    assert world.at(1, done=10).left == 9.0
    # it slows down to one a second
    for second in range(2, 50):
        last = world.at(second, done=8 + second)
    assert last.left == 100 - last.done
    assert last.seconds == 49.0


def test_no_pace_no_guess():
    world = World()
    world.at(0, done=5)

    assert world.at(1, done=5).left is None


def test_a_state_that_cannot_be_read_is_no_progress():
    world = World()
    world.meter.look()
    world.asked[-1].set_exception(StateError("closed"))

    assert world.meter.look() is None
    world.asked.clear()
    assert world.at(2, done=3).done == 3


def test_a_run_that_nobody_has_begun_is_looked_for_again_soon():
    world = World()
    world.meter.look()
    world.asked[-1].set_result(None)

    assert world.meter.look() is None
    assert world.at(0.1) is None
    assert len(world.asked) == 1
    assert world.at(0.3, done=3).done == 3
