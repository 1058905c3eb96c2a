"""A run's budget over all its processes: never exceeded, all of it used, nothing of it lost."""

from __future__ import annotations

from collections import Counter

import pytest

from pytest_llmeval.core.admission import Answered, Granted, Skipped, Wait
from pytest_llmeval.core.budget import DOLLAR, Budget, Use
from pytest_llmeval.core.clock import SystemClock
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.state.sqlite import prune

SPENT = Skipped("the budget of 2 requests is spent (--llmeval-max-requests)")
WAIT = Wait(0.02, "budget")


def ask(store, wanted):
    (decision,) = store.admit([wanted]).result()
    return decision


def test_requests_are_granted_to_the_last_and_what_is_left_is_skipped(world):
    one, other = (world.enter(budget=Budget(requests=2)) for _ in range(2))
    first, second = ask(one, world.wanted("a")), ask(other, world.wanted("b"))
    assert isinstance(first, Granted)
    assert isinstance(second, Granted)

    # what was claimed may still come back unsent
    assert ask(one, world.wanted("c")) == WAIT
    one.answer(first, Response("ok")).result()
    assert ask(one, world.wanted("c")) == WAIT
    other.fail(second, "400").result()

    assert ask(one, world.wanted("c")) == SPENT
    assert one.read().totals.attempts == 2


def test_several_at_once_are_granted_as_far_as_it_reaches(world):
    store = world.enter(budget=Budget(requests=2))

    decisions = store.admit([world.wanted(key) for key in "abc"]).result()

    assert [type(decision) for decision in decisions] == [Granted, Granted, Wait]


def test_every_attempt_is_a_request_and_a_retry_that_finds_it_spent_is_skipped(world):
    store = world.enter(budget=Budget(requests=2))
    for _ in range(2):
        store.release(ask(store, world.wanted("a")), heard="limit").result()

    assert ask(store, world.wanted("a")) == Skipped(SPENT.reason, attempts=2)
    totals = store.read().totals
    assert (totals.asked, totals.attempts, totals.unanswered) == (1, 2, 1)


def test_a_retry_that_waits_for_its_time_is_skipped_before_it(world):
    store = world.enter(budget=Budget(requests=1))
    store.release(ask(store, world.wanted("a")), wait=500.0).result()

    assert ask(store, world.wanted("a")) == Skipped("the budget of 1 request is spent (--llmeval-max-requests)", 1)


@pytest.mark.parametrize("how", ["release", "fail", "withdraw"])
def test_what_was_not_sent_gives_its_place_back(world, how):
    store = world.enter(budget=Budget(requests=1, tokens=10))
    claim = ask(store, world.wanted("a", reserve=Use(1, 10)))
    give_back = {
        "release": lambda: store.release(claim, sent=False),
        "fail": lambda: store.fail(claim, "no", sent=False),
        "withdraw": lambda: store.withdraw(claim),
    }
    give_back[how]().result()

    assert isinstance(ask(store, world.wanted("b", reserve=Use(1, 10))), Granted)


def test_tokens_are_settled_by_what_was_reported_and_kept_where_nothing_was(world):
    store = world.enter(budget=Budget(tokens=100))

    def take(key, response):
        claim = ask(store, world.wanted(key, reserve=Use(1, 40)))
        assert isinstance(claim, Granted)
        store.answer(claim, response).result()

    take("a", Response("ok", input_tokens=3, output_tokens=7))
    take("b", Response("ok"))
    # 10 and 40 are gone
    assert isinstance(ask(store, world.wanted("c", reserve=Use(1, 51))), Skipped)
    take("d", Response("ok", output_tokens=40))
    assert isinstance(ask(store, world.wanted("e", reserve=Use(1, 10))), Granted)


def test_a_failed_attempt_keeps_its_reserve(world):
    store = world.enter(budget=Budget(tokens=100))
    store.release(ask(store, world.wanted("a", reserve=Use(1, 30)))).result()
    store.fail(ask(store, world.wanted("b", reserve=Use(1, 30))), "no").result()

    assert isinstance(ask(store, world.wanted("c", reserve=Use(1, 41))), Skipped)
    assert isinstance(ask(store, world.wanted("d", reserve=Use(1, 40))), Granted)


def test_money_is_counted_to_the_last_of_many(world):
    """Ten times a tenth of a dollar is a dollar, which floats would not say."""
    store = world.enter(budget=Budget(cost=1.0))
    asked = 0
    for number in range(12):
        claim = ask(store, world.wanted(f"k{number}", reserve=Use(1, 0, DOLLAR // 10)))
        if isinstance(claim, Granted):
            asked += 1
            store.answer(claim, Response("ok", cost=0.1)).result()

    assert asked == 10


def test_what_does_not_fit_waits_while_others_may_give_back_and_what_fits_is_asked_meanwhile(world):
    one, other = (world.enter(budget=Budget(tokens=100)) for _ in range(2))
    large = ask(one, world.wanted("large", reserve=Use(1, 70)))

    decisions = other.admit(
        [
            world.wanted("too large now", reserve=Use(1, 60)),
            world.wanted("small", reserve=Use(1, 20)),
            world.wanted("too large for ever", reserve=Use(1, 101)),
        ]
    ).result()
    assert [type(decision) for decision in decisions] == [Wait, Granted, Skipped]
    one.answer(large, Response("ok", input_tokens=10, output_tokens=10)).result()

    # 20 spent and 20 reserved leave 60
    assert isinstance(ask(other, world.wanted("too large now", reserve=Use(1, 60))), Granted)


def test_what_was_skipped_stays_skipped_in_its_run(world):
    """Also where it would fit again: every process says the same of it."""
    store = world.enter(budget=Budget(requests=1))
    claim = ask(store, world.wanted("a"))
    store.answer(claim, Response("ok")).result()
    skipped = ask(store, world.wanted("b"))
    assert isinstance(skipped, Skipped)

    assert ask(world.enter(budget=Budget(requests=9)), world.wanted("b")) == skipped
    assert isinstance(ask(world.enter("another run", budget=Budget(requests=9)), world.wanted("b")), Granted)


def test_stored_answers_take_nothing(world):
    store = world.enter(budget=Budget(requests=1))
    store.answer(ask(store, world.wanted("a")), Response("ok")).result()

    assert ask(store, world.wanted("a")) == Answered(Response("ok"), cached=False)


def test_another_run_has_a_budget_of_its_own(world):
    one, other = world.enter("one", budget=Budget(requests=1)), world.enter("other", budget=Budget(requests=1))

    assert isinstance(ask(one, world.wanted("a")), Granted)
    assert isinstance(ask(other, world.wanted("b")), Granted)


def test_what_a_dead_process_had_reserved_is_spent_and_nobody_waits_for_it(children, world):
    victim, heir = children(2)
    for child in (victim, heir):
        child.do("enter", path=str(world.path), run="r", budget={"requests": 5})
    assert victim.do("hold", path=str(world.path), keys=["a", "b"]) == ["Granted"] * 2
    victim.kill()

    reply = heir.do("spend_all", path=str(world.path), keys=[f"k{n}" for n in range(9)], tokens=1, used=1)

    assert len(reply["asked"]) == 3
    assert len(reply["skipped"]) == 6


def test_what_was_spent_is_known_when_a_run_only_seemed_to_be_over(children, world):
    """Its processes had ended, and another run swept it up, when a late worker came."""
    (early,) = children(1)
    early.do("enter", path=str(world.path), run="r", budget={"requests": 3})
    early.do("hold", path=str(world.path), keys=["a"])
    early.do("spend_all", path=str(world.path), keys=["b"], tokens=1, used=1)
    early.kill()
    early.process.wait()
    world.enter("other", clock=SystemClock())

    late = world.enter("r", clock=SystemClock(), budget=Budget(requests=3))

    last = ask(late, world.wanted("c"))
    late.answer(last, Response("ok")).result()
    assert isinstance(ask(late, world.wanted("d")), Skipped)


def test_it_goes_with_its_run_when_that_is_pruned(world):
    store = world.enter("old", budget=Budget(requests=1))
    store.answer(ask(store, world.wanted("a")), Response("ok")).result()
    world.leave(store)
    prune(world.path, world.clock)

    assert isinstance(ask(world.enter("old", budget=Budget(requests=1)), world.wanted("b")), Granted)


@pytest.mark.parametrize(
    ("budget", "tokens", "used", "asked"),
    [
        ({"requests": 50}, 1, 1, 50),
        # the last one reserves 40 of what nine tokens a request have left
        ({"tokens": 400}, 40, 9, 41),
        # no usage is reported: each keeps its reserve
        ({"tokens": 400}, 40, None, 10),
    ],
)
def test_it_is_used_up_and_never_exceeded_by_four_processes(children, world, budget, tokens, used, asked):
    quartet = children(4)
    for child in quartet:
        child.do("enter", path=str(world.path), run="r", budget=budget)
    for number, child in enumerate(quartet):
        keys = [f"{number}-{n}" for n in range(40)]
        child.tell("spend_all", path=str(world.path), keys=keys, tokens=tokens, used=used)
    replies = [child.hear() for child in quartet]

    assert sum(len(reply["asked"]) for reply in replies) == asked
    counted = Counter(key for reply in replies for key in (*reply["asked"], *reply["skipped"]))
    assert sorted(counted.values()) == [1] * 160
