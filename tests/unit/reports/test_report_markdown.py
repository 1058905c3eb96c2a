"""The page for a pull request."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from records_of_runs import (
    ANY_TEXT,
    HOSTILE,
    book,
    every_outcome,
    first_run,
    gate,
    missed,
    recipe,
    rows,
    run,
    summary,
    unit,
)

from pytest_llmeval.core.measures import Condition
from pytest_llmeval.core.record import GateRecord, Group, Row, RunInfo, Totals
from pytest_llmeval.core.result import Figure, Outcome, Score, Verdict
from pytest_llmeval.core.summary import Counts, GateSummary, RunRecord
from pytest_llmeval.reports.markdown import MarkdownReport, page

REASON = "3 of 24 answers are missing, max_errors is 0: kenya (timeout after 5 attempts)"


def failed_run() -> RunRecord:
    of, other = recipe(endpoint="small", model="small-1"), recipe("sums", "small", model="small-1")
    gates = (
        GateSummary(
            gate("grade >= B", "sums", "small"), "small", other, verdict=Verdict("unmeasurable", reason=REASON)
        ),
        GateSummary(gate(endpoint="small"), "small", of, verdict=Verdict("failed", Figure(0.4167, 24, 0.24, 0.61))),
    )
    counts = Counts(passed=10, missed=13, refused=1, requests=24, asked=24)
    figures = {"exact_match": Figure(0.4167, 24, 0.24, 0.61)}
    return run(
        summary(of, counts=counts, measures=figures, grade="C"),
        summary(other, counts=Counts(passed=21, errors=3), measures={}, grade=None, why_no_grade=REASON, worst=()),
        gates=gates,
        cookbooks=(book(of, other, grade=None, reason="sums has none"),),
        totals=Totals(41, 61, 43, 5450, 0.0412),
    )


def test_a_failed_run_says_what_happened_then_where_to_look_then_what_it_took():
    assert (
        page(failed_run())
        == """\
<!-- llmeval:recipes -->
### Evaluation: 1 gate failed · 1 gate cannot be judged · <code>starter &#91;local&#93;</code>: no grade

| cookbook | endpoint | grade | recipes |
| --- | --- | --- | --- |
| <code>starter</code> | <code>local</code> | none: <code>sums has none</code> | <code>capitals</code>, <code>sums</code> |

| recipe | endpoint | grade | figure | passed | missed | errors | verdict |
| --- | --- | --- | --- | --- | --- | --- | --- |
| <code>capitals</code> | <code>small</code> | <code>C</code> | <code>exact_match</code> 0.42 (0.24-0.61) n 24 | 10 | 14 | 0 | **failed** |
| <code>sums</code> | <code>small</code> | - | <code>exact_match</code> - | 21 | 0 | 3 | **cannot be judged** |

- **failed** <code>recipes/capitals.yaml::gate:exact_match&#91;small&#93;</code>: asks for <code>exact_match >= 0.6</code>; 0.42 (0.24-0.61), n 24; threshold 0.60
- **cannot be judged** <code>recipes/sums.yaml::gate:grade&#91;small&#93;</code>: asks for <code>grade >= B</code>; <code>3 of 24 answers are missing, max_errors is 0: kenya (timeout after 5 attempts)</code>

- **3 errors** in <code>sums &#91;small&#93;</code>

<details><summary>14 missed in <code>capitals &#91;small&#93;</code>; the worst of them</summary>
<p><code>turkey&#91;small&#93;</code> <code>exact_match 0: 'Istanbul' is not 'Ankara'</code></p>
<pre>question  What is the capital of Turkey?&#10;answer    Istanbul&#10;target    Ankara</pre>
</details>

102 requests, 61 answered before · 5,450 tokens · $0.04 · 17.4 s · commit <code>3f2a9c1</code> · model <code>small-1</code>
"""
    )


def heading(record: RunRecord) -> str:
    return page(record).split("\n")[1].removeprefix("### Evaluation: ")


def test_the_heading_is_the_verdict():
    of = recipe()
    open_gate = GateSummary(gate(), "local", of)

    assert heading(run(summary(of))) == "the gate held"
    assert heading(first_run()) == "all 4 gates held · <code>starter &#91;local&#93;</code>: grade <code>A</code>"
    assert heading(run(summary(of), gates=(open_gate,), complete=False)) == "incomplete · 1 gate not reached"
    assert heading(run(summary(of), gates=())) == "3 of 24 answers missed"
    assert heading(run()) == "no answers"
    of = summary(of, counts=Counts(passed=2, missed=2, errors=5, not_asked=1, metric_errors=1))
    assert heading(run(of, gates=())) == "6 without an answer · 1 metric error · 2 of 5 answers missed"


def test_the_reasons_of_errors_stand_there_the_most_frequent_first():
    of = recipe()
    outcomes = {f"s{n}": Outcome("error", error="503 from x") for n in range(3)}
    outcomes |= {f"t{n}": Outcome("error", error=f"reason {n}") for n in range(4)}
    outcomes |= {"not": Outcome("not_asked", error="stopped"), "fine": every_outcome()["france"]}

    text = page(run(summary(of, counts=Counts(passed=1, errors=7, not_asked=1)), rows_of={of.id: rows(of, outcomes)}))

    assert (
        "- **8 errors** in <code>capitals &#91;local&#93;</code>: <code>503 from x</code> (3), "
        "<code>reason 0</code> (1), <code>reason 1</code> (1), 3 more reasons\n" in text
    )


def test_what_a_line_cannot_name_is_counted():
    many = [recipe(f"r{n}", model=f"model-{n}") for n in range(5)]
    books = tuple(replace(book(of), cookbook=replace(book(of).cookbook, id=f"b{n}")) for n, of in enumerate(many))

    text = page(run(*map(summary, many), cookbooks=books))

    assert text.splitlines()[1].endswith(" · 2 more cookbooks")
    assert text.rstrip().endswith("<code>model-2</code>, 2 more models")


def test_a_grade_that_does_not_hold_and_figures_that_read_alike_are_told_apart():
    of = recipe()
    gates = (
        GateSummary(gate("grade >= B"), "local", of, verdict=Verdict("failed", Figure(0.5, 24), grade="C")),
        GateSummary(gate("exact_match >= 0.8"), "local", of, verdict=Verdict("failed", Figure(0.79999, 24, 0.5, 0.9))),
    )

    shown = page(run(summary(of), gates=gates))

    assert "asks for <code>grade >= B</code>; grade <code>C</code>\n" in shown
    assert "; 0.80 (0.50-0.90), n 24, exactly 0.79999; threshold 0.80000\n" in shown


def test_a_part_and_a_subset_are_told_beside_the_figure():
    shown = page(run(summary(recipe(subset="10% of the rows, seed 0"), grade=None, selected=3)))

    assert (
        "| - | <code>exact_match</code> 0.88 (0.69-0.96) n 24; 3 of 24 selected; <code>10% of the rows, seed 0</code> |"
        in shown
    )


def test_the_worst_samples_stand_in_their_order_and_no_others():
    of = recipe()
    planned = rows(of, {name: missed(f"answer of {name}") for name in ("a", "b", "c")})
    record = run(summary(of, worst=(planned[2].unit.nodeid, planned[0].unit.nodeid)), rows_of={of.id: planned})

    shown = page(record)

    assert shown.index("answer of c") < shown.index("answer of a")
    assert "answer of b" not in shown


def test_recipes_from_several_folders_are_found_again_by_what_their_folders_share():
    def first_line(*paths: str) -> str:
        return page(run(*(summary(replace(recipe(), id=path, path=path)) for path in paths), gates=())).split("\n")[0]

    assert first_line("evals/a/x.yaml", "evals/b/x.yaml") == "<!-- llmeval:evals -->"
    assert first_line("a/x/1.yaml", "b/x/1.yaml") == "<!-- llmeval:. -->"
    assert first_line("a-->b --x/1.yaml") == "<!-- llmeval:a-b-x -->"


def test_a_commit_with_changes_says_so():
    info = RunInfo("run-1", 0.0, environment={"git": {"commit": "3f2a9c1d55", "dirty": True}})

    assert page(run(info=info, ended=None)).endswith(
        "\n0 requests, 0 answered before · 5,450 tokens · commit <code>3f2a9c1</code> with changes\n"
    )


def test_the_page_is_written_as_utf_8_with_line_feeds(tmp_path):
    MarkdownReport().write(failed_run(), tmp_path / "page.md")

    assert (tmp_path / "page.md").read_bytes() == page(failed_run()).encode("utf-8")


def hostile_run(text: str) -> RunRecord:
    """The text stands wherever a text that is not ours can stand."""
    text = f"a{text}"
    of = recipe(
        name=text, endpoint=text, path=f"recipes/{text}", headline=text, subset=text, model=text,
        groups=(Group(text, text),),
    )  # fmt: skip
    odd = unit(text, of, nodeid=f"x::{text}", messages=({"role": "user", "content": text},), targets=(text, text))
    outcome = missed(text, scores={text: Score(0.0, text)})
    asked = GateRecord(f"recipes/{text}", Condition("exact_match", "mean", ">=", 0.6, text))
    gates = (
        GateSummary(asked, text, of, verdict=Verdict("failed", Figure(0.5, 3))),
        GateSummary(asked, text, of, verdict=Verdict("unmeasurable", Figure(0.5, 3), reason=text)),
    )
    return run(
        summary(of, grade=text, worst=(f"x::{text}",), measures={text: Figure(None, 3, reason=text)}),
        rows_of={of.id: [Row(odd, outcome)]},
        gates=gates,
        cookbooks=(book(of, grade=text), book(of, grade=None, reason=text)),
        info=RunInfo("run", 0.0, environment={"git": {"commit": text}}),
    )


class Tags(HTMLParser):
    """The tags of a page in order, and how deep in ``details`` each text stands."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not attrs

    def handle_endtag(self, tag):
        self.tags.append(f"/{tag}")


def assert_inert(text: str) -> None:
    """The page of a run full of this text has the very structure that it has with a plain word in its place."""
    markdown_it = pytest.importorskip("markdown_it")
    renderer = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

    shown, plain = page(hostile_run(text)), page(hostile_run("word"))

    assert Tags(renderer.render(shown)).tags == Tags(renderer.render(plain)).tags
    assert not {ord(c) for c in shown} & ({*range(32)} - {9, 10} | {*range(127, 160), *range(0xD800, 0xE000), 0x202E})


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_change_nothing_but_the_text(text):
    assert_inert(text)
    assert len(page(hostile_run(text)).encode("utf-8")) < 60_000


@given(ANY_TEXT)
def test_no_text_changes_anything_but_the_text(text):
    assert_inert(text)


def test_what_services_look_for_stands_in_code_alone():
    """Mentions, references and smileys are looked for everywhere but in ``<code>`` and ``<pre>``."""
    shown = page(hostile_run(" @octocat #12 :smile: https://example.com www.example.com "))
    outside, depth = [], 0

    class Outside(HTMLParser):
        def handle_starttag(self, tag, attrs):
            nonlocal depth
            depth += tag in {"code", "pre"}

        def handle_endtag(self, tag):
            nonlocal depth
            depth -= tag in {"code", "pre"}

        def handle_data(self, data):
            if depth == 0:
                outside.append(data)

    Outside().feed(shown)
    assert depth == 0
    assert not {"@", "#12", ":smile:"} & set(" ".join(outside).split())
    assert "octocat" not in "".join(outside)
    table, _, _ = shown.partition("<details>")
    assert "https://" not in table
    assert "www.example" not in table


@pytest.mark.parametrize("text", ["<&>\"'`|" * 200_000, "🎉" * 100_000, "\n" * 100_000, "\x00" * 1000, "x"])
def test_a_page_stays_under_sixty_kilobytes_whatever_it_holds(text):
    """300 recipes with failed gates and five worst samples each: what does not fit is counted."""
    summaries, rows_of, gates = [], {}, []
    for i in range(300):
        of = recipe(f"recipe-{i}-{text[:60]}", endpoint=text[:200], model=text[:200])
        planned = [
            Row(
                unit(f"s{j}", of, messages=({"role": "user", "content": text},), targets=(text,)),
                missed(text, scores={f"m{k}": Score(0.0, text[:10_000]) for k in range(9)}),
            )
            for j in range(5)
        ]
        summaries.append(summary(of, worst=tuple(row.unit.nodeid for row in planned)))
        rows_of[of.id] = planned
        gates.append(GateSummary(of.gates[0], of.endpoint, of, verdict=Verdict("failed", Figure(0.1, 24, 0.0, 0.3))))
    record = run(
        *summaries,
        rows_of=rows_of,
        gates=tuple(gates),
        cookbooks=tuple(book(*(s.recipe for s in summaries), grade=None, reason=text) for _ in range(20)),
    )

    shown = page(record)

    assert len(shown.encode("utf-8")) < 60_000
    assert heading(record).startswith("300 gates failed")
    assert " more " in shown
    assert "requests, 0 answered before" in shown.rstrip("\n").split("\n")[-1]
    assert shown.count("<details>") == shown.count("</details>")


def test_of_many_recipes_those_with_trouble_come_first():
    summaries = [summary(recipe(f"r{i}")) for i in range(60)]
    last = summaries[-1].recipe
    gates = (GateSummary(gate(), "local", last, verdict=Verdict("failed", Figure(0.1, 24))),)

    table = page(run(*summaries, gates=gates)).partition("| --- |")[2]

    assert table.index("<code>r59</code>") < table.index("<code>r0</code>")


def test_an_ordinary_run_needs_no_room_that_a_comment_has_not():
    assert len(page(first_run())) < 4000
