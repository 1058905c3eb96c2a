"""A root with files, and what loading them comes to."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_llmeval.core.errors import Faults
from pytest_llmeval.core.registry import Registry
from pytest_llmeval.files.load import Loader, RecipeFile


@dataclass
class World:
    root: Path
    registry: Registry

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        data = textwrap.dedent(text).encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        file.write_bytes(data)
        return file

    @property
    def loader(self) -> Loader:
        return Loader(self.root, self.registry)

    def recipe(self, text: str = "", path: str = "recipes/r.yaml") -> RecipeFile:
        return self.loader.recipe(self.write(path, text) if text else self.root / path)

    def faults(self, text: str | bytes = "", path: str = "recipes/r.yaml") -> list[str]:
        """The lines that loading a recipe with this text comes to; empty where it is good."""
        file = self.write(path, text) if text else self.root / path
        return told(lambda: self.loader.recipe(file))


def told(call) -> list[str]:
    try:
        call()
    except Faults as raised:
        return str(raised).splitlines()
    return []


@pytest.fixture
def world(tmp_path) -> World:
    root = tmp_path / "root"
    root.mkdir()
    return World(root, Registry())


@pytest.fixture
def told_by():
    return told
