"""The plugin's hooks: each a guard and a call. What a suite without recipes needs of this package ends here."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .keys import LINES, REGISTRY, RUN, RUN_ID, SETTINGS, USED, WATCH
from .options import add_options, read_settings

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..core.exchange import Response
    from ..core.sample import Sample
    from .fixture import Llmeval
    from .marked import Marked


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from . import hookspec

    pluginmanager.add_hookspecs(hookspec)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    from .tags import note_own_markers

    note_own_markers(early_config)


def pytest_configure(config: pytest.Config) -> None:
    from ..core.registry import Registry
    from .garbage import end_sparing_last
    from .tags import register_markers

    register_markers(config)
    end_sparing_last(config)
    config.stash[SETTINGS] = read_settings(config)
    worker = getattr(config, "workerinput", None)
    config.stash[RUN_ID] = worker["llmeval"] if worker else (uuid.uuid4().hex[:12], time.time())
    config.stash[REGISTRY] = Registry()
    config.hook.pytest_llmeval_register.call_historic(kwargs={"registry": config.stash[REGISTRY]})
    if worker is None:
        if config.stash[SETTINGS].reports:
            from .options import check_reports

            check_reports(config)
        from .watch import Watch

        state = config.stash[SETTINGS].state
        new = "" if state.exists() else " (new)"
        config.stash[WATCH] = Watch(f"llmeval: state {_within(state, config.rootpath)}{new}")
        config.pluginmanager.register(config.stash[WATCH], "llmeval-watch")
    if config.stash[SETTINGS].missed:
        from .missed import Missed

        config.pluginmanager.register(Missed(config), "llmeval-missed")
    from .sigterm import NAME, Sigterm
    from .stops import Stops

    config.pluginmanager.register(Stops(config), "llmeval-stops")
    config.pluginmanager.register(Sigterm(), NAME)
    if config.pluginmanager.hasplugin("xdist"):
        from .xdist import Xdist

        config.pluginmanager.register(Xdist(config), "llmeval-xdist")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix.lower() not in {".yaml", ".yml"}:
        return None
    from ..files.ours import look, matches

    config = parent.config
    named = parent.session.isinitpath(file_path)
    if not named and not matches(_within(file_path, config.rootpath), config.stash[SETTINGS].files):
        return None
    found = look(file_path.read_bytes())
    if found.kind is None and not found.near:
        if named:
            from .telling import tell_not_ours

            tell_not_ours(config, file_path.name, found.why)
        return None
    from .collect import collector_for

    return collector_for(file_path, parent, found)


def _within(path: Path, root: Path) -> Path:
    """What globs see of a path: what stands below the root, else all of it."""
    return path.relative_to(root) if path.is_relative_to(root) else path


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("llmeval")
    if mark is not None:
        from .marked import parametrize
        from .run import run_share

        parametrize(metafunc, mark, run_share(metafunc.config))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if hasattr(item, "facts"):
        return (yield)
    run = item.config.stash.get(RUN, None)
    if run is not None:
        run.prepare(item)
        run.pause()
    result = yield
    # not where it was interrupted. The test itself may have been the first to ask
    run = item.config.stash.get(RUN, None)
    if run is not None:
        run.resume()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    facts: dict[str, Any] | None = getattr(item, "facts", None)
    if facts is not None:
        report.llmeval = dict(facts)  # type: ignore[attr-defined] # pytest carries further attributes of a report along
    elif USED in item.stash:
        report.llmeval = {"kind": "test"}  # type: ignore[attr-defined] # as above
    if report.skipped and facts is not None:
        from .absence import folded

        report.longrepr = folded(item, call) or report.longrepr
    if report.failed and RUN in item.config.stash:
        from .absence import in_full

        report.longrepr = in_full(item, call) or report.longrepr
    return report


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    if not type(left).__module__.startswith("pytest_llmeval.") and not type(right).__module__.startswith(
        "pytest_llmeval."
    ):
        return None
    from .explained import explained
    from .shell import shell_of

    return explained(op, left, right, shell_of(config))


@pytest.fixture
def llmeval(request: pytest.FixtureRequest) -> Llmeval:
    """Ask endpoints, run recipes, score answers: ``ask``, ``ask_many``, ``run``, ``connector``, ``score``."""
    from .fixture import Llmeval

    return Llmeval(request)


@pytest.fixture(name="_llmeval_unit")
def llmeval_unit(request: pytest.FixtureRequest) -> Marked:
    from .marked import of_request

    return of_request(request)


@pytest.fixture
def llmeval_sample(_llmeval_unit: Marked) -> Sample:
    """The row that a test marked ``llmeval`` is about: id, input, messages, targets, fields, metadata."""
    return _llmeval_unit.unit.sample


@pytest.fixture
def llmeval_response(_llmeval_unit: Marked, request: pytest.FixtureRequest) -> Response | None:
    """The answer to that row. None under ``--setup-only``, where nothing is asked."""
    if request.config.option.setuponly:
        return None
    from .marked import response
    from .run import run_share

    return response(_llmeval_unit, run_share(request.config), request.node)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    run = session.config.stash.get(RUN, None)
    if run is not None:
        from .garbage import spare_collected

        run.announce(session.items)
        spare_collected(session.config)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str] | None:
    watch = config.stash.get(WATCH, None)
    if watch is None or config.get_verbosity() < 0:
        return None
    shown = config.stash.get(LINES, [])
    if RUN in config.stash and not config.option.collectonly:
        shown = [watch.state, *shown]
        watch.state = ""
    return shown


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where nobody prints, this process's share ends here; else after xdist has taken its workers down."""
    config = session.config
    watch = config.stash.get(WATCH, None)
    if RUN not in config.stash and (watch is None or not watch.seen):
        return
    from .ending import close_share, sum_up

    close_share(config)
    if watch is not None:
        sum_up(config, interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    watch = config.stash.get(WATCH, None)
    if watch is not None and (watch.seen or watch.strangers or watch.told):
        from .terminal import show

        show(terminalreporter, config)
