"""Parts are kept beside the answer as they were given."""

from __future__ import annotations

import json
import sqlite3

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmeval.core.admission import Answered, Granted, Wanted
from pytest_llmeval.core.digest import digest
from pytest_llmeval.core.endpoint import Limits
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.record import RunInfo
from pytest_llmeval.state.sqlite import SqliteStore

texts = st.text(st.characters(codec=None), max_size=8)
scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | texts
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
parts_ = st.dictionaries(texts, values, max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(parts_, texts), min_size=1, max_size=5))
def test_parts_and_answers_come_back_by_their_key(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("cache") / "state.sqlite3"
    store = SqliteStore.open(path, "r")
    store.begin(RunInfo("r", 0.0)).result()
    kept = {}
    for parts, text in entries:
        wanted = Wanted(digest(parts), "e", "b", Limits(100), 0, parts)
        (decision,) = store.admit([wanted]).result()
        if isinstance(decision, Granted):
            store.answer(decision, Response(text)).result()
            kept[wanted.key] = (parts, text)
        else:
            assert decision == Answered(Response(kept[wanted.key][1]), cached=False)
    store.end(complete=True).result()
    store.close()

    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT key, parts, response FROM responses").fetchall()
    connection.close()
    assert {key: (json.loads(parts), json.loads(text)["text"]) for key, parts, text in rows} == kept
    # the parts are enough to make the key again
    assert all(digest(json.loads(parts)) == key for key, parts, _ in rows)
