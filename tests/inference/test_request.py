from __future__ import annotations

import json
import math
from datetime import datetime
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.data.schema import ColumnType
from modelwright.graph.graph import NodeId
from modelwright.inference.errors import (
    DuplicateRequestColumn,
    InputDataError,
    MalformedBody,
    MalformedRequest,
    MissingInput,
    MissingRequestColumns,
    MissingValue,
    UnexpectedColumn,
    UnknownGlobalParameter,
    UnknownInput,
    WrongValue,
)
from modelwright.inference.request import RequestReader
from modelwright.inference.serving import RequestColumn, RequestInput, Use

moment = partial(datetime, tzinfo=None)
MAKE = RequestColumn("make", ColumnType.STRING)
DOORS = RequestColumn("doors", ColumnType.INTEGER)
WIDTH = RequestColumn("width", ColumnType.DOUBLE)
TURBO = RequestColumn("turbo", ColumnType.BOOLEAN)
BUILT = RequestColumn("built", ColumnType.DATETIME)
PRICE = RequestColumn("price", ColumnType.DOUBLE, Use.IGNORED)


def an_input(*columns: RequestColumn, name: str = "WebServiceInput0") -> RequestInput:
    return RequestInput(name, columns, NodeId("in"))


def reader(*columns: RequestColumn) -> RequestReader:
    return RequestReader([an_input(*columns)])


def body(*rows: Any, name: str = "WebServiceInput0", **more: Any) -> bytes:
    return json.dumps({"Inputs": {name: list(rows)}, **more}).encode()


def read(columns: tuple[RequestColumn, ...], *rows: Any) -> list[tuple[Any, ...]]:
    found = reader(*columns).read(body(*rows)).rows["WebServiceInput0"]
    names = [c.name for c in columns if c.use is not Use.IGNORED]
    assert all([*row] == names for row in found)
    return [tuple(row.values()) for row in found]


def test_values_come_in_the_order_of_the_columns_with_their_types() -> None:
    rows = read(
        (MAKE, DOORS, WIDTH, TURBO, BUILT),
        {"built": "1985-03-01T10:30:00", "turbo": True, "width": 64, "doors": 4, "make": "audi"},
    )
    assert rows == [("audi", 4, 64.0, True, moment(1985, 3, 1, 10, 30))]
    assert [type(v) for v in rows[0][:4]] == [str, int, float, bool]


@pytest.mark.parametrize(
    ("rows", "plain"),
    [
        ([], True),
        ([{"doors": 4, "width": 1.5}, {"doors": 2, "width": 3}], True),
        ([{"doors": 4, "width": 1.5}, {"doors": None, "width": 3.5}], False),
        ([{"doors": 4, "width": {"isNan": True}}], False),
        ([{"doors": 4, "width": {"isInfinite": 1}}], False),
    ],
)
def test_a_request_is_plain_when_every_value_is_there_and_finite(
    rows: list[dict[str, Any]], plain: bool
) -> None:
    assert reader(DOORS, WIDTH).read(body(*rows)).plain is plain


def test_null_is_missing_in_every_type() -> None:
    row = dict.fromkeys(("make", "doors", "width", "turbo", "built"))
    assert read((MAKE, DOORS, WIDTH, TURBO, BUILT), row) == [(None,) * 5]


def test_a_whole_fractional_number_fits_an_integer_column() -> None:
    assert read((DOORS,), {"doors": 4.0}) == [(4,)]
    assert type(read((DOORS,), {"doors": 4.0})[0][0]) is int


def test_not_a_number_and_infinities_are_written_as_objects() -> None:
    ((nan,), (above,), (below,)) = read(
        (WIDTH,),
        {"width": {"isNan": True}},
        {"width": {"isInfinite": 1}},
        {"width": {"isInfinite": -1}},
    )
    assert math.isnan(nan)
    assert (above, below) == (math.inf, -math.inf)


def test_not_a_number_in_an_integer_column_is_missing() -> None:
    assert read((DOORS,), {"doors": {"isNan": True}}) == [(None,)]


def test_a_date_with_a_zone_is_brought_to_utc_and_a_bare_date_is_its_midnight() -> None:
    rows = read((BUILT,), {"built": "2026-01-01T01:00:00+02:00"}, {"built": "2026-01-01"})
    assert rows == [(moment(2025, 12, 31, 23),), (moment(2026, 1, 1),)]


def test_the_label_may_hold_anything_and_is_not_read() -> None:
    assert read((DOORS, PRICE), {"doors": 2, "price": "who knows"}, {"doors": 4}) == [(2,), (4,)]


def test_an_extra_column_is_ignored() -> None:
    assert read((DOORS,), {"doors": 2, "colour": "red"}) == [(2,)]


def test_an_optional_column_that_is_left_out_gets_its_default() -> None:
    optional = RequestColumn("doors", ColumnType.INTEGER, Use.OPTIONAL, default=4)
    assert read((MAKE, optional), {"make": "audi"}, {"make": "bmw", "doors": 2}) == [
        ("audi", 4),
        ("bmw", 2),
    ]


def test_no_rows_are_rows_too() -> None:
    assert reader(DOORS).read(body()).rows == {"WebServiceInput0": []}


@pytest.mark.parametrize("name", ["WebServiceInput0", "input1", "cars"])
def test_the_only_input_goes_by_its_name_and_by_the_names_clients_know(name: str) -> None:
    found = RequestReader([an_input(DOORS, name="cars")]).read(body({"doors": 2}, name=name))
    assert found.rows == {"cars": [{"doors": 2}]}


@pytest.mark.parametrize("nothing", [None, {}, ""])
def test_global_parameters_may_say_nothing_in_any_way(nothing: Any) -> None:
    assert reader(DOORS).read(body({"doors": 2}, GlobalParameters=nothing))


def test_several_inputs_are_read_by_name() -> None:
    both = RequestReader([an_input(DOORS, name="cars"), an_input(MAKE, name="makers")])
    sent = {"Inputs": {"makers": [{"make": "audi"}], "cars": [{"doors": 2}, {"doors": 4}]}}
    assert both.read(json.dumps(sent).encode()).rows == {
        "cars": [{"doors": 2}, {"doors": 4}],
        "makers": [{"make": "audi"}],
    }


def test_a_missing_input_of_several_is_named() -> None:
    both = RequestReader([an_input(DOORS, name="cars"), an_input(MAKE, name="makers")])
    with pytest.raises(MissingInput) as caught:
        both.read(body({"doors": 2}, name="cars"))
    assert caught.value.fields["input"] == "makers"


def test_classic_tables_are_read_by_column_name() -> None:
    table = {"ColumnNames": ["width", "doors"], "Values": [[64.1, 2], [None, 4]]}
    sent = json.dumps({"Inputs": {"input1": table}, "GlobalParameters": {}}).encode()
    assert reader(DOORS, WIDTH).read_tables(sent).rows == {
        "WebServiceInput0": [{"doors": 2, "width": 64.1}, {"doors": 4, "width": None}]
    }


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ([{"doors": 2}], MalformedRequest),
        ({"ColumnNames": "doors", "Values": []}, MalformedRequest),
        ({"ColumnNames": ["doors"], "Values": 3}, MalformedRequest),
        ({"ColumnNames": ["doors"], "Values": [[1, 2]]}, MalformedRequest),
        ({"ColumnNames": ["doors"], "Values": [3]}, MalformedRequest),
        ({"ColumnNames": ["doors", "doors"], "Values": [[1, 2]]}, DuplicateRequestColumn),
        ({"ColumnNames": ["wings"], "Values": [[1]]}, MissingRequestColumns),
    ],
)
def test_a_classic_table_that_is_none_is_refused(table: Any, error: type[InputDataError]) -> None:
    with pytest.raises(error):
        reader(DOORS).read_tables(json.dumps({"Inputs": {"input1": table}}).encode())


@pytest.mark.parametrize(
    ("column", "value", "wanted"),
    [
        (DOORS, "4", "a whole number"),
        (DOORS, 4.5, "a whole number"),
        (DOORS, True, "a whole number"),
        (DOORS, 2**63, "a whole number"),
        (DOORS, 1e19, "a whole number"),
        (DOORS, {"isInfinite": 1}, "a whole number"),
        (WIDTH, "64.1", "a number"),
        (WIDTH, "", "a number"),
        (WIDTH, True, "a number"),
        (WIDTH, [64.1], "a number"),
        (WIDTH, {"isNan": False}, "a number"),
        (WIDTH, {"isNan": True, "isInfinite": 1}, "a number"),
        (WIDTH, {"isNone": True}, "a number"),
        (MAKE, 3, "text"),
        (MAKE, False, "text"),
        (MAKE, {"isNan": True}, "text"),
        (TURBO, 1, "true or false"),
        (TURBO, "true", "true or false"),
        (BUILT, "yesterday", "a date and time"),
        (BUILT, 1985, "a date and time"),
        (BUILT, "0001-01-01T00:00:00+10:00", "a date and time"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_its_row_and_column(
    column: RequestColumn, value: Any, wanted: str
) -> None:
    with pytest.raises(WrongValue) as caught:
        read((column,), {column.name: None}, {column.name: value})
    fields = caught.value.fields
    assert (fields["input"], fields["row"], fields["column"]) == (
        "WebServiceInput0",
        1,
        column.name,
    )
    assert wanted in str(caught.value)


def test_a_number_too_large_for_a_double_is_refused() -> None:
    with pytest.raises(MalformedBody):
        reader(WIDTH).read(b'{"Inputs": {"input1": [{"width": 1e999}]}}')


@pytest.mark.parametrize("value", [None, {"isNan": True}])
def test_a_value_that_must_be_there_is_asked_for(value: Any) -> None:
    with pytest.raises(MissingValue) as caught:
        read((RequestColumn("width", ColumnType.DOUBLE, missing=False),), {"width": value})
    assert caught.value.fields == {"input": "WebServiceInput0", "row": 0, "column": "width"}


def test_missing_columns_are_listed_with_what_was_perhaps_meant() -> None:
    with pytest.raises(MissingRequestColumns) as caught:
        read((MAKE, DOORS, WIDTH), {"make": "audi", "doors": 2, "width": 1.0}, {"Make": "audi"})
    fields = caught.value.fields
    assert fields["row"] == 1
    assert fields["columns"] == ["make", "doors", "width"]
    assert fields["near"] == {"make": "Make"}
    assert '"Make" for "make"' in str(caught.value)


def test_a_misspelt_optional_column_is_not_taken_for_left_out() -> None:
    optional = RequestColumn("doors", ColumnType.INTEGER, Use.OPTIONAL, default=4)
    with pytest.raises(UnexpectedColumn) as caught:
        read((MAKE, optional), {"make": "audi", "door": 2})
    assert caught.value.fields["column"] == "door"
    assert caught.value.fields["near"] == "doors"


@pytest.mark.parametrize(
    ("literal", "shown"), [("NaN", "NaN"), ("Infinity", "Infinity"), ("-Infinity", "-Infinity")]
)
def test_numbers_that_json_lacks_are_refused_with_the_way_to_write_them(
    literal: str, shown: str
) -> None:
    with pytest.raises(MalformedBody) as caught:
        reader(WIDTH).read(f'{{"Inputs": {{"input1": [{{"width": {literal}}}]}}}}'.encode())
    assert '{"isNan": true}' in str(caught.value)
    assert "character" in str(caught.value)
    assert shown.lstrip("-") in str(caught.value)


@pytest.mark.parametrize("sent", [b"", b"  ", b"{", b"\xff\xfe", b'{"Inputs": "\xff"}', b"<xml/>"])
def test_a_body_that_is_not_json_is_refused(sent: bytes) -> None:
    with pytest.raises(MalformedBody):
        reader(DOORS).read(sent)


def test_a_body_nested_without_end_is_refused() -> None:
    with pytest.raises(InputDataError):
        reader(DOORS).read(b'{"Inputs": {"input1": [{"doors": 1, "x": ' + b"[" * 200_000)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ([], MalformedRequest),
        (3, MalformedRequest),
        ({}, MissingInput),
        ({"Inputs": None}, MalformedRequest),
        ({"Inputs": []}, MalformedRequest),
        ({"Inputs": {}}, MissingInput),
        ({"Inputs": {"input2": []}}, UnknownInput),
        ({"Inputs": {"input1": [], "WebServiceInput0": []}}, UnknownInput),
        ({"Inputs": {"input1": None}}, MalformedRequest),
        ({"Inputs": {"input1": {"doors": 2}}}, MalformedRequest),
        ({"Inputs": {"input1": {"ColumnNames": [], "Values": []}}}, MalformedRequest),
        ({"Inputs": {"input1": [3]}}, MalformedRequest),
        ({"Inputs": {"input1": []}, "GlobalParameters": {"a": 1}}, UnknownGlobalParameter),
        ({"Inputs": {"input1": []}, "GlobalParameters": False}, UnknownGlobalParameter),
    ],
)
def test_a_request_of_another_shape_is_refused(sent: Any, error: type[InputDataError]) -> None:
    with pytest.raises(error):
        reader(DOORS).read(json.dumps(sent).encode())


NUMBERS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=3),
    st.sampled_from([{"isNan": True}, {"isInfinite": 1}, {"isInfinite": 2}, {}, [], "2020-01-01"]),
)
ROWS = st.lists(
    st.dictionaries(
        st.sampled_from(["make", "doors", "width", "turbo", "built", "price", "door"]), NUMBERS
    ),
    max_size=3,
)


@settings(max_examples=300, deadline=None)
@given(rows=ROWS, optional=st.booleans(), missing=st.booleans())
def test_the_quick_reading_and_the_careful_one_agree(
    rows: list[dict[str, Any]], optional: bool, missing: bool
) -> None:
    use = Use.OPTIONAL if optional else Use.REQUIRED
    columns = (
        RequestColumn("doors", ColumnType.INTEGER, use, missing=missing),
        RequestColumn("width", ColumnType.DOUBLE, use, missing=missing),
        RequestColumn("make", ColumnType.STRING, Use.OPTIONAL),
        RequestColumn("turbo", ColumnType.BOOLEAN, Use.OPTIONAL),
        RequestColumn("built", ColumnType.DATETIME, Use.OPTIONAL),
        PRICE,
    )
    sent = body(*rows)
    both = reader(*columns)

    def outcome(read: Any, value: Any) -> str:
        try:
            return repr(read(value).rows)
        except InputDataError as error:
            return f"{error.code}: {error}"

    assert outcome(both.read, sent) == outcome(both.read_values, orjson.loads(sent))
