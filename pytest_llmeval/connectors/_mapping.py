"""A response as users write it: a mapping with ``text`` and what is known beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.text import did_you_mean

#: what may stand beside the text
BESIDE = ("finish_reason", "tokens", "latency", "cost", "reasoning")


def response(text: str, values: Mapping[str, object]) -> Response:
    """The response that ``values`` describe; other keys are passed over, null is absent.

    Raises ValueError that names the key and what it must be.
    """
    sent, got = _tokens(values.get("tokens"))
    return Response(
        text,
        finish=_string(values, "finish_reason") or "stop",
        input_tokens=sent,
        output_tokens=got,
        latency=_number(values, "latency", "seconds"),
        cost=_number(values, "cost", "USD"),
        reasoning=_string(values, "reasoning"),
    )


def unknown(key: str) -> str:
    """What to say of a key that has no meaning."""
    return f"unknown key {key!r}{did_you_mean(key, ['text', *BESIDE])}"


def _string(values: Mapping[str, object], key: str) -> str | None:
    value = values.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"`{key}` must be a text, not {type(value).__name__}")
    return None if value is None else str(value)


def _number(values: Mapping[str, object], key: str, unit: str) -> float | None:
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError(f"`{key}` must be a number of {unit}, at least 0")
    return float(value)


def _tokens(value: object) -> tuple[int | None, int | None]:
    """Input and output; a bare total stands as output."""
    if isinstance(value, Mapping):
        if wrong := set(value) - {"input", "output"}:
            raise ValueError(
                f"`tokens` has {', '.join(map(repr, sorted(map(str, wrong))))}; it takes `input` and `output`"
            )
        return _count(value.get("input")), _count(value.get("output"))
    return None, _count(value)


def _count(value: object) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise ValueError("`tokens` must be whole numbers of at least 0: a total, or {input:, output:}")
    return value
