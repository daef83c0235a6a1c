"""Schemas: columns by name, marks that survive JSON, and the nearest name for one that is missing."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.data.schema import Column, ColumnType, MissingColumn, Role, Schema, Score, Task

A = Column("a", ColumnType.DOUBLE)
B = Column("b", ColumnType.STRING, Role.LABEL, categorical=True)
C = Column("c", ColumnType.INTEGER, Role.NONE)
ABC = Schema((A, B, C))

scores = st.builds(
    Score,
    st.sampled_from(Task),
    st.sampled_from(["label", "probability", "quantile"]),
    st.none() | st.text(),
    st.none() | st.text() | st.integers() | st.floats(allow_nan=False) | st.booleans(),
)
columns = st.builds(
    Column,
    st.text(),
    st.sampled_from(ColumnType),
    st.sampled_from(Role),
    st.booleans(),
    st.none() | scores,
)


@given(st.lists(columns, unique_by=lambda c: c.name, max_size=5))
@settings(max_examples=60, deadline=None)
def test_a_schema_survives_json(held: list[Column]) -> None:
    schema = Schema(tuple(held))
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


def test_marks_at_their_default_are_left_out_of_json() -> None:
    assert A.to_json() == {"name": "a", "type": "Double"}
    assert B.to_json() == {"name": "b", "type": "String", "role": "label", "categorical": True}


def test_columns_are_found_by_name() -> None:
    assert ABC.column("b") is B
    assert "c" in ABC
    assert "d" not in ABC
    assert len(ABC) == 3
    assert ABC.names == ("a", "b", "c")
    assert ABC.labels == (B,)


def test_a_missing_column_names_its_port_and_the_nearest() -> None:
    with pytest.raises(
        MissingColumn, match=r'"prise" is not in the data on port "dataset"\..*"price"'
    ) as caught:
        Schema((Column("price", ColumnType.DOUBLE),)).column("prise", port="dataset")
    assert caught.value.code == "missing-column"
    assert caught.value.fields == {"column": "prise", "port": "dataset", "near": ["price"]}


def test_keeping_orders_and_dropping_ignores_unknown_names() -> None:
    assert ABC.keep(["c", "a"]).columns == (C, A)
    assert ABC.drop(["b", "z"]).columns == (A, C)


def test_putting_replaces_in_place_and_adds_last() -> None:
    number = Column("b", ColumnType.INTEGER)
    new = Column("d", ColumnType.BOOLEAN)
    assert ABC.put(new, number).columns == (A, number, C, new)


def test_a_rename_keeps_marks() -> None:
    assert ABC.rename({"b": "target", "z": "y"}).columns == (
        A,
        Column("target", ColumnType.STRING, Role.LABEL, categorical=True),
        C,
    )


@pytest.mark.parametrize(
    ("kind", "dtype", "numeric"),
    [
        (ColumnType.STRING, pl.String(), False),
        (ColumnType.INTEGER, pl.Int64(), True),
        (ColumnType.DOUBLE, pl.Float64(), True),
        (ColumnType.BOOLEAN, pl.Boolean(), False),
        (ColumnType.DATETIME, pl.Datetime("us"), False),
    ],
)
def test_each_type_has_one_polars_type(kind: ColumnType, dtype: pl.DataType, numeric: bool) -> None:
    assert kind.dtype == dtype
    assert kind.is_numeric is numeric


def test_the_type_for_all_else_has_none() -> None:
    with pytest.raises(KeyError):
        _ = ColumnType.OTHER.dtype
    assert not ColumnType.OTHER.is_numeric


def test_only_a_column_without_marks_is_plain() -> None:
    assert A.is_plain
    assert not B.is_plain
    assert not C.is_plain
    assert not Column("x", ColumnType.DOUBLE, score=Score(Task.CLUSTERING, "distance")).is_plain
