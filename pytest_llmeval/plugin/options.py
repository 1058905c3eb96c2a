"""Options and ini keys, and their values as the rest of the plugin reads them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import pytest

from ..core.budget import Budget
from . import budget

FILES = (
    "recipes/**/*.yaml",
    "recipes/**/*.yml",
    "cookbooks/**/*.yaml",
    "cookbooks/**/*.yml",
    "*.recipe.yaml",
    "*.cookbook.yaml",
)
CACHE_MODES = ("use", "refresh", "only", "off")
CacheMode = Literal["use", "refresh", "only", "off"]
ItemsMode = Literal["samples", "gates"]
MissesMode = Literal["note", "fail"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run was told. Paths are absolute; None where nothing was said."""

    files: tuple[str, ...]
    endpoints: tuple[str, ...]
    override_endpoints: tuple[str, ...]
    reports: tuple[Path, ...]
    cache: CacheMode
    state: Path
    items: ItemsMode | None
    system: str
    percentage: float | None
    seed: int
    misses: MissesMode | None
    missed: bool
    unavailable: Literal["error", "skip"]
    ttl_days: float | None
    junit: Literal["all", "suite", "none"]
    budget: Budget | None


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("llmeval", "evaluation of language models")
    option = group.addoption
    option(
        "--llmeval-endpoint",
        action="append",
        metavar="E",
        dest="llmeval_endpoint",
        help="endpoint for recipes that name none: a file's id, a path, or connector:model; repeatable",
    )
    option(
        "--llmeval-override-endpoint",
        action="append",
        metavar="E",
        dest="llmeval_override_endpoint",
        help="endpoint in place of those that recipes name; repeatable",
    )
    option(
        "--llmeval-report",
        action="append",
        metavar="PATH",
        dest="llmeval_report",
        help="write a report, its form by the suffix: .json (everything), .md (for a pull request); repeatable",
    )
    option(
        "--llmeval-cache",
        choices=CACHE_MODES,
        metavar="MODE",
        dest="llmeval_cache",
        help="answers of earlier runs: use them (the default), refresh them, ask nothing and take only them, or off "
        "(neither read nor kept)",
    )
    option(
        "--llmeval-state",
        metavar="PATH",
        dest="llmeval_state",
        help="the state file; default: .llmeval/state.sqlite3 in the root, or the variable LLMEVAL_STATE",
    )
    option(
        "--llmeval-items",
        choices=("samples", "gates"),
        metavar="MODE",
        dest="llmeval_items",
        help="an item for each sample and gate, or for gates alone, over what recipes and cookbooks say",
    )
    option(
        "--llmeval-system",
        metavar="TEXT",
        dest="llmeval_system",
        help="a system text before those of recipes, templates and samples; default: none",
    )
    option(
        "--llmeval-percentage",
        type=float,
        metavar="P",
        dest="llmeval_percentage",
        help="ask this percentage (1 to 100) of each dataset only, over what recipes say",
    )
    option(
        "--llmeval-seed",
        type=int,
        default=0,
        metavar="S",
        dest="llmeval_seed",
        help="the seed of --llmeval-percentage; default: 0",
    )
    option(
        "--llmeval-misses",
        choices=("note", "fail"),
        metavar="MODE",
        dest="llmeval_misses",
        help="a missed sample is noted or fails, over what recipes say",
    )
    option(
        "--llmeval-missed",
        action="store_true",
        dest="llmeval_missed",
        help="run only the samples and gates that were missed, failed, in error or not asked when they last ran; "
        "everything else is deselected",
    )
    budget.add_options(parser)
    ini = parser.addini
    ini("llmeval_files", "globs of recipe and cookbook files, matched at the end of a path", "args", list(FILES))
    ini("llmeval_endpoints", "endpoints for recipes that name none", "args", [])
    ini("llmeval_reports", "reports to write, relative to this file", "args", [])
    ini("llmeval_cache", "answers of earlier runs: use, refresh, only, off", default="use")
    ini("llmeval_state", "the state file, relative to this file", default="")
    ini("llmeval_items", "samples or gates, over what recipes and cookbooks say", default="")
    ini("llmeval_system", "a system text for every recipe", default="")
    ini("llmeval_misses", "note or fail, over what recipes say", default="")
    ini(
        "llmeval_unavailable", "what becomes of items whose endpoint this machine lacks: error or skip", default="error"
    )
    ini("llmeval_cache_ttl", "days that an answer may serve; default: for ever", default="")
    ini("llmeval_junit_properties", "llmeval.* properties in junit files: all, suite, none", default="all")


def read_settings(config: pytest.Config) -> Settings:
    """Raises pytest.UsageError where a value cannot be meant."""
    typed = config.invocation_params.dir
    of_ini = config.inipath.parent if config.inipath is not None else config.rootpath
    reports = config.getoption("llmeval_report")
    percentage = config.getoption("llmeval_percentage")
    if percentage is not None and not 1 <= percentage <= 100:
        raise pytest.UsageError(f"--llmeval-percentage: {percentage:g} is not from 1 to 100")
    return Settings(
        files=tuple(config.getini("llmeval_files")),
        endpoints=tuple(config.getoption("llmeval_endpoint") or config.getini("llmeval_endpoints")),
        override_endpoints=tuple(config.getoption("llmeval_override_endpoint") or ()),
        reports=tuple(typed / p for p in reports)
        if reports
        else tuple(of_ini / p for p in config.getini("llmeval_reports")),
        cache=cast("CacheMode", config.getoption("llmeval_cache") or _choice(config, "llmeval_cache", CACHE_MODES)),
        state=_state(config, typed, of_ini),
        items=cast(
            "ItemsMode | None",
            config.getoption("llmeval_items") or _choice(config, "llmeval_items", ("samples", "gates"), empty=True),
        ),
        system=config.getoption("llmeval_system") or config.getini("llmeval_system"),
        percentage=percentage,
        seed=config.getoption("llmeval_seed"),
        misses=cast(
            "MissesMode | None",
            config.getoption("llmeval_misses") or _choice(config, "llmeval_misses", ("note", "fail"), empty=True),
        ),
        missed=config.getoption("llmeval_missed"),
        unavailable=cast('Literal["error", "skip"]', _choice(config, "llmeval_unavailable", ("error", "skip"))),
        ttl_days=_days(config),
        junit=cast(
            'Literal["all", "suite", "none"]', _choice(config, "llmeval_junit_properties", ("all", "suite", "none"))
        ),
        budget=budget.read_budget(config),
    )


def check_reports(config: pytest.Config) -> None:
    """Raises pytest.UsageError for a report that nobody writes."""
    from ..core.errors import UsageError
    from ..wiring.writers import check_reports as check
    from .keys import REGISTRY, SETTINGS

    try:
        check(config.stash[SETTINGS].reports, config.stash[REGISTRY])
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def _choice(config: pytest.Config, name: str, choices: tuple[str, ...], *, empty: bool = False) -> str | None:
    value = str(config.getini(name)).strip()
    if value in choices:
        return value
    if empty and not value:
        return None
    raise pytest.UsageError(f"ini {name}: {value!r} is none of {', '.join(choices)}")


def _days(config: pytest.Config) -> float | None:
    text = str(config.getini("llmeval_cache_ttl")).strip()
    if not text:
        return None
    try:
        days = float(text)
    except ValueError:
        days = -1
    if not 0 < days < float("inf"):
        raise pytest.UsageError(f"ini llmeval_cache_ttl: {text!r} is no number of days")
    return days


def _state(config: pytest.Config, typed: Path, of_ini: Path) -> Path:
    option = config.getoption("llmeval_state")
    if option:
        return Path(typed / option)
    variable = os.environ.get("LLMEVAL_STATE", "").strip()
    if variable:
        return Path(typed / variable)
    ini = str(config.getini("llmeval_state")).strip()
    if ini:
        return of_ini / ini
    return config.rootpath / ".llmeval" / "state.sqlite3"
