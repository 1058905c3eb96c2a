"""What is sent once, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .sample import Message, Sample

TRUNCATED = frozenset({"length", "max_tokens", "MAX_TOKENS"})
FILTERED = frozenset({"content_filter", "refused", "SAFETY"})


@dataclass(frozen=True, slots=True)
class Request:
    """One question to an endpoint.

    ``messages`` are as sent, system text included; ``prompt`` is the last user message; ``parameters`` go on the wire;
    ``repeat`` counts from 1; ``sample`` is the row it was made from (None for a fixture's own question);
    ``dataset`` and ``template`` say which group it belongs to, for connectors that look answers up.
    """

    messages: tuple[Message, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    repeat: int = 1
    sample: Sample | None = None
    dataset: str | None = None
    template: str | None = None

    @property
    def prompt(self) -> str:
        for message in reversed(self.messages):
            if message["role"] == "user":
                return message["content"]
        return self.messages[-1]["content"] if self.messages else ""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What a service said of its own limits (counts, seconds until full); None where it said nothing."""

    calls: int | None = None
    calls_remaining: int | None = None
    calls_reset: float | None = None
    tokens: int | None = None
    tokens_remaining: int | None = None
    tokens_reset: float | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer.

    ``finish`` is the provider's own word (``stop``, ``length``, ``content_filter``, …); tokens are counts or None
    where unknown (a bare total stands in ``output_tokens`` with ``input_tokens`` None); ``latency`` is in seconds,
    of the call that got the answer; ``cost`` in USD; ``reasoning`` is kept beside the text and never taken for it.
    """

    text: str
    finish: str = "stop"
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency: float | None = None
    cost: float | None = None
    reasoning: str | None = None
    limits: RateLimits | None = None

    @property
    def tokens(self) -> int | None:
        """Input and output together, or None where no count came."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)

    @property
    def truncated(self) -> bool:
        """Cut at the limit of tokens."""
        return self.finish in TRUNCATED

    @property
    def refused(self) -> bool:
        """Held back by the service's own filter."""
        return self.finish in FILTERED
