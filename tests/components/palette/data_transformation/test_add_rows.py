from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from modelwright.components.context import Context
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.add_rows import AddRows, ColumnsDiffer
from modelwright.components.palette.data_transformation.split_data import SplitData
from modelwright.data.schema import ColumnType, Role
from modelwright.data.table import Table

FIRST = Table(pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})).mark("b", role=Role.LABEL)


def together(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    return AddRows().run(Table(first), Table(second)).frame


def test_the_rows_of_the_second_follow_and_duplicates_stay() -> None:
    result = AddRows().run(FIRST, FIRST)

    assert result.frame.rows() == [(1, "x"), (2, "y"), (1, "x"), (2, "y")]
    assert result.schema == FIRST.schema


def test_columns_are_matched_by_name() -> None:
    second = pl.DataFrame({"b": ["z"], "a": [3]})

    assert together(FIRST.frame, second).rows()[-1] == (3, "z")


def test_whole_and_fractional_numbers_become_doubles() -> None:
    result = AddRows().run(Table(pl.DataFrame({"n": [1]})), Table(pl.DataFrame({"n": [0.5]})))

    assert result.frame["n"].to_list() == [1.0, 0.5]
    assert result.schema.columns[0].type is ColumnType.DOUBLE


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (pl.DataFrame({"a": [1]}), "the first has 2 and the second 1 columns"),
        (pl.DataFrame({"a": [1], "c": ["x"]}), 'column 2 is "b" in the first and "c"'),
        (pl.DataFrame({"a": ["1"], "b": ["x"]}), "Integer in the first and String in the second"),
    ],
)
def test_other_columns_are_an_error_in_a_run_and_before(second: pl.DataFrame, why: str) -> None:
    with pytest.raises(ColumnsDiffer, match=why):
        together(FIRST.frame, second)
    with pytest.raises(ColumnsDiffer, match=why):
        AddRows().outline(
            dataset1=TableOutline(FIRST.schema), dataset2=TableOutline(Table(second).schema)
        )


def test_dates_with_and_without_a_zone_do_not_mix() -> None:
    plain = pl.DataFrame({"d": [datetime(2020, 1, 1)]})  # noqa: DTZ001
    zoned = pl.DataFrame({"d": [datetime(2020, 1, 1, tzinfo=UTC)]})

    with pytest.raises(ColumnsDiffer):
        together(plain, zoned)


@given(st.integers(0, 30), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_what_was_split_comes_together_again(rows: int, fraction: float) -> None:
    table = Table(pl.DataFrame({"n": range(rows)}, schema={"n": pl.Int64}))
    parts = SplitData(fraction=fraction, randomized=False).run(table, context=Context())

    assert_frame_equal(AddRows().run(*parts).frame, table.frame)


def test_the_outline_has_the_columns_that_a_run_gives() -> None:
    outline = AddRows().outline(
        dataset1=TableOutline(FIRST.schema, rows=2), dataset2=TableOutline(FIRST.schema, rows=5)
    )

    assert outline == {"results_dataset": TableOutline(FIRST.schema, rows=7)}
    assert AddRows().outline(dataset1=None, dataset2=None) == {"results_dataset": None}
