from __future__ import annotations

import polars as pl
import pytest

from modelwright.components.errors import ColumnTypeError, MissingColumn
from modelwright.components.outline import TableOutline, TransformOutline
from modelwright.components.palette.model_scoring_and_evaluation.apply_transformation import (
    ApplyTransformation,
)
from modelwright.data.expression import Compute, Formula, column
from modelwright.data.fitted import Transform
from modelwright.data.schema import Column, ColumnType, Role, Schema
from modelwright.data.table import Table

SCHEMA = Schema((Column("x", ColumnType.DOUBLE), Column("label", ColumnType.STRING)))
DOUBLED = Transform(
    Formula(Compute({"x": column("x") * 2.0, "y": column("x") + 1.0})),
    SCHEMA,
    marks=Schema((Column("y", ColumnType.DOUBLE, role=Role.WEIGHT),)),
)


def test_fitted_columns_change_and_others_pass() -> None:
    table = Table(pl.DataFrame({"more": ["a"], "x": [1.5]})).mark("more", role=Role.LABEL)

    result = ApplyTransformation().run(DOUBLED, table)

    assert result.frame.to_dict(as_series=False) == {"more": ["a"], "x": [3.0], "y": [2.5]}
    assert [c.role for c in result.schema] == [Role.LABEL, Role.FEATURE, Role.WEIGHT]


def test_whole_numbers_stand_for_fractional_ones() -> None:
    result = ApplyTransformation().run(DOUBLED, Table(pl.DataFrame({"x": [2]})))

    assert result.frame["x"].to_list() == [4.0]


def test_a_missing_column_is_an_error_in_a_run_and_before() -> None:
    table = Table(pl.DataFrame({"X": [1.0]}))

    with pytest.raises(MissingColumn, match='Nearest: "X"'):
        ApplyTransformation().run(DOUBLED, table)
    with pytest.raises(MissingColumn):
        ApplyTransformation().outline(
            transformation=TransformOutline(("x",)), dataset=TableOutline(table.schema)
        )


def test_a_column_of_another_type_is_an_error() -> None:
    with pytest.raises(ColumnTypeError, match='"x"'):
        ApplyTransformation().run(DOUBLED, Table(pl.DataFrame({"x": ["1"]})))


def test_the_outline_tells_the_columns_that_are_certain() -> None:
    given = TableOutline(SCHEMA.put(Column("y", ColumnType.DOUBLE)))

    outline = ApplyTransformation().outline(
        transformation=TransformOutline(("x",), given),
        dataset=TableOutline(SCHEMA.keep(["x"]), rows=3),
    )

    assert outline == {"transformed_dataset": TableOutline(SCHEMA.keep(["x"]), complete=False)}


def test_nothing_is_known_without_a_transformation() -> None:
    outline = ApplyTransformation().outline(
        transformation=TransformOutline(("x",)), dataset=TableOutline(SCHEMA)
    )

    assert outline == {"transformed_dataset": None}
