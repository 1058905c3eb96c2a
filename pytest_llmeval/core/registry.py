"""(kind, name) -> class; our own extensions come in by the same door as anybody's, loaded at first use."""

from __future__ import annotations

from importlib import import_module
from typing import Literal, get_args

from .errors import UsageError

Kind = Literal["metric", "connector", "source", "report"]

BUILT_IN: dict[Kind, dict[str, str]] = {
    "connector": {
        "openai": "openai:OpenAI",
        "python": "python:Python",
        "recorded": "recorded:Recorded",
        "local": "local:Local",
    },
    "source": {"jsonl": "jsonl:Jsonl", "csv": "csv_:Csv", "tsv": "csv_:Tsv", "json": "json_:Json"},
    "report": {"json": "json_:JsonReport", "markdown": "markdown:MarkdownReport"},
    "metric": {
        "exact_match": "exact_match:ExactMatch",
        "includes": "includes:Includes",
        "includes_any": "includes:IncludesAny",
        "includes_all": "includes:IncludesAll",
        "starts_with": "includes:StartsWith",
        "regex": "regex_:Regex",
        "choice": "choice:Choice",
        "numeric": "numeric:Numeric",
        "f1_tokens": "f1_tokens:F1Tokens",
        "levenshtein": "levenshtein:Levenshtein",
        "json_valid": "json_:JsonValid",
        "json_schema": "json_:JsonSchema",
        "length": "length:Length",
        "max_latency": "max_latency:MaxLatency",
        "refusal": "refusal:Refusal",
        "python": "python:PythonMetric",
    },
}
_PACKAGE: dict[Kind, str] = {"connector": "connectors", "source": "sources", "report": "reports", "metric": "metrics"}


class Registry:
    """What can be named in files and options."""

    def __init__(self) -> None:
        self._added: dict[tuple[Kind, str], type] = {}

    def add(self, kind: Kind, cls: type) -> None:
        """Register a frozen dataclass under its ``id``. Raises UsageError where it cannot be used as that kind."""
        if kind not in get_args(Kind):
            raise UsageError(f"registry.add: no kind {kind!r}; there are {', '.join(get_args(Kind))}")
        name = getattr(cls, "id", None)
        where = f"{getattr(cls, '__module__', '?')}.{getattr(cls, '__qualname__', cls)}"
        if not isinstance(name, str) or not name:
            raise UsageError(f"{where}: an extension needs a class attribute `id`, a text")
        taken = self._added.get((kind, name))
        if name in BUILT_IN[kind] or (taken is not None and taken is not cls):
            raise UsageError(f"{where}: there is a {kind} named {name!r} already")
        self._added[kind, name] = cls

    def names(self, kind: Kind) -> list[str]:
        """All names of a kind, sorted."""
        return sorted({*BUILT_IN[kind], *(name for of, name in self._added if of == kind)})

    def get(self, kind: Kind, name: str) -> type | None:
        """The class, or None where nobody registered that name."""
        if (kind, name) in self._added:
            return self._added[kind, name]
        address = BUILT_IN[kind].get(name)
        if address is None:
            return None
        module, _, attribute = address.partition(":")
        found = getattr(import_module(f"pytest_llmeval.{_PACKAGE[kind]}.{module}"), attribute)
        assert isinstance(found, type)
        return found
