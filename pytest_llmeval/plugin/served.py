"""Endpoints whose address a session fixture of the user's own suite brings (``fixture:``)."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import _pytest
import pluggy
import pytest
from _pytest.fixtures import TopRequest
from _pytest.outcomes import Failed

from ..core.endpoint import Endpoint, Fixture
from ..core.errors import Faults
from .absence import fail, failure, skip

if TYPE_CHECKING:
    from ..engine.engine import Engine

BRINGS = ("base_url", "headers", "api_key")


def check_fixtures(node: pytest.Collector | pytest.Item, endpoints: Iterable[Endpoint]) -> None:
    """Raises Faults where the suite has no such fixture for a file's items, or one that cannot serve a session."""
    manager = node.session._fixturemanager  # noqa: SLF001 - pytest has no public door to it
    for fixture in {endpoint.fixture for endpoint in endpoints if endpoint.fixture is not None}:
        found = manager.getfixturedefs(fixture.name, node)
        why = ""
        if not found:
            why = f"no fixture {fixture.name!r} can be seen from {node.nodeid}; a conftest.py above it may have it"
        elif found[-1].scope != "session":
            why = f"the fixture {fixture.name!r} has the scope {found[-1].scope}; one of a session is expected"
        elif found[-1].params is not None:
            why = f"the fixture {fixture.name!r} has parameters; one server is expected"
        if why:
            raise Faults.one(fixture.origin, f"fixture: {why}")


class Served:
    """Which of them are up in this process; each is set up in the main thread when it is first needed.

    As a plugin it sees to it that nothing is asked of a server whose fixture ends.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._up: set[str] = set()
        #: by endpoint the node that showed why its fixture could not be set up
        self._failed: dict[str, str] = {}

    def bring_up(self, item: pytest.Item, endpoint: Endpoint) -> bool:
        """Whether the endpoint came up just now. What its fixture raises is shown once, and then skips."""
        fixture = endpoint.fixture
        if fixture is None or endpoint.id in self._up:
            return False
        if endpoint.id in self._failed:
            skip(f"endpoint {endpoint.id}: its fixture {fixture.name} failed at {self._failed[endpoint.id]}")
        try:
            value = _request_of(item).getfixturevalue(fixture.name)
            self._engine.serve(*_served(endpoint, fixture, value))
        except (Exception, Failed) as error:
            self._failed[endpoint.id] = item.nodeid
            if isinstance(error, Failed):
                raise
            reason = f"{type(error).__name__}: {error}"
            text = f"endpoint {endpoint.id}: its fixture {fixture.name} failed: {reason}\n\n{_from_there(error)}"
            raise failure(text, reason) from None
        self._up.add(endpoint.id)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, nextitem: pytest.Item | None) -> None:
        if nextitem is None:
            self._retire()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """A session that was cut short: its fixtures end now."""
        self._retire()

    def _retire(self) -> None:
        if self._up:
            self._engine.retire(self._up)
            self._up = set()


def _request_of(item: pytest.Item) -> pytest.FixtureRequest:
    """The door to fixtures: an item of ours has none of its own."""
    found = getattr(item, "_request", None)
    if found is None:
        bare: Any = item
        bare.funcargs = {}
        bare.obj = None
        bare._fixtureinfo = item.session._fixturemanager.getfixtureinfo(node=item, func=None, cls=None)  # noqa: SLF001 - as above
        bare.fixturenames = bare._fixtureinfo.names_closure  # noqa: SLF001 - as above
        found = bare._request = TopRequest(bare, _ispytest=True)  # noqa: SLF001 - as above
    assert isinstance(found, pytest.FixtureRequest)
    return found


def _from_there(error: BaseException) -> str:
    """The traceback from the suite's own first frame on."""
    frames = traceback.extract_tb(error.__traceback__)
    own = (Path(__file__).parents[1], Path(_pytest.__file__).parent, Path(pluggy.__file__).parent)
    of_suite = (n for n, frame in enumerate(frames) if not any(Path(frame.filename).is_relative_to(of) for of in own))
    start = next(of_suite, len(frames))
    return "".join(traceback.format_list(frames[start:]) + traceback.format_exception_only(error)).rstrip("\n")


def _served(endpoint: Endpoint, fixture: Fixture, value: object) -> tuple[Endpoint, list[str]]:
    """The endpoint as its fixture says, and what of it is secret."""
    brought: Mapping[str, Any] = {"base_url": value} if isinstance(value, str) else _mapping(endpoint, fixture, value)
    connector: Any = endpoint.connector
    headers = brought.get("headers", {})
    changes = {name: brought[name] for name in ("base_url", "api_key") if name in brought}
    if headers:
        changes["headers"] = {**connector.headers, **headers}
    try:
        connector = replace(connector, **changes)
    except (TypeError, ValueError) as error:
        _refuse(endpoint, fixture, str(error))
    return replace(endpoint, connector=connector), [
        text for text in (brought.get("api_key"), *headers.values()) if text
    ]


def _mapping(endpoint: Endpoint, fixture: Fixture, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse(endpoint, fixture, f"it gave {type(value).__name__}")
    faults = list(_faults(value))
    if faults:
        _refuse(endpoint, fixture, "; ".join(faults))
    return value


def _faults(brought: Mapping[object, object]) -> Iterator[str]:
    for name, value in brought.items():
        if name not in BRINGS:
            yield f"it brings {name!r}"
        elif name == "headers":
            if not isinstance(value, Mapping) or not all(
                isinstance(text, str) for pair in value.items() for text in pair
            ):
                yield "its headers are no mapping of texts to texts"
        elif not isinstance(value, str):
            yield f"its {name} is {type(value).__name__}, not a text"


def _refuse(endpoint: Endpoint, fixture: Fixture, why: str) -> NoReturn:
    expected = f"a URL, or a mapping with {', '.join(BRINGS)} is expected"
    fail(f"{fixture.origin}: endpoint {endpoint.id}: fixture {fixture.name}: {why}; {expected}", why)
