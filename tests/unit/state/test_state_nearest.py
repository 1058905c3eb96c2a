"""Why a request is asked again: the nearest stored one is found by indexes, and what differs is told."""

from __future__ import annotations

import sqlite3

from pytest_llmeval.core.admission import Granted, Missing
from pytest_llmeval.core.digest import digest
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.nearest import Difference
from pytest_llmeval.core.redaction import Redactor
from pytest_llmeval.state.sqlite import schema
from pytest_llmeval.state.sqlite.codec import dumps
from pytest_llmeval.state.sqlite.nearest import look


def wanted(world, content, *, temperature=0, **options):
    parts = {
        "connector": "openai",
        "identity": {"model": "small-1"},
        "messages": [{"role": "user", "content": content}],
        "parameters": {"temperature": temperature, "logit_bias": {9: 1, 10: 2}},
        "repeat": 1,
    }
    return world.wanted(digest(parts), **{"parts": parts, **options})


def store(world, *requests, run="old", **options):
    opened = world.enter(run, **options)
    for one in requests:
        (claim,) = opened.admit([one]).result()
        assert isinstance(claim, Granted)
        opened.answer(claim, Response("Paris")).result()
    world.leave(opened)


def missing(world, one, run="new", **options) -> str:
    opened = world.enter(run, mode="only", **options)
    (decision,) = opened.admit([one]).result()
    world.leave(opened)
    assert isinstance(decision, Missing)
    return decision.why


def found(world, one, compared=1000):
    connection = sqlite3.connect(world.path)
    try:
        return look(connection, one.key, one.parts, compared)
    finally:
        connection.close()


def test_the_part_that_differs_is_named_with_both_values(world):
    store(world, wanted(world, "France?", temperature=0.7))

    assert missing(world, wanted(world, "France?")) == (
        "The nearest stored request differs in parameters.temperature (here 0, stored 0.7)"
    )


def test_the_same_messages_are_nearer_than_the_same_setting(world):
    store(world, wanted(world, "France?", temperature=0.7), wanted(world, "Peru?"))

    assert "parameters.temperature" in missing(world, wanted(world, "France?"))


def test_of_several_with_the_same_messages_the_one_with_the_fewest_differences_is_nearest(world):
    near, far = wanted(world, "France?", temperature=0.7), wanted(world, "France?", temperature=0.2)
    far = world.wanted("far", parts={**far.parts, "repeat": 2, "connector": "python"})
    store(world, near, far)

    assert found(world, wanted(world, "France?")).nearest.differences == (
        Difference("parameters.temperature", "0", "0.7"),
    )


def test_else_the_most_alike_messages_under_the_same_setting(world):
    old = [wanted(world, text) for text in ("What is teh capital of France?", "Add 3 and 4.", "Who are you?")]
    store(world, *old)

    (difference,) = found(world, wanted(world, "What is the capital of France?")).nearest.differences

    assert difference == Difference(
        "messages[0].content", "'What is the capital of France?'", "'What is teh capital of France?'"
    )


def test_what_has_nothing_in_common_is_not_called_near(world):
    assert missing(world, wanted(world, "France?")) == "No answer is stored at all"
    store(world, wanted(world, "Peru?", temperature=0.7))

    assert missing(world, wanted(world, "France?")) == (
        "No stored request has the same messages, and none has the same all but messages"
    )


def test_answers_for_one_run_alone_are_near_to_nobody(world):
    store(world, wanted(world, "France?", temperature=0.7), mode="off")
    store(world, wanted(world, "France?", temperature=0.3, reusable=False), run="older")

    assert missing(world, wanted(world, "France?")) == "No answer is stored at all"
    assert missing(world, wanted(world, "France?", reusable=False)) == (
        "Its answers serve the run that asked for them alone"
    )


def test_an_answer_that_is_there_is_found_with_its_date(world):
    store(world, wanted(world, "France?"))

    assert found(world, wanted(world, "France?")).answered == world.clock.wall


def test_secrets_are_neither_compared_nor_shown(world):
    redactor = Redactor()
    redactor.add("old-secret-0123")
    redactor.add("new-secret-4567")
    store(world, wanted(world, "I am old-secret-0123"), redactor=redactor)

    assert "the value of a secret alone" in missing(world, wanted(world, "I am new-secret-4567"), redactor=redactor)
    told = missing(world, wanted(world, "Am I new-secret-4567", temperature=0), redactor=redactor)
    assert "(here 'Am I ***', stored 'I am ***')" in told


def test_no_table_is_scanned(world):
    store(world, wanted(world, "Peru?", temperature=0.7))
    one = wanted(world, "France?")
    connection = sqlite3.connect(world.path)
    statements = []
    connection.set_trace_callback(statements.append)
    assert not look(connection, one.key, one.parts, 9).answered
    connection.set_trace_callback(None)
    steps = [
        step for sql in statements for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {sql}") if "LIMIT" in sql
    ]
    connection.close()

    assert steps == [
        "SEARCH responses USING INDEX responses_by_messages (messages=?)",
        "SEARCH responses USING INDEX responses_by_setting (setting=?)",
    ]


def test_a_state_of_the_first_version_gets_its_digests(world, monkeypatch):
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    monkeypatch.setattr(schema, "VERSION", 1)
    world.path.parent.mkdir()
    connection = sqlite3.connect(world.path, isolation_level=None)
    schema.migrate(connection)
    one = wanted(world, "France?", temperature=0.7)
    connection.execute(
        "INSERT INTO responses (key, scope, run, created, parts, response) VALUES (?, '', 'old', 5.0, ?, ?)",
        (one.key, dumps(one.parts), dumps({"text": "Paris"})),
    )
    connection.close()
    monkeypatch.undo()

    assert "temperature (here 0, stored 0.7)" in missing(world, wanted(world, "France?"))
    columns = "key, messages, setting, digest"
    connection = sqlite3.connect(world.path)
    by_migration = connection.execute(f"SELECT {columns} FROM responses").fetchall()
    connection.execute("DELETE FROM responses")
    connection.execute("DELETE FROM sqlite_sequence")
    connection.commit()
    connection.close()
    world.clock.wall = 5.0
    store(world, one)
    connection = sqlite3.connect(world.path)
    by_answering = connection.execute(f"SELECT {columns} FROM responses").fetchall()
    connection.close()
    assert by_migration == by_answering
