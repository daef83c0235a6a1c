from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_input_and_output.enter_data_manually import (
    EnterDataManually,
)
from modelwright.components.palette.data_input_and_output.typed_text import TextFormatError
from modelwright.data.schema import ColumnType


def columns(text: str, **settings: Any) -> dict[str, list[Any]]:
    return EnterDataManually(data=text, **settings).run().frame.to_dict(as_series=False)


def types(text: str, **settings: Any) -> dict[str, str]:
    table = EnterDataManually(data=text, **settings).run()
    return {column.name: column.type.value for column in table.schema}


def refusal(text: str, **settings: Any) -> TextFormatError:
    with pytest.raises(TextFormatError) as caught:
        EnterDataManually(data=text, **settings).run()
    return caught.value


def test_a_csv_header_names_the_columns_and_each_takes_its_narrowest_type() -> None:
    text = "whole,part,truth,word,day\n1,2.5,true,x,2020-01-02\n-2,3,FALSE,7a,2020-01-03\n"

    assert columns(text) == {
        "whole": [1, -2],
        "part": [2.5, 3.0],
        "truth": [True, False],
        "word": ["x", "7a"],
        "day": ["2020-01-02", "2020-01-03"],
    }


def test_without_a_header_columns_are_numbered_from_one() -> None:
    assert columns("1,2\n3,4", has_header=False) == {"Col1": [1, 3], "Col2": [2, 4]}


def test_tsv_splits_on_tabs_only() -> None:
    assert columns("a\tb\n1,5\tx\n", data_format="TSV") == {"a": ["1,5"], "b": ["x"]}


def test_an_empty_cell_is_missing_and_does_not_change_the_type() -> None:
    assert columns("a,b\n1,\n,x\n") == {"a": [1, None], "b": [None, "x"]}


def test_a_column_without_any_value_is_missing_text() -> None:
    assert columns("a,b\n1,\n2,\n")["b"] == [None, None]
    assert types("a,b\n1,\n2,\n")["b"] == "String"


def test_a_quoted_value_may_hold_the_delimiter_a_quote_and_a_line_break() -> None:
    assert columns('a,b\n"x, y","say ""hi""\nthere"\n') == {
        "a": ["x, y"],
        "b": ['say "hi"\nthere'],
    }


def test_blank_lines_at_the_ends_fall_away_and_one_between_is_a_row_of_missing_values() -> None:
    assert columns("\n\na,b\n1,2\n\n3,4\n\n  \n") == {"a": [1, None, 3], "b": [2, None, 4]}


def test_a_whole_number_too_long_for_64_bits_becomes_a_double() -> None:
    assert types("a\n123456789012345678901\n") == {"a": "Double"}


def test_a_header_alone_gives_a_table_without_rows() -> None:
    table = EnterDataManually(data="a,b").run()

    assert (table.schema.names, table.rows) == (("a", "b"), 0)


def test_an_unnamed_header_cell_takes_the_number_of_its_column() -> None:
    assert columns("a,\n1,2\n") == {"a": [1], "Col2": [2]}


def test_a_ragged_line_is_refused_with_its_number() -> None:
    error = refusal("a,b\n1,2\n1,2,3\n")

    assert error.code == "text-not-in-format"
    assert error.fields["line"] == 3
    assert "3 fields where the first line has 2" in str(error)


@pytest.mark.parametrize("text", ["", "   \n\n"])
def test_an_empty_text_is_refused(text: str) -> None:
    for data_format in ("CSV", "TSV", "SVMLight", "ARFF"):
        assert refusal(text, data_format=data_format).fields["format"] == data_format


def test_a_name_that_comes_twice_is_refused() -> None:
    assert 'the column name "a" comes twice' in str(refusal("a,b,a\n1,2,3\n"))


def test_a_quote_that_never_ends_is_refused() -> None:
    assert refusal('a,b\n"x,2\n').fields["format"] == "CSV"


def test_arff_types_come_from_the_declarations() -> None:
    text = """% a comment
@RELATION cars

@ATTRIBUTE 'body style' {sedan,'hard top'}
@ATTRIBUTE doors INTEGER
@ATTRIBUTE price numeric
@ATTRIBUTE sold date "yyyy-MM-dd"
@ATTRIBUTE note string
@DATA
sedan,4,1000.5,2020-01-02,"a, b"
'hard top',?,?,?,?
"""

    table = EnterDataManually(data=text, data_format="ARFF").run()

    assert table.frame.to_dict(as_series=False) == {
        "body style": ["sedan", "hard top"],
        "doors": [4, None],
        "price": [1000.5, None],
        "sold": [datetime(2020, 1, 2), None],  # noqa: DTZ001  # the text names no zone
        "note": ["a, b", None],
    }
    assert [c.name for c in table.schema if c.categorical] == ["body style"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("@attribute a numeric\n1\n", "is no declaration"),
        ("@attribute a numeric\n", "@DATA"),
        ("@attribute a\n@data\n1\n", "a name and a type"),
        ("@attribute a relational\n@data\n1\n", "unknown type"),
        ("@attribute a numeric\n@data\nx\n", "not a number"),
        ("@attribute a {x,y}\n@data\nz\n", "not one of x, y"),
        ("@attribute a numeric\n@data\n1,2\n", "needs 1 values"),
        ("@attribute a numeric\n@attribute b numeric\n@data\n1\n", "needs 2 values"),
        ("@attribute a numeric\n@attribute a numeric\n@data\n1,1\n", "comes twice"),
        ("@attribute a numeric\n@data\n{0 1}\n", "sparse rows"),
        ("@attribute a string\n@data\n'x\n", "does not end"),
    ],
)
def test_arff_that_breaks_its_rules_is_refused(text: str, why: str) -> None:
    assert why in str(refusal(text, data_format="ARFF"))


def test_an_arff_value_that_does_not_fit_is_told_with_its_line() -> None:
    error = refusal("@attribute a integer\n@data\n1\n\n1.5\n", data_format="ARFF")

    assert error.fields["line"] == 5


def test_svmlight_columns_go_by_index_and_the_label_comes_last() -> None:
    text = "# a comment\n1 1:2 3:50 # the first\n-1 2:12500\n"

    assert columns(text, data_format="SVMLight") == {
        "Col1": [2.0, 0.0],
        "Col2": [0.0, 12500.0],
        "Col3": [50.0, 0.0],
        "Labels": [1, -1],
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 0:2\n", "'0:2' is not of the form"),
        ("1 a:2\n", "'a:2' is not of the form"),
        ("1 1:x\n", "'1:x' is not of the form"),
        ("1 7\n", "'7' is not of the form"),
        ("1 1:2 1:3\n", "index 1 comes twice"),
        ("yes 1:2\n", "the label 'yes' is no number"),
    ],
)
def test_svmlight_that_breaks_its_rules_is_refused(text: str, why: str) -> None:
    assert why in str(refusal(text, data_format="SVMLight"))


def test_the_outline_is_the_table_that_a_run_gives() -> None:
    component = EnterDataManually(data="a,b\n1,x\n")

    outline = component.outline()["dataset"]

    assert isinstance(outline, TableOutline)
    assert outline.rows == 1
    assert [c.type for c in outline.schema] == [ColumnType.INTEGER, ColumnType.STRING]
    assert_frame_equal(component.run().frame, component.run().frame)


def test_whether_there_is_a_header_matters_for_csv_and_tsv_only() -> None:
    assert "has_header" in EnterDataManually(data_format="TSV").settings()
    assert "has_header" not in EnterDataManually(data_format="ARFF").settings()
