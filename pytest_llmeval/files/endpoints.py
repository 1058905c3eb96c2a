"""Endpoints: a file, ``connector:model``, or a connector that needs nothing said."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_llmeval.core.endpoint import Breaker, Endpoint, Fixture, Limits, Patience, Prices, Rate
from pytest_llmeval.core.errors import Fault, Faults
from pytest_llmeval.core.extension import Connector
from pytest_llmeval.core.registry import Registry
from pytest_llmeval.core.sample import Origin

from .datasets import checked, in_order, read_bytes
from .document import Document, Place
from .fitting import Where
from .options import build, options_of, unknown
from .ours import file_id
from .reader import read_yaml
from .references import ReferenceFault, Scope, find, shown
from .specs import EndpointSpec

DEFAULT_CONCURRENCY = 8


def load_endpoint(
    reference: str,
    naming: Path,
    root: Path,
    registry: Registry,
    *,
    named_at: Place | None = None,
    environ: Mapping[str, str] | None = None,
) -> Endpoint:
    """The endpoint that a reference means, looked up from the naming file (or folder). Raises Faults.

    ``named_at`` is where the reference stands; without it the naming file itself is named.
    """
    scope = Scope.of(naming, root)
    place = named_at or Place(Document(shown(naming, root), None))
    where = Where(place, scope, may_leave=True, environ=os.environ if environ is None else environ)
    connector, colon, model = reference.partition(":")
    if colon and connector in registry.names("connector"):
        return _of_model(reference, connector, model, where, registry)
    try:
        path = find("endpoint", reference, scope)
    except ReferenceFault as error:
        if not error.missing or reference not in registry.names("connector"):
            raise Faults([place.fault(str(error))]) from None
        return _bare(reference, where, registry, str(error))
    return read_endpoint(path, root, registry, environ=where.environ)


def read_endpoint(path: Path, root: Path, registry: Registry, environ: Mapping[str, str] | None = None) -> Endpoint:
    """An endpoint from its file. Raises Faults."""
    name = shown(path, root)
    document = read_yaml(read_bytes(path, name), name)
    place = Place(document)
    spec, faults = checked(EndpointSpec, document, "endpoint")
    if spec.max_calls_per_second is not None and spec.max_calls_per_minute is not None:
        both = "one of `max_calls_per_second` and `max_calls_per_minute` is expected, not both"
        faults.append(place.key_fault(both, "max_calls_per_minute"))
    reason = unknown(registry, "connector", spec.connector)
    if reason is not None:
        raise in_order([*faults, place.at("connector").fault(reason)])
    faults += _fixture_faults(spec, place, registry)
    where = Where(place, Scope.of(path, root), may_leave=True, environ=os.environ if environ is None else environ)
    try:
        connector: Connector = build(registry, "connector", spec.connector, spec.model_extra or {}, where)
    except Faults as raised:
        raise in_order([*faults, *raised.faults]) from raised
    if faults:
        raise in_order(faults)
    id_ = file_id(path)
    return Endpoint(
        id=id_,
        connector=connector,
        title=spec.endpoint,
        parameters=spec.parameters,
        limits=_limits(spec, connector),
        patience=Patience(spec.timeout, spec.max_attempts, spec.deadline),
        prices=None if spec.prices is None else Prices(spec.prices.input, spec.prices.output),
        breaker=Breaker(spec.breaker.failures, spec.breaker.recover) if spec.breaker else None,
        origin=Origin(name, 1, 1),
        identity={**connector.identity(), "base_url": spec.identity or id_} if spec.fixture else None,
        fixture=Fixture(spec.fixture, place.at("fixture").origin) if spec.fixture else None,
    )


def _fixture_faults(spec: EndpointSpec, place: Place, registry: Registry) -> Iterator[Fault]:
    if spec.fixture is None:
        if spec.identity is not None:
            yield place.key_fault(
                "`identity` goes with `fixture:`, in place of the address that this brings", "identity"
            )
    elif not spec.fixture.isidentifier():
        yield place.at("fixture").fault(f"{spec.fixture!r} is no name of a fixture")
    elif "base_url" not in options_of(_class(registry, spec.connector)):
        yield place.key_fault(
            f"the connector {spec.connector!r} has no `base_url` that a fixture could bring", "fixture"
        )


def _class(registry: Registry, connector: str) -> type:
    cls = registry.get("connector", connector)
    assert cls is not None
    return cls


def _of_model(reference: str, name: str, model: str, where: Where, registry: Registry) -> Endpoint:
    cls: Any = registry.get("connector", name)
    if "model" not in options_of(cls):
        raise Faults([where.place.fault(f"{reference!r}: the connector {name!r} takes no model")])
    if not model:
        raise Faults([where.place.fault(f"{reference!r} names no model; write {name}:MODEL")])
    return _plain(reference, build(registry, "connector", name, {"model": model}, where))


def _bare(name: str, where: Where, registry: Registry, why: str) -> Endpoint:
    """A connector that needs no options."""
    cls: Any = registry.get("connector", name)
    needed = [option.name for option in options_of(cls).values() if option.required]
    if needed:
        way = f"write {name}:MODEL, or an endpoint file" if needed == ["model"] else "write an endpoint file"
        message = f"{why}; the connector of that name needs {', '.join(f'`{option}:`' for option in needed)}: {way}"
        raise Faults([where.place.fault(message)])
    return _plain(name, build(registry, "connector", name, {}, where))


def _plain(identity: str, connector: Connector) -> Endpoint:
    return Endpoint(identity, connector, title=identity, limits=Limits(_concurrency(connector)))


def _limits(spec: EndpointSpec, connector: Connector) -> Limits:
    calls = None
    if spec.max_calls_per_second is not None:
        calls = Rate(spec.max_calls_per_second)
    elif spec.max_calls_per_minute is not None:
        calls = Rate(spec.max_calls_per_minute, 60.0)
    tokens = None if spec.max_tokens_per_minute is None else Rate(spec.max_tokens_per_minute, 60.0)
    return Limits(spec.max_concurrency or _concurrency(connector), calls, tokens)


def _concurrency(connector: Connector) -> int:
    found: int = getattr(connector, "max_concurrency", DEFAULT_CONCURRENCY)
    return found
