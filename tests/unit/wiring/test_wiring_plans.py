"""From files to plans: what one run cannot hold together."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmeval.core.errors import Faults
from pytest_llmeval.core.identity import Identity
from pytest_llmeval.core.registry import Registry
from pytest_llmeval.state.sqlite import SqliteStore
from pytest_llmeval.wiring.plans import PlanOptions, Reader, identities_in

RECIPE = """recipe: Capitals
endpoints: small
samples: [{id: a, input: Hi, target: Ho}]
metrics: [exact_match]
thresholds: [exact_match >= 0.6]
"""


@pytest.fixture
def write(tmp_path):
    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def reader(tmp_path):
    return Reader(PlanOptions(tmp_path, Registry()))


def small(model: str = "small-1") -> str:
    return f"endpoint: Small\nconnector: openai\nmodel: {model}\n"


def test_two_endpoints_of_one_id_are_a_fault_that_names_both(write, reader):
    for folder in ("a", "b"):
        write(f"{folder}/endpoints/small.yaml", small(f"small-{folder}"))
    reader.recipe(write("a/one.yaml", RECIPE))

    with pytest.raises(Faults) as caught:
        reader.recipe(write("b/two.yaml", RECIPE))

    assert str(caught.value) == (
        "b/two.yaml:2:12: endpoints: the endpoint 'small' is b/endpoints/small.yaml here and a/endpoints/small.yaml in a/one.yaml; "
        "a run tells endpoints apart by their ids: rename one of the files"
    )


WORDS = (
    "recipe: {title}\nendpoints: {endpoint}\nsystem: {system}\nparameters: {{max_tokens: {tokens}}}\ntemplates: [t]\n"
)
ROWS = "samples: [{{id: {id}, input: {input}, target: {target}}}]\nmetrics: [exact_match]\nthresholds: [exact_match >= {bound}]\n"
AS_IT_IS = {
    "title": "Capitals",
    "endpoint": "small",
    "system": "Be brief.",
    "tokens": 8,
    "id": "a",
    "input": "Hi",
    "target": "Ho",
    "bound": 0.6,
    "template": "{{ input }}!",
    "model": "small-1",
    "more": "",
    "file": "one.yaml",
}


@pytest.mark.parametrize(
    ("change", "asks_anew"),
    [
        *(({name: value}, False) for name, value in {"title": "C", "id": "b", "target": "Hu", "bound": 0.5}.items()),
        *(({name: value}, True) for name, value in {"system": "B", "tokens": 9, "input": "H", "model": "m"}.items()),
        ({"template": "{{ input }}?"}, True),
        ({"file": "another.yaml", "endpoint": "renamed"}, False),
        ({"more": "max_concurrency: 2\ntimeout: 3\nprices: {input: 1, output: 2}\n"}, False),
        ({"more": "parameters: {temperature: 0}\n"}, True),
        ({"more": "headers: {x-team: blue}\n"}, True),
    ],
    ids=str,
)
def test_only_what_is_sent_and_to_whom_makes_a_request_a_new_one(tmp_path, change, asks_anew):
    def keys(folder: str, words: dict) -> list[str]:
        root = tmp_path / folder
        for name in ("endpoints", "templates"):
            (root / name).mkdir(parents=True)
        (root / "endpoints" / f"{words['endpoint']}.yaml").write_text(small(words["model"]) + words["more"], "utf-8")
        (root / "templates" / "t.yaml").write_text(f"template: T\ntext: '{words['template']}'\n", "utf-8")
        (root / words["file"]).write_text((WORDS + ROWS).format(**words), "utf-8")
        (plan,) = Reader(PlanOptions(root, Registry())).recipe(root / words["file"])
        return [unit.record.key for unit in plan.units]

    assert (keys("before", AS_IT_IS) != keys("after", {**AS_IT_IS, **change})) is asks_anew


@pytest.mark.parametrize(
    ("endpoint", "recipe", "told"),
    [
        ("parameters: {stream: true}\n", "", "endpoints/small.yaml:1:1: parameters: one whole answer is read, so "),
        ("", "parameters: {n: 2}\n", "one.yaml:6:13: parameters: endpoint 'small': one whole answer is read, so "),
    ],
)
def test_parameters_under_which_nothing_could_be_read_are_a_fault(write, reader, endpoint, recipe, told):
    write("endpoints/small.yaml", small() + endpoint)

    with pytest.raises(Faults) as caught:
        reader.recipe(write("one.yaml", RECIPE + recipe))

    assert str(caught.value).startswith(told)


def test_one_endpoint_may_be_named_by_many_and_by_its_path(write, reader):
    write("endpoints/small.yaml", small())
    reader.recipe(write("a/one.yaml", RECIPE))
    reader.recipe(write("b/two.yaml", RECIPE.replace("small", "../endpoints/small.yaml")))

    assert reader.endpoint("small", write("test_it.py", "")).id == "small"


def test_two_files_that_say_the_same_are_one_endpoint(write, reader):
    for folder in ("a", "b"):
        write(f"{folder}/endpoints/small.yaml", small())

    one = reader.recipe(write("a/one.yaml", RECIPE))
    two = reader.recipe(write("b/two.yaml", RECIPE))

    assert one[0].units[0].record.key == two[0].units[0].record.key


def test_a_file_and_a_connector_of_one_id_are_two(write, reader):
    write("a/endpoints/local.yaml", small())
    reader.recipe(write("a/one.yaml", RECIPE.replace("small", "local")))

    with pytest.raises(Faults, match=r"is the connector 'local' itself here and a/endpoints/local.yaml in a/one.yaml"):
        reader.recipe(write("b/two.yaml", RECIPE.replace("small", "local")))


def test_an_endpoint_that_a_test_names_is_held_to_it_too(write, reader):
    for folder in ("a", "b"):
        write(f"{folder}/endpoints/small.yaml", small(f"small-{folder}"))
    reader.recipe(write("a/one.yaml", RECIPE))

    with pytest.raises(Faults, match=r"^b/test_it.py: the endpoint 'small' is b/endpoints/small.yaml here"):
        reader.endpoint("small", write("b/test_it.py", ""))


def test_endpoints_of_the_run_may_not_share_an_id_either(write, tmp_path):
    for folder in ("a", "b"):
        write(f"{folder}/endpoints/small.yaml", small(f"small-{folder}"))
    options = PlanOptions(
        tmp_path, Registry(), override_endpoints=("./a/endpoints/small.yaml", "./b/endpoints/small.yaml")
    )

    with pytest.raises(Faults, match=r"is b/endpoints/small.yaml here and a/endpoints/small.yaml in one.yaml"):
        Reader(options).recipe(write("one.yaml", RECIPE))


def test_two_recipes_of_one_id_cannot_share_a_cookbook(write, reader):
    write("endpoints/small.yaml", small())
    for folder in ("a", "b"):
        write(f"{folder}/capitals.yaml", RECIPE)

    with pytest.raises(Faults) as caught:
        reader.cookbook(write("both.cookbook.yaml", "cookbook: Both\nrecipes: [a/capitals.yaml, b/capitals.yaml]\n"))

    assert str(caught.value) == (
        "both.cookbook.yaml:2:28: recipes[1]: two of its recipes are called 'capitals' (a/capitals.yaml, b/capitals.yaml), "
        "and so would their items be: rename one"
    )


def test_a_sample_may_not_be_called_what_a_gate_is(write, reader):
    write("endpoints/small.yaml", small())

    with pytest.raises(Faults, match=r"two items would be called 'gate:exact_match\[small]'"):
        reader.recipe(write("one.yaml", RECIPE.replace("id: a", "id: 'gate:exact_match'")))


LOCAL = "endpoint: Small\nconnector: local\npath: gone.gguf\n"
WHOLE = Identity("local", "gone", {"version": 1, "context": 2048, "weights": "ab" * 32, "server": "1.2"})


@pytest.mark.parametrize(
    ("endpoint", "stands_in"),
    [
        (LOCAL, True),
        (LOCAL + "context: 1024\n", False),
        (LOCAL.replace("gone", "other"), False),
    ],
)
def test_what_cannot_be_told_here_is_what_it_was_unless_something_speaks_against_it(
    write, tmp_path, endpoint, stands_in
):
    write("endpoints/small.yaml", endpoint)
    options = PlanOptions(tmp_path, Registry(), last_identity={"small": WHOLE}.get)

    (plan,) = Reader(options).recipe(write("one.yaml", RECIPE))

    assert (plan.endpoint.known_as() == WHOLE.parts) == stands_in
    assert plan.units[0].parts["identity"] == plan.endpoint.known_as()


def test_a_state_keeps_who_an_endpoint_is(tmp_path):
    path = tmp_path / "state.sqlite3"
    last = identities_in(path)
    before = last("small")
    store = SqliteStore.open(path, "run-1")
    store.identify("small", WHOLE).result()
    store.close()

    assert (before, last("small"), last("other")) == (None, WHOLE, None)


def test_a_state_that_cannot_be_read_knows_nobody(write):
    assert identities_in(write("odd.sqlite3", "no database"))("small") is None


FAULTY = RECIPE.replace("exact_match]", "exact_mach]").replace("small", "local")
FAULT = "capitals.yaml:4:11: metrics[0]: no metric 'exact_mach'; did you mean 'exact_match'?"
COOKBOOK = "cookbook: Both\nrecipes: [./capitals.yaml]\n"
NAMED = "cookbook.yaml:2:11: recipes[0]: capitals.yaml has faults"


def told(read, path: Path) -> list[str]:
    with pytest.raises(Faults) as caught:
        read(path)
    return str(caught.value).split("\n")


def test_the_faults_of_a_cookbooks_recipe_are_told_once(write, reader):
    recipe, cookbook = write("capitals.yaml", FAULTY), write("a.cookbook.yaml", COOKBOOK)
    other = write("b.cookbook.yaml", COOKBOOK)

    assert told(reader.cookbook, cookbook) == [f"a.{NAMED}", FAULT]
    assert told(reader.recipe, recipe) == ["capitals.yaml: its faults stand under a.cookbook.yaml"]
    assert told(reader.cookbook, other) == [f"b.{NAMED}"]


def test_a_recipe_that_told_its_faults_is_named_by_its_cookbook(write, reader):
    recipe, cookbook = write("capitals.yaml", FAULTY), write("a.cookbook.yaml", COOKBOOK)

    assert told(reader.recipe, recipe) == [FAULT]
    assert told(reader.cookbook, cookbook) == [f"a.{NAMED}"]
    assert told(reader.recipe, recipe) == [FAULT]
