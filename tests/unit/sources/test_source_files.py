"""Rows of data files: lines, cells, and what is refused, all of a file at once."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.errors import Faults
from pytest_llmeval.core.plain import text_of
from pytest_llmeval.sources.csv_ import Csv, Tsv
from pytest_llmeval.sources.json_ import Json
from pytest_llmeval.sources.jsonl import Jsonl

CLASSES = {"jsonl": Jsonl, "jsonl.gz": Jsonl, "csv": Csv, "tsv": Tsv, "json": Json}


@pytest.fixture
def read(tmp_path):
    def reading(suffix, data):
        path = tmp_path / f"rows.{suffix}"
        path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
        return list(CLASSES[suffix](str(path)).rows())

    return reading


@pytest.fixture
def told(read, tmp_path):
    def telling(suffix, data):
        with pytest.raises(Faults) as raised:
            read(suffix, data)
        return str(raised.value).replace(f"{tmp_path / 'rows'}.{suffix}", "f").splitlines()

    return telling


def test_json_lines_end_at_line_feeds_only(read):
    text = '{"a": "x\u2028y\u2029z\x85"}\n\n  \n{"a": "b"}\r\n{"a": "c"}'

    assert read("jsonl", text) == [({"a": "x\u2028y\u2029z\x85"}, 1), ({"a": "b"}, 4), ({"a": "c"}, 5)]


@pytest.mark.parametrize("suffix", CLASSES)
def test_a_byte_order_mark_at_the_start_is_dropped(read, suffix):
    rows = {"json": '[{"a": "b"}]', "csv": "a\nb\n", "tsv": "a\nb\n"}.get(suffix, '{"a": "b"}\n')
    data = b"\xef\xbb\xbf" + rows.encode()

    assert [row for row, _ in read(suffix, gzip.compress(data, mtime=0) if suffix.endswith("gz") else data)] == [
        {"a": "b"}
    ]


def test_rows_come_as_they_are_asked_for(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\nno JSON at all\n', encoding="utf-8")
    rows = Jsonl(str(path)).rows()

    assert text_of(next(rows)[0]["a"]) == "1"
    with pytest.raises(Faults):
        next(rows)


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=4), max_size=5))
def test_any_json_lines_come_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    assert [row for row, _ in Jsonl(str(path)).rows()] == rows


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12)


@pytest.mark.parametrize(("cls", "delimiter"), [(Csv, ","), (Tsv, "\t")])
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_any_cells_come_back_as_text(tmp_path_factory, cls, delimiter, cells):
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        [("one", "two"), *cells]
    )
    path = tmp_path_factory.mktemp("rows") / "rows"
    path.write_bytes(written.getvalue().encode())

    assert [(row["one"], row["two"]) for row, _ in cls(str(path)).rows()] == cells


def test_every_cell_is_text_and_an_empty_one_is_empty_or_absent(read):
    text = 'id,input,target,tags,skip,xfail,note,metadata.place\n1,NA,null,"a, b,",,,None,007\n,,,,,,,\n'

    first, second = (row for row, _ in read("csv", text))

    assert first == {
        "id": "1",
        "input": "NA",
        "target": "null",
        "tags": ["a", "b"],
        "note": "None",
        "metadata": {"place": "007"},
    }
    assert second == {"note": "", "metadata": {"place": ""}}


def test_a_row_begins_at_its_first_line(read):
    assert [line for _, line in read("csv", 'a,b\r\n"x\ny",1\n\nz,2\n')] == [2, 5]


def test_a_cell_of_a_megabyte_is_read_and_the_limit_of_the_process_is_left_alone(read):
    before = csv.field_size_limit()

    assert len(read("csv", "a\n" + "x" * 1_000_000 + "\n")[0][0]["a"]) == 1_000_000
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("suffix", "data", "expected"),
    [
        ("csv", "a,b\n1\n1,2,3\n1,2\n", [
            "f:2: 1 cells under a header of 2; quote a cell that has a comma",
            "f:3: 3 cells under a header of 2; quote a cell that has a comma",
        ]),
        ("tsv", "a\tb\n1\n", ["f:2: 1 cells under a header of 2; quote a cell that has a tab"]),
        ("csv", "a,,a\n1,2,3\n", ["f:1: column 2 has no name", "f:1: duplicate column 'a'"]),
        ("csv", 'a,b\n1,"2\n', ["f:2: this is no CSV: unexpected end of data"]),
        ("csv", b"a\n\xff\nb\n", ["f:2:1: the byte 0xff is not UTF-8; save the file as UTF-8"]),
        ("jsonl", b'{"a": "\xc3\xa9\xff"}\n', ["f:1:9: the byte 0xff is not UTF-8; save the file as UTF-8"]),
        ("jsonl", '{"a": Infinity}\n[]\n', [
            "f:1: Infinity is no JSON; a number must be finite",
            "f:2: a row is a JSON object ({…})",
        ]),
        ("jsonl.gz", b"no gzip", ["f: this is no whole gzip file: Not a gzipped file (b'no')"]),
        ("jsonl.gz", gzip.compress(b'{"a": 1}\n' * 1000, mtime=0)[:-12], [
            "f: this is no whole gzip file: Compressed file ended before the end-of-stream marker was reached"
        ]),
        ("json", '{"a": 1}', ["f:1:1: a list of rows ([…]) is expected"]),
        ("json", "", ["f:1:1: a list of rows ([…]) is expected"]),
        ("json", '[{"a": 1}\n{"b": 2}]', ["f:2:1: this is no JSON: a comma or `]` is expected"]),
        ("json", '[{"a": 1},\n 7]', ["f:2: a row is a JSON object ({…})"]),
        ("json", '[{"a": 1}]\nx', ["f:2:1: this is no JSON: more stands behind the list"]),
        ("json", '[{"a": 1},\n{"a": }]', ["f:2:7: this is no JSON: Expecting value"]),
        ("json", '[{"a": 1},\n{"a": 1, "a": 2}]', ["f:2:1: duplicate key 'a'"]),
        ("json", "[" + "[" * 100_000, ["f:1:2: it is nested too deep"]),
        ("json", b"[\n\xff]", ["f:2: the byte 0xff is not UTF-8; save the file as UTF-8"]),
    ],
)  # fmt: skip
def test_what_is_refused_is_told_with_its_line(told, suffix, data, expected):
    assert told(suffix, data) == expected


def test_a_list_of_nothing_has_no_rows(read):
    assert read("json", " [ ] ") == []


@pytest.mark.parametrize("suffix", CLASSES)
def test_a_file_that_is_not_there_is_a_fault(tmp_path, suffix):
    with pytest.raises(Faults, match="it cannot be read: No such file or directory"):
        list(CLASSES[suffix](str(tmp_path / f"none.{suffix}")).rows())


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "json"])
def test_a_file_of_faults_is_not_read_to_its_end(told, suffix):
    data = {"jsonl": "x\n" * 500, "csv": "a,b\n" + "1\n" * 500, "json": "[" + ",".join(["1"] * 500) + "]"}[suffix]

    assert len(told(suffix, data)) == 100
