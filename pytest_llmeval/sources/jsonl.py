"""JSON Lines: a row a line, plain or packed by gzip."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, ClassVar, cast

from pytest_llmeval.core.errors import Fault, Faults
from pytest_llmeval.core.lines import lines
from pytest_llmeval.core.options import PathText
from pytest_llmeval.core.plain import read_json
from pytest_llmeval.core.sample import Origin


@dataclass(frozen=True)
class Jsonl:
    """A JSON object a line; lines end at line feeds only, blank ones are left out. The file is streamed."""

    id: ClassVar[str] = "jsonl"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".jsonl.gz")

    path: PathText

    def rows(self) -> Iterator[tuple[Mapping[str, object], int]]:
        """Each row with its line. Raises Faults at the end, all of the file's, where lines are at fault."""
        faults: list[Fault] = []
        try:
            with self._open() as stream:
                for line, number in lines(stream, self.path, faults):
                    if line.isspace():
                        continue
                    row = self._row(line, number, faults)
                    if row is not None:
                        yield row, number
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            faults.append(Fault(Origin(self.path), f"this is no whole gzip file: {error}"))
        except OSError as error:
            faults.append(Fault(Origin(self.path), f"it cannot be read: {error.strerror or error}"))
        if faults:
            raise Faults(faults)

    def _open(self) -> IO[bytes]:
        if self.path.lower().endswith(".gz"):
            return cast("IO[bytes]", gzip.open(self.path, "rb"))
        # the caller closes it
        return open(self.path, "rb")  # noqa: PTH123 - as gzip.open does, it takes the text

    def _row(self, line: str, number: int, faults: list[Fault]) -> Mapping[str, object] | None:
        try:
            row = read_json(line.rstrip("\r\n"))
        except json.JSONDecodeError as error:
            faults.append(Fault(Origin(self.path, number, error.colno), f"this is no JSON: {error.msg}"))
        except ValueError as error:
            faults.append(Fault(Origin(self.path, number), str(error)))
        else:
            if isinstance(row, dict):
                return row
            faults.append(Fault(Origin(self.path, number), "a row is a JSON object ({…})"))
        return None
