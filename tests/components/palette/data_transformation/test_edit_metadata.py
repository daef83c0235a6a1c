from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import pytest

from modelwright.components.columns import ColumnSelection
from modelwright.components.errors import ColumnTypeError, EmptySelection, InvalidParameter
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.edit_metadata import (
    EditMetadata,
    TooManyCategories,
    WrongNumberOfNames,
)
from modelwright.components.palette.data_transformation.type_changes import ConversionError
from modelwright.data.expression import DuplicateColumn
from modelwright.data.schema import ColumnType, Role, Score, Task
from modelwright.data.table import Table

NAN = float("nan")
TWO = Table(pl.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1.5]}))


def day(year: int, month: int, number: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, number, hour, minute)  # noqa: DTZ001  # columns hold no zone


def edited(table: Table, *names: str, **parameters: Any) -> Table:
    return EditMetadata(columns=ColumnSelection.of(*names), **parameters).run(table)


def convert(values: list[Any], data_type: str, **parameters: Any) -> list[Any]:
    table = Table(pl.DataFrame({"x": values}))
    return edited(table, "x", data_type=data_type, **parameters).frame["x"].to_list()


def refusal(values: list[Any], data_type: str, **parameters: Any) -> ConversionError:
    with pytest.raises(ConversionError) as caught:
        convert(values, data_type, **parameters)
    assert caught.value.code == "could-not-convert-column"
    return caught.value


@pytest.mark.parametrize(
    ("values", "data_type", "expected"),
    [
        ([1, None], "String", ["1", None]),
        ([1.5, 2.0, NAN], "String", ["1.5", "2.0", None]),
        ([True, False], "String", ["true", "false"]),
        ([day(2020, 1, 2, 3)], "String", ["2020-01-02T03:00:00"]),
        (["1", " 2 ", None, "-3"], "Integer", [1, 2, None, -3]),
        ([1.0, 2.0, NAN, None], "Integer", [1, 2, None, None]),
        ([True, None], "Integer", [1, None]),
        ([day(1970, 1, 2)], "Integer", [86400]),
        (["1", "2.5", "1e3"], "Double", [1.0, 2.5, 1000.0]),
        ([1, None], "Double", [1.0, None]),
        ([True], "Double", [1.0]),
        (["true", "FALSE", "1", "0", None], "Boolean", [True, False, True, False, None]),
        ([0, 2, None], "Boolean", [False, True, None]),
        ([0.0, 0.5, NAN], "Boolean", [False, True, None]),
        (["2020-01-02", "2020-01-02T03:04"], "DateTime", [day(2020, 1, 2), day(2020, 1, 2, 3, 4)]),
        ([86400, None], "DateTime", [day(1970, 1, 2), None]),
        ([0.5 * 86400, NAN], "DateTime", [day(1970, 1, 1, 12), None]),
    ],
)
def test_values_are_converted(values: list[Any], data_type: str, expected: list[Any]) -> None:
    assert convert(values, data_type) == expected


@pytest.mark.parametrize(
    ("values", "form", "expected"),
    [
        (["31/12/2020", "1/2/2021"], "%d/%m/%Y", [day(2020, 12, 31), day(2021, 2, 1)]),
        (["12-31-20 23:05", None], "%m-%d-%y %H:%M", [day(2020, 12, 31, 23, 5), None]),
        (["Jan 05 2020"], "%b %d %Y", [day(2020, 1, 5)]),
        (["2020-01-01 12:00 +0200"], "%Y-%m-%d %H:%M %z", [day(2020, 1, 1, 10)]),
        (
            ["2020-01-01 00:00:00.25"],
            "%Y-%m-%d %H:%M:%S.%f",
            [datetime(2020, 1, 1, microsecond=250_000)],  # noqa: DTZ001
        ),
    ],
)
def test_dates_are_read_by_the_format(values: list[Any], form: str, expected: list[Any]) -> None:
    assert convert(values, "DateTime", date_format=form) == expected


@pytest.mark.parametrize(
    ("values", "data_type", "found", "row", "count"),
    [
        (["1", "x", "y"], "Integer", "'x'", 2, 2),
        (["1.5"], "Integer", "'1.5'", 1, 1),
        ([1.0, 2.5], "Integer", "2.5", 2, 1),
        ([1e300], "Integer", "1e+300", 1, 1),
        (["1", "?"], "Double", "'?'", 2, 1),
        (["yes"], "Boolean", "'yes'", 1, 1),
        (["soon"], "DateTime", "'soon'", 1, 1),
        ([10**18], "DateTime", "1000000000000000000", 1, 1),
    ],
)
def test_a_value_without_a_counterpart_is_an_error_that_names_it(
    values: list[Any], data_type: str, found: str, row: int, count: int
) -> None:
    error = refusal(values, data_type)

    assert error.fields["value"] == found
    assert (error.fields["row"], error.fields["count"]) == (row, count)


def test_a_date_that_does_not_follow_the_format_is_told_with_it() -> None:
    error = refusal(["01/02/2020", "2020-02-01"], "DateTime", date_format="%d/%m/%Y")

    assert "'2020-02-01' in row 2" in str(error)
    assert "%d/%m/%Y" in str(error)


def test_numbers_take_no_format() -> None:
    with pytest.raises(InvalidParameter, match="count seconds"):
        convert([20200131], "DateTime", date_format="%Y%m%d")


def test_truth_values_are_no_dates_and_dates_are_none() -> None:
    with pytest.raises(ColumnTypeError, match="is Boolean"):
        convert([True], "DateTime")
    with pytest.raises(ColumnTypeError, match="is DateTime"):
        convert([datetime(2020, 1, 1)], "Boolean")  # noqa: DTZ001


def test_all_selected_columns_change_and_no_other() -> None:
    result = edited(TWO, "a", "c", data_type="String")

    assert result.frame.rows() == [("1", "x", "0.5"), ("2", "y", "1.5")]


def test_the_categorical_flag_is_set_and_cleared() -> None:
    flagged = edited(TWO, "a", "b", categorical="Categorical")

    assert [c.categorical for c in flagged.schema] == [True, True, False]
    cleared = edited(flagged, "a", categorical="Not categorical")
    assert [c.categorical for c in cleared.schema] == [False, True, False]


def test_a_column_of_values_that_hardly_repeat_is_not_categorical() -> None:
    many = Table(pl.DataFrame({"x": range(1001)}))

    with pytest.raises(TooManyCategories) as caught:
        edited(many, "x", categorical="Categorical")
    assert caught.value.fields["distinct"] == 1001
    few = Table(pl.DataFrame({"x": [*range(1001), *range(100)]}))
    assert edited(few, "x", categorical="Categorical").schema.columns[0].categorical
    assert edited(Table(many.frame[:1000]), "x", categorical="Categorical").rows == 1000


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (Role.FEATURE, "Label", Role.LABEL),
        (Role.NONE, "Feature", Role.FEATURE),
        (Role.LABEL, "Feature", Role.FEATURE),
        (Role.FEATURE, "Clear feature", Role.NONE),
        (Role.LABEL, "Clear feature", Role.LABEL),
        (Role.LABEL, "Clear label", Role.FEATURE),
        (Role.FEATURE, "Clear label", Role.FEATURE),
        (Role.SCORE, "Clear score", Role.FEATURE),
        (Role.LABEL, "Clear score", Role.LABEL),
    ],
)
def test_roles_are_set_and_cleared(before: Role, action: str, after: Role) -> None:
    table = TWO.mark("a", role=before)

    assert edited(table, "a", role=action).schema.columns[0].role is after


def test_a_cleared_score_has_no_score_mark_either() -> None:
    table = TWO.mark("a", role=Role.SCORE, score=Score(Task.REGRESSION, "label"))

    assert edited(table, "a", role="Clear score").schema.columns[0].score is None


def test_a_new_label_leaves_the_old_one() -> None:
    table = TWO.mark("a", role=Role.LABEL)

    assert [c.name for c in edited(table, "b", role="Label").schema.labels] == ["a", "b"]


def test_columns_get_new_names_in_their_order_and_keep_their_marks() -> None:
    table = TWO.mark("c", role=Role.LABEL)

    result = edited(table, "c", "a", new_names=' first , "last, not least" ')

    assert result.schema.names == ("first", "b", "last, not least")
    assert result.schema.column("last, not least").role is Role.LABEL
    assert result.frame["first"].to_list() == [1, 2]


def test_names_may_be_swapped() -> None:
    assert edited(TWO, "a", "b", new_names="b, a").frame.rows()[0] == (1, "x", 0.5)
    assert edited(TWO, "a", "b", new_names="b, a").schema.names == ("b", "a", "c")


def test_type_and_name_change_together() -> None:
    result = edited(Table(pl.DataFrame({"a": ["1"]})), "a", data_type="Integer", new_names="n")

    assert result.frame.to_dict(as_series=False) == {"n": [1]}


@pytest.mark.parametrize("names", ["p", "p, q, r"])
def test_there_is_a_name_for_each_column(names: str) -> None:
    with pytest.raises(WrongNumberOfNames) as caught:
        edited(TWO, "a", "b", new_names=names)

    assert caught.value.code == "wrong-number-of-names"


def test_a_name_is_not_empty_and_comes_once() -> None:
    with pytest.raises(InvalidParameter, match="name 2 is empty"):
        edited(TWO, "a", "b", new_names="p, ")
    with pytest.raises(DuplicateColumn):
        edited(TWO, "a", "b", new_names="p, p")
    with pytest.raises(DuplicateColumn):
        edited(TWO, "a", new_names="b")


def test_a_selection_without_columns_is_refused() -> None:
    with pytest.raises(EmptySelection):
        EditMetadata(data_type="String").run(TWO)


def test_with_nothing_set_the_table_passes() -> None:
    result = edited(TWO, "a")

    assert result.frame.equals(TWO.frame)
    assert result.schema == TWO.schema


def test_what_cannot_fail_is_a_formula_and_gives_the_same_row_by_row() -> None:
    component = EditMetadata(
        columns=ColumnSelection.of("a", "c"), data_type="String", new_names="p, q"
    )

    formula = component.formula(TWO.schema)

    assert formula is not None
    program = formula.compile_rows(TWO.schema)
    assert [program.score(r) for r in TWO.frame.to_dicts()] == component.run(TWO).frame.to_dicts()


def test_what_can_fail_is_no_formula() -> None:
    component = EditMetadata(columns=ColumnSelection.of("b"), data_type="Integer")

    assert component.formula(TWO.schema) is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"data_type": "Double", "new_names": "p, q"},
        {"categorical": "Categorical", "role": "Label"},
        {"data_type": "Integer"},
    ],
)
def test_the_outline_has_the_columns_that_a_run_gives(parameters: dict[str, Any]) -> None:
    table = Table(pl.DataFrame({"a": ["1"], "b": [2], "c": [True]}))
    component = EditMetadata(columns=ColumnSelection.of("a", "b"), **parameters)

    outline = component.outline(dataset=TableOutline(table.schema, rows=1))

    assert outline["results_dataset"] == TableOutline(component.run(table).schema, rows=1)


def test_the_outline_finds_what_is_certain_to_fail() -> None:
    for parameters, error in (
        ({"new_names": "b"}, DuplicateColumn),
        ({"new_names": "p, q"}, WrongNumberOfNames),
        ({"data_type": "DateTime", "date_format": "%Y"}, InvalidParameter),
    ):
        component = EditMetadata.parse({"columns": ["a"], **parameters})
        with pytest.raises(error):
            component.outline(dataset=TableOutline(TWO.schema))


def test_an_empty_table_is_converted_too() -> None:
    result = edited(Table(TWO.frame.clear()), "b", data_type="DateTime", date_format="%d.%m.%Y")

    assert [c.type for c in result.schema] == [
        ColumnType.INTEGER,
        ColumnType.DATETIME,
        ColumnType.DOUBLE,
    ]
