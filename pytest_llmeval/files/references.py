"""From what a file writes (an id or a path) to the file that is meant."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_llmeval.core.text import did_you_mean

from .ours import file_id, suffix_of

Referred = Literal["dataset", "template", "endpoint", "recipe"]
YAML = (".yaml", ".yml")


class ReferenceFault(ValueError):
    """A reference that no file answers, or more than one; its text is for users.

    ``missing``: nothing was found at all.
    """

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a reference is looked up: in the folder of the naming file and in its parents, up to the root."""

    folder: Path
    root: Path

    @classmethod
    def of(cls, naming: Path, root: Path) -> Scope:
        """The scope of a naming file; of a folder, where an option or an ini names something."""
        return cls(naming if naming.is_dir() else naming.parent, root)

    def folders(self) -> list[Path]:
        """This folder and its parents up to the root, nearest first."""
        found = [self.folder]
        while found[-1] != self.root and self.root in found[-1].parents:
            found.append(found[-1].parent)
        if self.root not in found:
            found.append(self.root)
        return found


def find(kind: Referred, reference: str, scope: Scope, suffixes: Sequence[str] = YAML) -> Path:
    """The file that a reference means; ``suffixes`` are those that this kind reads.

    Raises ReferenceFault.
    """
    if is_path(reference, suffixes):
        path = resolved(reference, scope)
        if not path.is_file():
            raise ReferenceFault(f"no file {shown(path, scope.root)}", missing=True)
        if suffix_of(path) not in suffixes:
            known = ", ".join(suffixes)
            raise ReferenceFault(f"{shown(path, scope.root)}: a {kind} is read from {known}")
        return path
    nearby: set[str] = set()
    for folder in scope.folders():
        files = _files(folder / f"{kind}s", suffixes)
        nearby.update(file_id(path) for path in files)
        candidates = [path for path in files if file_id(path) == reference]
        if candidates:
            return inside(_chosen(candidates, kind, reference, scope), scope.root)
    hint = did_you_mean(reference, sorted(nearby))
    where = f"in a folder {kind}s/ beside this file or above it, up to {scope.root}"
    raise ReferenceFault(f"no {kind} {reference!r} {where}{hint}", missing=True)


def is_path(reference: str, suffixes: Iterable[str]) -> bool:
    """A path has a ``/``, a ``\\`` or a suffix that is read."""
    return "/" in reference or "\\" in reference or suffix_of(reference) in set(suffixes)


def resolved(reference: str, scope: Scope, *, may_leave: bool = False) -> Path:
    """A path relative to the scope's folder, absolute, with symbolic links resolved. Raises ReferenceFault."""
    text = reference.replace("\\", "/") if os.sep == "/" and "/" not in reference else reference
    if "\0" in text:
        raise ReferenceFault("a path cannot hold a NUL")
    path = scope.folder / text
    if may_leave:
        return Path(os.path.normpath(path))
    return inside(path, scope.root, reference)


def inside(path: Path, root: Path, written: str = "") -> Path:
    """The path, where it stays in the root with all symbolic links resolved. Raises ReferenceFault."""
    shown = repr(written or path.name)
    try:
        real = path.resolve()
    except (OSError, RuntimeError) as error:
        raise ReferenceFault(f"{shown} cannot be resolved: {error}") from None
    if not real.is_relative_to(root.resolve()):
        raise ReferenceFault(f"{shown} leaves the root {root}; files are read from inside it")
    return Path(os.path.normpath(path))


def _files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if suffix_of(path) in suffixes and path.is_file())
    except OSError:
        return []


def _chosen(candidates: list[Path], kind: Referred, reference: str, scope: Scope) -> Path:
    described = [path for path in candidates if suffix_of(path) in YAML]
    best = described or candidates
    if len(best) > 1:
        names = " and ".join(shown(path, scope.root) for path in best)
        raise ReferenceFault(f"the {kind} {reference!r} is ambiguous: {names}; name one of them by its path")
    return best[0]


def shown(path: Path, root: Path) -> str:
    """A path as errors show it: relative to the root where it is inside."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()
