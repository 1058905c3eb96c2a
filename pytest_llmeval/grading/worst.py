"""Which samples did worst by a measure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import isnan

from pytest_llmeval.core.measures import Condition

from .intervals import mean
from .tally import Tally


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample by its mean over templates and repeats; ``nodeid`` is that of its worst response."""

    name: str
    nodeid: str
    value: float


def worst(tally: Tally, condition: Condition, most: int = 5) -> tuple[Sample, ...]:
    """The samples that do worst by a condition's measure, worst first, in plan order where they are alike.

    Where the measure has no direction the condition's operator gives it.
    """
    measure = condition.measure
    if measure == "grade":
        if tally.recipe.grading is None:
            return ()
        return worst_by(tally, tally.recipe.grading.measure, most)
    return worst_by(tally, measure, most, more_is_worse=condition.operator in {"<", "<="})


def worst_by(tally: Tally, measure: str, most: int = 5, *, more_is_worse: bool = True) -> tuple[Sample, ...]:
    """As ``worst``, by a measure; samples at its best value are left out.

    ``more_is_worse`` counts where the measure has no direction.
    """
    which = tally.recipe.measures[measure]
    if which.better is not None:
        more_is_worse = which.better == "low"
    best = which.range[0 if more_is_worse else 1]
    units, sign = tally.units, -1.0 if more_is_worse else 1.0
    places: defaultdict[int, list[int]] = defaultdict(list)
    column = units.values[measure]
    for place, value in enumerate(column):
        if not isnan(value):
            places[units.sample[place]].append(place)
    ranked = []
    for sample, own in places.items():
        value = mean([column[place] for place in own])
        if value == best:
            continue
        place = min(own, key=lambda place: (sign * column[place], units.ordinals[place]))
        ranked.append((sign * value, min(units.ordinals[place] for place in own), sample, place, value))
    ranked.sort(key=lambda entry: entry[:2])
    return tuple(
        Sample(tally.names[sample], units.nodeids[place], value) for _, _, sample, place, value in ranked[:most]
    )
