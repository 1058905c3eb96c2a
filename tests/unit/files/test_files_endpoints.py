"""Endpoints: files, connector:model, connectors that need nothing said."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

import pytest

from pytest_llmeval.core.endpoint import Breaker, Limits, Patience, Prices, Rate
from pytest_llmeval.core.options import SecretText
from pytest_llmeval.files.endpoints import load_endpoint


@dataclass(frozen=True)
class Echo:
    id: ClassVar[str] = "echo"
    token: SecretText = ""

    def identity(self):
        return {}

    @asynccontextmanager
    async def open(self, run):
        yield self


@dataclass(frozen=True)
class Wide(Echo):
    id: ClassVar[str] = "wide"
    model: str = "m"
    max_concurrency: ClassVar[int] = 3


@dataclass(frozen=True, kw_only=True)
class Needing(Echo):
    id: ClassVar[str] = "needing"
    target: str


@pytest.fixture
def load(world):
    for cls in (Echo, Wide, Needing):
        world.registry.add("connector", cls)

    def loading(text="", reference="e"):
        if text:
            world.write("endpoints/e.yaml", text)
        return load_endpoint(reference, world.root / "recipes" / "r.yaml", world.root, world.registry)

    return loading


@pytest.fixture
def refused(load, told_by):
    return lambda *arguments, **named: told_by(lambda: load(*arguments, **named))


def test_an_endpoint_has_its_limits_patience_and_prices(load):
    endpoint = load(
        """\
        endpoint: Small and cheap
        connector: echo
        token: ${TOKEN}
        max_concurrency: 32
        max_calls_per_second: 2.5
        max_tokens_per_minute: 200000
        timeout: 30
        max_attempts: 3
        deadline: 100
        parameters: {temperature: 0, stop: "1", top_p: 0.50}
        prices: {input: 0.15, output: 0.60}
        """
    )

    assert (endpoint.id, endpoint.title, endpoint.connector) == ("e", "Small and cheap", Echo("${TOKEN}"))
    assert endpoint.limits == Limits(32, Rate(2.5), Rate(200000, 60.0))
    assert endpoint.patience == Patience(30, 3, 100)
    assert endpoint.prices == Prices(0.15, 0.6)
    assert endpoint.parameters == {"temperature": 0, "stop": "1", "top_p": 0.5}
    assert str(endpoint.origin) == "endpoints/e.yaml:1:1"


def test_what_is_not_said_is_the_default(load):
    endpoint = load("endpoint: E\nconnector: echo\n")

    assert (endpoint.limits, endpoint.patience, endpoint.prices) == (Limits(8), Patience(60, 5, 600), None)
    assert endpoint.parameters == {}
    assert load("endpoint: E\nconnector: wide\n").limits == Limits(3)
    assert load("endpoint: E\nconnector: echo\nmax_calls_per_minute: 10\n").limits.calls == Rate(10, 60.0)


def test_a_price_of_nothing_is_a_price(load):
    assert load("endpoint: E\nconnector: echo\nprices: {input: 0, output: 0}\n").prices == Prices(0, 0)


def test_connector_and_model_need_no_file(load):
    endpoint = load(reference="wide:org/model-1:free")

    assert (endpoint.id, endpoint.connector.model, endpoint.limits) == (
        "wide:org/model-1:free",
        "org/model-1:free",
        Limits(3),
    )
    assert load(reference="openai:small-1").connector.model == "small-1"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", Breaker(failures=5, recover=30.0)),
        ("breaker:\n", Breaker(failures=5, recover=30.0)),
        ("breaker: {failures: 2}\n", Breaker(failures=2, recover=30.0)),
        ("breaker: {recover: 0.5}\n", Breaker(failures=5, recover=0.5)),
        ("breaker: false\n", None),
    ],
)
def test_a_breaker_has_defaults_and_may_be_none(load, written, read):
    assert load(f"endpoint: E\nconnector: echo\n{written}", "e").breaker == read


def test_a_connector_that_needs_nothing_needs_no_file_and_gives_way_to_one(load):
    assert load(reference="echo").connector == Echo()
    assert load(reference="local").id == "local"
    endpoint = load("endpoint: E\nconnector: wide\n", "e")
    assert endpoint.connector == Wide()


def test_a_file_of_a_connectors_name_is_the_endpoint(world, load):
    world.write("endpoints/echo.yaml", "endpoint: Mine\nconnector: wide\n")

    assert load(reference="echo").title == "Mine"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("endpoint: E\n", ["1:1: `connector:` is missing"]),
        ("connector: echo\n", ["1:1: `endpoint:` is missing"]),
        ("endpoint: E\nconnector: ecko\n", ["2:12: connector: no connector 'ecko'; did you mean 'echo'?"]),
        (
            "endpoint: E\nconnector: echo\ntokn: a\n",
            ["3:1: no option 'tokn' of the connector 'echo'; did you mean 'token'?"],
        ),
        ("endpoint: E\nconnector: needing\n", ["1:1: the connector 'needing' needs `target:`"]),
        (
            "endpoint: E\nconnector: echo\nfixture: server\n",
            ["3:1: the connector 'echo' has no `base_url` that a fixture could bring"],
        ),
        (
            "endpoint: E\nconnector: openai\nmodel: m\nfixture: my-server\n",
            ["4:10: fixture: 'my-server' is no name of a fixture"],
        ),
        (
            "endpoint: E\nconnector: openai\nmodel: m\nidentity: mine\n",
            ["4:1: `identity` goes with `fixture:`, in place of the address that this brings"],
        ),
        (
            "endpoint: E\nconnector: echo\nbreaker: true\n",
            ["3:10: breaker: a mapping, or false for no breaker, is expected, found true"],
        ),
        (
            "endpoint: E\nconnector: echo\nbreaker: {failures: 0, recover: 0}\n",
            [
                "3:21: breaker.failures: it must be at least 1, found 0",
                "3:33: breaker.recover: it must be greater than 0, found 0",
            ],
        ),
        (
            "endpoint: E\nconnector: echo\nbreaker: {failure: 5}\n",
            ["3:11: breaker: unknown key 'failure'; did you mean 'failures'?"],
        ),
        (
            "endpoint: E\nconnector: echo\nmax_calls_per_second: 1\nmax_calls_per_minute: 1\n",
            ["4:1: one of `max_calls_per_second` and `max_calls_per_minute` is expected, not both"],
        ),
        (
            "endpoint: E\nconnector: echo\nmax_concurrency: 0\n",
            ["3:18: max_concurrency: it must be at least 1, found 0"],
        ),
        ("endpoint: E\nconnector: echo\ntimeout: 0\n", ["3:10: timeout: it must be greater than 0, found 0"]),
        ("endpoint: E\nconnector: echo\ntimeout: 1 min\n", ["3:10: timeout: a number is expected, found '1 min'"]),
        ("endpoint: E\nconnector: echo\nprices: {input: 1}\n", ["3:9: prices: `output:` is missing"]),
        (
            "endpoint: E\nconnector: echo\nprices: {input: -1, output: 1}\n",
            ["3:17: prices.input: it must be at least 0, found -1"],
        ),
        (
            "endpoint: E\nconnector: echo\ntoken: a\ntoken: b\n",
            [
                "3:8: token: only a reference to an environment variable, such as ${API_KEY}, may stand here; no literal key",
                "4:1: duplicate key 'token'; it stands in line 3 already",
            ],
        ),
    ],
)
def test_what_is_wrong_with_an_endpoint_is_told(refused, text, expected):
    assert refused(text) == [f"endpoints/e.yaml:{line}" for line in expected]


def test_what_is_wrong_with_a_reference_is_told(world, refused):
    up_to = f"in a folder endpoints/ beside this file or above it, up to {world.root}"

    assert refused(reference="wid") == [f"recipes/r.yaml: no endpoint 'wid' {up_to}"]
    assert refused(reference="echo:m") == ["recipes/r.yaml: 'echo:m': the connector 'echo' takes no model"]
    assert refused(reference="wide:") == ["recipes/r.yaml: 'wide:' names no model; write wide:MODEL"]
    assert refused(reference="needing") == [
        f"recipes/r.yaml: no endpoint 'needing' {up_to}; the connector of that name needs `target:`: write an endpoint file"
    ]
    assert refused(reference="openai") == [
        f"recipes/r.yaml: no endpoint 'openai' {up_to}; the connector of that name needs `model:`: "
        "write openai:MODEL, or an endpoint file"
    ]
    assert refused(reference="../../e.yaml") == [
        f"recipes/r.yaml: '../../e.yaml' leaves the root {world.root}; files are read from inside it"
    ]


def test_an_endpoint_that_no_recipe_uses_is_not_read(world):
    world.write("endpoints/broken.yaml", "endpoint: [")

    assert world.faults("recipe: R\nsamples: [{input: a}]\n") == []
