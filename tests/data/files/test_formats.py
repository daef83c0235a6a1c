"""Parquet, JSON lines and Arrow; telling formats apart; writing; the preview for an upload."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from modelwright.data.files.errors import (
    CannotWriteFile,
    InvalidReadOption,
    RaggedRows,
    UnknownFormat,
    UnreadableFile,
    WrongEncoding,
)
from modelwright.data.files.options import FORMATS, Format, ReadOptions
from modelwright.data.files.reading import read_table
from modelwright.data.files.suggest import suggest
from modelwright.data.files.writing import table_as_bytes, write_table
from modelwright.data.schema import Column, ColumnType, Role
from modelwright.data.table import Table


def table() -> Table:
    frame = pl.DataFrame(
        {
            "double": [1.5, None, -0.25],
            "whole": [1, None, -(2**60)],
            "text": ['a "b", c', None, "two\nlines ä"],
            "truth": [True, None, False],
            "moment": [datetime.fromisoformat("2020-01-02T03:04:05.250"), None, None],
            "zoned": [datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), None, None],
        }
    )
    return Table(frame, [Column("text", ColumnType.STRING, Role.LABEL, categorical=True)])


@pytest.mark.parametrize("format_name", FORMATS)
def test_what_is_written_is_read_as_it_was(format_name: Format, tmp_path: Path) -> None:
    path = tmp_path / f"file.{format_name}"
    write_table(table(), path)
    expected = table().frame
    if format_name == "jsonl":
        # JSON has no dates; they stay text.
        expected = expected.with_columns(
            pl.Series("moment", ["2020-01-02T03:04:05.250", None, None]),
            pl.Series("zoned", ["2020-01-02T03:04:05+00:00", None, None]),
        )
    assert read_table(path).frame.equals(expected)
    assert read_table(path.read_bytes(), name=path.name).frame.equals(expected)
    as_bytes = table_as_bytes(table(), format_name)
    assert read_table(as_bytes, ReadOptions(format=format_name)).frame.equals(expected)


@pytest.mark.parametrize("format_name", ["parquet", "arrow"])
def test_roles_and_flags_are_kept_where_a_file_has_room_for_them(
    format_name: Format, tmp_path: Path
) -> None:
    many = table().of(pl.concat([table().frame] * 5_000))
    write_table(many, tmp_path / f"file.{format_name}")
    assert read_table(tmp_path / f"file.{format_name}").schema == table().schema


def test_codes_in_a_foreign_arrow_file_mean_categories(tmp_path: Path) -> None:
    coded = pa.table({"a": pa.array(["x", "y", "x"]).dictionary_encode(), "b": ["p", "q", "r"]})
    with pa.ipc.new_file(tmp_path / "f.arrow", coded.schema) as out:
        out.write_table(coded)
    schema = read_table(tmp_path / "f.arrow").schema
    assert [c.categorical for c in schema] == [True, False]


def test_a_stream_of_arrow_batches_is_read(tmp_path: Path) -> None:
    batches = pa.table({"a": [1, 2]})
    with pa.ipc.new_stream(tmp_path / "f.arrow", batches.schema) as out:
        out.write_table(batches)
    assert read_table(tmp_path / "f.arrow").frame["a"].to_list() == [1, 2]


def test_json_lines_may_lack_keys_and_hold_structures() -> None:
    text = '{"a": 1, "b": "x"}\n\n{"b": "y", "c": [1, 2]}\n{"a": 2.5}\n'
    found = read_table(text.encode(), name="rows.jsonl")
    assert found.frame.to_dicts() == [
        {"a": 1.0, "b": "x", "c": None},
        {"a": None, "b": "y", "c": [1, 2]},
        {"a": 2.5, "b": None, "c": None},
    ]
    assert [c.type.value for c in found.schema] == ["Double", "String", "Other"]


def test_a_json_list_of_objects_is_read_too() -> None:
    text = '[{"a": 1}, {"a": 2}]'
    assert read_table(text.encode()).frame["a"].to_list() == [1, 2]


@pytest.mark.parametrize("bad", ["{", "[1]", "3", '{"a": 1} x'])
def test_a_bad_line_of_json_is_named(bad: str) -> None:
    text = '{"a": 1}\n{"a": 2}\n' + bad + "\n"
    with pytest.raises(UnreadableFile, match=r"Line 3 of rows\.jsonl cannot be read as JSON lines"):
        read_table(text.encode(), name="rows.jsonl")


def test_json_in_a_wrong_encoding_is_told() -> None:
    with pytest.raises(WrongEncoding, match="in line 2"):
        read_table('{"a": 1}\n{"a": "é"}\n'.encode("latin-1"), name="rows.jsonl")


@pytest.mark.parametrize("format_name", ["csv", "tsv", "jsonl"])
def test_spans_times_of_day_and_bytes_are_written_as_text(format_name: Format) -> None:
    row = {"span": [timedelta(days=1, minutes=2)], "time": [time(1, 30)], "bytes": [b"\0\xff"]}

    found = read_table(table_as_bytes(Table(pl.DataFrame(row)), format_name), name="x")

    assert found.frame.rows() == [("P1DT2M", "01:30:00", "00ff")]


def test_a_name_that_is_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotWriteFile, match="too long"):
        write_table(table(), tmp_path / ("x" * 300 + ".csv"))


@pytest.mark.parametrize("format_name", ["parquet", "arrow"])
@pytest.mark.parametrize("keep", [0.5, 0.95])
def test_a_truncated_file_is_told(format_name: Format, keep: float) -> None:
    content = table_as_bytes(table(), format_name)
    name = {"parquet": "Parquet", "arrow": "Arrow"}[format_name]
    with pytest.raises(UnreadableFile, match=f"cannot be read as {name}"):
        read_table(content[: int(len(content) * keep)], ReadOptions(format=format_name))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html>\n<html>a, b</html>", "a web page"),
        (b"\xef\xbb\xbf\n<!-- <a> --><HTML lang=de>", "a web page"),
        (b'<?xml version="1.0"?><rows/>', "an XML document"),
        (b"\x89PNG\r\n", "image"),
        (b"SQLite format 3\x00", "SQLite"),
        (bytes(range(256)), "no format"),
        (b"\x00" * 100, "no format"),
    ],
)
def test_what_is_no_file_of_rows_is_named(content: bytes, what: str) -> None:
    with pytest.raises(UnknownFormat, match=what) as caught:
        read_table(content, name="upload")
    assert caught.value.code == "unknown-file-format"


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("x.tsv", b"a\tb\n1\t2,5\n", ["a", "b"]),
        ("x.csv", b"a,b\n1,2\n", ["a", "b"]),
        ("x.unknown", b"a;b\n1;2\n", ["a", "b"]),
        ("x", b'{"k": 1}\n', ["k"]),
        ("x.csv", b'{"k";1}\n1;2\n', ['{"k"', "1}"]),
        ("x.txt", "a,b\n1,2\n".encode("utf-16"), ["a", "b"]),
    ],
)
def test_the_format_is_found_by_content_and_name(
    name: str, content: bytes, columns: list[str]
) -> None:
    assert list(read_table(content, name=name).schema.names) == columns


def test_content_says_more_than_a_name(tmp_path: Path) -> None:
    path = tmp_path / "really-parquet.csv"
    path.write_bytes(table_as_bytes(table(), "parquet"))
    assert read_table(path).schema == table().schema


def test_values_that_text_formats_do_not_know_are_written_as_text(tmp_path: Path) -> None:
    frame = pl.DataFrame({"l": [[1, 2], None], "s": [{"a": 1}, {"a": None}], "b": [b"x", None]})
    write_table(Table(frame), tmp_path / "f.csv")
    found = read_table(tmp_path / "f.csv").frame.to_dicts()
    assert [json.loads(found[0]["l"]), json.loads(found[0]["s"])] == [[1, 2], {"a": 1}]
    assert found[1]["l"] is None


def test_csv_keeps_infinities_and_writes_not_a_number_as_such(tmp_path: Path) -> None:
    write_table(Table(pl.DataFrame({"a": [math.inf, -math.inf, math.nan]})), tmp_path / "f.csv")
    assert read_table(tmp_path / "f.csv").frame["a"].to_list() == [math.inf, -math.inf, None]
    found = read_table(tmp_path / "f.csv", ReadOptions(missing=("",))).frame["a"]
    assert math.isnan(found[2])


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("old")
    code = f"""
        import resource
        from pathlib import Path
        import polars as pl
        from modelwright.data.files.writing import write_table
        from modelwright.data.files.errors import CannotWriteFile
        from modelwright.data.table import Table
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        for name in ("f.csv", "f.parquet", "f.arrow", "f.jsonl"):
            try:
                write_table(Table(pl.DataFrame({{"a": range(100_000)}})), Path({str(tmp_path)!r}) / name)
            except CannotWriteFile as error:
                print(error.code)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["cannot-write-file"] * 4
    assert [p.name for p in tmp_path.iterdir()] == ["f.csv"]
    assert path.read_text() == "old"


def test_a_folder_that_is_not_there_and_an_unknown_ending_are_told(tmp_path: Path) -> None:
    with pytest.raises(CannotWriteFile, match="No such file"):
        write_table(table(), tmp_path / "none" / "f.csv")
    with pytest.raises(InvalidReadOption, match="xlsx"):
        write_table(table(), tmp_path / "f.xlsx")


def guessed(text: str | bytes, **options: Any) -> dict[str, Any]:
    content = text.encode() if isinstance(text, str) else text
    return suggest(content, ReadOptions(**options), name="upload.csv").to_json()


def test_a_preview_shows_guessed_options_columns_and_first_rows() -> None:
    shown = guessed("name;price;when\nx;1,5;2020-01-02\ny;?;2020-01-03\n")
    options = shown["options"]
    assert (options["format"], options["separator"], options["header"]) == ("csv", ";", True)
    assert (options["decimal"], options["encoding"], options["trim"]) == (",", "utf-8", False)
    assert shown["columns"] == [
        {"name": "name", "type": "String"},
        {"name": "price", "type": "Double"},
        {"name": "when", "type": "DateTime"},
    ]
    assert shown["rows"] == [["x", 1.5, "2020-01-02T00:00:00"], ["y", None, "2020-01-03T00:00:00"]]
    assert (shown["complete"], shown["notes"]) == (True, [])
    json.dumps(shown, allow_nan=False)


def test_what_is_previewed_is_what_is_read() -> None:
    content = b"a, b\n1, x\n2, y\n"
    preview = suggest(content, name="upload.csv")
    assert preview.options.trim
    read = read_table(content, preview.options, name="upload.csv")
    assert read.schema == preview.schema
    assert [list(row) for row in read.frame.rows()] == preview.rows


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a,b\n1,2\n", True),
        ("1,2\n3,4\n", False),
        ("x,1\ny,2\n", False),
        ("name,city\nAnn,Oslo\nBob,Rome\n", True),
        ("x,x\nx,y\n", False),
        ("n,n\n1,2\n3,4\n", True),
        (",\n1,2\n", False),
        ("id,\n1,2\n", True),
    ],
)
def test_a_header_is_guessed(text: str, header: bool) -> None:
    assert guessed(text)["options"]["header"] is header


def test_choices_are_kept() -> None:
    shown = guessed("a;b\n1;2\n", separator=",", header=False)
    assert shown["options"]["separator"] == ","
    assert shown["rows"] == [["a;b"], ["1;2"]]


def test_a_guessed_encoding_is_said_to_be_one() -> None:
    shown = guessed("name\ncafé\n".encode("windows-1252"))
    assert shown["options"]["encoding"] == "windows-1252"
    assert shown["rows"] == [["café"]]
    assert [note["code"] for note in shown["notes"]] == ["encoding-guessed"]


def test_ragged_rows_are_shown_and_noted_but_still_refused_when_read() -> None:
    preview = suggest(b"a,b\n1,2\n3\n", name="upload.csv")
    assert preview.rows == [[1, 2], [3, None]]
    assert [note.code for note in preview.notes] == ["ragged-rows"]
    assert preview.notes[0].fields["lines"] == [{"line": 3, "fields": 1}]
    with pytest.raises(RaggedRows):
        read_table(b"a,b\n1,2\n3\n", preview.options)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_of_a_large_file_only_the_start_is_looked_at(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    rows = "".join(f'{i},"text ä\n{i}"\n' for i in range(90_000))
    path.write_text("a,b\n" + rows + "x,y\n", encoding=encoding, newline="")
    preview = suggest(path, rows=3)
    assert preview.size == path.stat().st_size
    assert not preview.complete
    assert preview.rows == [[0, "text ä\n0"], [1, "text ä\n1"], [2, "text ä\n2"]]
    assert [c.type.value for c in preview.schema] == ["Integer", "String"]
    assert [note.code for note in preview.notes] == ["sample"]


@pytest.mark.parametrize("format_name", ["parquet", "arrow", "jsonl", "tsv"])
def test_every_format_has_a_preview(format_name: Format) -> None:
    preview = suggest(table_as_bytes(table(), format_name), name=f"upload.{format_name}")
    assert preview.options.format == format_name
    assert preview.rows[0][:2] == [1.5, 1]
    assert preview.complete


def test_a_preview_of_nothing_readable_is_refused() -> None:
    with pytest.raises(UnknownFormat):
        suggest(b"\x00\x01\x02\x03\xff" * 50, name="upload.bin")
