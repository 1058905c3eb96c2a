"""Whether a request fits into what is left of a run's budget, and what it may take at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from ..core.budget import DOLLAR, Budget, Use
from ..core.endpoint import Endpoint
from ..core.exchange import Request, Response
from ..core.numbers import count

#: tokens that a message may cost beside its text
MESSAGE_TOKENS = 16
#: parameters that bound the tokens of an answer
BOUNDS = ("max_tokens", "max_completion_tokens")
#: what a column of the state holds many of
MOST = 2**53


@dataclass(frozen=True, slots=True)
class Purse:
    """A run's budget, what was spent of it, and what requests on the wire have reserved."""

    budget: Budget
    spent: Use
    reserved: Use


@dataclass(frozen=True, slots=True)
class Lack:
    """A request does not fit: never (``final``), or not while others' reserves are open."""

    reason: str
    final: bool


def lack(purse: Purse, reserve: Use) -> Lack | None:
    """What a request lacks; None where it fits. What is spent only grows, so what is final stays so."""
    budget, spent, reserved = purse.budget, purse.spent, purse.reserved
    cost = None if budget.cost is None else round(budget.cost * DOLLAR)
    found = None
    for limit, needed, gone, held, reason in (
        (budget.requests, reserve.requests, spent.requests, reserved.requests, _spent),
        (budget.tokens, reserve.tokens, spent.tokens, reserved.tokens, _too_little_tokens),
        (cost, reserve.cost, spent.cost, reserved.cost, _too_little_money),
    ):
        if limit is None or needed == 0:
            continue
        if gone + needed > limit:
            return Lack(reason(budget), final=True)
        if gone + held + needed > limit:
            found = Lack(reason(budget), final=False)
    return found


def reserve(endpoint: Endpoint, request: Request) -> Use:
    """The most that a request may take: a token is a byte at least, and the answer is bounded."""
    sent = size_of(request) + MESSAGE_TOKENS * len(request.messages)
    got = bound(request.parameters) or 0
    cost = 0.0
    if endpoint.prices is not None and not _free(endpoint):
        cost = (endpoint.prices.input * sent + endpoint.prices.output * got) * (DOLLAR / 1e6)
    # the rounding takes off what floats add to 0.15 x 3
    return Use(1, min(sent + got, MOST), ceil(round(min(cost, MOST), 3)))


def size_of(request: Request) -> int:
    """Bytes of the messages as UTF-8."""
    return sum(len(message["content"].encode("utf-8", "surrogatepass")) for message in request.messages)


def settled(reserve: Use, response: Response) -> Use:
    """What a request took by the usage that was reported; where none came, its reserve."""
    tokens = response.tokens if response.output_tokens is not None else None
    cost = None if response.cost is None else response.cost * DOLLAR
    return Use(reserve.requests, _amount(tokens, reserve.tokens), _amount(cost, reserve.cost))


def _amount(reported: float | None, reserved: int) -> int:
    """What was reported, as far as it is an amount (a connector may be anybody's)."""
    return round(min(reported, MOST)) if reported is not None and reported >= 0 else reserved


def bound(parameters: Mapping[str, object]) -> int | None:
    """The most tokens that an answer may have; None where nothing bounds it."""
    found = [value for key in BOUNDS if type(value := parameters.get(key)) is int and value > 0]
    return max(found, default=None)


def unbounded(endpoint: Endpoint, parameters: Mapping[str, object], budget: Budget) -> str | None:
    """Why a budget cannot be kept with requests of these parameters: nobody knows what one may take."""
    if getattr(endpoint.connector, "offline", False):
        return None
    priced = budget.cost is not None and not _free(endpoint)
    if priced and endpoint.prices is None:
        return "--llmeval-max-cost needs its `prices:`, else a request may cost anything"
    option = "--llmeval-max-tokens" if budget.tokens is not None else "--llmeval-max-cost" if priced else ""
    if option and bound(parameters) is None:
        bounds = f"`{BOUNDS[0]}` (or `{BOUNDS[1]}`)"
        return f"{option} needs {bounds} in its `parameters:`, else an answer may take any number of tokens"
    return None


def _free(endpoint: Endpoint) -> bool:
    return bool(getattr(endpoint.connector, "free", False))


def _spent(budget: Budget) -> str:
    return f"the budget of {count(budget.requests or 0, 'request')} is spent (--llmeval-max-requests)"


def _too_little_tokens(budget: Budget) -> str:
    return f"the budget of {count(budget.tokens or 0, 'token')} has no room for it (--llmeval-max-tokens)"


def _too_little_money(budget: Budget) -> str:
    return f"the budget of {budget.cost:g} USD has no room for it (--llmeval-max-cost)"
