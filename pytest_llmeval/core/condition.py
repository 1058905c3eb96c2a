"""Conditions as users write them: ``exact_match >= 0.6``, ``{measure: latency.p95, at_most: 2 s}``; and their gates."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from .measures import STATISTICS, Condition, Form, Grading, Measure, Measures, Operator, direction, range_of
from .sample import NOWHERE, Origin
from .text import did_you_mean

BUILT_IN_NAMES: frozenset[str] = frozenset(
    {"latency", "tokens", "cost", "errors", "refused", "truncated", "missed", "passed", "grade"}
)
_BUILT_IN = (
    Measure("latency", "low", (0.0, None), builtin=True, unit="s"),
    Measure("tokens", "low", (0.0, None), statistic="sum", builtin=True, unit="tokens"),
    Measure("cost", "low", (0.0, None), statistic="sum", builtin=True, unit="usd"),
    Measure("errors", "low", binary=True, builtin=True),
    Measure("refused", None, binary=True, builtin=True),
    Measure("truncated", "low", binary=True, builtin=True),
    Measure("missed", "low", binary=True, builtin=True),
    Measure("passed", "high", binary=True, builtin=True),
)
_NAME = re.compile(r"[\w-]+")
_SHORT = re.compile(r"\s*(?P<head>[^<>=!\s][^<>=!]*?)\s*(?P<operator>[<>=!]+)\s*(?P<value>.*?)\s*", re.DOTALL)
_NUMBER = re.compile(r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(?P<unit>%|[^\W\d_]*)")
_OPERATORS = (">=", ">", "<=", "<", "==")
_BOUNDS: Mapping[str, Operator] = {"at_least": ">=", "at_most": "<="}
_LATER = {"confidence", "no_regression"}
#: unit -> (what it counts, how many of it one is); the empty one is a plain share
_UNITS: Mapping[str, tuple[str, float]] = {
    "ms": ("s", 1000.0),
    "s": ("s", 1.0),
    "tokens": ("tokens", 1.0),
    "usd": ("usd", 1.0),
    "points": ("", 100.0),
    "%": ("", 100.0),
}
_READS = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}
_TURNED = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}


def built_in_measures(grading: Grading | None) -> dict[str, Measure]:
    """The measures that every recipe has; ``grade`` among them where there is a grading."""
    found = {measure.name: measure for measure in _BUILT_IN}
    if grading is not None:
        found["grade"] = grade_measure(grading.labels)
    return found


def grade_measure(labels: tuple[str, ...]) -> Measure:
    """``grade`` with its labels, best first; a cookbook's has the labels of all its recipes' scales."""
    return Measure("grade", "high", (None, None), builtin=True, labels=labels)


def check_name(name: str) -> str | None:
    """Why a metric cannot have this name, or None."""
    if not _NAME.fullmatch(name):
        return f"a metric's name is made of letters, digits, '_' and '-', and {name!r} is not; `name:` gives it another"
    if name in BUILT_IN_NAMES:
        return f"{name!r} is the name of a built-in measure; `name:` gives the metric another"
    return None


def needs_prices(condition: Condition) -> bool:
    """Whether an endpoint without prices leaves this condition unanswered (answers may still carry their cost)."""
    return condition.measure == "cost"


def any_grade(grading: Grading, origin: Origin = NOWHERE) -> Condition:
    """The condition of a recipe that has a grading and no thresholds: it holds whenever there is a grade."""
    return Condition("grade", "mean", ">=", 0.0, "grade", label=grading.labels[-1], origin=origin)


def parse_measure(text: str, measures: Measures) -> tuple[Measure, str]:
    """``MEASURE[.STATISTIC]`` to the measure and its statistic (the default one where none is named).

    Raises ValueError, with the way out, where there is no such measure, no such statistic or not the two together.
    """
    name, dot, statistic = text.strip().partition(".")
    name = name.strip()
    measure = measures.get(name)
    if measure is None:
        if name == "grade":
            raise ValueError("'grade' needs a `grading:` in the recipe")
        known = ", ".join(sorted(measures))
        raise ValueError(f"no measure {name!r}{did_you_mean(name, sorted(measures)) or '.'} There are: {known}")
    if not dot:
        return measure, measure.statistic
    statistic = statistic.strip()
    if name == "grade":
        raise ValueError(f"'grade' has no statistics: write `grade`, not `grade.{statistic}`")
    if statistic not in STATISTICS:
        near = did_you_mean(statistic, list(STATISTICS)) or "."
        raise ValueError(f"no statistic {statistic!r} of {name}{near} There are: {', '.join(STATISTICS)}")
    if statistic == "rate" and not measure.binary and measure.passing is None:
        raise ValueError(_no_rate(measure))
    return measure, statistic


def parse_condition(source: object, measures: Measures, origin: Origin = NOWHERE) -> Condition:
    """A condition from what stands in a file: a text, or a mapping (the long form).

    Raises ValueError with the full text for the user: what is wrong and what may have been meant.
    """
    if isinstance(source, str):
        return _short(source, measures, origin)
    if isinstance(source, Mapping):
        return _long(cast("Mapping[str, object]", source), measures, origin)
    raise ValueError(
        "a condition is a text such as `exact_match >= 0.6` or a mapping such as "
        f"{{measure: exact_match, at_least: 0.6}}, not {source!r}"
    )


def gate_name(condition: Condition) -> str:
    """``gate:exact_match``, ``gate:latency.p95``, ``gate:exact_match:at_least``: the measure as it is written."""
    written = _SHORT.fullmatch(condition.text)
    head = re.sub(r"\s+", "", written["head"]) if written else condition.measure
    return f"gate:{head}" if condition.form == "short" else f"gate:{head}:{condition.form}"


def gate_names(conditions: Iterable[Condition]) -> list[str]:
    """The names of a recipe's gates in order; a second one of a name gets ``~2``, a third ``~3``."""
    seen: Counter[str] = Counter()
    names = []
    for condition in conditions:
        name = gate_name(condition)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}~{seen[name]}")
    return names


@dataclass(frozen=True, slots=True)
class _Written:
    """What a condition says before its value is read: ``head`` is the measure as written."""

    head: str
    operator: Operator
    value: str
    measure: Measure
    statistic: str

    def __str__(self) -> str:
        return f"{self.head} {self.operator} {self.value}"

    @property
    def wants_more(self) -> bool:
        return self.operator in {">=", ">"}


def _short(text: str, measures: Measures, origin: Origin) -> Condition:
    match = _SHORT.fullmatch(text)
    if match is None or not match["value"]:
        raise ValueError(
            f"{text!r} is no condition: write MEASURE[.STATISTIC] OPERATOR VALUE, such as `exact_match >= 0.6`; "
            f"operators are {' '.join(_OPERATORS)}"
        )
    operator = match["operator"]
    if operator not in _OPERATORS:
        meant = {"=": "==", "=>": ">=", "=<": "<="}.get(operator)
        hint = f"did you mean {meant!r}?" if meant else f"there are {' '.join(_OPERATORS)}"
        raise ValueError(f"{text.strip()!r}: no operator {operator!r}; {hint}")
    written = _written(match["head"], cast("Operator", operator), match["value"], measures)
    return _condition(written, "short", origin, deliberate=False)


def _long(mapping: Mapping[str, object], measures: Measures, origin: Origin) -> Condition:
    known = ["measure", *_BOUNDS, "deliberate"]
    for key in mapping:
        if key in _LATER:
            raise ValueError(f"`{key}:` is not supported yet: a condition compares a figure (`at_least:`, `at_most:`)")
        if key not in known:
            near = did_you_mean(str(key), known) or "."
            raise ValueError(f"unknown key {str(key)!r} in a condition{near} There are: {', '.join(known)}")
    head = mapping.get("measure")
    if not isinstance(head, str) or not head.strip():
        raise ValueError("a condition names what it is on: {measure: exact_match, at_least: 0.6}")
    bounds = [key for key in _BOUNDS if mapping.get(key) is not None]
    if len(bounds) != 1:
        both = "not both of" if bounds else "one of"
        raise ValueError(f"a condition on {head} has {both} `at_least:` and `at_most:`; for two bounds write two")
    deliberate = mapping.get("deliberate", False)
    if not isinstance(deliberate, bool):
        # the caller reports every fault of a user's file as one class
        raise ValueError(f"`deliberate:` is true or false, not {deliberate!r}")  # noqa: TRY004
    form = cast("Form", bounds[0])
    written = _written(head, _BOUNDS[form], _text_of(mapping[form], form), measures)
    return _condition(written, form, origin, deliberate=deliberate)


def _text_of(value: object, key: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        # as above
        raise ValueError(  # noqa: TRY004
            f"`{key}:` is a number, a percentage, a number with a unit or a label, not {value!r}"
        )
    return value.strip() if isinstance(value, str) else repr(value)


def _written(head: str, operator: Operator, value: str, measures: Measures) -> _Written:
    measure, statistic = parse_measure(head, measures)
    return _Written(re.sub(r"\s+", "", head), operator, value, measure, statistic)


def _condition(written: _Written, form: Form, origin: Origin, *, deliberate: bool) -> Condition:
    graded = written.measure.name == "grade"
    label = _label(written.value, written.measure) if graded else None
    value = 0.0 if graded else _number(written)
    if not deliberate:
        _check_direction(written)
    return Condition(
        written.measure.name, written.statistic, written.operator, value, str(written), label, form, origin
    )


def _label(value: str, measure: Measure) -> str:
    unquoted = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
    for label in (value, unquoted):
        if label in measure.labels:
            return label
    near = did_you_mean(unquoted, list(measure.labels)) or "."
    raise ValueError(f"the scale has no label {unquoted!r}{near} Best first it has: {', '.join(measure.labels)}")


def _number(written: _Written) -> float:
    match = _NUMBER.fullmatch(written.value)
    if match is None:
        raise ValueError(
            f"`{written}`: {written.value!r} is no value; it is a number (0.6), a percentage (60%) "
            f"or a number with a unit ({', '.join(unit for unit in _UNITS if unit != '%')})"
        )
    number, unit = float(match["number"]), match["unit"]
    if unit:
        if unit not in _UNITS:
            near = did_you_mean(unit.lower(), list(_UNITS)) or "."
            raise ValueError(f"`{written}`: no unit {unit!r}{near} There are: {', '.join(_UNITS)}")
        counts, many = _UNITS[unit]
        if not _fits(counts, written.measure, written.statistic):
            raise ValueError(f"`{written}`: {_misfit(written, unit)}")
        number /= many
    if not math.isfinite(number):
        raise ValueError(f"`{written}`: {written.value!r} is no finite number")
    _check_range(written, number, plain=not unit)
    return number + 0.0  # -0.0 is 0


def _fits(counts: str, measure: Measure, statistic: str) -> bool:
    if counts:
        return counts == measure.unit and statistic not in {"n", "rate"}
    low, high = range_of(measure, statistic)
    return statistic not in {"n", "sum"} and low is not None and high is not None and -1 <= low <= high <= 1


def _misfit(written: _Written, unit: str) -> str:
    head, measure = written.head, written.measure
    if written.statistic == "n":
        return f"{head} counts samples, which {unit!r} does not"
    if written.statistic == "rate":
        return f"{head} is a share, which {unit!r} is not; write a percentage"
    if measure.unit:
        own = {"s": "seconds (s, ms)", "usd": "US dollars (usd)"}.get(measure.unit, measure.unit)
        return f"{head} is in {own}, not in {unit!r}"
    if written.statistic == "sum":
        return f"{head} is a sum over answers, no share: write a number, or leave out `.sum`"
    return f"{unit!r} does not fit {head}, which runs {_ends(written)}: write a plain number"


def _check_range(written: _Written, number: float, *, plain: bool) -> None:
    measure = written.measure
    low, high = range_of(measure, written.statistic)
    above = high is not None and round(number, 9) > high
    below = low is not None and round(number, 9) < low
    if not above and not below:
        return
    never = written.operator == "==" or written.wants_more == above
    meant = []
    if above and plain and (low, high) == (0.0, 1.0):
        if number <= 100:
            meant.append(f"`{written}%`")
        if measure.binary and written.statistic in {"mean", "rate"} and number == int(number):
            counted = f"`{measure.name}.sum {written.operator} {written.value}`"
            meant.insert(0 if measure.builtin else 1, counted)
    outcome = "could never hold" if never else "could never fail"
    hint = f"; {' or '.join(meant)} may have been meant" if meant else ""
    raise ValueError(f"`{written}` {outcome}: {written.head} runs {_ends(written)}{hint}")


def _ends(written: _Written) -> str:
    low, high = range_of(written.measure, written.statistic)
    if low is None:
        return "over all numbers" if high is None else f"up to {high:g}"
    return f"from {low:g} upwards" if high is None else f"from {low:g} to {high:g}"


def _check_direction(written: _Written) -> None:
    head, operator, value = written.head, written.operator, written.value
    better = direction(written.measure, written.statistic)
    if better is None or operator == "==" or written.wants_more == (better == "high"):
        return
    reading = f"while {head} is {_READS[operator]} {value}, but {'higher' if better == 'high' else 'lower'} is better"
    if written.measure.name == "grade":
        worse = f"worse than {value}" if operator == "<" else f"{value} or worse"
        reading = f"while the grade is {worse}, since a better grade is greater"
    bound = "at_least" if written.wants_more else "at_most"
    raise ValueError(
        f"`{written}` asks for a worse result: it holds {reading}. Write `{head} {_TURNED[operator]} {value}`, "
        f"or, if it is meant, {{measure: {head}, {bound}: {value}, deliberate: true}}"
    )


def _no_rate(measure: Measure) -> str:
    if measure.builtin:
        return f"`{measure.name}.rate`: {measure.name} is no 0/1 score; write its mean or a quantile"
    return (
        f"`{measure.name}.rate` is the share of answers that are good enough, and nothing says from which score on "
        f"they are: give the metric `pass:`, or write `{measure.name}` for the mean"
    )
