from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from modelwright.components.columns import ColumnSelection
from modelwright.components.errors import (
    ColumnTypeError,
    EmptySelection,
    EmptyTable,
    InvalidParameter,
)
from modelwright.components.outline import TableOutline, TransformOutline
from modelwright.components.palette.data_transformation.clean_missing_data import (
    Cleaned,
    CleanMissingData,
    NoColumnLeft,
)
from modelwright.components.palette.data_transformation.column_faults import (
    ColumnAllMissing,
    InfiniteValue,
)
from modelwright.components.palette.data_transformation.replacements import UnfitReplacement
from modelwright.data.expression import DuplicateColumn
from modelwright.data.fitted import Transform
from modelwright.data.schema import ColumnType, Role
from modelwright.data.table import Table

NAN = float("nan")
MIXED = Table(
    pl.DataFrame(
        {
            "whole": [1, 2, None, 2],
            "part": [1.0, NAN, None, 4.0],
            "truth": [True, None, False, True],
            "word": ["b", None, "a", None],
        }
    )
)


def clean(table: Table, *names: str, **parameters: Any) -> Cleaned:
    columns = ColumnSelection.of(*names) if names else ColumnSelection(begin="all")
    return CleanMissingData(columns=columns, **parameters).run(table)


def cleaned(table: Table, *names: str, **parameters: Any) -> dict[str, list[Any]]:
    return clean(table, *names, **parameters).cleaned_dataset.frame.to_dict(as_series=False)


def test_remove_entire_row_keeps_the_rows_that_lack_nothing() -> None:
    assert cleaned(MIXED) == {"whole": [1], "part": [1.0], "truth": [True], "word": ["b"]}


def test_remove_entire_row_looks_at_the_selected_columns_only() -> None:
    assert cleaned(MIXED, "whole", "truth")["word"] == ["b", None]


def test_remove_entire_column_takes_out_each_selected_column_that_lacks_a_value() -> None:
    table = Table(pl.DataFrame({"a": [1, None], "b": [1, 2], "c": [None, "x"]}))

    assert cleaned(table, "a", "b", mode="Remove entire column") == {"b": [1, 2], "c": [None, "x"]}


def test_mean_fills_and_makes_whole_numbers_and_truth_values_doubles() -> None:
    result = clean(MIXED, "whole", "part", "truth", mode="Replace with mean").cleaned_dataset

    assert result.frame["whole"].to_list() == [1.0, 2.0, 5 / 3, 2.0]
    assert result.frame["part"].to_list() == [1.0, 2.5, 2.5, 4.0]
    assert result.frame["truth"].to_list() == [1.0, 2 / 3, 0.0, 1.0]


def test_median_of_an_even_number_of_values_is_the_mean_of_the_middle_two() -> None:
    table = Table(pl.DataFrame({"n": [1, 2, 4, 9, None]}))

    assert cleaned(table, mode="Replace with median") == {"n": [1.0, 2.0, 4.0, 9.0, 3.0]}


def test_mode_is_the_most_frequent_value_of_any_type() -> None:
    table = Table(
        pl.DataFrame(
            {
                "whole": [2, 2, 1, None],
                "part": [0.5, NAN, 0.5, None],
                "truth": [False, None, False, True],
                "word": ["b", "b", "a", None],
                "day": [datetime(2020, 1, 1)] * 2 + [datetime(2019, 1, 1), None],  # noqa: DTZ001
            }
        )
    )

    result = clean(table, mode="Replace with mode").cleaned_dataset

    assert result.frame.rows()[3] == (2, 0.5, True, "b", datetime(2020, 1, 1))  # noqa: DTZ001
    assert [c.type for c in result.schema] == [c.type for c in table.schema]


def test_of_several_modes_the_smallest_is_taken() -> None:
    table = Table(pl.DataFrame({"n": [3, 1, 2, None], "w": ["z", "b", None, "a"]}))

    assert cleaned(table, mode="Replace with mode") == {
        "n": [3, 1, 2, 1],
        "w": ["z", "b", "a", "a"],
    }


def test_a_value_of_ones_own_is_read_by_the_type_of_each_column() -> None:
    filled = cleaned(MIXED, mode="Custom substitution value", replacement="1")

    assert filled == {
        "whole": [1, 2, 1, 2],
        "part": [1.0, 1.0, 1.0, 4.0],
        "truth": [True, True, False, True],
        "word": ["b", "1", "a", "1"],
    }


def test_a_date_and_an_empty_text_can_be_put_in() -> None:
    days = Table(pl.DataFrame({"d": [None, datetime(2020, 1, 1)]}))  # noqa: DTZ001
    own = {"mode": "Custom substitution value"}

    assert cleaned(days, replacement="1999-12-31", **own)["d"][0] == datetime(1999, 12, 31)  # noqa: DTZ001
    assert cleaned(MIXED, "word", replacement="", **own)["word"] == ["b", "", "a", ""]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("whole", "1.5"),
        ("whole", ""),
        ("part", "x"),
        ("part", "nan"),
        ("part", "inf"),
        ("truth", "2"),
    ],
)
def test_a_value_that_does_not_fit_a_column_is_refused(column: str, value: str) -> None:
    component = CleanMissingData(
        columns=ColumnSelection.of(column), mode="Custom substitution value", replacement=value
    )

    with pytest.raises(UnfitReplacement) as caught:
        component.run(MIXED)
    with pytest.raises(UnfitReplacement):
        component.outline(dataset=TableOutline(MIXED.schema))

    assert caught.value.code == "unfit-replacement"
    assert caught.value.fields["column"] == column


@pytest.mark.parametrize(
    ("mode", "column"),
    [
        ("Replace with mean", "word"),
        ("Replace with median", "word"),
        ("Replace with median", "truth"),
    ],
)
def test_a_mode_that_does_not_suit_a_column_is_refused(mode: Any, column: str) -> None:
    component = CleanMissingData(columns=ColumnSelection.of(column), mode=mode)

    with pytest.raises(ColumnTypeError, match=column):
        component.run(MIXED)
    with pytest.raises(ColumnTypeError, match=column):
        component.outline(dataset=TableOutline(MIXED.schema))


def test_only_columns_whose_share_of_missing_values_lies_within_the_limits_are_cleaned() -> None:
    table = Table(
        pl.DataFrame(
            {
                "none": [1, 2, 3, 4],
                "quarter": [1, 2, 3, None],
                "half": [1, 2, None, None],
                "all": pl.Series([None] * 4, dtype=pl.Int64),
            }
        )
    )
    own: dict[str, Any] = {"mode": "Custom substitution value", "replacement": "0"}

    filled = cleaned(table, minimum_ratio=0.25, maximum_ratio=0.5, **own)

    assert filled == {
        "none": [1, 2, 3, 4],
        "quarter": [1, 2, 3, 0],
        "half": [1, 2, 0, 0],
        "all": [None] * 4,
    }


def test_the_limits_hold_for_the_removing_modes_too() -> None:
    table = Table(pl.DataFrame({"a": [1, None, 3, 4], "b": [None, None, None, 4]}))

    assert cleaned(table, maximum_ratio=0.5) == {"a": [1, 3, 4], "b": [None, None, 4]}
    assert cleaned(table, minimum_ratio=0.5, mode="Remove entire column") == {"a": [1, None, 3, 4]}


def test_a_wholly_missing_column_is_filled_with_a_value_of_ones_own() -> None:
    table = Table(pl.DataFrame({"n": [None, None]}, schema={"n": pl.Int64}))

    assert cleaned(table, mode="Custom substitution value") == {"n": [0, 0]}


@pytest.mark.parametrize("mode", ["Replace with mean", "Replace with median", "Replace with mode"])
def test_nothing_can_be_learnt_from_a_column_without_values(mode: Any) -> None:
    table = Table(pl.DataFrame({"n": [None, NAN]}, schema={"n": pl.Float64}))

    with pytest.raises(ColumnAllMissing) as caught:
        clean(table, mode=mode)

    assert caught.value.fields["column"] == "n"


def test_nothing_can_be_learnt_from_a_table_without_rows() -> None:
    empty = Table(MIXED.frame.clear())

    with pytest.raises(EmptyTable):
        clean(empty, "whole", mode="Replace with mean")
    assert clean(empty).cleaned_dataset.rows == 0


def test_a_mean_with_an_infinite_value_is_refused() -> None:
    table = Table(pl.DataFrame({"n": [1.0, float("inf"), None]}))

    with pytest.raises(InfiniteValue):
        clean(table, mode="Replace with mean")
    assert cleaned(table, mode="Replace with mode")["n"] == [1.0, float("inf"), 1.0]


def test_an_indicator_tells_where_a_value_was_filled_in() -> None:
    table = Table(pl.DataFrame({"a": [1, None], "b": [NAN, 2.0], "c": ["x", None]}))

    filled = cleaned(table, "a", "b", mode="Replace with mean", indicators=True)

    assert filled == {
        "a": [1.0, 1.0],
        "b": [2.0, 2.0],
        "c": ["x", None],
        "a_IsMissing": [False, True],
        "b_IsMissing": [True, False],
    }


def test_an_indicator_in_the_way_of_a_column_is_refused() -> None:
    table = Table(pl.DataFrame({"a": [1, None], "a_IsMissing": [0, 1]}))
    component = CleanMissingData(mode="Replace with mean", indicators=True)

    with pytest.raises(DuplicateColumn):
        component.run(table)
    with pytest.raises(DuplicateColumn):
        component.outline(dataset=TableOutline(table.schema))


def test_what_was_learnt_fills_other_rows_also_in_columns_that_lacked_nothing() -> None:
    table = Table(pl.DataFrame({"a": [1.0, 3.0], "b": [10.0, None], "c": ["x", "y"]}))
    transform = clean(table, "a", "b", mode="Replace with mean").cleaning_transformation

    other = Table(pl.DataFrame({"a": [None, 7.0], "b": [NAN, None], "c": [None, "z"], "d": [1, 2]}))

    assert transform.apply(other).frame.to_dict(as_series=False) == {
        "a": [2.0, 7.0],
        "b": [10.0, 10.0],
        "c": [None, "z"],
        "d": [1, 2],
    }


def test_the_same_columns_are_removed_elsewhere_whatever_they_hold() -> None:
    table = Table(pl.DataFrame({"a": [1, None], "b": [1, 2]}))
    transform = clean(table, mode="Remove entire column").cleaning_transformation

    assert transform.apply(Table(pl.DataFrame({"a": [5], "b": [None]}))).schema.names == ("b",)


def test_a_row_that_is_dropped_elsewhere_is_told_which_value_it_lacks() -> None:
    transform = clean(MIXED, "whole", "word").cleaning_transformation
    other = pl.DataFrame({"whole": [1, None, 2], "word": ["a", "b", None]})

    tracked = transform.formula.apply_tracked(other)

    assert tracked.kept == [0]
    assert tracked.dropped == [
        (1, 'Column "whole" has no value.'),
        (2, 'Column "word" has no value.'),
    ]


def test_what_was_learnt_can_be_read() -> None:
    transform = clean(MIXED, "whole", mode="Replace with mean").cleaning_transformation

    assert transform.learnt == {
        "mode": "Replace with mean",
        "rows": 4,
        "columns": {"whole": {"missing": 1, "value": 5 / 3}},
        "removed": [],
    }
    assert transform.made_by == "Clean Missing Data"


def test_what_was_learnt_is_the_same_after_it_was_stored(tmp_path: Path) -> None:
    table = Table(pl.DataFrame({"d": [None, datetime(2020, 1, 1)], "w": ["a", None]}))  # noqa: DTZ001
    transform = clean(table, mode="Replace with mode").cleaning_transformation

    transform.save(tmp_path)

    assert_frame_equal(Transform.load(tmp_path).apply(table).frame, transform.apply(table).frame)


def test_marks_stay_on_cleaned_columns() -> None:
    table = MIXED.mark("whole", role=Role.LABEL, categorical=True)

    column = clean(table, "whole", mode="Replace with mean").cleaned_dataset.schema.column("whole")

    assert (column.role, column.categorical, column.type) == (Role.LABEL, True, ColumnType.DOUBLE)


def test_taking_out_every_column_is_refused() -> None:
    with pytest.raises(NoColumnLeft):
        clean(Table(pl.DataFrame({"a": [None, 1]})), mode="Remove entire column")


def test_limits_that_exclude_each_other_and_an_empty_selection_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="above the maximum"):
        clean(MIXED, minimum_ratio=0.6, maximum_ratio=0.5)
    with pytest.raises(EmptySelection):
        CleanMissingData(columns=ColumnSelection()).run(MIXED)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"mode": "Replace with mode", "indicators": True},
        {"mode": "Custom substitution value"},
        {"mode": "Remove entire row", "maximum_ratio": 0.4},
    ],
)
def test_the_outline_has_the_columns_that_a_run_gives(parameters: dict[str, Any]) -> None:
    component = CleanMissingData(**parameters)

    outline = component.outline(dataset=TableOutline(MIXED.schema))["cleaned_dataset"]

    assert outline == TableOutline(component.run(MIXED).cleaned_dataset.schema)


def test_the_outline_knows_the_types_that_a_mean_gives() -> None:
    component = CleanMissingData(
        columns=ColumnSelection.of("whole", "truth"), mode="Replace with mean", indicators=True
    )

    outline = component.outline(dataset=TableOutline(MIXED.schema, rows=4))

    given = TableOutline(component.run(MIXED).cleaned_dataset.schema, rows=4)
    assert outline["cleaned_dataset"] == given
    assert outline["cleaning_transformation"] == TransformOutline(("whole", "truth"), given)


def test_the_outline_leaves_out_what_only_the_rows_can_tell() -> None:
    removing = CleanMissingData(columns=ColumnSelection.of("whole"), mode="Remove entire column")
    limited = CleanMissingData(
        columns=ColumnSelection.of("whole", "part"), mode="Replace with mean", maximum_ratio=0.1
    )

    for component in (removing, limited):
        outline = component.outline(dataset=TableOutline(MIXED.schema, rows=4))["cleaned_dataset"]
        assert outline == TableOutline(MIXED.schema.drop(["whole"]), complete=False, rows=4)


def test_settings_that_do_not_matter_are_left_out() -> None:
    assert set(CleanMissingData().settings()) == {
        "columns",
        "minimum_ratio",
        "maximum_ratio",
        "mode",
    }
