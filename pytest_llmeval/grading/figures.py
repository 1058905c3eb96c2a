"""The figure of a measure by a statistic, from a tally."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import floor, fsum, isnan, nan, sqrt

from pytest_llmeval.core.measures import POOLED, QUANTILES, Measure, range_of
from pytest_llmeval.core.record import Group
from pytest_llmeval.core.result import Figure
from pytest_llmeval.core.summary import GroupSummary

from .intervals import GroupScores, estimate, interval, mean
from .tally import Tally

#: what tells of the service rather than of the answers
SERVICE = frozenset({"errors", "refused", "truncated", "latency"})
#: what an answer may come without; then nothing is known of the whole
_COUNTED = frozenset({"latency", "tokens", "cost"})


def figure(tally: Tally, measure: str, statistic: str | None = None, *, group: int | None = None) -> Figure:
    """A measure's statistic (None: its default one), over all that was asked or over one group.

    ``value`` is None, and ``reason`` says why, where a metric raised, where an answer came without its count, where a
    group has no score, where too few samples are there for it. Answers that are missing beside others change nothing
    here: whether they are too many is for the verdict to say.
    """
    which = tally.recipe.measures[measure]
    statistic = which.statistic if statistic is None else statistic
    if statistic == "n":
        n = _distinct(tally, _places(tally, "errors", group, only=0.0))
        return Figure(float(n), n)
    places, values = _scored(tally, which, statistic, group)
    n = _distinct(tally, places)
    reason = _why_unknown(tally, measure, group)
    if reason:
        return Figure(None, n, reason=reason)
    if statistic in POOLED:
        value = pooled(values, statistic)
        return Figure(value, n, reason="" if value is not None else _too_few(tally, measure, statistic))
    wanted = tally.averaged if group is None else [group]
    scored = _by_group(tally, places, values)
    if measure in SERVICE:
        wanted = [number for number in wanted if number in scored]
    empty = [number for number in wanted if number not in scored]
    if empty or not wanted:
        return Figure(None, n, reason=_why_empty(tally, which, empty))
    return _averaged(tally, which, statistic, [scored[number] for number in wanted], n)


def groups(tally: Tally, measures: Sequence[str] | None = None) -> tuple[GroupSummary, ...]:
    """Each group's n and figures (None: of the recipe's metrics), in the recipe's order."""
    shown = tally.recipe.metrics if measures is None else measures
    return tuple(
        GroupSummary(
            tally.groups[number],
            int(figure(tally, "errors", "n", group=number).n),
            {name: figure(tally, name, group=number) for name in shown if name != "grade"},
        )
        for number in range(len(tally.groups))
    )


def pooled(values: Sequence[float], statistic: str) -> float | None:
    """sum, min, max, sd or a quantile of numbers; None where they are too few for it."""
    if statistic == "sum":
        return fsum(values) if values else None
    if not values:
        return None
    if statistic == "sd":
        if len(values) < 2:
            return None
        middle = mean(values)
        return sqrt(fsum((value - middle) ** 2 for value in values) / (len(values) - 1))
    if statistic in QUANTILES:
        return quantile(sorted(values), QUANTILES[statistic])
    return min(values) if statistic == "min" else max(values)


def quantile(rising: Sequence[float], p: float) -> float:
    """The p-quantile of sorted numbers by linear interpolation (type 7 of Hyndman and Fan 1996)."""
    place = (len(rising) - 1) * p
    below = floor(place)
    if below + 1 >= len(rising):
        return rising[-1]
    return rising[below] + (place - below) * (rising[below + 1] - rising[below])


def describe(group: Group) -> str:
    """``capitals under terse``."""
    return group.dataset if group.template is None else f"{group.dataset} under {group.template}"


def _averaged(tally: Tally, measure: Measure, statistic: str, scored: Sequence[GroupScores], n: int) -> Figure:
    found = estimate(scored)
    plain = len(scored) == 1 and tally.recipe.repeats == 1 and not tally.recipe.clustered
    kind = "rate" if statistic == "rate" else "mean"
    binary = measure.binary or kind == "rate"
    ends = interval(found, binary=binary, plain=plain, bounds=range_of(measure, kind))
    if statistic == kind:
        low, high = ends if ends is not None else (None, None)
        return Figure(found.value, n, low, high, found.se)
    value = found.se if statistic == "se" else None if ends is None else ends[statistic == "high"]
    return Figure(value, n, reason="" if value is not None else _too_few(tally, measure.name, statistic))


def _distinct(tally: Tally, places: Sequence[int]) -> int:
    return len({tally.units.sample[place] for place in places})


def _by_group(tally: Tally, places: Sequence[int], values: Sequence[float]) -> dict[int, GroupScores]:
    """Scores by group, repeats reduced to their mean."""
    units = tally.units
    by_group: defaultdict[int, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
    for place, value in zip(places, values, strict=True):
        samples, scores = by_group[units.group[place]]
        samples.append(units.sample[place])
        scores.append(value)
    found = {}
    for number, (samples, scores) in by_group.items():
        answers = len(scores)
        once, reduced = (samples, scores) if tally.recipe.repeats == 1 else _reduced(samples, scores)
        observations = [tally.observations[sample] for sample in once]
        found[number] = GroupScores(tally.groups[number].dataset, observations, reduced, answers)
    return found


def _reduced(samples: Sequence[int], scores: Sequence[float]) -> tuple[list[int], list[float]]:
    repeats: defaultdict[int, list[float]] = defaultdict(list)
    for sample, score in zip(samples, scores, strict=True):
        repeats[sample].append(score)
    return list(repeats), [mean(own) for own in repeats.values()]


def _scored(tally: Tally, measure: Measure, statistic: str, group: int | None) -> tuple[list[int], list[float]]:
    """The places of the units that have a value of this measure, and the values."""
    column = tally.units.values[measure.name]
    if statistic == "rate" and measure.passing is not None and not measure.binary:
        places = _places(tally, "errors", group, only=0.0)  # an answer without a score does not reach it
        return places, [_reaches(measure, column[place]) for place in places]
    places = _places(tally, measure.name, group)
    return places, [column[place] for place in places]


def _reaches(measure: Measure, score: float) -> float:
    bound = nan if measure.passing is None else measure.passing
    return float(score <= bound if measure.better == "low" else score >= bound)  # NaN reaches nothing


def _places(tally: Tally, measure: str, group: int | None, only: float | None = None) -> list[int]:
    column, of = tally.units.values[measure], tally.units.group
    return [
        place
        for place, value in enumerate(column)
        if not isnan(value) and (group is None or of[place] == group) and (only is None or value == only)
    ]


def _why_unknown(tally: Tally, measure: str, group: int | None) -> str:
    raised = tally.raised.get(measure)
    if raised is not None and (group is None or _lacks(tally, measure, group)):
        whose = measure if measure not in {"passed", "missed"} else "a metric"
        return f"{whose} raised on {raised.count:,} of {tally.answered:,} answers: {raised}"
    lacking = tally.unscored.get(measure, 0)
    if measure in _COUNTED and lacking and (group is None or _lacks(tally, measure, group)):
        lack = {"latency": "a latency", "tokens": "a count of tokens", "cost": "a cost"}[measure]
        return f"{lacking:,} of {tally.answered:,} answers came without {lack}"
    return ""


def _lacks(tally: Tally, measure: str, group: int) -> bool:
    return len(_places(tally, measure, group)) < len(_places(tally, "errors", group, only=0.0))


def _why_empty(tally: Tally, measure: Measure, empty: Sequence[int]) -> str:
    if not tally.wanted:
        return "every row is skipped"
    if not tally.answered:
        return "no answer came"
    where = ", ".join(describe(tally.groups[number]) for number in empty)
    answered = any(_places(tally, "errors", number, only=0.0) for number in empty)
    if answered:
        return f"no answer of {where} has a score by {measure.name}"
    skipped = all(number not in tally.present for number in empty)
    return f"every row of {where} is skipped" if skipped else f"no answer came for {where}"


def _too_few(tally: Tally, measure: str, statistic: str) -> str:
    if not tally.answered:
        return "no answer came"
    if statistic in POOLED:
        return f"too few scores for {measure}.{statistic}"
    least = "two clusters" if tally.recipe.clustered else "two samples"
    return f"{measure}.{statistic} needs an interval, and for one each dataset needs {least} whose scores vary"
