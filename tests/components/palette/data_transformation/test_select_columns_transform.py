from __future__ import annotations

import polars as pl
import pytest

from modelwright.components.errors import MissingColumn
from modelwright.components.outline import TableOutline, TransformOutline
from modelwright.components.palette.data_transformation.select_columns_transform import (
    SelectColumnsTransform,
)
from modelwright.data.schema import Role
from modelwright.data.table import Table

WANTED = Table(pl.DataFrame({"b": [1], "a": ["x"]}))


def test_another_table_is_reduced_to_the_same_columns_in_the_same_order() -> None:
    other = Table(pl.DataFrame({"a": ["y"], "c": [0], "b": [2]})).mark("b", role=Role.LABEL)

    result = SelectColumnsTransform().run(WANTED).apply(other)

    assert result.frame.to_dict(as_series=False) == {"b": [2], "a": ["y"]}
    assert result.schema.column("b").role is Role.LABEL


def test_a_column_that_lacks_there_is_an_error() -> None:
    with pytest.raises(MissingColumn, match='"a"'):
        SelectColumnsTransform().run(WANTED).apply(Table(pl.DataFrame({"b": [2]})))


def test_what_was_learnt_are_the_names() -> None:
    assert SelectColumnsTransform().run(WANTED).learnt == {"columns": ["b", "a"]}


def test_the_outline_tells_what_it_will_read() -> None:
    table = TableOutline(WANTED.schema)

    outline = SelectColumnsTransform().outline(dataset_with_desired_columns=table)

    assert outline == {"columns_selection_transformation": TransformOutline(("b", "a"), table)}
