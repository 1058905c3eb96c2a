"""What the store promises, in one process."""

from __future__ import annotations

import sqlite3

import pytest
from freezegun import freeze_time

from pytest_llmeval.core.admission import Answered, FailedBefore, Granted, Missing, Recorded, Stopped, Wait
from pytest_llmeval.core.clock import SECOND, SystemClock
from pytest_llmeval.core.endpoint import Limits, Rate
from pytest_llmeval.core.errors import StateError
from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Condition
from pytest_llmeval.core.record import CookbookRecord, GateRecord, Row, RunInfo, Totals
from pytest_llmeval.core.redaction import Redactor
from pytest_llmeval.core.result import Outcome, Score, Verdict
from pytest_llmeval.state.sqlite import SqliteStore, discard_temporary, facts, latest, prune, read_run

PARIS = Response("Paris", input_tokens=10, output_tokens=2, latency=0.5, cost=0.001)
CONDITION = Condition("exact_match", "mean", ">=", 0.6, "exact_match >= 0.6")


def ask(store, wanted):
    (decision,) = store.admit([wanted]).result()
    return decision


def answer(store, wanted, response=PARIS):
    claim = ask(store, wanted)
    assert isinstance(claim, Granted)
    store.answer(claim, response).result()


# --- answers ---


def test_what_nobody_knows_is_granted_then_answered(world):
    store = world.enter()
    wanted = world.wanted()

    claim = ask(store, wanted)
    assert claim == Granted(wanted, 1, world.clock.ns, world.clock.ns)
    store.answer(claim, PARIS).result()

    assert ask(store, wanted) == Answered(PARIS, cached=False)


def test_another_process_waits_for_a_claim_and_has_its_answer(world):
    one, other = world.enter(), world.enter()
    claim = ask(one, world.wanted())

    waiting = ask(other, world.wanted())
    assert isinstance(waiting, Wait)
    assert waiting.why == "claimed"
    one.answer(claim, PARIS).result()

    assert ask(other, world.wanted()) == Answered(PARIS, cached=False)


def test_an_answer_serves_later_runs_as_cached(world):
    first = world.enter("run-1")
    answer(first, world.wanted())
    world.leave(first)

    assert ask(world.enter("run-2"), world.wanted()) == Answered(PARIS, cached=True)


def test_two_runs_at_once_ask_once_between_them(world):
    one, other = world.enter("run-1"), world.enter("run-2")
    claim = ask(one, world.wanted())

    assert isinstance(ask(other, world.wanted()), Wait)
    one.answer(claim, PARIS).result()

    assert ask(other, world.wanted()) == Answered(PARIS, cached=True)
    assert other.read().totals == Totals(asked=0, cached=1, attempts=0, tokens=0, cost=0.0)


def test_refresh_ignores_what_is_older_than_the_run_whatever_the_clock_says(world):
    """The order of the answers decides: the clock may have been set back meanwhile."""
    first = world.enter("run-1")
    answer(first, world.wanted())
    world.leave(first)
    world.clock.wall -= 1_000_000

    fresh = world.enter("run-2", mode="refresh")
    new = Response("Paris, France")
    answer(fresh, world.wanted(), new)
    assert ask(fresh, world.wanted()) == Answered(new, cached=False)
    world.leave(fresh)

    assert ask(world.enter("run-3"), world.wanted()) == Answered(new, cached=True)


def test_only_asks_nothing(world):
    first = world.enter("run-1")
    answer(first, world.wanted("known"))
    world.leave(first)
    store = world.enter("run-2", mode="only")

    decisions = store.admit([world.wanted("known"), world.wanted("unknown")]).result()

    assert decisions[0] == Answered(PARIS, cached=True)
    assert isinstance(decisions[1], Missing)


def test_off_neither_uses_nor_leaves_answers_for_other_runs(world):
    first = world.enter("run-1")
    answer(first, world.wanted())
    world.leave(first)

    off = world.enter("run-2", mode="off")
    new = Response("Lutetia")
    answer(off, world.wanted(), new)
    assert ask(off, world.wanted()) == Answered(new, cached=False)
    assert ask(world.enter("run-2", mode="off"), world.wanted()) == Answered(new, cached=False)
    for store in world.opened[:]:
        world.leave(store)

    assert ask(world.enter("run-3"), world.wanted()) == Answered(PARIS, cached=True)
    assert stored_scopes(world) == {""}


def rows_of(world, table):
    connection = sqlite3.connect(world.path)
    try:
        return connection.execute(f"SELECT * FROM {table}").fetchall()
    finally:
        connection.close()


def stored_scopes(world):
    return {row[3] for row in rows_of(world, "responses")}


def test_answers_for_one_run_alone_go_with_it(world):
    one, other = world.enter("run-1"), world.enter("run-1")
    wanted = world.wanted(reusable=False)
    answer(one, wanted)
    assert ask(other, wanted) == Answered(PARIS, cached=False)
    assert isinstance(ask(world.enter("run-2"), wanted), Granted)

    world.leave(one)
    assert ask(other, wanted) == Answered(PARIS, cached=False)
    world.leave(other)

    assert stored_scopes(world) == set()


def test_an_answer_that_outlived_its_days_is_asked_anew(world):
    first = world.enter("run-1")
    answer(first, world.wanted())
    world.leave(first)
    world.clock.step(86_400 * 2)

    assert isinstance(ask(world.enter("run-2", ttl_days=1), world.wanted()), Granted)
    assert ask(world.enter("run-3", ttl_days=3), world.wanted()) == Answered(PARIS, cached=True)
    assert ask(world.enter("run-4", mode="only", ttl_days=1), world.wanted()) == Missing(
        "The answer of 2023-11-14T22:13:20Z is older than llmeval_cache_ttl allows"
    )


def test_a_clock_set_back_ages_nothing(world):
    first = world.enter("run-1")
    answer(first, world.wanted())
    world.leave(first)
    world.clock.wall -= 86_400 * 365

    assert ask(world.enter("run-2", ttl_days=1), world.wanted()) == Answered(PARIS, cached=True)


# --- attempts ---


def test_a_failed_request_is_not_asked_again_in_its_run(world):
    store, other = world.enter("run-1"), world.enter("run-1")
    store.fail(ask(store, world.wanted()), "400: no such thing").result()

    assert ask(other, world.wanted()) == FailedBefore("400: no such thing", 1)
    assert isinstance(ask(world.enter("run-2"), world.wanted()), Granted)


def test_any_process_takes_up_a_retry_when_it_is_due(world):
    one, other = world.enter(), world.enter()
    started = world.clock.ns
    one.release(ask(one, world.wanted()), wait=2.0).result()

    assert ask(other, world.wanted()) == Wait(2.0, "retry")
    world.clock.step(2)

    assert ask(other, world.wanted()) == Granted(world.wanted(), 2, started, world.clock.ns)


def test_what_was_not_sent_is_no_attempt(world):
    store = world.enter()
    store.release(ask(store, world.wanted()), sent=False).result()
    world.clock.step(1)

    claim = ask(store, world.wanted())

    assert claim == Granted(world.wanted(), 1, world.clock.ns, world.clock.ns)
    store.fail(claim, "no", sent=False).result()
    assert ask(store, world.wanted()) == FailedBefore("no", 0)


def test_a_rerun_asks_anew_what_came_to_nothing(world):
    store = world.enter()
    store.plan(world.recipe(), world.units(1)).result()
    wanted = world.wanted("k0", recipe=world.recipe().id, unit="s0")
    store.fail(ask(store, wanted), "503").result()
    store.record([(world.recipe().id, "s0", Outcome("error", error="503"))]).result()
    assert isinstance(ask(store, wanted), Recorded)

    store.forget("k0", world.recipe().id, "s0").result()
    claim = ask(store, wanted)
    assert isinstance(claim, Granted)
    assert claim.attempt == 1
    store.answer(claim, PARIS).result()
    store.record([(world.recipe().id, "s0", Outcome("passed", PARIS))]).result()

    assert store.outcome(world.recipe().id, "s0").result() == Outcome("passed", PARIS)
    # all that was sent stays counted
    assert store.read().totals.attempts == 2


def test_closing_gives_back_what_is_held(world):
    one, other = world.enter(), world.enter()
    ask(one, world.wanted())

    world.leave(one, end=False)

    assert rows_of(world, "claims") == []
    claim = ask(other, world.wanted())
    assert isinstance(claim, Granted)
    assert claim.attempt == 2


# --- limits ---


def test_concurrency_holds_over_all_processes(world):
    one, other = world.enter(), world.enter("another run")
    wanted = [world.wanted(f"k{n}", limits=Limits(3)) for n in range(5)]

    decisions = one.admit(wanted).result()
    assert [type(decision) for decision in decisions] == [Granted, Granted, Granted, Wait, Wait]
    held = ask(other, wanted[4])
    assert isinstance(held, Wait)
    assert held.why == "concurrency"
    one.answer(decisions[0], PARIS).result()

    assert isinstance(ask(other, wanted[4]), Granted)


def test_a_rate_holds_over_all_processes(world):
    one, other = world.enter(), world.enter()
    limits = Limits(100, calls=Rate(10))

    assert [type(ask(one, world.wanted(key, limits=limits))) for key in "abc"] == [Granted, Granted, Wait]
    assert ask(other, world.wanted("d", limits=limits)) == Wait(0.1, "calls")
    world.clock.step(0.1)
    assert isinstance(ask(other, world.wanted("d", limits=limits)), Granted)
    assert ask(one, world.wanted("c", limits=limits)) == Wait(0.1, "calls")


def test_who_must_wait_is_not_passed_by_but_answers_are_given(world):
    store = world.enter()
    answer(store, world.wanted("known"))
    limits = Limits(100, calls=Rate(1))

    decisions = store.admit([world.wanted(key, limits=limits) for key in ("a", "b", "known", "c")]).result()

    assert [type(decision) for decision in decisions] == [Granted, Wait, Answered, Wait]
    # another bucket is not held back
    assert isinstance(ask(store, world.wanted("c", bucket="other", limits=limits)), Granted)


def test_a_large_request_that_waits_is_not_starved_by_small_ones(world):
    store = world.enter()
    limits = Limits(100, tokens=Rate(600, 60.0))
    assert isinstance(ask(store, world.wanted("a", limits=limits, tokens=30)), Granted)

    decisions = store.admit(
        [world.wanted("large", limits=limits, tokens=50), world.wanted("small", limits=limits, tokens=1)]
    ).result()

    assert decisions == [Wait(1.9, "tokens"), Wait(1.9, "tokens")]


def test_what_was_not_sent_gives_its_slot_back(world):
    store = world.enter()
    limits = Limits(100, calls=Rate(1), tokens=Rate(600, 60.0))
    claim = ask(store, world.wanted("a", limits=limits, tokens=61))
    assert isinstance(ask(store, world.wanted("b", limits=limits, tokens=61)), Wait)

    store.release(claim, sent=False).result()

    assert isinstance(ask(store, world.wanted("b", limits=limits, tokens=61)), Granted)


def test_tokens_are_corrected_by_what_was_used(world):
    store = world.enter()
    limits = Limits(100, tokens=Rate(600, 60.0))
    store.answer(ask(store, world.wanted("a", limits=limits, tokens=61)), Response("x", output_tokens=11)).result()

    assert isinstance(ask(store, world.wanted("b", limits=limits, tokens=50)), Granted)
    assert ask(store, world.wanted("c", limits=limits, tokens=10)) == Wait(1.0, "tokens")


def test_a_rate_of_an_earlier_boot_counts_as_empty(world):
    store = world.enter()
    limits = Limits(100, calls=Rate(0.001))
    assert isinstance(ask(store, world.wanted("a", limits=limits)), Granted)
    assert isinstance(ask(store, world.wanted("b", limits=limits)), Wait)

    world.clock.ns = 5 * SECOND

    assert isinstance(ask(store, world.wanted("b", limits=limits)), Granted)


# --- stops ---


def test_a_stopped_run_says_so_to_all_its_processes(world):
    one, other, stranger = world.enter(), world.enter(), world.enter("run-2")
    assert other.run_stopped().result() == ""

    one.stop_run("^C").result()
    one.stop_run("later").result()

    assert other.run_stopped().result() == "^C"
    assert ask(other, world.wanted()) == Stopped("^C", run=True)
    assert isinstance(ask(stranger, world.wanted()), Granted)


def test_a_stopped_endpoint_answers_what_is_known_and_asks_nothing(world):
    one, other = world.enter(), world.enter()
    answer(one, world.wanted("known"))
    one.stop_endpoint("small", "401").result()

    decisions = other.admit(
        [world.wanted("known"), world.wanted("new"), world.wanted("new", endpoint="large")]
    ).result()

    assert decisions[:2] == [Answered(PARIS, cached=False), Stopped("401")]
    assert isinstance(decisions[2], Granted)


def test_one_unit_over_all_processes_shows_a_stop(world):
    one, other = world.enter(), world.enter()
    recipe = world.recipe().id
    one.plan(world.recipe(), world.units(2)).result()
    one.stop_endpoint("small", "401").result()
    not_asked = Outcome("not_asked", error="401", endpoint_stopped=True)
    one.record([(recipe, "s0", not_asked), (recipe, "s1", not_asked)]).result()

    assert one.show_stop("small", recipe, "s1").result()
    assert not other.show_stop("small", recipe, "s0").result()
    assert other.show_stop("small", recipe, "s1").result()

    kinds = [row.outcome.kind for row in one.rows(recipe).result() if row.outcome]
    assert kinds == ["not_asked", "error"]


# --- the ledger ---


def test_a_plan_reads_back_with_its_outcomes_in_order(world):
    store = world.enter()
    units = world.units(3)
    outcome = Outcome("missed", PARIS, {"exact_match": Score(0.0, "'Paris' is not 'Rome'")}, "Paris", cached=True)

    store.plan(world.recipe(), units).result()
    store.record([(world.recipe().id, "s2", outcome)]).result()

    assert store.rows(world.recipe().id).result() == [Row(units[0], None), Row(units[1], None), Row(units[2], outcome)]
    ledger = store.read()
    assert ledger.recipes == (world.recipe(),)
    assert list(ledger.rows(world.recipe().id)) == store.rows(world.recipe().id).result()


def test_what_is_not_selected_reads_back_as_such(world):
    store = world.enter()
    store.plan(world.recipe(), world.units(1, selected=False)).result()

    (row,) = store.rows(world.recipe().id).result()

    assert not row.selected
    assert not row.unit.selected


def test_the_same_plan_from_another_process_changes_nothing(world):
    one, other = world.enter(), world.enter()
    one.plan(world.recipe(), world.units(2)).result()
    other.plan(world.recipe(), world.units(2)).result()
    cookbook = CookbookRecord("c[small]", "c", "c.yaml", "C", "small", (world.recipe().id,))
    one.cookbook(cookbook).result()
    other.cookbook(cookbook).result()

    ledger = other.read()

    assert len(ledger.recipes) == 1
    assert len(list(ledger.rows(world.recipe().id))) == 2
    assert ledger.cookbooks == (cookbook,)


def test_the_first_outcome_and_the_first_verdict_stay(world):
    store = world.enter()
    store.plan(world.recipe(), world.units(1)).result()
    store.record([(world.recipe().id, "s0", Outcome("passed", PARIS))]).result()
    store.record([(world.recipe().id, "s0", Outcome("missed", PARIS))]).result()

    assert store.outcome(world.recipe().id, "s0").result() == Outcome("passed", PARIS)
    assert store.verdict("gate", Verdict("passed")).result() == Verdict("passed")
    assert store.verdict("gate", Verdict("failed")).result() == Verdict("passed")


def test_an_outcome_of_an_unplanned_recipe_is_an_error(world):
    store = world.enter()

    with pytest.raises(KeyError, match="was not planned"):
        store.record([("nobody's", "s0", Outcome("passed"))]).result()
    assert store.outcome("nobody's", "s0").result() is None
    assert store.rows("nobody's").result() == []


def test_a_value_is_made_by_one_process(world):
    one, other = world.enter(), world.enter()

    assert one.once("server", None).result() == ""
    assert other.once("server", None).result() is None
    assert one.once("server", None).result() is None
    assert one.once("server", "http://127.0.0.1:1").result() == "http://127.0.0.1:1"

    assert other.once("server", None).result() == "http://127.0.0.1:1"
    assert world.enter("run-2").once("server", None).result() == ""


def test_the_next_one_makes_a_value_whose_maker_is_gone(world):
    one, other = world.enter(), world.enter()
    assert one.once("server", None).result() == ""

    world.leave(one, end=False)

    assert other.once("server", None).result() == ""


def test_totals_count_each_request_once(world):
    first = world.enter("run-1")
    answer(first, world.wanted("old"))
    world.leave(first)
    store = world.enter("run-2")

    for _ in range(2):
        ask(store, world.wanted("old"))
    store.release(ask(store, world.wanted("new")), wait=0.0).result()
    answer(store, world.wanted("new"))
    ask(store, world.wanted("new"))
    store.fail(ask(store, world.wanted("bad")), "400").result()
    store.release(ask(store, world.wanted("open")), wait=9.0).result()

    expected = Totals(asked=3, cached=1, attempts=4, tokens=12, cost=0.001, unanswered=2)
    assert store.read().totals == expected
    world.leave(store)
    assert read_run(world.path, "run-2").totals == expected


def test_an_answer_without_a_count_makes_tokens_and_cost_unknown(world):
    store = world.enter()
    answer(store, world.wanted("a"))
    answer(store, world.wanted("b"), Response("x"))

    assert store.read().totals == Totals(asked=2, cached=0, attempts=2, tokens=None, cost=None)


def test_a_run_is_read_after_its_processes_are_gone(world):
    store = world.enter()
    store.plan(world.recipe(), world.units(2)).result()
    ledger = store.read()
    assert (ledger.ended, ledger.complete) == (None, False)
    world.clock.step(10)
    world.leave(store)

    ledger = read_run(world.path, "run-1")

    assert (ledger.ended, ledger.complete) == (world.clock.now(), True)
    assert len(list(ledger.rows(world.recipe().id))) == 2
    with pytest.raises(StateError, match="there is no run run-9"):
        read_run(world.path, "run-9")
    with pytest.raises(StateError, match="no state here"):
        read_run(world.path.with_name("other.sqlite3"), "run-1")


def test_the_latest_result_of_every_item_is_found_in_runs_that_ended(world):
    first = world.enter("run-1")
    first.plan(world.recipe(), world.units(3)).result()
    first.record([(world.recipe().id, f"s{n}", Outcome("missed", PARIS)) for n in range(2)]).result()
    first.verdict("gate", Verdict("failed")).result()
    world.leave(first)
    world.clock.step(10)
    second = world.enter("run-2")
    second.plan(world.recipe(), [*world.units(1), *world.units(3, selected=False)[1:]]).result()
    second.record([(world.recipe().id, "s0", Outcome("passed", PARIS))]).result()
    first_state = {f"recipes/a.yaml::s{n}[small]": "missed" for n in range(2)}
    first_state |= {"recipes/a.yaml::s2[small]": "not_asked", "gate": "failed"}

    assert latest(world.path, world.clock.now()) == first_state
    world.clock.step(10)
    world.leave(second)
    assert latest(world.path, world.clock.now() - 5) == first_state
    assert latest(world.path, world.clock.now()) == first_state | {"recipes/a.yaml::s0[small]": "passed"}


def test_a_run_does_not_see_its_own_results_as_the_latest(world):
    store = world.enter("run-1")
    store.plan(world.recipe(), world.units(1)).result()
    world.leave(store, end=False)

    assert latest(world.path, world.clock.now(), but="run-1") == {}


def test_a_gate_that_a_run_cut_short_did_not_reach_is_not_asked(world):
    recipe = world.recipe(gates=(GateRecord("g1", CONDITION), GateRecord("g2", CONDITION)))
    whole = world.enter("run-1")
    whole.plan(recipe, world.units(1)).result()
    for gate in recipe.gates:
        whole.verdict(gate.id, Verdict("passed")).result()
    whole.end(complete=True).result()
    world.leave(whole, end=False)
    cut = world.enter("run-2")
    cut.plan(recipe, world.units(1)).result()
    cut.verdict("g1", Verdict("passed")).result()
    cut.end(complete=False).result()
    world.leave(cut, end=False)

    found = latest(world.path, world.clock.now())

    assert (found["g1"], found["g2"]) == ("passed", "not_asked")


def test_a_gate_of_which_a_run_planned_a_part_keeps_its_verdict(world):
    recipe = world.recipe(gates=(GateRecord("g1", CONDITION),))
    first = world.enter("run-1")
    first.plan(recipe, world.units(2)).result()
    first.verdict("g1", Verdict("passed")).result()
    world.leave(first)
    part = world.enter("run-2")
    part.plan(recipe, [*world.units(1), *world.units(2, selected=False)[1:]]).result()
    part.end(complete=False).result()
    world.leave(part, end=False)

    assert latest(world.path, world.clock.now())["g1"] == "passed"


def test_a_run_whose_processes_are_gone_counts_as_ended(world):
    first = world.enter("run-1")
    first.plan(world.recipe(), world.units(1)).result()
    answer(first, world.wanted("once", reusable=False))
    world.leave(first, end=False)
    assert latest(world.path, world.clock.now()) == {"recipes/a.yaml::s0[small]": "not_asked"}

    world.enter("run-2")

    assert read_run(world.path, "run-1").ended == world.clock.now()
    assert stored_scopes(world) == set()


def test_a_process_may_join_a_run_that_seemed_to_be_over(world):
    """A worker that starts late finds that another run has meanwhile ended its own."""
    early = world.enter("run-1")
    answer(early, world.wanted("a"))
    world.leave(early, end=False)
    world.enter("run-2")
    assert read_run(world.path, "run-1").ended is not None

    late = world.enter("run-1")
    assert read_run(world.path, "run-1").ended is None
    answer(late, world.wanted("b"))

    assert late.read().totals == Totals(asked=2, cached=0, attempts=2, tokens=24, cost=0.002)
    world.leave(late)
    assert read_run(world.path, "run-1").totals == Totals(asked=2, cached=0, attempts=2, tokens=24, cost=0.002)


# --- what must not and what must be kept ---


def test_secrets_are_stored_nowhere(world):
    redactor = Redactor()
    redactor.add("canary-4711")
    redactor.add('q"\\')
    store = world.enter(redactor=redactor)
    text = 'the key is canary-4711 or q"\\'
    store.plan(world.recipe(), world.units(1, messages=({"role": "user", "content": text},), targets=(text,))).result()
    answer(
        store,
        world.wanted("a", parts={"messages": [{"content": text}], "n": (1, text)}),
        Response(text, reasoning=text),
    )
    store.fail(ask(store, world.wanted("b")), text).result()
    store.stop_endpoint("large", text).result()
    store.stop_run(text).result()
    outcome = Outcome("metric_error", Response(text), {"m": Score(0.0, text)}, text, text, text)
    store.record([(world.recipe().id, "s0", outcome)]).result()
    store.verdict("gate", Verdict("unmeasurable", reason=text)).result()

    (row,) = store.rows(world.recipe().id).result()
    assert row.outcome is not None
    assert row.outcome.error == "the key is *** or ***"
    # short ones are words in answers
    assert row.outcome.response == Response('the key is *** or q"\\')
    for file in world.path.parent.rglob("*"):
        if file.is_file():
            assert b"canary-4711" not in file.read_bytes()


def test_the_environment_is_stored_without_secrets(world):
    redactor = Redactor()
    redactor.add("canary-4711")
    store = SqliteStore.open(world.path, "r", redactor=redactor)
    world.opened.append(store)
    store.begin(RunInfo("r", 0.0, "/root", {"arguments": ["-k", "canary-4711"], "ok": True})).result()

    assert store.read().info.environment == {"arguments": ["-k", "***"], "ok": True}


HOSTILE = "\udc80 \x00 \x1b[31m \u2028 \U0001f600 " + "x" * 1_000_000


def test_hostile_text_is_kept_exactly(world):
    store = world.enter()
    response = Response(HOSTILE, finish="\ud800", reasoning="\x00")
    recipe = world.recipe("a\udc80.yaml[small]")
    units = world.units(1, id="s\udc80", nodeid="n\udc80", messages=({"role": "user", "content": HOSTILE},))
    outcome = Outcome("error", response, error=HOSTILE)

    answer(store, world.wanted("a", parts={"messages": HOSTILE}), response)
    store.fail(ask(store, world.wanted("b")), HOSTILE).result()
    store.plan(recipe, units).result()
    store.record([(recipe.id, "s\udc80", outcome)]).result()
    store.verdict("g\udc80", Verdict("failed", reason="\udc80")).result()
    store.stop_endpoint("e\udc80", "\udc80").result()

    assert ask(store, world.wanted("a")) == Answered(response, cached=False)
    assert ask(store, world.wanted("b")) == FailedBefore(HOSTILE, 1)
    assert ask(store, world.wanted("c", endpoint="e\udc80")) == Stopped("\udc80")
    assert store.rows(recipe.id).result() == [Row(units[0], outcome)]
    assert store.read().verdicts == {"g\udc80": Verdict("failed", reason="\udc80")}
    assert store.show_stop("e\udc80", recipe.id, "s\udc80").result()
    assert store.once("v\udc80", "\udc80").result() == "\udc80"
    assert store.once("v\udc80", None).result() == "\udc80"
    world.leave(store)
    assert latest(world.path, world.clock.now()) == {"n\udc80": "error", "g\udc80": "failed"}


# --- pruning ---


def test_pruning_removes_what_is_old_and_leaves_what_is_under_way(world):
    old = world.enter("old")
    old.plan(world.recipe(), world.units(2)).result()
    answer(old, world.wanted("old"))
    world.leave(old)
    world.clock.step(86_400 * 10)
    new = world.enter("new")
    new.plan(world.recipe(), world.units(1)).result()
    answer(new, world.wanted("new"))
    answer(new, world.wanted("mine", reusable=False))

    pruned = prune(world.path, world.clock, days=5)

    assert (pruned.responses, pruned.runs) == (1, 1)
    assert isinstance(ask(new, world.wanted("new")), Answered)
    assert isinstance(ask(new, world.wanted("old")), Granted)
    assert len(list(new.read().rows(world.recipe().id))) == 1
    with pytest.raises(StateError, match="there is no run"):
        read_run(world.path, "old")

    pruned = prune(world.path, world.clock)
    assert (pruned.responses, pruned.runs) == (1, 0)
    assert isinstance(ask(new, world.wanted("mine", reusable=False)), Answered)


def test_pruning_all_makes_the_file_small(world):
    store = world.enter()
    for n in range(20):
        answer(store, world.wanted(f"k{n}"), Response("x" * 50_000))
    world.leave(store)

    pruned = prune(world.path, world.clock)

    assert pruned.responses == 20
    assert pruned.before > 1_000_000
    assert pruned.after < 300_000


def test_what_a_state_holds_is_told(world):
    with pytest.raises(StateError, match="no state here"):
        facts(world.path)
    first = world.enter("run-1")
    began = world.clock.now()
    answer(first, world.wanted("a"))
    world.clock.step(5)
    answer(first, world.wanted("b"))

    found = facts(world.path)

    assert (found.responses, found.runs, found.oldest, found.newest) == (2, 1, began, began + 5)
    assert found.size == world.path.stat().st_size


# --- opening and closing ---


def test_a_closed_store_says_so(world):
    store = world.enter()
    world.leave(store)

    with pytest.raises(StateError, match="the state was closed"):
        store.run_stopped().result()
    store.close()


def test_a_frozen_clock_stalls_no_limit(world):
    """A test of the user's own may have frozen time where the engine goes on."""
    store = world.enter(clock=SystemClock())
    limits = Limits(200, calls=Rate(1000))
    with freeze_time("2020-01-01"):
        admitted = 0
        while admitted < 150:
            decisions = store.admit([world.wanted(f"k{n}", limits=limits) for n in range(admitted, 150)]).result()
            admitted += sum(isinstance(decision, Granted) for decision in decisions)

    assert admitted == 150


def test_a_file_has_a_salt_of_its_own(world, tmp_path):
    store = world.enter()
    other = SqliteStore.open(tmp_path / "b" / "state.sqlite3", "r")
    world.opened.append(other)

    assert store.salt == world.enter().salt
    assert store.salt != other.salt
    assert len(store.salt) == 32


def test_nothing_temporary_is_left_to_discard_twice():
    discard_temporary("no such run")
