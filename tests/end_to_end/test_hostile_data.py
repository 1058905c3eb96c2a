"""Texts that break terminals, XML, Markdown and xdist's wire: kept exactly, shown harmlessly."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

from asking import about, asks, rows, yaml

from pytest_llmeval.testing import failing, serve, when

#: what YAML can hold by its escapes
HOSTILE = (
    "NUL\x00 \x1b[31mred\x1b]0;title\x07 \u202ereversed\u2066 \x85\u2028 ]]> </details></pre><script>alert(1)</script>"
    " @everyone & | `code` \r\n\ttab {{ 7 * 7 }} {% raw %} end"
)
#: and what only JSON can
WORST = f"\ud800 low \udfff {HOSTILE} \ufffe"
BIG = "x" * 1_000_000

JUDGE = """
from pytest_llmeval import Score

def judge(response, sample):
    if sample.id == "raising":
        raise ValueError(response.text)
    return Score(0, response.text)
"""

# controls but line feeds and tabs, what reorders text, surrogates as an output that is no UTF-8 would hold them
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

ROWS = [
    {"id": f"id {WORST}", "input": f"question {WORST}", "target": [WORST + "!", WORST + "?"], "tags": [f"tag {WORST}"]},
    {"id": "metadata", "input": "question", "target": "no", "metadata": {f"key {WORST}": WORST}, "field": WORST},
    {"id": "big", "input": f"big {BIG}", "target": BIG + "y"},
    {"id": "failing", "input": "failing", "target": "no"},
    {"id": "raising", "input": "raising", "target": "no"},
    {"id": "skipped", "input": "skipped", "skip": WORST, "target": "no"},
    {"id": "expected", "input": "expected", "xfail": WORST, "target": "no"},
    {"input": f"without an id {WORST}", "target": "no"},
]


def test_any_text_is_kept_exactly_and_shown_harmlessly(anywhere):
    """In inputs, ids, tags, metadata, targets, reasons, answers, errors, titles: in every report, by any worker."""
    with serve(
        when(about("failing"), failing(422, WORST)),
        answer=lambda received: BIG if about("big")(received) else WORST,
    ) as server:
        asks(
            anywhere,
            server.url,
            [],
            endpoint={"endpoint": HOSTILE},
            recipe=f"Title {HOSTILE}",
            description=HOSTILE,
            system=HOSTILE,
            tags=[f"tag {HOSTILE}"],
            categories=[HOSTILE],
            datasets="rows",
            metrics=["exact_match", {"python": {"target": "judge:judge", "binary": True}}],
            misses="fail",
        )
        recipe = anywhere.path / "recipes/asks.yaml"
        recipe.write_text(recipe.read_text("utf-8").replace("samples: []\n", ""), "utf-8")
        anywhere.write("judge.py", JUDGE)
        lines = "".join(json.dumps(row) + "\n" for row in ROWS)
        anywhere.write("recipes/datasets/rows.jsonl", lines)
        result = anywhere.run(
            "-rA", "--strict-markers", "--llmeval-report", "r.json", "--llmeval-report", "r.md", "--junitxml", "j.xml"
        )

    result.assert_outcomes(failed=5, errors=2, skipped=1, xfailed=1)
    text = result.stdout.str() + result.stderr.str()
    assert HARMFUL.findall(text) == []
    assert "INTERNALERROR" not in text
    # a megabyte is shown by its ends
    assert len(text) < 40_000

    report = json.loads((anywhere.path / "r.json").read_text("utf-8"))
    found = rows(report)
    worst = found[f"id {WORST}"]
    assert worst["messages"] == [
        {"role": "system", "content": HOSTILE},
        {"role": "user", "content": f"question {WORST}"},
    ]
    assert worst["answer"] == WORST
    assert worst["targets"] == [WORST + "!", WORST + "?"]
    assert worst["scores"]["python"]["reason"] == WORST
    assert found["big"]["answer"] == BIG
    assert found["failing"]["outcome"] == "error"
    assert found["raising"]["outcome"] == "metric_error"
    assert report["recipes"][0]["title"] == f"Title {HOSTILE}"

    junit = (anywhere.path / "j.xml").read_bytes()
    cases = {case.get("name") for case in ET.fromstring(junit).iter("testcase")}
    assert len(cases) == 9
    assert len(junit) < 60_000
    page = (anywhere.path / "r.md").read_text("utf-8")
    assert HARMFUL.findall(page) == []
    assert "<script" not in page
    assert page.count("<details>") == page.count("</details>") == 1
    assert "@everyone" not in re.sub("<pre>.*</pre>", "", page)
    assert len(page) < 60_000

    # the id is typed as it is shown, and the state gives the same answer
    again = replace(anywhere, world=("-p", "no:xdist"))
    report = again.report(worst["nodeid"], "--llmeval-cache", "only")
    assert [(row["answer"], row["cached"]) for row in report["samples"] if row["answer"] is not None] == [(WORST, True)]


def test_a_surrogate_in_yaml_is_told_with_its_place(project):
    asks(project, "http://127.0.0.1:9/v1", [{"id": "a", "input": "\ud800", "target": "no"}])

    text = project.run().stdout.str()

    assert re.search(r"^recipes/asks\.yaml:5:\d+: found invalid Unicode character escape code", text, re.MULTILINE)
    assert yaml(a="\ud800") == 'a: "\\ud800"\n'
