"""What a request may take at most, whether that fits, and what it took."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.budget import DOLLAR, Budget, Use
from pytest_llmeval.core.endpoint import Endpoint, Prices
from pytest_llmeval.core.exchange import Request, Response
from pytest_llmeval.limits.budget import Lack, Purse, lack, reserve, settled, unbounded
from pytest_llmeval.testing import FakeConnector


@dataclass(frozen=True)
class Free(FakeConnector):
    free = True


@dataclass(frozen=True)
class Offline(FakeConnector):
    offline = True


PRICED = Endpoint("small", FakeConnector(), prices=Prices(0.15, 0.6))


def request(*texts: str, **parameters: object) -> Request:
    return Request(tuple({"role": "user", "content": text} for text in texts), parameters)


# --- before ---


def test_a_request_may_take_its_bytes_sixteen_a_message_and_the_bound_of_its_answer():
    assert reserve(PRICED, request("abc", "é", max_tokens=100)).tokens == 3 + 2 + 2 * 16 + 100


def test_its_cost_is_that_of_so_many_tokens():
    asked = request("x" * 84, max_tokens=1000)

    assert reserve(PRICED, asked) == Use(1, 1100, round((0.15 * 100 + 0.6 * 1000) / 1e6 * DOLLAR))
    assert reserve(replace(PRICED, prices=None), asked) == Use(1, 1100, 0)
    assert reserve(replace(PRICED, connector=Free()), asked) == Use(1, 1100, 0)


def test_prices_that_floats_cannot_hold_reserve_what_they_say():
    """Else ten requests of a tenth of the budget would not fit into it."""
    tenth = reserve(Endpoint("e", FakeConnector(), prices=Prices(0.1, 0.1)), request("x" * 84, max_tokens=100))

    assert tenth.cost * 10 == round(0.0002 * DOLLAR)


@pytest.mark.parametrize(
    ("parameters", "most"),
    [
        ({"max_completion_tokens": 7}, 7),
        ({"max_tokens": 5, "max_completion_tokens": 7}, 7),
        ({"max_tokens": 10**40}, 2**53),
    ],
)
def test_either_name_bounds_an_answer(parameters, most):
    assert reserve(PRICED, request("x", **parameters)).tokens == min(17 + most, 2**53)


# --- whether it fits ---


def purse(budget, spent=Use(), reserved=Use()):  # noqa: B008 - frozen
    return Purse(budget, spent, reserved)


@pytest.mark.parametrize(
    ("budget", "needed", "reason"),
    [
        (Budget(requests=10), Use(1), "the budget of 10 requests is spent (--llmeval-max-requests)"),
        (Budget(requests=1), Use(1), "the budget of 1 request is spent (--llmeval-max-requests)"),
        (Budget(tokens=5000), Use(1, 10), "the budget of 5,000 tokens has no room for it (--llmeval-max-tokens)"),
        (Budget(cost=0.5), Use(1, 0, 10), "the budget of 0.5 USD has no room for it (--llmeval-max-cost)"),
    ],
)
def test_what_never_fits_and_what_does_not_fit_yet_is_told_by_its_option(budget, needed, reason):
    full = Use(budget.requests or 0, budget.tokens or 0, round((budget.cost or 0) * DOLLAR))

    assert lack(purse(budget), needed) is None
    assert lack(purse(budget, spent=full), needed) == Lack(reason, final=True)
    assert lack(purse(budget, reserved=full), needed) == Lack(reason, final=False)


def test_what_costs_nothing_fits_into_a_spent_budget_of_dollars():
    assert lack(purse(Budget(cost=0.0), spent=Use(9, 9, 9)), Use(1, 50, 0)) is None


uses = st.builds(Use, st.integers(0, 6), st.integers(0, 60), st.integers(0, 60))
needs = st.builds(Use, st.just(1), st.integers(0, 30), st.integers(0, 30))
limits = st.builds(
    Budget,
    st.none() | st.integers(0, 8),
    st.none() | st.integers(0, 80),
    st.none() | st.integers(0, 80).map(lambda n: n / DOLLAR),
)


@given(limits, uses, uses, needs)
def test_a_request_goes_when_all_reserves_together_would_fit_and_is_refused_when_what_is_left_is_too_little(
    budget, spent, reserved, needed
):
    found = lack(purse(budget, spent, reserved), needed)

    def fits(use: Use) -> bool:
        pairs = [
            (budget.requests, use.requests, needed.requests),
            (budget.tokens, use.tokens, needed.tokens),
            (None if budget.cost is None else round(budget.cost * DOLLAR), use.cost, needed.cost),
        ]
        return all(limit is None or need == 0 or gone + need <= limit for limit, gone, need in pairs)

    assert (found is None) == fits(spent + reserved)
    assert (found is not None and found.final) == (not fits(spent))


# --- after ---


def test_what_was_reported_takes_the_place_of_the_reserve():
    taken = settled(Use(1, 1100, 700), Response("ok", input_tokens=30, output_tokens=4, cost=0.000_000_1))

    assert taken == Use(1, 34, 100_000)
    # a bare total stands as output
    assert settled(Use(1, 1100, 0), Response("ok", output_tokens=40)).tokens == 40


@pytest.mark.parametrize(
    "response",
    [
        Response("ok"),
        Response("ok", input_tokens=30),
        Response("ok", output_tokens=-1, cost=-1.0),
        Response("ok", cost=float("nan")),
    ],
)
def test_where_no_usage_came_the_reserve_is_kept(response):
    assert settled(Use(1, 1100, 700), response) == Use(1, 1100, 700)


# --- what cannot be kept ---

BOUND = "needs `max_tokens` (or `max_completion_tokens`) in its `parameters:`, else an answer may take any number"


@pytest.mark.parametrize(
    ("endpoint", "parameters", "budget", "why"),
    [
        (PRICED, {}, Budget(requests=1), None),
        (PRICED, {}, Budget(tokens=1), f"--llmeval-max-tokens {BOUND} of tokens"),
        (PRICED, {}, Budget(cost=1.0), f"--llmeval-max-cost {BOUND} of tokens"),
        (PRICED, {"max_tokens": 8}, Budget(tokens=1, cost=1.0), None),
        (PRICED, {"max_completion_tokens": 8}, Budget(tokens=1), None),
        (PRICED, {"max_tokens": "8"}, Budget(tokens=1), f"--llmeval-max-tokens {BOUND} of tokens"),
        (PRICED, {"max_tokens": True}, Budget(tokens=1), f"--llmeval-max-tokens {BOUND} of tokens"),
        (PRICED, {"max_tokens": -1}, Budget(tokens=1), f"--llmeval-max-tokens {BOUND} of tokens"),
        (
            replace(PRICED, prices=None),
            {"max_tokens": 8},
            Budget(cost=1.0),
            "--llmeval-max-cost needs its `prices:`, else a request may cost anything",
        ),
        (replace(PRICED, prices=None), {"max_tokens": 8}, Budget(tokens=1), None),
        (Endpoint("free", Free()), {}, Budget(cost=1.0), None),
        (Endpoint("free", Free()), {}, Budget(tokens=1), f"--llmeval-max-tokens {BOUND} of tokens"),
        (Endpoint("offline", Offline()), {}, Budget(1, 1, 1.0), None),
    ],
)
def test_a_budget_that_nothing_could_keep_is_told(endpoint, parameters, budget, why):
    assert unbounded(endpoint, parameters, budget) == why
