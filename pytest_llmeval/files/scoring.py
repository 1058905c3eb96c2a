"""A recipe's ``metrics:`` and ``extract:`` as objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pytest_llmeval.core.condition import check_name
from pytest_llmeval.core.errors import Fault, Faults
from pytest_llmeval.core.extension import Metric
from pytest_llmeval.core.extraction import Extraction, LastLine, Lower, RegexStep, Step, Strip
from pytest_llmeval.core.plain import absent, finite, text_of, value_of
from pytest_llmeval.core.plan import MetricUse
from pytest_llmeval.core.registry import Registry
from pytest_llmeval.core.sample import Origin
from pytest_llmeval.core.text import did_you_mean

from .document import Place
from .fields import NOT_YET, kind_of, shown
from .fitting import Where
from .options import build, unknown

_PLAIN_STEPS: Mapping[str, type[Step]] = {"strip": Strip, "lower": Lower, "last_line": LastLine}
_STEPS = ["regex", *_PLAIN_STEPS]
#: stands for the options of a metric that is written by its name alone
_BARE = object()


def metric_from(node: object, where: Where, registry: Registry) -> MetricUse:
    """A metric from a name or ``{name: options}``. Raises Faults."""
    name, options, named = _split(node, "metric", where.place)
    if name == "not":
        return _contrary(options, where, named, registry)
    reason = unknown(registry, "metric", name)
    if reason is not None:
        raise Faults([named.name_fault(reason, name)])
    own = _own(options, named)
    rest = {key: value for key, value in options.items() if key not in {"name", "pass"}}
    try:
        metric: Metric = build(registry, "metric", name, rest, replace(where, place=named))
    except Faults as raised:
        raise Faults([*own.faults, *raised.faults]) from raised
    load = getattr(metric, "load", None)
    if callable(load):
        try:
            load()
        except ValueError as error:
            own.faults.append(named.fault(str(error)))
    return own.use(name, metric, where)


def metrics_from(
    nodes: Sequence[object], where: Where, registry: Registry
) -> tuple[tuple[MetricUse, ...], list[Fault]]:
    """All metrics of a recipe, and what is wrong with them; two of one name are an error."""
    made: list[MetricUse] = []
    faults: list[Fault] = []
    lines: dict[str, Origin] = {}
    for index, node in enumerate(nodes):
        place = where.place.at(index)
        try:
            use = metric_from(node, replace(where, place=place), registry)
        except Faults as raised:
            faults.extend(raised.faults)
            continue
        if use.name in lines:
            line = lines[use.name].line
            faults.append(place.fault(f"two metrics are named {use.name!r} (line {line}); `name:` renames one"))
        lines.setdefault(use.name, use.origin)
        made.append(use)
    return tuple(made), faults


def extraction_from(nodes: Sequence[object], place: Place) -> tuple[Extraction | None, list[Fault]]:
    """The steps of ``extract:``, and what is wrong with them."""
    steps: list[Step] = []
    faults: list[Fault] = []
    for index, node in enumerate(nodes):
        try:
            steps.append(_step(node, place.at(index)))
        except Faults as raised:
            faults.extend(raised.faults)
    return (Extraction(tuple(steps)) if steps else None), faults


@dataclass(slots=True)
class _Own:
    """What every metric has among its options."""

    name: str | None
    passing: float | None
    faults: list[Fault]
    place: Place

    def use(self, default: str, metric: Metric, where: Where) -> MetricUse:
        name = self.name or default
        reason = check_name(name)
        if reason is not None:
            self.faults.append((self.place.at("name") if self.name else self.place).fault(reason))
        if self.faults:
            raise Faults(self.faults)
        return MetricUse(name, metric, self.passing, where.place.origin)


def _own(options: Mapping[str, object], place: Place) -> _Own:
    faults: list[Fault] = []
    name = text_of(options.get("name"))
    if name is None and not absent(options.get("name")):
        faults.append(place.at("name").fault(f"a text is expected, this is {kind_of(options['name'])}"))
    passing = value_of(options.get("pass"))
    if passing is not None and (
        isinstance(passing, bool) or not isinstance(passing, int | float) or not finite(passing)
    ):
        faults.append(place.at("pass").fault(f"a number is expected, found {shown(options['pass'])}"))
        passing = None
    return _Own(name, None if passing is None else float(cast("float", passing)), faults, place)


def _contrary(options: Mapping[str, object], where: Where, named: Place, registry: Registry) -> MetricUse:
    """``not:`` with the metric under it; ``name:`` and ``pass:`` may stand beside that metric."""
    from pytest_llmeval.metrics.not_ import Not

    own = _own(options, named)
    rest = {key: value for key, value in options.items() if key not in {"name", "pass"}}
    if len(rest) != 1:
        raise Faults([named.fault("`not` stands before one metric, such as `not: {includes: {text: sorry}}`")])
    node: object = next(iter(rest)) if _BARE in rest.values() else rest
    inner = metric_from(node, replace(where, place=named), registry)
    if inner.passing is not None:
        raise Faults([named.fault("`pass:` stands beside the metric that `not` is before, not among its options")])
    try:
        metric = Not(inner.metric)
    except ValueError as error:
        raise Faults([named.fault(str(error))]) from None
    return own.use(f"not_{inner.name}", metric, where)


def _split(node: object, kind: str, place: Place) -> tuple[str, Mapping[str, object], Place]:
    """A name, its options, and where these stand."""
    if not isinstance(node, Mapping):
        name = text_of(node)
        if name is None:
            raise Faults([place.fault(f"the name of a {kind} is expected, this is {kind_of(node)}")])
        return name, {}, place
    if len(node) != 1:
        raise Faults([place.fault(f"one {kind} with its options is expected; this mapping has {len(node)} keys")])
    name = next(iter(node))
    options = node[name]
    where = place.at(name)
    if absent(options):
        return name, {}, where
    if name == "not" and not isinstance(options, Mapping):
        inner = text_of(options)
        if inner is None:
            raise Faults([where.fault(f"`not` stands before a metric, this is {kind_of(options)}")])
        return name, {inner: _BARE}, where
    if not isinstance(options, Mapping):
        raise Faults([where.fault(f"the options of {name} are a mapping, this is {kind_of(options)}")])
    return name, options, where


def _step(node: object, place: Place) -> Step:
    name = text_of(node)
    options: object = None
    if isinstance(node, Mapping) and len(node) == 1:
        name, options = next(iter(node.items()))
        place = place.at(name)
    if name == "json_path":
        raise Faults([place.name_fault(f"`json_path` is {NOT_YET}", name)])
    if name is None:
        raise Faults([place.fault(f"a step of {', '.join(_STEPS)} is expected, this is {kind_of(node)}")])
    if name in _PLAIN_STEPS and absent(options):
        return _PLAIN_STEPS[name]()
    if name == "regex":
        return _regex(options, place)
    if name in _PLAIN_STEPS:
        raise Faults([place.fault(f"{name} has no options")])
    hint = did_you_mean(name, _STEPS) or f"; there are {', '.join(_STEPS)}"
    raise Faults([place.name_fault(f"no step {name!r}{hint}", name)])


def _regex(options: object, place: Place) -> Step:
    values: Mapping[str, object] = options if isinstance(options, Mapping) else {"pattern": options}
    faults = [
        place.key_fault(f"unknown key {key!r}{did_you_mean(key, ['pattern', 'match'])}", key)
        for key in values
        if key not in {"pattern", "match"}
    ]
    pattern = text_of(values.get("pattern"))
    match = "last" if absent(values.get("match")) else text_of(values.get("match"))
    if pattern is None:
        faults.append(place.fault("`regex` needs a pattern"))
    if match not in {"first", "last"}:
        faults.append(place.at("match").fault(f"first or last is expected, found {shown(values.get('match'))}"))
    if faults or pattern is None:
        raise Faults(faults)
    try:
        return RegexStep(pattern, "first" if match == "first" else "last")
    except ValueError as error:
        raise Faults([place.fault(str(error))]) from None
