"""A plan: what is to be asked, how it is scored, which conditions are judged; made at collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .endpoint import Endpoint
from .exchange import Request
from .extension import Metric
from .extraction import Extraction
from .record import CookbookRecord, RecipeRecord, UnitRecord
from .sample import NOWHERE, Origin, Sample
from .scores import traits

Misses = Literal["note", "fail"]
Items = Literal["samples", "gates"]


@dataclass(frozen=True, slots=True)
class MetricUse:
    """A metric as a recipe uses it: under which name, and from which score on it counts as good (``pass:``)."""

    name: str
    metric: Metric
    passing: float | None = None
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Scoring:
    """How a response is scored: what is extracted first, then every metric."""

    metrics: tuple[MetricUse, ...]
    extraction: Extraction | None = None

    @property
    def blocking(self) -> bool:
        """Whether a metric may take its time (patterns, users' code): such scoring runs off the engine's loop."""
        return self.extraction is not None or any(traits(use.metric).blocking for use in self.metrics)


@dataclass(frozen=True, slots=True)
class Unit:
    """One response to be had, with all that asking and scoring need."""

    record: UnitRecord
    sample: Sample
    request: Request
    #: what the cache key is a digest of
    parts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RecipePlan:
    """A recipe on one endpoint."""

    record: RecipeRecord
    endpoint: Endpoint
    units: tuple[Unit, ...]
    scoring: Scoring
    misses: Misses
    items: Items = "samples"
    origin: Origin = NOWHERE
    tags_origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class CookbookPlan:
    """A cookbook on one endpoint, with the plans of its recipes in order."""

    record: CookbookRecord
    recipes: tuple[RecipePlan, ...]
    tags: tuple[str, ...] = ()
    items: Items = "gates"
    origin: Origin = NOWHERE
    tags_origin: Origin = NOWHERE
