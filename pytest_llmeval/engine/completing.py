"""What the engine knows of a response that its connector did not say."""

from __future__ import annotations

from dataclasses import replace

from ..core.endpoint import Endpoint
from ..core.exchange import Response


def complete(response: Response, endpoint: Endpoint, latency: float | None = None) -> Response:
    """With ``latency`` (seconds) and the endpoint's price (US dollars) where the connector gave none."""
    if response.latency is None:
        response = replace(response, latency=latency)
    if response.cost is None:
        response = replace(response, cost=_cost(response, endpoint))
    return response


def _cost(response: Response, endpoint: Endpoint) -> float | None:
    if getattr(endpoint.connector, "free", False):
        return 0.0
    prices = endpoint.prices
    if prices is None or response.input_tokens is None or response.output_tokens is None:
        return None
    return (prices.input * response.input_tokens + prices.output * response.output_tokens) / 1e6
