"""From a recipe as read to plans: what is asked, what is judged, and what does not go together."""

from __future__ import annotations

import pytest

from pytest_llmeval.core.errors import Faults
from pytest_llmeval.core.registry import Registry
from pytest_llmeval.wiring.plans import PlanOptions, Reader

SMALL = "endpoint: Small\nconnector: openai\nmodel: small-1\n"
HEAD = "recipe: R\nendpoints: small\n"
ROWS = "samples:\n  - {id: a, input: A, target: x, metadata: {group: one}}\n  - {id: b, input: B, target: y}\n"


@pytest.fixture
def plans(tmp_path):
    """The plans of a recipe; other files by their names."""

    def planned(recipe: str, **options):
        files = options.pop("files", {})
        for name, text in {"endpoints/small.yaml": SMALL, **files, "r.yaml": HEAD + recipe}.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        return Reader(PlanOptions(tmp_path, Registry(), **options)).recipe(tmp_path / "r.yaml")

    return planned


@pytest.fixture
def faults(plans):
    def told(recipe: str, **options) -> list[str]:
        with pytest.raises(Faults) as caught:
            plans(recipe, **options)
        return [str(fault) for fault in caught.value.faults]

    return told


def test_a_grading_without_thresholds_is_a_gate_that_any_grade_passes(plans):
    (plan,) = plans(
        ROWS + "metrics: [exact_match]\ngrading: {measure: exact_match, scale: {A: [60, 100], B: [0, 59]}}\n"
    )

    assert [gate.id for gate in plan.record.gates] == ["r.yaml::gate:grade[small]"]
    assert (plan.record.headline, plan.misses) == ("exact_match", "note")


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("metrics: [length]\n", "r.yaml:6:10: metrics: nothing says what is good enough: no metric decides (length). "),
        ("metrics: []\n", "r.yaml:6:10: metrics: nothing says what is good enough: no metric decides (none). "),
        ("metrics: [exact_match]\nitems: gates\n", "r.yaml:7:8: items: `items: gates` needs `thresholds:` or "),
        (
            "metrics: [exact_match]\ngrading: {measure: exact_mach, scale: {A: [60, 100], B: [0, 59]}}\n",
            "r.yaml:7:20: grading.measure: no measure 'exact_mach'; did you mean 'exact_match'?",
        ),
        (
            "metrics: [exact_match]\ngrading: {measure: exact_match, scale: {A: [60, 100], B: [0, 49]}}\n",
            "r.yaml:7:40: grading.scale: ",
        ),
        (
            "metrics: [exact_match]\ncluster: metadata.group\n",
            "r.yaml:5:5: this row has no 'metadata.group', which `cluster:` of r.yaml names",
        ),
        (
            "metrics: [exact_match]\nthresholds: [cost < 1 usd]\n",
            "r.yaml:7:14: cost < 1 usd: endpoint 'small' has no `prices:`, so its cost is unknown, not 0",
        ),
    ],
    ids=["nothing decides", "no metric", "no gate", "measure", "scale", "cluster", "prices"],
)
def test_what_does_not_go_together_is_a_fault_with_its_place(faults, recipe, expected):
    told = faults(ROWS + recipe)

    assert len(told) == 1
    assert told[0].startswith(expected)


def test_a_template_that_cannot_be_rendered_for_a_row_names_both(faults):
    template = "template: T\ntext: '{{ input[0].upper() }} {{ 1 // (input | length - 1) }}'\n"

    told = faults(ROWS + "templates: [t]\nmetrics: [exact_match]\n", files={"templates/t.yaml": template})

    assert [fault.partition(": ")[0] for fault in told] == ["templates/t.yaml:2:7"] * 2
    assert "sample 'a' (r.yaml:4:5)" in told[0]


def test_rows_that_a_metric_cannot_work_with_are_told_a_few_of_a_kind(faults):
    rows = "samples:\n" + "".join(f"  - {{id: s{n}, input: A}}\n" for n in range(25))

    told = faults(rows + "metrics: [exact_match]\n")

    assert told[0] == "r.yaml:4:5: sample 's0' has no target, which metric 'exact_match' needs"
    assert len(told) == 21
    assert told[-1] == "r.yaml:29:10: metrics: exact_match: 5 more such rows"


def test_two_items_of_one_name_are_a_fault_that_names_the_other(faults):
    rows = "samples: [{id: 'gate:exact_match', input: A, target: x}]\n"

    assert faults(rows + "metrics: [exact_match]\nthresholds: [exact_match >= 0.5]\n") == [
        "r.yaml:3:11: two items would be called 'gate:exact_match[small]'; the other stands in r.yaml:5:14"
    ]


def test_a_seed_on_the_wire_is_another_one_for_each_repeat(plans):
    (plan,) = plans(ROWS + "metrics: [exact_match]\nrepeats: 3\nparameters: {seed: 7}\n")

    assert [unit.request.parameters["seed"] for unit in plan.units[:3]] == [7, 8, 9]
    assert len({unit.record.key for unit in plan.units}) == 6


def test_a_part_of_the_rows_is_planned_as_the_recipe_or_the_run_says(plans):
    recipe = ROWS + "metrics: [exact_match]\nsampling: {first: 1}\n"

    (own,) = plans(recipe)
    (run,) = plans(recipe, percentage=100.0)

    assert ([unit.record.sample for unit in own.units], own.record.subset) == (["a"], "the first 1 of each dataset")
    assert [unit.record.sample for unit in run.units] == ["a", "b"]


def test_systems_stand_in_their_order_as_one_message(plans):
    template = "template: T\nsystem: of the template\ntext: '{{ input }}?'\n"
    recipe = "samples: [{input: A, target: x, system: of the row}]\nsystem: of the recipe\ntemplates: [t]\n"

    (plan,) = plans(recipe + "metrics: [exact_match]\n", files={"templates/t.yaml": template}, system="of the run")

    assert plan.units[0].record.messages == (
        {"role": "system", "content": "of the run\n\nof the recipe\n\nof the template\n\nof the row"},
        {"role": "user", "content": "A?"},
    )
