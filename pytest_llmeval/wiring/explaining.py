"""Why a request would be asked again, as ``python -m pytest_llmeval state explain`` tells it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..core.clock import Clock, timestamp
from ..core.endpoint import Endpoint
from ..core.nearest import Nearest
from ..core.options import secret_values
from ..core.plan import RecipePlan, Unit
from ..core.redaction import Redactor
from ..reports.failure.texts import columns
from ..state.sqlite.cache import DAY, Mode, redacted_parts
from ..state.sqlite.nearest import Stored, told
from ..state.sqlite.reading import stored_of

#: how many stored requests are compared with one that somebody asks about
COMPARED = 1_000


@dataclass(frozen=True, slots=True)
class Explaining:
    """What a run would go by: its state, and which stored answers may serve it."""

    state: Path
    mode: Mode
    ttl_days: float | None
    clock: Clock

    def explain(self, plan: RecipePlan, unit: Unit) -> list[str]:
        """Lines: whether the answer is stored, else which part of the key differs from the nearest stored request.

        Raises StateError where the state cannot be read.
        """
        endpoint = plan.endpoint
        never = _never_kept(endpoint)
        if unit.record.skip is not None:
            return ["its file skips it: nothing is asked"]
        if never:
            return [never]
        if self.mode in {"refresh", "off"}:
            return [f"asked again: --llmeval-cache {self.mode} takes no earlier answers"]
        if not self.state.exists():
            return [f"asked: there is no state at {self.state} yet"]
        parts = redacted_parts(unit.parts, _redactor(endpoint))
        found = stored_of(self.state, unit.record.key, parts, COMPARED, self.clock)
        if found.answered is not None:
            return [self._answered(found.answered)]
        return _missing(found)

    def _answered(self, when: float) -> str:
        if self.ttl_days is not None and when < self.clock.now() - self.ttl_days * DAY:
            days = f"{self.ttl_days:g} days of llmeval_cache_ttl"
            return f"asked again: its answer of {timestamp(when)} is older than the {days}"
        return f"not asked again: its answer of {timestamp(when)} is stored"


def _never_kept(endpoint: Endpoint) -> str:
    if getattr(endpoint.connector, "offline", False):
        return f"nothing is asked: {endpoint.id} reads answers that are there"
    if getattr(endpoint.connector, "keep", "always") == "always":
        return ""
    why = " (it has no `version:`)" if endpoint.connector.id == "python" else ""
    return f"asked in every run: answers of {endpoint.id} serve their own run only{why}"


def _redactor(endpoint: Endpoint) -> Redactor:
    redactor = Redactor()
    for value in secret_values(endpoint.connector, os.environ):
        redactor.add(value)
    return redactor


def _missing(found: Stored) -> list[str]:
    nearest = found.nearest
    if nearest is None or not nearest.differences:
        return [f"asked: no stored answer. {told(found)}"]
    return [
        f"asked: no stored answer. The nearest stored request (answer of {timestamp(nearest.created)}) differs in",
        *_table(nearest),
    ]


def _table(nearest: Nearest) -> list[str]:
    rows = [("part", "here", "stored"), *((one.part, one.here, one.stored) for one in nearest.differences)]
    return [f"  {line}" for line in columns(rows)]
