"""What changes the cache key of a request, and what does not."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.connectors.openai import OpenAI
from pytest_llmeval.core.endpoint import Endpoint, Limits, Patience, Prices, Rate
from pytest_llmeval.core.sample import Origin

TEXT = st.text(max_size=20)
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant"]), "content": TEXT})
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NAME = st.text("abcdefgh", min_size=1, max_size=6)
REQUESTS = st.fixed_dictionaries(
    {
        "messages": st.lists(MESSAGE, min_size=1, max_size=4),
        "parameters": st.dictionaries(NAME, VALUE, max_size=4),
        "repeat": st.integers(1, 50),
    }
)
CONNECTORS = st.builds(
    OpenAI,
    model=NAME,
    base_url=NAME.map("https://{}.example/v1".format),
    headers=st.dictionaries(NAME.map("x-{}".format), NAME, max_size=2),
)


def key(connector: OpenAI, request: dict, **of) -> str:
    return Endpoint("it", connector, **of).key(**request)[0]


def as_json_tells(value):
    """Values of a file apart: 1, 1.0 and true are three."""
    if isinstance(value, dict):
        return {name: as_json_tells(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_json_tells(one) for one in value]
    return (type(value).__name__, repr(value))


@given(CONNECTORS, REQUESTS, st.data())
def test_two_requests_have_one_key_exactly_where_all_that_is_sent_is_the_same(connector, request, data):
    other = data.draw(st.just(connector) | CONNECTORS)
    another = {
        part: data.draw(st.just(value) | REQUESTS.map(lambda one, part=part: one[part]))
        for part, value in request.items()
    }

    same = connector == other and as_json_tells(request) == as_json_tells(another)

    assert (key(connector, request) == key(other, another)) == same


@given(CONNECTORS, REQUESTS, st.data())
def test_each_part_changes_the_key(connector, request, data):
    before = key(connector, request)
    last = request["messages"][-1]
    changed = {
        "model": (replace(connector, model=f"{connector.model}x"), request),
        "address": (replace(connector, base_url=f"{connector.base_url}/x"), request),
        "header": (replace(connector, headers={**connector.headers, "y-one": "1"}), request),
        "text": (
            connector,
            {**request, "messages": [*request["messages"][:-1], {**last, "content": f"{last['content']} "}]},
        ),
        "turn": (connector, {**request, "messages": [*request["messages"], last]}),
        "parameter": (connector, {**request, "parameters": {**request["parameters"], "new one": data.draw(VALUE)}}),
        "repeat": (connector, {**request, "repeat": request["repeat"] + 1}),
    }

    assert [name for name, (one, sent) in changed.items() if key(one, sent) == before] == []


@given(CONNECTORS, REQUESTS, st.integers(1, 99), TEXT)
def test_nothing_else_does(connector, request, number, text):
    before = key(connector, request)
    around = {
        "title": text,
        "limits": Limits(number, Rate(number), Rate(number, 60.0)),
        "patience": Patience(number, number, number),
        "prices": Prices(number, number),
        "origin": Origin(text, number, number),
        "parameters": {"only": "a default of the endpoint's, which stands in the request where it is sent"},
    }
    shuffled = {**request, "parameters": dict(reversed(request["parameters"].items()))}

    assert key(replace(connector, api_key="${SOME_KEY}"), shuffled, **around) == before
    assert Endpoint("another id", connector).key(**request)[0] == before
