"""A suite without recipes pays next to nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOOK = """
import sys

HEAVY = (
    *("httpx", "pydantic", "yaml", "sqlite3", "jinja2", "anyio", "regex"),
    *("pytest_llmeval.core.endpoint", "pytest_llmeval.core.result", "pytest_llmeval.core.events"),
    *("pytest_llmeval.core.plan", "pytest_llmeval.files.load", "pytest_llmeval.engine"),
)


def pytest_sessionfinish(session):
    who = "worker" if hasattr(session.config, "workerinput") else "controller"
    with open(f"{who}.txt", "w") as file:
        file.write(",".join(name for name in HEAVY if name in sys.modules))
"""


@pytest.mark.parametrize("world", [["-p", "no:xdist"], ["-p", "xdist", "-n", "1"]])
def test_nothing_heavy_is_imported_and_nothing_is_written(pytester, monkeypatch, world):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # measuring coverage imports some of it
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    pytester.makeconftest(LOOK)
    pytester.makepyfile("def test_it(): pass")
    pytester.path.joinpath("recipes").mkdir()
    pytester.path.joinpath("recipes", "soup.yaml").write_text("name: soup\n", "utf-8")

    result = pytester.runpytest_subprocess("-p", "pytest_llmeval.plugin", *world)

    result.assert_outcomes(passed=1)
    seen = [path.read_text("utf-8") for path in pytester.path.glob("*.txt")]
    assert seen == [""] * (1 if "no:xdist" in world else 2)
    assert not (pytester.path / ".llmeval").exists()


FROZEN = """
import gc
import pathlib
import sys

import pytest


class AtTheEnd:
    def pytest_runtest_logreport(self, report):
        seen.append(gc.get_freeze_count())


seen = [gc.get_freeze_count()]
pytest.main(["-q", *sys.argv[1:]], plugins=[AtTheEnd()])
seen.append(gc.get_freeze_count())
print("seen", seen[0] == seen[-1], max(seen) > seen[0])
"""


@pytest.mark.parametrize(("file", "spared"), [("recipes/capitals.yaml", True), ("test_own.py", False)])
def test_the_garbage_collector_is_as_it_was_when_the_session_ends(project, capitals, file, spared):
    project.write("recipes/capitals.yaml", capitals)
    project.write("test_own.py", "def test_it(): pass")
    project.write("frozen.py", FROZEN)

    done = subprocess.run(
        [sys.executable, "frozen.py", file], cwd=project.path, capture_output=True, text=True, check=False
    )

    assert f"seen True {spared}" in done.stdout, done.stdout + done.stderr


def test_without_the_plugin_an_optional_hook_breaks_nobody(pytester):
    pytester.makeconftest(
        """
        import pytest

        @pytest.hookimpl(optionalhook=True)
        def pytest_llmeval_register(registry):
            raise AssertionError("not to be called")
        """
    )
    pytester.makepyfile("def test_it(): pass")

    pytester.runpytest_subprocess("-p", "no:llmeval").assert_outcomes(passed=1)
