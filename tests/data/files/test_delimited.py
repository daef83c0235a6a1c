"""CSV and TSV: every way a line can be, types by all values, and faults with their place."""

from __future__ import annotations

import csv
import io
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.data.files.errors import (
    EmptyFile,
    FileMissing,
    InvalidReadOption,
    RaggedRows,
    UnclosedQuote,
    UnknownFormat,
    UnreadableFile,
    UnreadableValue,
    WrongEncoding,
)
from modelwright.data.files.options import ReadOptions
from modelwright.data.files.reading import load_table, read_table
from modelwright.data.schema import ColumnType, MissingColumn

SAMPLES = Path(__file__).parents[3] / "src" / "modelwright" / "samples" / "datasets"


def columns(text: str | bytes, **options: Any) -> dict[str, list[Any]]:
    content = text.encode() if isinstance(text, str) else text
    return read_table(content, ReadOptions(format="csv", **options)).frame.to_dict(as_series=False)


def types(text: str, **options: Any) -> list[str]:
    table = read_table(text.encode(), ReadOptions(format="csv", **options))
    return [column.type.value for column in table.schema]


def test_the_automobile_data_has_its_rows_types_and_missing_values() -> None:
    table = read_table(SAMPLES / "automobile-price-raw.csv")
    assert (table.rows, len(table.schema)) == (205, 26)
    whole = "symboling normalized-losses curb-weight engine-size horsepower peak-rpm city-mpg highway-mpg price"
    fractional = "wheel-base length width height bore stroke compression-ratio"
    for column in table.schema:
        expected = (
            ColumnType.INTEGER
            if column.name in whole.split()
            else ColumnType.DOUBLE
            if column.name in fractional.split()
            else ColumnType.STRING
        )
        assert column.type is expected, column.name
    missing = {s.name: s.null_count() for s in table.frame if s.null_count()}
    assert missing == {
        "normalized-losses": 41,
        "num-of-doors": 2,
        "bore": 4,
        "stroke": 4,
        "horsepower": 2,
        "peak-rpm": 2,
        "price": 4,
    }
    assert table.frame["price"].head(3).to_list() == [13495, 16500, 16500]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-2", "+3", "007", " 5 "], [1, -2, 3, 7, 5]),
        (["1", "2.5", "-1e3", ".5", "5."], [1.0, 2.5, -1000.0, 0.5, 5.0]),
        (["inf", "-Infinity", "1"], [math.inf, -math.inf, 1.0]),
        (["true", "FALSE", "True"], [True, False, True]),
        (["9223372036854775807", "1"], [9223372036854775807, 1]),
        (["9223372036854775808", "1"], ["9223372036854775808", "1"]),
        (["9223372036854775808", "1.5"], [9223372036854775808.0, 1.5]),
        (["2020-01-02", "1999-12-31"], [datetime(2020, 1, 2), datetime(1999, 12, 31)]),  # noqa: DTZ001
        (["2020-01-02 03:04", "2020-01-02 03:05"], [datetime(2020, 1, 2, 3, 4), datetime(2020, 1, 2, 3, 5)]),  # noqa: DTZ001
        (["2020-01-02T03:04:05.5"], [datetime(2020, 1, 2, 3, 4, 5, 500_000)]),  # noqa: DTZ001
        (["2020-01-02T03:04:05Z", "2020-01-02T03:04:05+02:00"],
         [datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2020, 1, 2, 1, 4, 5, tzinfo=UTC)]),
        (["2020-01-02", "2020-01-02 03:04"], ["2020-01-02", "2020-01-02 03:04"]),
        (["2020-13-45"], ["2020-13-45"]),
        (["1", "one"], ["1", "one"]),
        (["1", "true"], ["1", "true"]),
        (["0x10", "1_000", "1,5"], ["0x10", "1_000", "1,5"]),
        (["yes", "no"], ["yes", "no"]),
        (["\uff11"], ["\uff11"]),
    ],
)  # fmt: skip
def test_a_column_has_the_type_that_all_its_values_fit(
    values: list[str], expected: list[Any]
) -> None:
    text = "a;b\n" + "".join(f"{value};x\n" for value in values)
    assert columns(text, separator=";")["a"] == expected


@pytest.mark.parametrize(
    "mark", ["", "?", "NA", "N/A", "null", "NULL", "NaN", "nan", " NA ", '"NA"', '""']
)
def test_the_usual_marks_are_missing_values_in_every_type(mark: str) -> None:
    text = f"i,d,s,b,t\n1,1.5,x,true,2020-01-01\n{','.join([mark] * 5)}\n"
    found = read_table(text.encode(), ReadOptions(format="csv"))
    assert [c.type.value for c in found.schema] == [
        "Integer",
        "Double",
        "String",
        "Boolean",
        "DateTime",
    ]
    assert found.frame.row(1) == (None,) * 5


def test_marks_are_chosen_freely() -> None:
    text = "a,b,c\nNA,-999,\nx,5,y\n"
    assert columns(text, missing=("-999",)) == {"a": ["NA", "x"], "b": [None, 5], "c": ["", "y"]}
    assert columns(text, missing=()) == {"a": ["NA", "x"], "b": [-999, 5], "c": ["", "y"]}
    padded = "a,b\n NA , -999 \nx,5\n"
    assert columns(padded, missing=("-999",)) == {"a": [" NA ", "x"], "b": [None, 5]}


def test_without_the_mark_nan_is_a_number() -> None:
    found = columns("a\n1\nNaN\n", missing=("",))["a"]
    assert found[0] == 1.0
    assert math.isnan(found[1])


def test_a_column_without_values_is_text() -> None:
    assert types("a,b\n,1\n?,2\n") == ["String", "Integer"]


def test_blanks_around_numbers_go_and_those_around_text_stay_unless_trimmed() -> None:
    text = "a, b\n 1 , x \n2,\ty\n"
    assert columns(text) == {"a": [1, 2], "b": [" x ", "\ty"]}
    assert columns(text, trim=True) == {"a": [1, 2], "b": ["x", "y"]}


def test_quotes_after_a_blank_count_when_trimmed() -> None:
    text = 'a,b\n1, "x, y"\n2, "z"\n'
    assert columns(text, trim=True) == {"a": [1, 2], "b": ["x, y", "z"]}


def test_quoted_fields_hold_separators_line_ends_and_quotes() -> None:
    text = 'a,b\n"x,y",1\n"two\nlines",2\n"say ""hi""",3\n'
    assert columns(text) == {"a": ["x,y", "two\nlines", 'say "hi"'], "b": [1, 2, 3]}


def test_another_quote_or_none_can_be_chosen() -> None:
    assert columns("a,b\n'x,y',1\n", quote="'") == {"a": ["x,y"], "b": [1]}
    assert columns('a,b\n"x",1\n', quote="") == {"a": ['"x"'], "b": [1]}


def test_a_quote_inside_a_field_is_a_character_and_noted() -> None:
    text = 'size,n\n5" pipe,1\n6" pipe,2\n"x",3\n"a"b,4\nc,5\n'
    loaded = load_table(text.encode(), ReadOptions(format="csv"))
    assert loaded.table.frame.to_dict(as_series=False) == {
        "size": ['5" pipe', '6" pipe', "x", "ab", "c"],
        "n": [1, 2, 3, 4, 5],
    }
    assert [note.to_json()["code"] for note in loaded.notes] == ["odd-quotes"]
    assert loaded.notes[0].fields == {"line": 2}


def test_ragged_rows_are_found_beside_odd_quotes() -> None:
    text = 'size,n\n5" pipe,1\n\n6" pipe\nx,3,4\n'
    with pytest.raises(RaggedRows) as caught:
        columns(text)
    assert caught.value.fields["lines"] == [{"line": 4, "fields": 1}, {"line": 5, "fields": 3}]
    assert columns(text, ragged="pad") == {"size": ['5" pipe', '6" pipe', "x"], "n": [1, None, 3]}
    assert columns(text, ragged="skip") == {"size": ['5" pipe'], "n": [1]}


def test_a_quote_that_never_closes_names_its_line() -> None:
    for text in ('a,b\n1,2\n"x,3\n4,5\n', 'a,b\n1,5"\n"x,3\n4,5\n'):
        with pytest.raises(UnclosedQuote, match="line 3") as caught:
            columns(text)
        assert caught.value.code == "unclosed-quote"
    assert columns('a,b\n1,2\n"x,3\n', quote="") == {"a": ["1", '"x'], "b": [2, 3]}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(separator: str) -> None:
    text = "a,b,c\n1,x y,2.5\n2,z,3.5\n".replace(",", separator)
    assert columns(text) == {"a": [1, 2], "b": ["x y", "z"], "c": [2.5, 3.5]}


def test_decimal_commas_do_not_divide_fields() -> None:
    text = "a;b\n1,5;x\n2,25;y\n3;z\n"
    assert columns(text, decimal=",") == {"a": [1.5, 2.25, 3.0], "b": ["x", "y", "z"]}
    assert columns(text)["a"] == ["1,5", "2,25", "3"]
    assert types("a;b\n1.5;1\n", decimal=",") == ["String", "Integer"]


def test_a_single_column_needs_no_separator_and_keeps_its_blank_lines() -> None:
    assert columns("a\n1\n\n3\n\n\n") == {"a": [1, None, 3]}
    assert columns('a\n5"\n\n3\n\n\n') == {"a": ['5"', None, "3"]}


def test_blank_lines_are_no_rows() -> None:
    assert columns("\n\na,b\n\n1,2\n\r\n3,4\n\n\n") == {"a": [1, 3], "b": [2, 4]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_every_line_end_is_understood(end: str, last: bool) -> None:
    text = end.join(["a,b", "1,x", "2,y"]) + (end if last else "")
    assert columns(text) == {"a": [1, 2], "b": ["x", "y"]}


def test_without_a_header_columns_are_numbered() -> None:
    assert columns("1,x\n2,y\n", header=False) == {"Col1": [1, 2], "Col2": ["x", "y"]}
    with pytest.raises(RaggedRows, match="line 1 has 1"):
        columns("1\n1,x\n2,y\n", header=False, separator=",")


def test_empty_and_repeated_names_are_replaced_and_noted() -> None:
    loaded = load_table(b" a ,,b,a,a_1,a\n1,2,3,4,5,6\n", ReadOptions(format="csv"))
    assert loaded.table.schema.names == ("a", "Col2", "b", "a_2", "a_1", "a_3")
    assert [note.code for note in loaded.notes] == ["columns-renamed"]
    assert loaded.notes[0].fields["columns"] == [
        {"place": 2, "name": "Col2"},
        {"place": 4, "name": "a_2"},
        {"place": 6, "name": "a_3"},
    ]


def test_lines_at_the_start_can_be_left_out() -> None:
    text = 'Report of "today\n\na,b\n1,2\n'
    assert columns(text, skip_rows=2) == {"a": [1], "b": [2]}


def test_a_header_alone_is_a_table_without_rows() -> None:
    for text in ("a,b", "a,b\n", "a,b\n\n"):
        assert columns(text) == {"a": [], "b": []}


def test_ragged_rows_are_named_by_line_and_can_be_filled_up_or_left_out() -> None:
    text = 'a,b,c\n1,2,3\n4,5\n"x\ny",6,7\n8,9,10,11\n12\n13,14,15\n'
    with pytest.raises(RaggedRows, match="line 3 has 2, line 6 has 4, line 7 has 1") as caught:
        columns(text)
    assert caught.value.fields["count"] == 3
    assert caught.value.fields["columns"] == 3
    padded = load_table(text.encode(), ReadOptions(format="csv", ragged="pad"))
    assert padded.table.frame.rows() == [
        ("1", 2, 3),
        ("4", 5, None),
        ("x\ny", 6, 7),
        ("8", 9, 10),
        ("12", None, None),
        ("13", 14, 15),
    ]
    assert [(n.code, n.fields["count"]) for n in padded.notes] == [("rows-padded", 3)]
    skipped = load_table(text.encode(), ReadOptions(format="csv", ragged="skip"))
    assert skipped.table.frame["b"].to_list() == [2, 6, 14]
    assert [(n.code, n.fields["lines"]) for n in skipped.notes] == [("rows-skipped", [3, 6, 7])]


def test_only_the_first_of_many_ragged_rows_are_listed() -> None:
    with pytest.raises(RaggedRows, match="and 95 more") as caught:
        columns("a,b\n" + "1\n" * 100, separator=",")
    assert len(caught.value.fields["lines"]) == 5


@pytest.mark.parametrize("place", [10, 20_000])
def test_a_wrong_encoding_names_the_byte_the_line_and_what_to_try(place: int) -> None:
    lines = [b"name,n\n", *[b"abc,1\n"] * place, "café,2\n".encode("cp1252"), b"x,3\n"]
    content = b"".join(lines)
    with pytest.raises(WrongEncoding, match=f"byte .* in line {place + 2} ") as caught:
        columns(content)
    fields = caught.value.fields
    assert content[fields["offset"]] == 0xE9
    assert fields["try_encodings"][0] == "windows-1252"
    assert "café" in str(caught.value)
    assert columns(content, encoding="windows-1252")["name"][place] == "café"


def test_a_wrong_byte_in_the_header_is_found() -> None:
    with pytest.raises(WrongEncoding, match="in line 1"):
        columns("prix,né\n1,2\n".encode("latin-1"))


def test_a_chosen_encoding_that_does_not_fit_is_told() -> None:
    with pytest.raises(WrongEncoding, match=r"ASCII.*in line 2"):
        columns("a\né\n", encoding="ascii")
    with pytest.raises(WrongEncoding, match=r"SHIFT_JIS.*byte 2"):
        columns(b"a\n\x80\n", encoding="shift_jis")


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8"]
)
@pytest.mark.parametrize("header", [True, False])
def test_unicode_in_every_form_is_recognised(encoding: str, header: bool) -> None:
    text = "ä,b\n1,grün 🦀 and some more text\n"
    found = columns(text.encode(encoding), header=header)
    names = ["ä", "b"] if header else ["Col1", "Col2"]
    assert list(found) == names
    assert found[names[1]][-1] == "grün 🦀 and some more text"
    assert found[names[0]][-1] == (1 if header else "1")


def test_types_can_be_chosen_by_column() -> None:
    text = "zip,n,d\n00501,1,2020-01-01\n10001,2,2020-01-02\n"
    chosen = {"zip": ColumnType.STRING, "n": ColumnType.DOUBLE, "d": ColumnType.STRING}
    assert columns(text, types=chosen) == {
        "zip": ["00501", "10001"],
        "n": [1.0, 2.0],
        "d": ["2020-01-01", "2020-01-02"],
    }
    assert types(text, types={"d": ColumnType.DATETIME}) == ["Integer", "Integer", "DateTime"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("INTEGER", "1.5"), ("DOUBLE", "x"), ("BOOLEAN", "yes"), ("DATETIME", "01/02/2020")],
)
def test_a_value_that_is_not_of_the_chosen_type_is_named(kind: str, value: str) -> None:
    text = f"a,b\n,1\n{value},2\n"
    with pytest.raises(UnreadableValue, match=f'"{value}" in row 2 of column "a"') as caught:
        columns(text, types={"a": ColumnType[kind]})
    assert caught.value.fields["count"] == 1


def test_a_chosen_type_for_an_unknown_column_is_refused() -> None:
    with pytest.raises(MissingColumn, match='Nearest: "price"'):
        columns("price\n1\n", types={"prise": ColumnType.DOUBLE})


def test_later_values_count_as_much_as_the_first() -> None:
    many = 12_000
    whole = ["1"] * many
    late = {
        "a": [*whole, "2.5"],
        "b": [*whole, "x"],
        "c": [""] * many + ["7"],
        "d": [*whole, " 8 "],
        "e": ["true"] * many + ["no"],
        "f": ["9223372036854775808"] * many + ["1.5"],
        "g": [*whole, "9223372036854775808"],
        "h": [*whole, "9"],
    }
    text = (
        ",".join(late)
        + "\n"
        + "".join(",".join(row) + "\n" for row in zip(*late.values(), strict=True))
    )
    found = read_table(text.encode(), ReadOptions(format="csv"))
    kinds = ["Double", "String", "Integer", "Integer", "String", "Double", "String", "Integer"]
    assert [c.type.value for c in found.schema] == kinds
    assert found.rows == many + 1
    last = (2.5, "x", 7, 8, "no", 1.5, "9223372036854775808", 9)
    assert found.frame.row(-1) == last
    assert found.frame.row(0) == (1.0, "1", None, 1, "true", 9.223372036854775808e18, "1", 1)


def test_a_late_value_that_is_not_of_the_chosen_type_is_named() -> None:
    text = "a\n" + "1\n" * 12_000 + "x\ny\n"
    with pytest.raises(UnreadableValue, match='"x" in row 12001') as caught:
        columns(text, types={"a": ColumnType.INTEGER})
    assert caught.value.fields["count"] == 2


def test_an_empty_file_is_told() -> None:
    for content in (b"", b"\n\n", b"\xef\xbb\xbf"):
        with pytest.raises(EmptyFile, match="is empty"):
            columns(content)
    with pytest.raises(EmptyFile):
        columns("a,b\n", skip_rows=3)


def test_binary_content_is_told() -> None:
    with pytest.raises(UnknownFormat, match="zero bytes"):
        columns(b"a,b\n1,\x00\x01\x02\n")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(FileMissing, match="directory"):
        read_table(tmp_path)


def test_a_file_name_is_never_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "a[1]*.csv").write_text("a\n1\n")
    (tmp_path / "a1x.csv").write_text("a\n2\n")
    assert read_table(tmp_path / "a[1]*.csv").frame["a"].to_list() == [1]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("separator", ",,"),
        ("separator", "§"),
        ("separator", '"'),
        ("quote", "''"),
        ("decimal", ";"),
        ("ragged", "drop"),
        ("skip_rows", -1),
        ("encoding", "utf-9"),
        ("encoding", "base64"),
        ("format", "xlsx"),
        ("types", {"a": ColumnType.OTHER}),
    ],
)
def test_a_choice_that_cannot_be_is_refused(option: str, value: Any) -> None:
    with pytest.raises(InvalidReadOption) as caught:
        ReadOptions(**{option: value})
    assert caught.value.code == "invalid-read-option"


def test_options_survive_json() -> None:
    options = ReadOptions(
        format="tsv", separator="|", missing=("-",), decimal=",", types={"a": ColumnType.DOUBLE}
    )
    assert ReadOptions.from_json(options.to_json()) == options
    assert ReadOptions.from_json({}) == ReadOptions()
    with pytest.raises(InvalidReadOption, match="delimiter"):
        ReadOptions.from_json({"delimiter": ","})
    with pytest.raises(InvalidReadOption, match="Number"):
        ReadOptions.from_json({"types": {"a": "Number"}})


cells = st.text(st.sampled_from(list('ab" ,;\n\r\t15.-?é')), max_size=6)
grids = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=8)
)


@given(rows=grids)
@settings(max_examples=150, deadline=None)
def test_what_a_csv_writer_writes_is_read_as_it_was(rows: list[list[str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([f"c{i}" for i in range(len(rows[0]))])
    writer.writerows(rows)
    options = ReadOptions(
        format="csv",
        separator=",",
        missing=(),
        types={f"c{i}": ColumnType.STRING for i in range(len(rows[0]))},
    )
    found = read_table(out.getvalue().encode(), options)
    assert found.frame.rows() == [tuple(row) for row in rows]


@given(text=st.text(st.sampled_from(list('ab",\n\r1')), min_size=1, max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_as_the_csv_module_reads_it_or_refused(text: str) -> None:
    content = "x,y\n" + text
    options = ReadOptions(
        format="csv", separator=",", missing=("",), ragged="pad",
        types={"x": ColumnType.STRING, "y": ColumnType.STRING},
    )  # fmt: skip
    lone = "\r" in content.replace("\r\n", "")
    try:
        found = read_table(content.encode(), options).frame
    except UnreadableFile:
        assert lone
        return
    except UnclosedQuote:
        with pytest.raises(csv.Error, match=r"end of data|expected after|newline"):
            list(csv.reader(io.StringIO(content, newline="\n"), strict=True))
        return
    if lone:
        return
    expected = [
        tuple(field or None for field in (*record, "", "")[:2])
        for record in list(csv.reader(io.StringIO(content, newline="\n")))[1:]
        if record
    ]
    assert found.rows() == expected
