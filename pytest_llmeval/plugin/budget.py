"""Options and ini keys of what a run may spend."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import pytest

from ..core.budget import Budget


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("llmeval")
    for name, metavar, what in (
        ("requests", "N", "requests that the run may send, further attempts counted, over all its processes"),
        ("tokens", "N", "tokens that the run may take, of prompts and answers; needs `max_tokens` in parameters"),
        ("cost", "USD", "US dollars that the run may cost; needs `prices:` of endpoints and `max_tokens`"),
    ):
        says = f"the most {what}; what is left is skipped; default: no limit"
        group.addoption(f"--llmeval-max-{name}", metavar=metavar, dest=f"llmeval_max_{name}", help=says)
        parser.addini(f"llmeval_max_{name}", f"as --llmeval-max-{name}", default="")


def read_budget(config: pytest.Config) -> Budget | None:
    """None where nothing was said. Raises pytest.UsageError where a value cannot be meant."""
    requests = _read(config, "requests", int, "whole number, at least 0")
    tokens = _read(config, "tokens", int, "whole number, at least 0")
    cost = _read(config, "cost", float, "number of US dollars, at least 0")
    found = Budget(None if requests is None else int(requests), None if tokens is None else int(tokens), cost)
    return None if found == Budget() else found


def _read(config: pytest.Config, name: str, kind: Callable[[str], float], wanted: str) -> float | None:
    option = config.getoption(f"llmeval_max_{name}")
    text = str(config.getini(f"llmeval_max_{name}") if option is None else option).strip()
    if not text and option is None:
        return None
    try:
        value = kind(text)
    except ValueError:
        value = -1
    if not isfinite(value) or value < 0:
        where = f"ini llmeval_max_{name}" if option is None else f"--llmeval-max-{name}"
        raise pytest.UsageError(f"{where}: {text!r} is no {wanted}")
    return value
