"""Files that are wrong in every way we know of, through the whole of pytest."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

GOOD = "samples: [{id: a, input: What is the capital of France?, target: Paris}]\nmetrics: [exact_match]\n"
NESTED = "".join(f"  - &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9))

posix = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")

#: id of a recipe: its files (`recipes/ID.yaml` where nothing else is said), and the line that tells what is wrong
FAULTY: dict[str, tuple[dict[str, str | bytes], str]] = {
    "empty": (
        {"": "recipe: Title\ndatasets: nothing\nmetrics: [exact_match]\n", "datasets/nothing.yaml": ""},
        "recipes/datasets/nothing.yaml:1:1: the file is empty; a dataset is a mapping",
    ),
    "latin": (
        {"": b"recipe: Title\n" + GOOD.replace("France", "C\xf4te d'Ivoire").encode("latin-1")},
        "recipes/latin.yaml:2:50: the byte 0xf4 is not UTF-8; save the file as UTF-8",
    ),
    "listed": (
        {
            "": f"recipe: Title\ntemplates: listed\n{GOOD}",
            "templates/listed.yaml": "- template: Title\n- text: '{{ input }}'\n",
        },
        "recipes/templates/listed.yaml:1:1: a template is a mapping, this is a list",
    ),
    "bomb": (
        {"": f"recipe: Title\n{GOOD}categories:\n  - &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n{NESTED}"},
        "recipes/bomb.yaml:11:5: its aliases stand for over 1,000,000 nodes, or nest too deep",
    ),
    "tagged": (
        {"": f"recipe: Title\ndescription: !!python/object/apply:os.system ['touch harm']\n{GOOD}"},
        "recipes/tagged.yaml:2:14: YAML tags are refused; quote a text that begins with `!`",
    ),
    "reaching": (
        {
            "": f"recipe: Title\ntemplates: reaching\n{GOOD}",
            "templates/reaching.yaml": 'template: T\ntext: "{{ input.__class__.__mro__[1].__subclasses__() }}"\n',
        },
        "recipes/templates/reaching.yaml:2:7: text: line 1 of the template: it may not reach for '__subclasses__'",
    ),
    "leaving": (
        {"": "recipe: Title\ndatasets: ../../outside/secrets.jsonl\nmetrics: [exact_match]\n"},
        "recipes/leaving.yaml:2:11: datasets: '../../outside/secrets.jsonl' leaves the root ",
    ),
    "linked": (
        {"": "recipe: Title\ndatasets: ./link.jsonl\nmetrics: [exact_match]\n"},
        "recipes/linked.yaml:2:11: datasets: './link.jsonl' leaves the root ",
    ),
    "rowless": (
        {"": "recipe: Title\ndatasets: ./rowless.jsonl\nmetrics: [exact_match]\n", "rowless.jsonl": ""},
        "recipes/rowless.jsonl: it has no rows; a dataset needs one",
    ),
    "inputless": (
        {"": "recipe: Title\nsamples:\n  - {id: a, target: Paris}\nmetrics: [exact_match]\n"},
        "recipes/inputless.yaml:3:5: samples[0]: a row needs `input:` or `messages:`",
    ),
    "huge": (
        {
            "": "recipe: Title\ndatasets: ./huge.jsonl\nmetrics: [exact_match]\n",
            "huge.jsonl": json.dumps({"input": "x" * 20_000_000, "target": "y"}) + "\n",
        },
        "recipes/huge.jsonl:1: a text over 16 MiB",
    ),
    "twice": (
        {"": f"recipe: Title\n{GOOD}metrics: [includes]\n"},
        "recipes/twice.yaml:4:1: duplicate key 'metrics'; it stands in line 3 already",
    ),
    "merged": (
        {"": f"recipe: Title\n{GOOD}parameters:\n  <<: {{temperature: 0}}\n"},
        "recipes/merged.yaml:5:3: a merge (`<<`); write the keys out",
    ),
    "several": (
        {"": f"recipe: Title\n{GOOD}---\nrecipe: Another\n"},
        "recipes/several.yaml:4:1: several documents in one file; a file holds one",
    ),
}


@pytest.fixture
def faulty(project, capitals):
    """All of them beside a good recipe; a file outside the root, by a path and by a link."""
    outside = project.path.parent / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "secrets.jsonl").write_text('{"input": "a secret row"}\n', "utf-8")
    for name, (files, _) in FAULTY.items():
        for path, text in files.items():
            file = project.path / "recipes" / (path or f"{name}.yaml")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
    (project.path / "recipes/link.jsonl").symlink_to(outside / "secrets.jsonl")
    project.write("recipes/capitals.yaml", capitals)
    return project


def told_once(text: str) -> None:
    """Each fault stands on a line of its own, and no other fault beside it."""
    lines = text.splitlines()
    for name, (_, told) in FAULTY.items():
        assert len([line for line in lines if line.startswith(told)]) == 1, name
        assert any(line.startswith(f"ERROR recipes/{name}.yaml - {told[:40]}") for line in lines), name
    assert len([line for line in lines if line.startswith("recipes/")]) == len(FAULTY)


def harmless(project, text: str) -> None:
    assert "Traceback" not in text
    assert "a secret row" not in text
    assert not (project.path / "harm").exists()
    assert project.asked() == []


@posix
def test_all_of_them_are_told_with_file_and_line_and_nothing_is_asked(faulty):
    result = faulty.run()

    text = result.stdout.str()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert result.parseoutcomes() == {"errors": len(FAULTY)}
    told_once(text)
    harmless(faulty, text)


@posix
def test_under_xdist_every_item_says_so_and_nothing_is_asked(faulty):
    result = replace(faulty, world=("-n", "2")).run()

    text = result.stdout.str()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.parseoutcomes() == {"errors": len(FAULTY) + 4}
    line = "nothing was asked, since files of this run have faults: recipes/bomb.yaml:11:5: its aliases stand for over"
    assert len([found for found in text.splitlines() if found.startswith(line)]) == 4
    harmless(faulty, text)
