"""The order of requests, and that none of them waits for ever."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.admission import Wanted
from pytest_llmeval.core.endpoint import Limits
from pytest_llmeval.core.exchange import Request
from pytest_llmeval.engine.queue import LOOK, Queue
from pytest_llmeval.engine.work import Work

NOW = 1_000


def work(key: object, *, urgent: bool = False) -> Work:
    wanted = Wanted(str(key), "it", "bucket", Limits(), 1, {})
    return Work(wanted, Request(()), lambda _work, _reply: None, urgent=urgent)


def keys(jobs) -> list[str]:
    return [job.wanted.key for job in jobs]


def queue_of(*works: Work, slots: int = 4, joins: bool = True) -> Queue:
    queue = Queue(slots, joins=joins)
    queue.add(works)
    return queue


def test_requests_leave_in_the_order_of_the_work_urgent_ones_first():
    last = work(2)
    queue = queue_of(work(0), work(1), last, work("now", urgent=True))
    queue.hurry(last)

    assert keys(queue.next(NOW, 0, held=False)) == ["now", "2", "0", "1"]


def test_one_request_serves_all_who_want_it_until_it_has_ended():
    first, second, third = work("same"), work("same"), work("same")
    queue = queue_of(first, second)

    (job,) = queue.next(NOW, 0, held=False)
    queue.end(job)
    queue.add([third])
    (again,) = queue.next(NOW, 0, held=False)

    assert job.works == [first, second]
    assert again.works == [third]


def test_where_nothing_is_joined_each_is_a_request_of_its_own():
    assert keys(queue_of(work("same"), work("same"), joins=False).next(NOW, 0, held=False)) == ["same", "same"]


def test_a_pause_lets_out_what_somebody_stands_still_for_alone():
    queue = queue_of(work("ahead"), work("now", urgent=True))

    assert keys(queue.next(NOW, 0, held=True)) == ["now"]
    assert keys(queue.next(NOW, 0, held=False)) == ["ahead"]


def test_first_attempts_are_held_back_while_many_failed_and_further_ones_go_on():
    queue = queue_of(*(work(n) for n in range(12)), slots=4)
    jobs = queue.next(NOW, 0, held=False)
    for number, job in enumerate(jobs):
        queue.wait(job, NOW if number < 9 else 0, retries=number < 9)

    assert keys(queue.next(NOW, 0, held=False)) == ["0", "1", "2", "3"]


def test_no_more_is_taken_ahead_than_can_soon_be_asked():
    queue = queue_of(*(work(n) for n in range(3 * LOOK)))
    for job in queue.next(NOW, 0, held=False):
        queue.wait(job, NOW + 1)

    assert queue.next(NOW, 0, held=False) == []


@given(
    slots=st.integers(1, 5),
    waiting=st.lists(st.tuples(st.integers(0, 2 * NOW), st.booleans(), st.booleans()), max_size=30),
    on_wire=st.integers(0, 6),
    held=st.booleans(),
)
def test_what_is_said_to_be_due_is_taken_and_something_is_always_due(slots, waiting, on_wire, held):
    """Else its lane would turn in circles, or sleep for ever."""
    queue = queue_of(*(work(n, urgent=urgent) for n, (_, _, urgent) in enumerate(waiting)), slots=slots)
    dues = {str(n): (due, retries) for n, (due, retries, _) in enumerate(waiting)}
    for job in queue.next(NOW, 0, held=False):
        due, retries = dues[job.wanted.key]
        queue.wait(job, due, retries=retries)

    due = queue.next_due(on_wire, held=held)

    if due is not None and due <= NOW:
        assert queue.next(NOW, on_wire, held=held)
    if waiting and on_wire == 0 and not held:
        assert due is not None


def test_what_nobody_wants_any_more_is_not_asked_and_what_another_wants_is():
    waits, shared, new, other = work("waits"), work("shared"), work("new"), work("shared")
    queue = queue_of(waits, shared)
    for job in queue.next(NOW, 0, held=False):
        queue.wait(job, NOW)
    queue.add([other])
    assert keys(queue.next(NOW, 4, held=False)) == []
    queue.add([new])

    queue.drop([waits, shared, new])
    (left,) = queue.next(NOW, 0, held=False)

    assert other in left.works


def test_what_is_dropped_while_it_is_looked_at_is_not_looked_at_again():
    one, two = work(1), work(2)
    queue = queue_of(one, two)
    first, second = queue.next(NOW, 0, held=False)

    queue.drop([one, two])
    queue.wait(first, NOW)
    queue.put_back([second])

    assert queue.next(NOW, 0, held=False) == []
