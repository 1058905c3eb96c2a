"""What this machine lacks for the endpoints of a session that only collects: a run would have said so itself."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import pytest

from ..core.endpoint import Endpoint
from ..core.plan import RecipePlan
from ..core.text import one_line
from .keys import SETTINGS

#: ids of endpoints that were looked at
LOOKED_AT: pytest.StashKey[set[str]] = pytest.StashKey()


class UnavailableWarning(pytest.PytestWarning):
    """An endpoint that cannot be asked on this machine."""


def warn_of_lacks(config: pytest.Config, plans: Iterable[RecipePlan]) -> None:
    """One warning for each endpoint; none where stored answers alone are wanted."""
    if not config.option.collectonly or config.stash[SETTINGS].cache == "only":
        return
    looked_at = config.stash.setdefault(LOOKED_AT, set())
    for plan in plans:
        if plan.endpoint.id in looked_at:
            continue
        looked_at.add(plan.endpoint.id)
        lack = lack_of(plan.endpoint)
        if lack:
            place = plan.endpoint.origin if plan.endpoint.origin.path else plan.origin
            text = f"endpoint {plan.endpoint.id} is not available here: {one_line(lack)}"
            warnings.warn_explicit(UnavailableWarning(text), None, place.path, place.line)


def lack_of(endpoint: Endpoint) -> str:
    """What this machine lacks for an endpoint; empty where it lacks nothing that can be told beforehand."""
    if endpoint.fixture is not None:
        return ""
    missing = getattr(endpoint.connector, "missing", None)
    return (missing() or "") if missing is not None else ""
