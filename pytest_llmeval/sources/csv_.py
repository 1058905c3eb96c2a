"""CSV and TSV: a header and a row of texts a line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pytest_llmeval.core.errors import Fault, Faults
from pytest_llmeval.core.lines import MOST_FAULTS, lines
from pytest_llmeval.core.options import PathText
from pytest_llmeval.core.plain import LONGEST_TEXT
from pytest_llmeval.core.sample import Origin

#: an empty cell of these columns is no value; elsewhere it is the empty text
_ABSENT_IF_EMPTY = frozenset({"id", "input", "target", "tags", "skip", "xfail"})
_METADATA = "metadata."


@dataclass(frozen=True)
class Csv:
    """Comma-separated values with a header.

    Every cell is text. An empty one is the empty text, and absent for id, input, target, tags, skip and xfail. ``tags``
    are split at commas; a column ``metadata.NAME`` is that entry of the metadata. The file is streamed.
    """

    id: ClassVar[str] = "csv"
    suffixes: ClassVar[tuple[str, ...]] = (".csv",)
    delimiter: ClassVar[str] = ","

    path: PathText

    def rows(self) -> Iterator[tuple[Mapping[str, object], int]]:
        """Each row with the line that it begins at. Raises Faults at the end, all of the file's."""
        faults: list[Fault] = []
        try:
            with Path(self.path).open("rb") as stream:
                texts = (line for line, _ in lines(stream, self.path, faults))
                yield from self._read(texts, faults)
        except OSError as error:
            faults.append(Fault(Origin(self.path), f"it cannot be read: {error.strerror or error}"))
        if faults:
            raise Faults(faults)

    def _read(self, texts: Iterable[str], faults: list[Fault]) -> Iterator[tuple[Mapping[str, object], int]]:
        reader = csv.reader(texts, delimiter=self.delimiter, strict=True)
        header: list[str] | None = None
        while len(faults) < MOST_FAULTS:
            line = reader.line_num + 1
            try:
                cells = _next(reader)
            except csv.Error as error:
                faults.append(Fault(Origin(self.path, line), f"this is no {self.id.upper()}: {error}"))
                return
            if cells is None:
                return
            if not cells:
                continue
            if header is None:
                header = [name.strip() for name in cells]
                if not self._good(header, line, faults):
                    return
            elif len(cells) != len(header):
                message = f"{len(cells)} cells under a header of {len(header)}; quote a cell that has a {self._name}"
                faults.append(Fault(Origin(self.path, line), message))
            else:
                yield _row(header, cells), line

    def _good(self, header: list[str], line: int, faults: list[Fault]) -> bool:
        before = len(faults)
        faults.extend(
            Fault(Origin(self.path, line), f"column {number} has no name")
            for number, name in enumerate(header, 1)
            if not name
        )
        doubled = dict.fromkeys(name for name in header if name and header.count(name) > 1)
        faults.extend(Fault(Origin(self.path, line), f"duplicate column {name!r}") for name in doubled)
        return len(faults) == before

    @property
    def _name(self) -> str:
        return "tab" if self.delimiter == "\t" else "comma"


@dataclass(frozen=True)
class Tsv(Csv):
    """Tab-separated values with a header; for the rest as CSV."""

    id: ClassVar[str] = "tsv"
    suffixes: ClassVar[tuple[str, ...]] = (".tsv",)
    delimiter: ClassVar[str] = "\t"


def _next(reader: Iterator[list[str]]) -> list[str] | None:
    # the limit is the process's own, so that it is put back
    before = csv.field_size_limit(LONGEST_TEXT + 1)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(before)


def _row(header: list[str], cells: list[str]) -> dict[str, object]:
    row: dict[str, object] = {}
    metadata: dict[str, str] = {}
    for name, cell in zip(header, cells, strict=True):
        if name.startswith(_METADATA):
            metadata[name.removeprefix(_METADATA)] = cell
        elif cell or name not in _ABSENT_IF_EMPTY:
            row[name] = [tag.strip() for tag in cell.split(",") if tag.strip()] if name == "tags" else cell
    if metadata:
        row["metadata"] = metadata
    return row
