"""Plain facts of the environment a run took place in, for reports."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

#: seconds that git is given to answer
GIT_PATIENCE = 5


def describe(config: pytest.Config) -> dict[str, object]:
    """Python, platform, versions, the arguments of the run, and the commit of the root where it is a git checkout."""
    return {
        "python": platform.python_version(),
        "platform": sys.platform,
        "versions": {
            name: _version(name) for name in ("pytest-llmeval-recipes", "pytest", "pytest-xdist", "httpx", "pydantic")
        },
        "arguments": [str(argument) for argument in config.invocation_params.args],
        "git": _git(config.rootpath),
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _git(root: Path) -> dict[str, object] | None:
    """The commit and whether the tree has changes; None where there is no git or no checkout."""
    if not (root / ".git").exists():
        return None
    commit = _run_git(root, "rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _run_git(root, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": bool(changes)}


def _run_git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", *arguments],  # noqa: S607 - git is looked up like every user's
            cwd=root,
            capture_output=True,
            text=True,
            timeout=GIT_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
