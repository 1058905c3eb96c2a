"""Frozen data to text and back, exactly: lone surrogates, NUL and numbers that are not finite too.

All JSON here is ASCII (what is not is escaped), which any SQLite text column holds. What is written once an answer has
a codec of its own; the rest goes by its annotations (``plain`` and ``unplain``). Defaults are left out, and what a
later version added is read as its default.
"""

from __future__ import annotations

import hashlib
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, cast

from ...core.exchange import RateLimits, Response
from ...core.record import UnitRecord
from ...core.result import Outcome, OutcomeKind, Score
from ...core.sample import NOWHERE, Origin

T = TypeVar("T")


dumps = json.JSONEncoder(separators=(",", ":")).encode
loads = json.loads


def bind(text: str) -> str | bytes:
    """A text as SQLite takes it: one with lone surrogates, which it refuses, as bytes."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def unbind(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def identity_name(endpoint: str) -> str | bytes:
    """Under which setting the identity of an endpoint is kept."""
    return bind(f"identity/{endpoint}")


def digest_of(text: str) -> bytes:
    """What a text is stored under in ``texts``."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


# --- responses ---

_LIMITS = tuple(field.name for field in fields(RateLimits))


def dump_response(response: Response) -> str:
    kept: dict[str, object] = {"text": response.text}
    if response.finish != "stop":
        kept["finish"] = response.finish
    if response.input_tokens is not None:
        kept["input_tokens"] = response.input_tokens
    if response.output_tokens is not None:
        kept["output_tokens"] = response.output_tokens
    if response.latency is not None:
        kept["latency"] = response.latency
    if response.cost is not None:
        kept["cost"] = response.cost
    if response.reasoning is not None:
        kept["reasoning"] = response.reasoning
    if response.limits is not None:
        kept["limits"] = [getattr(response.limits, name) for name in _LIMITS]
    return dumps(kept)


def load_response(text: str) -> Response:
    kept = loads(text)
    limits = kept.pop("limits", None)
    if limits is not None:
        kept["limits"] = RateLimits(*limits)
    return Response(**kept)


# --- units: what stands in columns of their own is not in the body, so that runs which differ there alone share it ---


def dump_unit(unit: UnitRecord) -> str:
    kept: dict[str, object] = {
        "nodeid": unit.nodeid,
        "sample": unit.sample,
        "dataset": unit.dataset,
        "messages": unit.messages,
        "targets": unit.targets,
    }
    if unit.template is not None:
        kept["template"] = unit.template
    if unit.repeat != 1:
        kept["repeat"] = unit.repeat
    if unit.cluster is not None:
        kept["cluster"] = unit.cluster
    if unit.skip is not None:
        kept["skip"] = unit.skip
    if unit.xfail:
        kept["xfail"] = True
    if unit.origin != NOWHERE:
        kept["origin"] = [unit.origin.path, unit.origin.line, unit.origin.column]
    return dumps(kept)


def load_unit(body: str, id_: str, ordinal: int, key: str, *, selected: bool) -> UnitRecord:
    kept = loads(body)
    origin = kept.get("origin")
    return UnitRecord(
        id=id_,
        nodeid=kept["nodeid"],
        ordinal=ordinal,
        key=key,
        sample=kept["sample"],
        dataset=kept["dataset"],
        template=kept.get("template"),
        repeat=kept.get("repeat", 1),
        messages=tuple(kept["messages"]),
        targets=tuple(kept["targets"]),
        cluster=kept.get("cluster"),
        skip=kept.get("skip"),
        xfail=kept.get("xfail", False),
        origin=NOWHERE if origin is None else Origin(*origin),
        selected=selected,
    )


# --- outcomes: the kind has a column, the response stands in ``texts`` ---


def dump_outcome(outcome: Outcome) -> str:
    kept: dict[str, object] = {}
    if outcome.scores:
        kept["scores"] = {name: [score.value, score.reason] for name, score in outcome.scores.items()}
    if outcome.extracted is not None:
        kept["extracted"] = outcome.extracted
    if outcome.error is not None:
        kept["error"] = outcome.error
    if outcome.traceback is not None:
        kept["traceback"] = outcome.traceback
    if outcome.cached:
        kept["cached"] = True
    if outcome.attempts:
        kept["attempts"] = outcome.attempts
    if outcome.endpoint_stopped:
        kept["endpoint_stopped"] = True
    return dumps(kept)


def load_outcome(kind: str, data: str, response: str | None) -> Outcome:
    kept = loads(data)
    scores = kept.pop("scores", None)
    return Outcome(
        kind=cast("OutcomeKind", kind),
        response=None if response is None else load_response(response),
        scores={} if scores is None else {name: Score(value, reason) for name, (value, reason) in scores.items()},
        **kept,
    )


# --- anything else, by its annotations ---


def dump(value: object) -> str:
    return dumps(plain(value))


def load(cls: type[T], text: str) -> T:
    return cast("T", unplain(cls, loads(text)))


def plain(value: Any) -> Any:
    """Frozen data as mappings, lists and scalars, without fields that have their default."""
    if is_dataclass(value):
        kept = {}
        for field in fields(value):
            inner = getattr(value, field.name)
            default = field.default_factory() if field.default_factory is not MISSING else field.default
            # 0 and 0.0 are equal and mean different things (a count, a share)
            if type(inner) is not type(default) or inner != default:
                kept[field.name] = plain(inner)
        return kept
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def unplain(annotation: Any, value: Any) -> Any:
    """What ``plain`` was made of, by its annotation."""
    if isinstance(annotation, type) and is_dataclass(annotation):
        hints = _hints(annotation)
        return annotation(**{name: unplain(hints[name], inner) for name, inner in value.items() if name in hints})
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        return None if value is None else unplain(next(one for one in arguments if one is not type(None)), value)
    if origin is tuple:
        each = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(unplain(one, inner) for one, inner in zip(each, value, strict=True))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: unplain(arguments[1], inner) for key, inner in value.items()}
    return value


@cache
def _hints(annotation: object) -> dict[str, Any]:
    return typing.get_type_hints(annotation)
