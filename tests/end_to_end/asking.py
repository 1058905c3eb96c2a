"""A project whose recipe asks a loopback server."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pytest_llmeval.testing import Received


def yaml(**keys: object) -> str:
    """A mapping, a key a line, each value as JSON: any text can be written so."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in keys.items() if value is not None)


def samples(*prompts: str, target: str = "ok") -> list[dict[str, object]]:
    """A row a prompt; the first word is its id."""
    return [{"id": prompt.split()[0], "input": prompt, "target": target} for prompt in prompts]


def numbered(count: int) -> list[dict[str, object]]:
    return samples(*(f"q{i} and its question" for i in range(count)))


def asks(
    project, url: str, rows: Sequence[object], *, endpoint: dict[str, object] | None = None, **keys: object
) -> None:
    """Write a recipe ``asks`` of these rows, and the endpoint ``small`` that it asks, a key for a key."""
    service = {"endpoint": "Small", "connector": "openai", "base_url": url, "model": "small-1", **(endpoint or {})}
    usual = {"recipe": "Asks", "endpoints": "small", "metrics": ["exact_match"], "thresholds": ["exact_match >= 50%"]}
    recipe = {**usual, **keys, "samples": rows}
    project.write("recipes/endpoints/small.yaml", yaml(**service))
    project.write("recipes/asks.yaml", yaml(**recipe))


def about(word: str):
    """Whether a request's prompt begins with that word."""

    def begins(received: Received) -> bool:
        return received.prompt.split(maxsplit=1)[0] == word

    return begins


def rows(report: dict) -> dict[str, dict]:
    """The report's samples by their ids."""
    return {row["sample"]: row for row in report["samples"]}
