"""Records of runs as reports read them, built by hand: typical ones, and hostile texts to put into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from hypothesis import strategies as st

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Band, Condition, Grading, Measure
from pytest_llmeval.core.record import (
    CookbookRecord,
    GateRecord,
    Group,
    RecipeRecord,
    Row,
    RunInfo,
    Totals,
    UnitRecord,
)
from pytest_llmeval.core.result import Figure, Outcome, Score, Verdict
from pytest_llmeval.core.sample import Origin
from pytest_llmeval.core.summary import (
    CookbookSummary,
    Counts,
    GateSummary,
    GroupSummary,
    RecipeSummary,
    RunRecord,
)

GRADING = Grading("exact_match", "mean", (Band("A", 80, 100), Band("B", 60, 79), Band("C", 0, 59)))
MEASURES = {
    "exact_match": Measure("exact_match", binary=True),
    "latency": Measure("latency", "low", (0.0, None), builtin=True, unit="s"),
    "errors": Measure("errors", "low", binary=True, builtin=True),
}
HOSTILE = [
    "",
    "\x00\x1b[31mred\x1b[0m\x07\r\n\tend\x9b2J",
    "\ud800 lone \udfff",
    "\u202eright to left\u2066\u2028\u2029\ufffe",
    "</details></pre><script>alert(1)</script>",
    "| a | b |\n| --- | --- |\n\n# heading\n\n```\nfence",
    "`code` **bold** _it_ [a](http://b) ![i](x) @octocat #12 :smile: $x$ www.example.com",
    "-->\n<!-- ",
    "\n" * 500,
    "x" * 1_000_000,
    "<&>\"'" * 3000,
    "é漢字🎉" * 500,
]
#: any text, lone surrogates and controls among them
ANY_TEXT = st.one_of(
    st.sampled_from([text for text in HOSTILE if len(text) < 1000]),
    st.text(st.characters(exclude_categories=()), max_size=300),
)


def condition(text: str = "exact_match >= 0.6", line: int = 17, path: str = "recipes/capitals.yaml") -> Condition:
    head, operator, value = text.split(" ", 2)
    measure, _, statistic = head.partition(".")
    number = float(value.split()[0]) if measure != "grade" else 0.0
    label = value if measure == "grade" else None
    return Condition(measure, statistic or "mean", operator, number, text, label, origin=Origin(path, line))


def gate(text: str = "exact_match >= 0.6", recipe: str = "capitals", endpoint: str = "local") -> GateRecord:
    head = text.split(maxsplit=1)[0]
    return GateRecord(f"recipes/{recipe}.yaml::gate:{head}[{endpoint}]", condition(text, path=f"recipes/{recipe}.yaml"))


def recipe(name: str = "capitals", endpoint: str = "local", **changes: object) -> RecipeRecord:
    path = f"recipes/{name}.yaml"
    record = RecipeRecord(
        id=f"{path}[{endpoint}]",
        recipe=name,
        path=path,
        title=name.title(),
        endpoint=endpoint,
        groups=(Group(name, None),),
        measures=MEASURES,
        gates=(gate(recipe=name, endpoint=endpoint),),
        headline="exact_match",
        metrics=("exact_match",),
        grading=GRADING,
        units=24,
    )
    return replace(record, **changes)


def unit(sample: str = "turkey", of: RecipeRecord | None = None, ordinal: int = 0, **changes: object) -> UnitRecord:
    of = of or recipe()
    record = UnitRecord(
        id=sample,
        nodeid=f"{of.path}::{sample}[{of.endpoint}]",
        ordinal=ordinal,
        key=f"key of {sample}",
        sample=sample,
        dataset=of.groups[0].dataset,
        template=of.groups[0].template,
        repeat=1,
        messages=(
            {"role": "system", "content": "Answer with one word."},
            {"role": "user", "content": f"What is the capital of {sample.title()}?"},
        ),
        targets=("Ankara",),
        origin=Origin("recipes/datasets/capitals.yaml", 41, 7),
    )
    return replace(record, **changes)


def missed(answer: str = "Istanbul", **changes: object) -> Outcome:
    outcome = Outcome(
        "missed",
        Response(answer, input_tokens=28, output_tokens=3, latency=0.21, cost=0.0),
        {"exact_match": Score(0.0, "'Istanbul' is not 'Ankara'")},
        cached=True,
    )
    return replace(outcome, **changes)


def every_outcome() -> dict[str, Outcome]:
    """One outcome of each kind, by the name of its sample."""
    answer = Response("Paris", input_tokens=28, output_tokens=3, latency=0.2, cost=0.00031)
    return {
        "france": Outcome("passed", answer, {"exact_match": Score(1.0, "'Paris' is 'Paris'")}),
        "turkey": missed(),
        "chad": Outcome("refused", Response("", finish="content_filter"), {"exact_match": Score(0.0, "refused")}),
        "kenya": Outcome("error", error="timeout after 5 attempts", attempts=5),
        "peru": Outcome(
            "metric_error", answer, {}, error="mine: ValueError: no", traceback='File "mine.py"\nValueError: no'
        ),
        "oman": Outcome("not_asked", error="endpoint local stopped: 401"),
        "mali": Outcome("skipped", error="unclear"),
        "cuba": Outcome("passed", Response("Havana", finish="length", output_tokens=31), {"exact_match": Score(1.0)}),
    }


def rows(of: RecipeRecord, outcomes: Mapping[str, Outcome | None]) -> list[Row]:
    return [Row(unit(name, of, ordinal), outcome) for ordinal, (name, outcome) in enumerate(outcomes.items())]


def summary(of: RecipeRecord | None = None, **changes: object) -> RecipeSummary:
    of = of or recipe()
    whole = RecipeSummary(
        of,
        Counts(passed=21, missed=3, requests=24, asked=24, tokens=1204),
        {"exact_match": Figure(0.875, 24, 0.69, 0.957, 0.07), "latency": Figure(0.2134, 24, 0.19, 0.23, 0.01)},
        (GroupSummary(of.groups[0], 24, {"exact_match": Figure(0.875, 24, 0.69, 0.957)}),),
        grade="A",
        worst=(f"{of.path}::turkey[{of.endpoint}]",),
    )
    return replace(whole, **changes)


def run(
    *summaries: RecipeSummary,
    rows_of: Mapping[str, list[Row]] | None = None,
    gates: tuple[GateSummary, ...] | None = None,
    cookbooks: tuple[CookbookSummary, ...] = (),
    **changes: object,
) -> RunRecord:
    """A run; by default every gate holds and `turkey` is the only row of each recipe."""
    if gates is None:
        gates = tuple(
            GateSummary(one, s.recipe.endpoint, s.recipe, verdict=Verdict("passed", s.measures.get("exact_match")))
            for s in summaries
            for one in s.recipe.gates
        )
    known = rows_of if rows_of is not None else {s.recipe.id: rows(s.recipe, {"turkey": missed()}) for s in summaries}

    def read(recipe_id: str) -> Iterator[Row]:
        yield from known.get(recipe_id, [])

    counts = [s.counts for s in summaries]
    record = RunRecord(
        RunInfo(
            "run-1",
            1_795_600_800.0,
            environment={"python": "3.11.7", "git": {"commit": "3f2a9c1d55", "dirty": False}},
        ),
        1_795_600_817.4,
        complete=True,
        recipes=summaries,
        cookbooks=cookbooks,
        gates=gates,
        rows=read,
        totals=Totals(
            sum(c.asked for c in counts), sum(c.cached for c in counts), sum(c.asked for c in counts), 5450, 0.0
        ),
    )
    return replace(record, **changes)


def book(*of: RecipeRecord, grade: str | None = "A", reason: str = "") -> CookbookSummary:
    record = CookbookRecord(
        "recipes/starter.cookbook.yaml[local]",
        "starter",
        "recipes/starter.cookbook.yaml",
        "Starter",
        "local",
        tuple(one.id for one in of),
    )
    return CookbookSummary(record, grade, reason)


def first_run() -> RunRecord:
    """Four recipes of a starter cookbook, some misses, every gate held."""
    names = [("capitals", 24, 21, 1204), ("sums", 46, 37, 2310), ("sentiment", 22, 21, 914), ("person", 10, 10, 1022)]
    figures = [(0.875, 0.69, 0.957), (0.8043, 0.6683, 0.8935), (0.9545, 0.782, 0.992), (1.0, 0.7225, 1.0)]
    headlines = ["exact_match", "numeric", "choice", "json_schema"]
    summaries = []
    for (name, n, passed, tokens), (value, low, high), headline in zip(names, figures, headlines, strict=True):
        of = recipe(name, headline=headline, units=n)
        summaries.append(
            summary(
                of,
                counts=Counts(passed=passed, missed=n - passed, requests=n, asked=n, tokens=tokens),
                measures={headline: Figure(value, n, low, high)},
                worst=(f"{of.path}::worst of {name}[local]",) if passed < n else (),
            )
        )
    return run(*summaries, cookbooks=(book(*(s.recipe for s in summaries)),))
