"""Datasets: descriptions in YAML, data files, sources of extensions, rows in a recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_llmeval.core.digest import digest
from pytest_llmeval.core.errors import Fault, Faults
from pytest_llmeval.core.extension import Source
from pytest_llmeval.core.registry import Registry
from pytest_llmeval.core.sample import NOWHERE, Origin, Sample

from .document import Document, Place
from .fields import kind_of
from .fitting import Where
from .messages import S, check, sound
from .options import build, unknown
from .ours import file_id, suffix_of
from .reader import read_yaml
from .references import YAML, ReferenceFault, Scope, resolved, shown
from .rows import NearMiss, Read, read_rows
from .specs import DatasetSpec, FileSpec


@dataclass(frozen=True, slots=True)
class Dataset:
    """An ordered set of samples.

    ``sha256`` is that of the data file's bytes (of the description's, where the rows stand in it); of the samples'
    content, where no file of their own holds them. ``near_misses`` are faults unless a template uses the field.
    """

    id: str
    title: str
    samples: tuple[Sample, ...]
    sha256: str
    license: str = ""
    source: str = ""
    path: str = ""
    near_misses: tuple[NearMiss, ...] = ()
    origin: Origin = NOWHERE


def suffixes(registry: Registry) -> dict[str, str]:
    """Suffix of a data file -> name of the source that reads it."""
    found: dict[str, str] = {}
    for name in registry.names("source"):
        declared: Any = getattr(registry.get("source", name), "suffixes", ())
        for suffix in [declared] if isinstance(declared, str) else declared:
            found.setdefault(suffix, name)
    return found


def read_file(path: Path, root: Path, registry: Registry) -> Dataset:
    """A dataset from a description or a data file. Raises Faults."""
    if suffix_of(path) in YAML:
        return _described(path, root, registry)
    name = shown(path, root)
    place = Place(Document(name, None))
    source = _reader(path, registry, Where(place, Scope.of(path, root)))
    read = read_rows(_rows(source, path, name, place))
    return _dataset(file_id(path), file_id(path), read, sha256=_hash(path, name), path=name, origin=Origin(name))


def read_source(name: str, options: Mapping[str, object], where: Where, registry: Registry) -> Dataset:
    """A dataset from a source that a recipe names with its options. Raises Faults."""
    reason = unknown(registry, "source", name)
    if reason is not None:
        raise Faults([where.place.name_fault(reason, name)])
    source: Source = build(registry, "source", name, options, where)
    written = getattr(source, "path", None)
    path = Path(written) if isinstance(written, str) else None
    title = file_id(path) if path else name
    file = shown(path, where.scope.root) if path else where.place.document.path
    read = read_rows(_rows(source, path, file, where.place))
    return _dataset(title, title, read, path=file if path else "", origin=where.place.origin)


def read_inline(identity: str, title: str, rows: tuple[object, ...], place: Place) -> Dataset:
    """A dataset of the rows at a place of a recipe. Raises Faults."""
    read = read_rows((row, place.at(index)) for index, row in enumerate(rows))
    return _dataset(identity, title, read, path=place.document.path, origin=place.origin)


def read_named_file(node: Mapping[str, object], where: Where, registry: Registry) -> Dataset:
    """A dataset of ``{file: PATH}`` in a recipe, with what else a description says. Raises Faults."""
    spec = check(FileSpec, node, where.place)
    at = where.place.at("file")
    data, read = _of_file(spec.file, replace(where, place=at), registry)
    file = shown(data, where.scope.root)
    title = spec.dataset or file_id(data)
    about = {"license": spec.license, "source": spec.source, "origin": where.place.origin}
    return _dataset(file_id(data), title, read, place=at, sha256=_hash(data, file), path=file, **about)


def _described(path: Path, root: Path, registry: Registry) -> Dataset:
    name = shown(path, root)
    document = read_yaml(read_bytes(path, name), name)
    place = Place(document)
    spec, faults = checked(DatasetSpec, document, "dataset")
    if (spec.samples is None) == (spec.file is None):
        # a key that is at fault may be the one that is missed
        if not faults:
            both = "not both" if spec.file else "and it has neither"
            faults.append(place.fault(f"a dataset has `samples:` or `file:`, {both}"))
        raise in_order(faults)
    about = {"license": spec.license, "source": spec.source, "path": name, "origin": place.origin}
    if spec.file is None:
        read = read_rows((row, place.at("samples", index)) for index, row in enumerate(spec.samples or ()))
        about["sha256"] = document.digest
        place = place.at("samples")
    else:
        place = place.at("file")
        try:
            data, read = _of_file(spec.file, Where(place, Scope.of(path, root)), registry)
        except Faults as raised:
            raise in_order([*faults, *raised.faults]) from None
        file = shown(data, root)
        about |= {"sha256": _hash(data, file), "path": file}
    if faults:
        raise in_order([*faults, *read.faults])
    return _dataset(file_id(path), spec.dataset, read, place=place, **about)


def _of_file(reference: str, where: Where, registry: Registry) -> tuple[Path, Read]:
    """The data file that a path means, and its rows. Raises Faults where it cannot be had."""
    try:
        data = resolved(reference, where.scope)
    except ReferenceFault as error:
        raise Faults([where.place.fault(str(error))]) from None
    file = shown(data, where.scope.root)
    source = _reader(data, registry, where)
    return data, read_rows(_rows(source, data, file, Place(Document(file, None))))


def checked(spec: type[S], document: Document, kind: str) -> tuple[S, list[Fault]]:
    """What is sound of a document as a spec, and all that is at fault; raised as Faults where nothing can be made."""
    if isinstance(document.root, Mapping):
        made, faults = sound(spec, document.root, Place(document))
    elif document.root is None:
        made, faults = None, [document.fault(f"the file is empty; a {kind} is a mapping")]
    else:
        made, faults = None, [document.fault(f"a {kind} is a mapping, this is {kind_of(document.root)}")]
    if made is None:
        raise in_order([*document.faults, *faults])
    return made, [*document.faults, *faults]


def _dataset(identity: str, title: str, read: Read, place: Place | None = None, **about: Any) -> Dataset:
    if read.faults:
        raise in_order(read.faults)
    if not read.samples:
        origin = about["origin"] if place is None else place.origin
        raise Faults([Fault(origin, "it has no rows; a dataset needs one")])
    about.setdefault("sha256", digest([[sample.id, sample.digest] for sample in read.samples]))
    return Dataset(identity, title, read.samples, near_misses=read.near_misses, **about)


def _reader(path: Path, registry: Registry, where: Where) -> Source:
    """The source for a data file, by its suffix."""
    known = suffixes(registry)
    name = known.get(suffix_of(path))
    if name is None:
        raise Faults([where.place.fault(f"no source reads {path.name!r}; data files are {', '.join(sorted(known))}")])
    if not path.is_file():
        raise Faults([where.place.fault(f"no file {shown(path, where.scope.root)}")])
    source: Source = build(registry, "source", name, {"path": str(path)}, where)
    return source


def _rows(source: Source, path: Path | None, file: str, place: Place) -> Iterator[tuple[object, Place]]:
    """A source's rows with their places; its faults name files as all others do."""
    try:
        for row, line in source.rows():
            yield row, Place(Document(file, row, start=(line, 0))) if line or path else place
    except Faults as raised:
        own = str(path)
        raise Faults(
            replace(fault, origin=replace(fault.origin, path=file)) if fault.origin.path == own else fault
            for fault in raised.faults
        ) from None
    except Exception as error:
        reason = f"the source {source.id!r} ({type(source).__module__}) failed: {type(error).__name__}: {error}"
        raise Faults([place.fault(reason)]) from error


def in_order(faults: Any) -> Faults:
    return Faults(
        sorted(dict.fromkeys(faults), key=lambda fault: (fault.origin.path, fault.origin.line, fault.origin.column))
    )


def read_bytes(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Faults.one(Origin(name), f"it cannot be read: {error.strerror or error}") from None


def _hash(path: Path, name: str) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise Faults.one(Origin(name), f"it cannot be read: {error.strerror or error}") from None
