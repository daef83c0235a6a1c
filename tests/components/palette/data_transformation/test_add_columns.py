from __future__ import annotations

import polars as pl
import pytest

from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.add_columns import AddColumns
from modelwright.data.expression import DuplicateColumn
from modelwright.data.schema import Role
from modelwright.data.table import Table

LEFT = Table(pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})).mark("b", role=Role.LABEL)


def test_columns_stand_side_by_side_in_order() -> None:
    right = Table(pl.DataFrame({"c": [1.5, 2.5, 3.5]}))

    result = AddColumns().run(LEFT, right)

    assert result.frame.to_dict(as_series=False) == {
        "a": [1, 2, 3],
        "b": ["x", "y", "z"],
        "c": [1.5, 2.5, 3.5],
    }
    assert result.schema.column("b").role is Role.LABEL


@pytest.mark.parametrize("short_first", [True, False])
def test_the_shorter_table_is_filled_up_with_missing_values(short_first: bool) -> None:
    short = Table(pl.DataFrame({"c": [7]}))
    tables = (short, LEFT) if short_first else (LEFT, short)

    result = AddColumns().run(*tables)

    assert result.rows == 3
    assert result.frame["c"].to_list() == [7, None, None]
    assert result.frame["a"].to_list() == [1, 2, 3]


def test_a_name_of_both_tables_gets_a_number() -> None:
    result = AddColumns().run(LEFT, Table(pl.DataFrame({"b": [True] * 3, "c": [0] * 3})))

    assert result.schema.names == ("a", "b_1", "b_2", "c")
    assert [c.role for c in result.schema][1:3] == [Role.LABEL, Role.FEATURE]


def test_a_numbered_name_that_is_taken_is_an_error() -> None:
    with pytest.raises(DuplicateColumn, match="a_1"):
        AddColumns().run(Table(pl.DataFrame({"a": [1], "a_1": [2]})), LEFT)


def test_the_outline_has_the_columns_that_a_run_gives() -> None:
    right = Table(pl.DataFrame({"b": [1, 2], "c": [3, 4]}))

    outline = AddColumns().outline(
        left_dataset=TableOutline(LEFT.schema, rows=3),
        right_dataset=TableOutline(right.schema, rows=2),
    )

    assert outline == {
        "combined_dataset": TableOutline(AddColumns().run(LEFT, right).schema, rows=3)
    }
    known = TableOutline(LEFT.schema)
    assert AddColumns().outline(
        left_dataset=known, right_dataset=TableOutline(right.schema, complete=False)
    ) == {"combined_dataset": None}
