"""Answers that exist already, read from a file of rows."""

from __future__ import annotations

import gzip
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import anyio.to_thread

from pytest_llmeval.core.errors import EndpointStopped, InvalidRequest
from pytest_llmeval.core.exchange import Request, Response
from pytest_llmeval.core.extension import Asker, Keep, Opening
from pytest_llmeval.core.options import MissingVariableError, PathText, expand
from pytest_llmeval.core.plain import any_too_long, read_json, text_of, value_of
from pytest_llmeval.core.text import did_you_mean, one_line, trim

from . import _mapping

By = Literal["id", "prompt", "input"]
#: what a row is found by, in this order
KEYS: tuple[By, ...] = ("id", "prompt", "input")
#: what must agree where a row carries it
CARRIED = ("dataset", "template", "repeat")
SUFFIXES = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True)
class Recorded:
    """Looks answers up.

    ``path`` is a ``.jsonl`` or ``.jsonl.gz`` file, ``answer`` the column that holds the answer, or a dotted path to it.
    A row is matched by ``id`` (the sample's), where none has it by ``prompt`` (the text as sent), then by ``input``,
    and by ``dataset``, ``template``, ``repeat`` where it carries them. It may carry ``finish_reason``, ``tokens`` (a
    total or ``{input:, output:}``), ``latency``, ``cost``, ``reasoning``.
    """

    id: ClassVar[str] = "recorded"
    offline: ClassVar[bool] = True
    keep: ClassVar[Keep] = "never"

    path: PathText
    answer: str = "answer"

    def __post_init__(self) -> None:
        if not (self.path.endswith(SUFFIXES) or "${" in self.path):
            raise ValueError(f"path: {self.path!r} is neither {' nor '.join(SUFFIXES)}")
        if not self.answer:
            raise ValueError("answer: a column, or a dotted path to one")

    @property
    def model(self) -> str:
        """The file's name, for reports."""
        return Path(self.path).name

    def identity(self) -> Mapping[str, object]:
        """The file and the column (no answer is ever stored under them)."""
        return {"version": 1, "path": self.path, "answer": self.answer}

    def missing(self) -> str | None:
        """An unset variable in the path, or no such file."""
        try:
            path = Path(expand(self.path, os.environ)).expanduser()
        except MissingVariableError as error:
            return f"set the environment variable {error.name} (`path` is `{self.path}`)"
        return None if path.is_file() else f"no recorded answers at {path} (`path`)"

    @asynccontextmanager
    async def open(self, run: Opening) -> AsyncIterator[Asker]:  # noqa: ARG002 - the protocol's signature
        """Read the file once. Raises EndpointStopped for one that cannot be read, or that contradicts itself."""
        yield RecordedAsker(await anyio.to_thread.run_sync(self._rows))

    def _rows(self) -> Rows:
        if missing := self.missing():
            raise EndpointStopped(missing)
        return Rows.read(Path(expand(self.path, os.environ)).expanduser(), self.answer)


@dataclass(frozen=True, slots=True)
class Row:
    """A recorded answer: ``answer`` None where the row says null, ``beside`` its other known values."""

    line: int
    answer: str | None
    beside: Mapping[str, object]
    carried: Mapping[str, str]

    def fits(self, wanted: Mapping[str, str]) -> bool:
        """Whether all that it carries agrees."""
        return all(wanted.get(name) == value for name, value in self.carried.items())


class Rows:
    """A file's rows by their keys."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._by: dict[By, dict[str, list[Row]]] = {key: defaultdict(list) for key in KEYS}

    @classmethod
    def read(cls, path: Path, column: str) -> Rows:
        """All rows of a file. Raises EndpointStopped with file and line."""
        made = cls(path)
        has_column = False
        columns: set[str] = set()
        for number, values in _lines(path):
            found, value = _column(values, column)
            has_column |= found
            if not found and not has_column:
                columns.update(values)
            made._add(number, values, value)
        if not has_column:
            near = did_you_mean(column, sorted(columns))
            raise EndpointStopped(f"{path}: no row has the column {column!r} (`answer`){near}")
        made._check()
        return made

    def _add(self, number: int, values: Mapping[str, object], value: object) -> None:
        answer = text_of(value)
        if answer is None and value_of(value) is not None:
            raise EndpointStopped(f"{self.path}:{number}: the answer must be a text")
        carried = {name: text for name in CARRIED if (text := text_of(values.get(name))) is not None}
        beside = {name: value_of(values[name]) for name in _mapping.BESIDE if name in values}
        row = Row(number, answer, beside, carried)
        keys = [key for key in KEYS if text_of(values.get(key)) is not None]
        if not keys:
            raise EndpointStopped(f"{self.path}:{number}: a row needs one of {', '.join(f'`{key}`' for key in KEYS)}")
        for key in keys:
            self._by[key][str(text_of(values[key]))].append(row)

    def _check(self) -> None:
        """Ids that stand twice with different answers; other keys are looked at when they are asked for."""
        for name, rows in self._by["id"].items():
            groups: dict[tuple[tuple[str, str], ...], Row] = {}
            for row in rows:
                self._agree(groups.setdefault(tuple(row.carried.items()), row), row, f"id {name!r}")

    def _agree(self, first: Row, second: Row, what: str) -> None:
        if first.answer != second.answer:
            places = f"{self.path}:{first.line} and {self.path}:{second.line}"
            raise EndpointStopped(f"{places}: two different answers to {trim(one_line(what), 120)}")

    def find(self, request: Request) -> Row | None:
        """The row for a request. Raises EndpointStopped where two rows that fit alike have different answers."""
        sample = request.sample
        wanted = {"repeat": str(request.repeat)}
        wanted |= {k: v for k, v in (("dataset", request.dataset), ("template", request.template)) if v is not None}
        texts = {
            "id": None if sample is None else sample.id,
            "prompt": request.prompt,
            "input": request.prompt if sample is None else sample.input,
        }
        for key in KEYS:
            text = texts[key]
            fitting = [row for row in self._by[key].get(text, ()) if row.fits(wanted)] if text is not None else []
            if fitting:
                # a row that carries more is meant more narrowly
                most = max(len(row.carried) for row in fitting)
                best = [row for row in fitting if len(row.carried) == most]
                for other in best[1:]:
                    self._agree(best[0], other, f"{key} {text!r}")
                return best[0]
        return None


class RecordedAsker:
    """Looks rows up; nothing is awaited."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def ask(self, request: Request) -> Response:
        """The recorded answer. Raises InvalidRequest where there is none."""
        row = self._rows.find(request)
        path = self._rows.path
        if row is None:
            named = repr(request.sample.id) if request.sample is not None else repr(trim(request.prompt, 80))
            raise InvalidRequest(f"no recorded answer for {one_line(named)} in {path}")
        if row.answer is None:
            raise InvalidRequest(f"{path}:{row.line}: the recorded answer is null")
        try:
            return _mapping.response(row.answer, row.beside)
        except ValueError as error:
            raise InvalidRequest(f"{path}:{row.line}: {error}") from None


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Each row with its line. Raises EndpointStopped."""
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                if not text:
                    continue
                yield number, _row(text)
    except (ValueError, EOFError, OSError) as error:
        said = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else trim(one_line(str(error)), 200)
        # what breaks the reading of a line is at fault in that line or, where none was read, in the next
        raise EndpointStopped(f"{path}:{max(number, 1)}: {said}") from None


def _row(text: str) -> Mapping[str, object]:
    values = read_json(text)
    if not isinstance(values, Mapping):
        raise ValueError("a row must be an object")  # noqa: TRY004 - it is the file's value that is wrong
    if any_too_long(values):
        raise ValueError("a text is longer than 16 MiB")
    return values


def _column(values: Mapping[str, object], column: str) -> tuple[bool, object]:
    """Whether a row has the column, by its name or else as a path, and what stands there."""
    if column in values:
        return True, values[column]
    found: object = values
    for part in column.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return False, None
        found = found[part]
    return True, found
