"""Stored answers out of the bytes of a damaged state file and its write-ahead log.

The first column of an answer's row is a text that stands nowhere else (``TAG``). Wherever it is found, what stands
before it is the header of a record, and what stands behind it the record: so rows are found in pages whose own header
is lost, in those that no table owns any more, and in the log, without trust in anything above them. A digest in the row
tells whether all of it is as it was written; what it does not prove is left where it is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import digests
from .cache import Row

TAG = b"llmeval-response-1"
_NAMES = ("n", "key", "scope", "run", "created", "parts", "response")
#: the type of a text of that length, in a record's header
_TAG_TYPE = 2 * len(TAG) + 13
#: bytes up to which a header is looked for; ours have one for most columns
_LONGEST_HEADER = 64
#: no row of ours is larger: an answer has 8 MiB at most
_LARGEST = 1 << 26

_MAGIC = b"SQLite format 3\0"
_LOG_MAGIC = b"\x37\x7f\x06"
_LOG_HEADER, _FRAME_HEADER = 32, 24
_USUAL_PAGE = 4096
_PAGES = frozenset(1 << power for power in range(9, 17))
#: bytes of whole numbers, by their type
_WHOLE = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}
_FLOAT = 7


def rows(database: bytes, log: bytes, columns: Sequence[str]) -> Iterator[Row]:
    """Every row that is whole, as often as it is found, the log's first; never raises.

    Of several with one key the one with the greatest ``n`` is the newest. ``columns`` are the table's, in their order.
    """
    wanted = [columns.index(name) for name in (*_NAMES, "digest")]
    files = [_Files(database, log, layout) for layout in _layouts(database, log)]
    for data in (log, database):
        place = data.find(TAG)
        while place >= 0:
            found = (_row(one, data, place, wanted) for one in files)
            row = next((row for row in found if row is not None), None)
            if row is not None:
                yield row
            place = data.find(TAG, place + 1)


# --- pages ---


@dataclass(frozen=True, slots=True)
class _Layout:
    """Bytes of a page, and how many of them are in use."""

    page: int
    usable: int

    def local(self, payload: int) -> int:
        """How much of a record stands in its leaf; the rest is in a chain of pages of its own."""
        most = self.usable - 35
        if payload <= most:
            return payload
        least = (self.usable - 12) * 32 // 255 - 23
        some = least + (payload - least) % (self.usable - 4)
        return some if some <= most else least


def _layouts(database: bytes, log: bytes) -> list[_Layout]:
    """What the files say of themselves where that can be, then what is usual."""
    found = []
    if database.startswith(_MAGIC) and len(database) >= 100:
        size = int.from_bytes(database[16:18], "big")
        size = 65_536 if size == 1 else size
        found.append(_Layout(size, size - database[20]))
    if log.startswith(_LOG_MAGIC):
        size = int.from_bytes(log[8:12], "big")
        found.append(_Layout(size, size))
    found.append(_Layout(_USUAL_PAGE, _USUAL_PAGE))
    return [one for one in dict.fromkeys(found) if one.page in _PAGES and one.usable >= 480]


class _Files:
    """Both files as pages of one layout."""

    def __init__(self, database: bytes, log: bytes, layout: _Layout) -> None:
        self.layout = layout
        self._database = database
        self._log = log
        self._in_log = self._frames()

    def _frames(self) -> dict[int, int]:
        """Where in the log the last state of each page stands.

        What was written since the log last began anew has the salt of its header; the rest is older.
        """
        step = _FRAME_HEADER + self.layout.page
        starts = range(_LOG_HEADER, len(self._log) - step + 1, step)
        salt = self._log[16:24]
        old: list[int] = []
        new: list[int] = []
        for start in starts:
            (new if self._log[start + 8 : start + 16] == salt else old).append(start)
        return {int.from_bytes(self._log[at : at + 4], "big"): at + _FRAME_HEADER for at in (*old, *new)}

    def end(self, data: bytes, place: int) -> int:
        """Where the used part of the page ends that a place is in."""
        if data is self._log:
            step = _FRAME_HEADER + self.layout.page
            return place - (place - _LOG_HEADER) % step + _FRAME_HEADER + self.layout.usable
        return place - place % self.layout.page + self.layout.usable

    def chains(self, first: int, size: int) -> Iterator[bytes]:
        """The bytes in the pages from ``first`` on: as the log has them, then as they were before."""
        yield self._chain(first, size, self._in_log)
        yield self._chain(first, size, {})

    def _chain(self, number: int, size: int, in_log: dict[int, int]) -> bytes:
        """Fewer than ``size`` where the chain is broken."""
        room = self.layout.usable - 4
        pieces = []
        for _ in range(-(-size // room)):
            if number in in_log:
                data, start = self._log, in_log[number]
            else:
                data, start = self._database, (number - 1) * self.layout.page
            if number < 1 or start + self.layout.usable > len(data):
                break
            pieces.append(data[start + 4 : start + self.layout.usable])
            number = int.from_bytes(data[start : start + 4], "big")
        return b"".join(pieces)[:size]


# --- records ---


def _row(files: _Files, data: bytes, place: int, wanted: Sequence[int]) -> Row | None:
    """The row whose tag stands at a place."""
    end = files.end(data, place)
    for start in range(place - 2, max(place - _LONGEST_HEADER, 0), -1):
        # a header says its own length first, then the types of its columns
        if data[start] != place - start:
            continue
        types = _types(data[start + 1 : place])
        if types is None or types[0] != _TAG_TYPE or len(types) <= max(wanted):
            continue
        for record in _records(files, data, (start, place, end), sum(map(_size, types))):
            row = _whole(types, record, _rowid(data, start), wanted)
            if row is not None:
                return row
    return None


def _records(files: _Files, data: bytes, bounds: tuple[int, int, int], size: int) -> Iterator[bytes]:
    """What may be the values of a record: ``bounds`` are where its header and its values begin and its page ends."""
    start, values, end = bounds
    payload = values - start + size
    local = files.layout.local(payload)
    if payload > _LARGEST or start + local > end:
        return
    if local == payload:
        yield data[values : values + size]
        return
    rest = start + local
    first = int.from_bytes(data[rest : rest + 4], "big")
    for chain in files.chains(first, payload - local):
        yield data[values:rest] + chain


def _whole(types: Sequence[int], record: bytes, n: int, wanted: Sequence[int]) -> Row | None:
    """The row, if its digest proves every value of it."""
    if len(record) != sum(map(_size, types)):
        return None
    values = []
    place = 0
    for kind in types:
        values.append(_value(kind, record[place : place + _size(kind)]))
        place += _size(kind)
    _, key, scope, run, created, parts, response, digest = (values[index] for index in wanted)
    texts = [key, scope, run, parts, response]
    # a time that happens to be whole is stored as such
    if not isinstance(created, int | float) or not all(isinstance(text, str) for text in texts):
        return None
    row: Row = (n, str(key), str(scope), str(run), float(created), str(parts), str(response))
    return row if digest == digests.of_row(*row) else None


def _rowid(data: bytes, end: int) -> int:
    """The number that ends there; what stands before it ends in a byte that tells it apart."""
    start = end - 1
    while start > 0 and end - start < 9 and data[start - 1] & 0x80:
        start -= 1
    number = 0
    for byte in data[max(start, 0) : end]:
        number = number << 7 | byte & 0x7F
    return number


def _types(header: bytes) -> list[int] | None:
    """The types of the columns; None where the header is not one."""
    types = []
    number = length = 0
    for byte in header:
        number = number << 7 | byte & 0x7F
        length += 1
        if byte & 0x80:
            if length == 9:
                return None
            continue
        if number in {10, 11} or number > 2 * _LARGEST:
            return None
        types.append(number)
        number = length = 0
    return types if types and not length else None


def _size(kind: int) -> int:
    if kind == _FLOAT:
        return 8
    return (kind - 12) // 2 if kind >= 12 else _WHOLE[kind]


def _value(kind: int, data: bytes) -> object:
    if kind >= 12:
        return _text(data) if kind % 2 else data
    if kind == _FLOAT:
        return struct.unpack(">d", data)[0]
    if kind in {8, 9}:
        return kind - 8
    return int.from_bytes(data, "big", signed=True) if kind else None


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
