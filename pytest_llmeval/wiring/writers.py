"""Report files: who writes them, and how they come to stand whole in their place."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from ..core.errors import UsageError
from ..core.extension import Report
from ..core.registry import Registry
from ..core.summary import RunRecord


def check_reports(paths: Iterable[Path], registry: Registry) -> None:
    """Raises UsageError for a report whose form nobody writes."""
    for path in paths:
        _writer(path, registry)


def write_reports(record: RunRecord, paths: Iterable[Path], registry: Registry) -> None:
    """Each is made beside its place and moved there whole. Raises OSError where it cannot be written."""
    for path in paths:
        writer = _writer(path, registry)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(descriptor)
        unfinished = Path(name)
        try:
            writer.write(record, unfinished)
            unfinished.chmod(0o644)
            unfinished.replace(path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                unfinished.unlink()


def _writer(path: Path, registry: Registry) -> Report:
    suffixes = []
    for name in registry.names("report"):
        cls = registry.get("report", name)
        assert cls is not None
        suffix = str(getattr(cls, "suffix", ""))
        suffixes.append(suffix)
        if suffix and path.name.endswith(suffix):
            return cast("Report", cls())
    raise UsageError(f"--llmeval-report {path.name}: nobody writes such a report; there are {', '.join(suffixes)}")
