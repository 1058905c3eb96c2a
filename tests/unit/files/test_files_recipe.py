"""A recipe with all that it names; its faults, each with its place, all at once."""

from __future__ import annotations

import pytest

from pytest_llmeval.core.extraction import LastLine, RegexStep, Strip
from pytest_llmeval.core.sample import Origin

GOOD = """\
recipe: Capitals in one word
description: Does it know capitals?
tags: [facts, smoke]
categories: knowledge
datasets: capitals
templates: [plain, terse]
endpoints: small
system: Answer with one word.   # a comment is fine here
parameters: {temperature: 0, stop: "1"}
repeats: 3
reduce: mean
sampling: {percentage: 10%, seed: 1}
extract: [strip, {regex: 'Answer: (.*)'}, {regex: {pattern: b, match: first}}, last_line]
metrics:
  - exact_match
  - numeric: {tolerance: 0.01, name: near, pass: 1}
  - not: {includes: {text: "I cannot"}}
thresholds:
  - exact_match >= 0.6
  - {measure: exact_match, at_least: 0.6}
grading: {measure: exact_match, scale: {A: [80, 100], yes: [0, 79]}}
misses: note
items: gates
cluster: metadata.passage
max_errors: 1%
"""


@pytest.fixture
def furnished(world):
    world.write("datasets/capitals.yaml", "dataset: Capitals\nlicense: CC0-1.0\nsamples: [{input: a, target: b}]\n")
    world.write("templates/plain.yaml", 'template: Plain\ntext: "{{ input }}"\n')
    world.write("templates/terse.yaml", 'template: Terse\ntext: "{{ input }} Brief."\n')
    world.write("endpoints/small.yaml", "endpoint: Small\nconnector: openai\nmodel: small-1\n")
    return world


def test_a_recipe_comes_with_all_that_it_names(furnished):
    recipe = furnished.recipe(GOOD)

    assert recipe.id == "r"
    assert recipe.shown == "recipes/r.yaml"
    assert recipe.spec.recipe == "Capitals in one word"
    assert recipe.spec.tags == ("facts", "smoke")
    assert recipe.spec.categories == ("knowledge",)
    assert recipe.spec.system == "Answer with one word."
    assert recipe.spec.parameters == {"temperature": 0, "stop": "1"}
    assert (recipe.spec.sampling.percentage, recipe.spec.sampling.seed) == (10.0, 1)
    assert recipe.spec.max_errors == 0.01
    assert [dataset.id for dataset in recipe.datasets] == ["capitals"]
    assert [template.id for template in recipe.templates] == ["plain", "terse"]
    assert [endpoint.id for endpoint in recipe.endpoints] == ["small"]
    assert [(use.name, use.passing, use.origin.line) for use in recipe.metrics] == [
        ("exact_match", None, 15),
        ("near", 1.0, 16),
        ("not_includes", None, 17),
    ]
    assert recipe.extraction.steps == (Strip(), RegexStep("Answer: (.*)"), RegexStep("b", "first"), LastLine())
    assert [(each.source, each.origin) for each in recipe.thresholds] == [
        ("exact_match >= 0.6", Origin("recipes/r.yaml", 19, 5)),
        ({"measure": "exact_match", "at_least": 0.6}, Origin("recipes/r.yaml", 20, 5)),
    ]
    assert [(band.label, band.low, band.high) for band in recipe.grading.bands] == [("A", 80, 100), ("yes", 0, 79)]
    assert str(recipe.place.at("cluster").origin) == "recipes/r.yaml:24:10"


def test_one_file_is_enough(world):
    recipe = world.recipe("recipe: R\nsamples: [{input: 1.10, target: no}]\nmetrics: exact_match\n")

    assert recipe.datasets[0].id == "r"
    assert recipe.datasets[0].samples[0].input == "1.10"
    assert recipe.datasets[0].samples[0].targets == ("no",)
    assert recipe.spec.max_errors == 0
    assert recipe.spec.misses is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics: [exact_mach]", "3:11: metrics[0]: no metric 'exact_mach'; did you mean 'exact_match'?"),
        ("metrics: exact_mach", "3:10: metrics: no metric 'exact_mach'; did you mean 'exact_match'?"),
        ("metrics: [{exact_mach: {a: 1}}]", "3:12: metrics[0]: no metric 'exact_mach'; did you mean 'exact_match'?"),
        (
            "metrics: [{not: exact_mach}]",
            "3:17: metrics[0].not: no metric 'exact_mach'; did you mean 'exact_match'?",
        ),
        (
            "metrics: [{numeric: {tolerence: 1}}]",
            "3:22: metrics[0].numeric: no option 'tolerence' of the metric 'numeric'; did you mean 'tolerance'?",
        ),
        (
            "metrics: [{numeric: {tolerance: much}}]",
            "3:33: metrics[0].numeric.tolerance: a number is expected, found 'much'",
        ),
        (
            "metrics: [{exact_match: {ignore_case: yes}}]",
            "3:39: metrics[0].exact_match.ignore_case: true or false is expected, found 'yes'",
        ),
        (
            "metrics: [{exact_match: {normalize: NFD}}]",
            "3:37: metrics[0].exact_match.normalize: none or nfc or nfkc is expected, found 'NFD'",
        ),
        ("metrics: [regex]", "3:11: metrics[0]: the metric 'regex' needs `pattern:`"),
        (
            "metrics: [{includes_any: {texts: one}}]",
            "3:34: metrics[0].includes_any.texts: a list is expected, found 'one'",
        ),
        ("metrics: [{numeric: 1}]", "3:21: metrics[0].numeric: the options of numeric are a mapping, this is a number"),
        ("metrics: [{numeric: {pass: high}}]", "3:28: metrics[0].numeric.pass: a number is expected, found 'high'"),
        (
            "metrics: [{numeric: {name: latency}}]",
            "3:28: metrics[0].numeric.name: 'latency' is the name of a built-in measure; `name:` gives the metric another",
        ),
        (
            "metrics: [exact_match, exact_match]",
            "3:24: metrics[1]: two metrics are named 'exact_match' (line 3); `name:` renames one",
        ),
        (
            "metrics: [{not: {includes: {}, numeric: {}}}]",
            "3:17: metrics[0].not: `not` stands before one metric, such as `not: {includes: {text: sorry}}`",
        ),
        (
            "metrics: [{not: {includes: {text: a, pass: 1}}}]",
            "3:17: metrics[0].not: `pass:` stands beside the metric that `not` is before, not among its options",
        ),
        ("extract: {json_path: a}", "3:11: extract: `json_path` is not available in this version"),
        ("extract: stripp", "3:10: extract: no step 'stripp'; did you mean 'strip'?"),
        ("extract: {regex: {match: last}}", "3:18: extract.regex: `regex` needs a pattern"),
        (
            "extract: {regex: {pattern: a, match: all}}",
            "3:38: extract.regex.match: first or last is expected, found 'all'",
        ),
        ("extract: {strip: 1}", "3:18: extract.strip: strip has no options"),
        ("repeats: 0", "3:10: repeats: it must be at least 1, found 0"),
        ("repeats: '3'", "3:10: repeats: a whole number is expected, found '3'"),
        ("reduce: max", "3:9: reduce: 'max' is not available in this version; there is `mean`"),
        ("reduce: {at_least: 2}", "3:9: reduce: this reduction is not available in this version; there is `mean`"),
        ("reduce: median", "3:9: reduce: `mean` is expected, found 'median'"),
        ("sampling: {stable: 10%}", "3:12: sampling: `stable:` is not available in this version"),
        ("sampling: {count: 1, first: 2}", "3:11: sampling: one of `percentage`, `count` and `first` is expected"),
        ("sampling: {first: 2, seed: 1}", "3:11: sampling: `first` chooses nothing by chance: `seed` has no use here"),
        (
            "sampling: {percentage: 120}",
            "3:24: sampling.percentage: a percentage above 0, up to 100, is expected, found 120",
        ),
        ("slices: [a]", "3:1: `slices:` is not available in this version"),
        ("misses: never", "3:9: misses: note or fail is expected, found 'never'"),
        ("items: all", "3:8: items: samples or gates is expected, found 'all'"),
        ("max_errors: 0.5", "3:13: max_errors: a count such as 2 or a share such as 1% is expected, found 0.5"),
        ("max_errors: 200%", "3:13: max_errors: a share of at most 100% is expected, found '200%'"),
        (
            "grading: {measure: m, scale: {A: [1]}}",
            "3:34: grading.scale.A: a band is two whole numbers, such as [80, 100]",
        ),
        ("grading: {scale: {A: [0, 100]}}", "3:10: grading: `measure:` is missing"),
        ("parameters: {temperature: .inf}", "3:13: parameters: temperature is not a finite number"),
        ("thresholds: [{a: 1}, [b]]", "3:22: thresholds[1]: a text is expected, this is a list"),
        ("metrcs: [exact_match]", "3:1: unknown key 'metrcs'; did you mean 'metrics'?"),
        ("zzz: 1", "3:1: unknown key 'zzz'; there are recipe, "),
        ("tags: a: b", "3:8: an unquoted `: ` within a text"),
        ("system: [a]", "3:9: system: a text is expected, this is a list"),
        ("cluster:\n  a: b", "4:3: cluster: a text is expected, this is a mapping; quote a text that has `: ` in it"),
        ("datasets: capitals", "1:1: a recipe has `datasets:` or `samples:`, not both"),
        ("templates: [plain, plain]", "3:20: templates[1]: two of them are called 'plain'"),
        ("recipe: again", "3:1: duplicate key 'recipe'; it stands in line 1 already"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(furnished, text, expected):
    lines = furnished.faults(f"recipe: R\nsamples: [{{input: a, target: b}}]\n{text}\n")

    assert len(lines) == 1
    assert lines[0].startswith(f"recipes/r.yaml:{expected}")


def test_the_place_of_a_misspelt_metric_is_its_line_and_column(world):
    text = "recipe: R\nsamples:\n  - input: a\n    target: b\n\nmetrics:\n  - exact_mach\n"

    assert world.faults(text) == ["recipes/r.yaml:7:5: metrics[0]: no metric 'exact_mach'; did you mean 'exact_match'?"]


def test_all_faults_of_a_recipe_and_of_what_it_names_are_told_at_once(world):
    world.write("datasets/d.yaml", "dataset: D\nsamples:\n  - input: a\n  - target: b\n")
    world.write("templates/t.yaml", 'template: T\ntext: "{{ a.__class__ }}"\n')
    world.write("endpoints/e.yaml", "endpoint: E\nconnector: openia\n")

    assert world.faults(
        """\
        recipe: R
        recipe: S
        datasets: [d, none]
        templates: t
        endpoints: [e, nowhere]
        metrics: [exact_mach]
        extract: nothing
        """
    ) == [
        "datasets/d.yaml:4:5: samples[1]: a row needs `input:` or `messages:`",
        "endpoints/e.yaml:2:12: connector: no connector 'openia'; did you mean 'openai'?",
        "recipes/r.yaml:2:1: duplicate key 'recipe'; it stands in line 1 already",
        f"recipes/r.yaml:3:15: datasets[1]: no dataset 'none' in a folder datasets/ beside this file or above it, "
        f"up to {world.root}",
        f"recipes/r.yaml:5:16: endpoints[1]: no endpoint 'nowhere' in a folder endpoints/ beside this file or above "
        f"it, up to {world.root}",
        "recipes/r.yaml:6:11: metrics[0]: no metric 'exact_mach'; did you mean 'exact_match'?",
        "recipes/r.yaml:7:10: extract: no step 'nothing'; there are regex, strip, lower, last_line",
        "templates/t.yaml:2:7: text: line 1 of the template: it may not reach for '__class__'",
    ]


def test_what_a_recipe_names_is_told_beside_the_faults_of_other_keys(world):
    text = "recipe: R\nrepets: 2\nsamples: [{}]\nmetrics: [exact_mach]\nextract: [stripp]\ntemplates: [t]\n"
    assert world.faults(text) == [
        "recipes/r.yaml:2:1: unknown key 'repets'; did you mean 'repeats'?",
        "recipes/r.yaml:3:11: samples[0]: a row needs `input:` or `messages:`",
        "recipes/r.yaml:4:11: metrics[0]: no metric 'exact_mach'; did you mean 'exact_match'?",
        "recipes/r.yaml:5:11: extract[0]: no step 'stripp'; did you mean 'strip'?",
        "recipes/r.yaml:6:13: templates[0]: no template 't' in a folder templates/ beside this file or above it, "
        f"up to {world.root}",
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", "recipes/r.yaml:1:1: the file is empty; a recipe is a mapping"),
        ("- recipe\n", "recipes/r.yaml:1:1: a recipe is a mapping, this is a list"),
        ("recipe\n", "recipes/r.yaml:1:1: a recipe is a mapping, this is a text"),
        (b"recipe: caf\xe9\n", "recipes/r.yaml:1:12: the byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("recipe:\nsamples: [{input: a}]", "recipes/r.yaml:1:1: `recipe:` is missing"),
        ("recipe: R\n", "recipes/r.yaml:1:1: a recipe has `datasets:` or `samples:`, it has neither"),
        ("recipe: R\nsamples: []\n", "recipes/r.yaml:2:10: it has no rows; a dataset needs one"),
    ],
)
def test_a_file_that_is_no_recipe_is_told(world, data, expected):
    world.write("recipes/r.yaml", data)

    assert world.faults() == [expected]


def test_a_file_that_is_not_there_is_told(world):
    assert world.faults() == ["recipes/r.yaml: it cannot be read: No such file or directory"]


def test_the_endpoints_of_a_recipe_may_be_left_out(world):
    file = world.write("recipes/r.yaml", "recipe: R\nsamples: [{input: a}]\nendpoints: nowhere\n")

    assert world.loader.recipe(file, endpoints=False).endpoints == ()


def test_what_several_recipes_name_is_read_once(furnished):
    first = furnished.write("recipes/a.yaml", GOOD)
    second = furnished.write("recipes/b.yaml", GOOD)
    loader = furnished.loader

    one, other = loader.recipe(first), loader.recipe(second)

    assert one.datasets[0] is other.datasets[0]
    assert one.templates[0] is other.templates[0]
    assert one.endpoints[0] is other.endpoints[0]


def test_a_cookbook_names_the_files_of_its_recipes(world):
    world.write("recipes/capitals.yaml", "recipe: C\n")
    world.write("recipes/sums.recipe.yaml", "recipe: S\n")
    file = world.write(
        "cookbooks/starter.yaml",
        "cookbook: Starter\nrecipes: [capitals, sums]\nthresholds: [grade >= C]\ntags: smoke\nitems: samples\n",
    )

    cookbook = world.loader.cookbook(file)

    assert [path.name for path in cookbook.recipes] == ["capitals.yaml", "sums.recipe.yaml"]
    assert cookbook.thresholds[0].source == "grade >= C"
    assert (cookbook.spec.tags, cookbook.spec.items, cookbook.id) == (("smoke",), "samples", "starter")


def test_what_is_wrong_with_a_cookbook_is_told_at_once(world, told_by):
    world.write("recipes/a.yaml", "recipe: C\n")
    file = world.write("c.cookbook.yaml", "cookbook: C\nrecipes: [a, ../a.yaml, a, b]\nitems: gates\nitems: gates\n")

    assert told_by(lambda: world.loader.cookbook(file)) == [
        f"c.cookbook.yaml:2:14: recipes[1]: '../a.yaml' leaves the root {world.root}; files are read from inside it",
        "c.cookbook.yaml:2:25: recipes[2]: the recipe 'a' stands in it twice",
        f"c.cookbook.yaml:2:28: recipes[3]: no recipe 'b' in a folder recipes/ beside this file or above it, "
        f"up to {world.root}",
        "c.cookbook.yaml:4:1: duplicate key 'items'; it stands in line 3 already",
    ]
    file = world.write("c.cookbook.yaml", "cookbook: C\nrecipe: a\n")
    assert told_by(lambda: world.loader.cookbook(file)) == [
        "c.cookbook.yaml:1:1: `recipes:` is missing",
        "c.cookbook.yaml:2:1: unknown key 'recipe'; did you mean 'recipes'?",
    ]


def test_a_metric_of_python_values_is_what_metrics_take(world, told_by):
    naming = world.root / "tests" / "test_x.py"

    assert world.loader.metric("exact_match", naming).metric.ignore_case is False
    assert world.loader.metric({"numeric": {"tolerance": 0.5, "name": "near"}}, naming).name == "near"
    assert told_by(lambda: world.loader.metric("exact_mach", naming)) == [
        "tests/test_x.py: no metric 'exact_mach'; did you mean 'exact_match'?"
    ]
    assert told_by(lambda: world.loader.metric({"numeric": {"tolerance": "x"}}, naming)) == [
        "tests/test_x.py: numeric.tolerance: a number is expected, found 'x'"
    ]


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ("[[a]]", "3:11: metrics[0]: a text is expected, this is a list"),
        ("[{not: [a]}]", "3:17: metrics[0].not: `not` stands before a metric, this is a list"),
        (
            "[{not: ~}]",
            "3:17: metrics[0].not: `not` stands before one metric, such as `not: {includes: {text: sorry}}`",
        ),
        ("[{numeric: {name: [a]}}]", "3:28: metrics[0].numeric.name: a text is expected, this is a list"),
        ("[{numeric: {name: 'a b'}}]", "3:28: metrics[0].numeric.name: a metric's name is made of letters"),
        ("[{not: {length: {}}}]", "3:17: metrics[0].not: length has no contrary"),
        (
            "[{python: {target: no_such_module:f}}]",
            "3:20: metrics[0].python: target: 'no_such_module:f' cannot be imported",
        ),
    ],
)
def test_what_is_wrong_with_a_metric_is_told(world, metrics, expected):
    told = world.faults(f"recipe: R\nsamples: [{{input: a}}]\nmetrics: {metrics}\n")

    assert len(told) == 1
    assert told[0].startswith(f"recipes/r.yaml:{expected}")


def test_name_and_pass_stand_beside_the_metric_that_not_is_before(world):
    recipe = world.recipe(
        "recipe: R\nsamples: [{input: a}]\nmetrics:\n  - not: {includes: {text: b}, name: no_b, pass: 1}\n"
        "  - not: {includes: {text: c, name: sorry}}\n  - exact_match:\n"
    )

    assert [(use.name, use.passing) for use in recipe.metrics] == [
        ("no_b", 1.0),
        ("not_sorry", None),
        ("exact_match", None),
    ]
    assert recipe.metrics[0].metric.inner.text == "b"


@pytest.mark.parametrize(
    ("extract", "expected"),
    [
        ("[[a]]", "3:11: extract[0]: a text is expected, this is a list"),
        ("{regex: '('}", "3:18: extract.regex: "),
        ("{regex: {pattern: a, mode: last}}", "3:31: extract.regex: unknown key 'mode'"),
        ("{a: 1, b: 2}", "3:10: extract: a name, or one name with its options, is expected; this mapping has 2 keys"),
    ],
)
def test_what_is_wrong_with_a_step_is_told(world, extract, expected):
    told = world.faults(f"recipe: R\nsamples: [{{input: a}}]\nextract: {extract}\n")

    assert len(told) == 1
    assert told[0].startswith(f"recipes/r.yaml:{expected}")
