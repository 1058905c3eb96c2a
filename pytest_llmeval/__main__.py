"""``python -m pytest_llmeval``: schemas, lists of what can be named, the state's upkeep."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

KINDS = ("recipe", "cookbook", "dataset", "template", "endpoint", "report")
DEFAULT_STATE = Path(".llmeval") / "state.sqlite3"


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit code. A user's mistake is one line on standard error and 2."""
    parser = argparse.ArgumentParser(prog="python -m pytest_llmeval", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    schema = commands.add_parser("schema", help="print the JSON Schema of a kind of file")
    schema.add_argument("kind", choices=KINDS)
    listing = commands.add_parser("list", help="list the metrics and connectors that files can name, or the recipes")
    listing.add_argument("what", choices=("metrics", "connectors", "recipes"))
    listing.add_argument("paths", nargs="*", metavar="PATH", help="where recipes are looked for, as pytest takes it")
    state = commands.add_parser("state", help="look after the state file")
    where = f"the state file; default: LLMEVAL_STATE, else {DEFAULT_STATE}"
    state.add_argument("--state", type=Path, help=where)
    upkeep = state.add_subparsers(dest="upkeep")
    prune = upkeep.add_parser("prune", help="remove stored answers and runs; what is under way stays")
    prune.add_argument("--older-than", type=_days, metavar="DAYS", help="only what is older; default: all")
    prune.add_argument("--state", type=Path, default=argparse.SUPPRESS, help=where)
    explain = upkeep.add_parser("explain", help="say why an item's request is asked again: what differs from before")
    explain.add_argument("nodeid", metavar="NODEID", help="an item, as pytest takes it")
    explain.add_argument("arguments", nargs=argparse.REMAINDER, metavar="…", help="further arguments for pytest")
    explain.add_argument("--state", type=Path, default=argparse.SUPPRESS, help="the state file; default: pytest's")
    said = parser.parse_args(arguments)
    if said.command == "schema":
        return _schema(said.kind)
    if said.command == "list":
        if said.what == "recipes":
            from .plugin.listing import list_recipes

            return list_recipes(said.paths)
        if said.paths:
            listing.error(f"{said.what} are everywhere the same: PATH is for recipes")
        return _list(said.what)
    if said.upkeep == "explain":
        from .plugin.explaining import explain as explain_item

        where_from = [] if said.state is None else ["--llmeval-state", str(said.state)]
        return explain_item(said.nodeid, [*where_from, *said.arguments])
    path = said.state or Path(os.environ.get("LLMEVAL_STATE", "").strip() or DEFAULT_STATE)
    if not path.exists():
        sys.stderr.write(f"there is no state at {path}; --state names another\n")
        return 2
    return _facts(path) if said.upkeep is None else _prune(path, said.older_than)


def _days(text: str) -> float:
    days = float(text)
    if not 0 <= days < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of days")
    return days


def _schema(kind: str) -> int:
    from .files.schema import shipped

    sys.stdout.write(shipped(kind))
    return 0


def _list(what: str) -> int:
    """A line each: the name, and the first sentence of what it is."""
    from .core.registry import Registry

    registry = Registry()
    for name in registry.names("metric" if what == "metrics" else "connector"):
        cls = registry.get("metric" if what == "metrics" else "connector", name)
        about = (cls.__doc__ or "").strip().partition("\n")[0]
        sys.stdout.write(f"{name:<14} {about}\n")
    return 0


def _facts(path: Path) -> int:
    from .core.clock import timestamp
    from .core.errors import StateError
    from .state.sqlite.reading import facts

    try:
        found = facts(path)
    except StateError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{path}: {found.responses:,} answers, {found.runs:,} runs, {found.size:,} bytes\n")
    if found.oldest is not None and found.newest is not None:
        sys.stdout.write(f"answers from {timestamp(found.oldest)} to {timestamp(found.newest)}\n")
    return 0


def _prune(path: Path, days: float | None) -> int:
    from .core.clock import SystemClock
    from .core.errors import StateError
    from .state.sqlite.prune import prune

    try:
        pruned = prune(path, SystemClock(), days)
    except StateError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{path}: removed {pruned.responses:,} answers and {pruned.runs:,} runs\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
