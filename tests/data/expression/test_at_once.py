"""Steps on a frame that is there, by several threads, give what a plan gives."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from modelwright.data.expression import (
    Compute,
    Expression,
    Filter,
    Formula,
    bucket,
    call,
    column,
    dot,
    when,
)
from modelwright.data.memory import rows_apart, rows_where
from modelwright.data.schema import ColumnType

ROWS = 150_000
X = column("x")


def many_rows() -> pl.DataFrame:
    chance = np.random.default_rng(3)
    numbers = chance.normal(size=ROWS)
    numbers[::1000] = np.nan
    frame = pl.DataFrame({"x": numbers, "n": chance.integers(-9, 9, ROWS)})
    words = pl.Series("t", ["one", "two", None]).gather(chance.integers(0, 3, ROWS))
    return frame.with_columns(pl.when(pl.col("n") != 4).then("x").alias("x"), words)


@pytest.mark.parametrize(
    "made",
    [
        call("tanh", X),
        (X - 1.5) / column("n"),
        X + 2.5,
        call("ln", call("maximum", X, 0.0)),
        X.fill_missing(1.0),
        bucket(X, [-1.0, 0.5], labels=[7, 8, 9]),
        dot([(X, 2.0), (column("n"), 0.5)], 1.0),
        when(X.is_missing(), None, call("normal_cdf", X * 2.0)),
        column("n").cast(ColumnType.DOUBLE),
    ],
)
def test_a_column_of_many_rows_is_the_same_as_in_a_plan(made: Expression) -> None:
    frame = many_rows()
    formula = Formula(Compute({"x": made, "also": made}))

    found = formula.apply(frame)

    assert found.columns == ["x", "n", "t", "also"]
    assert found.equals(formula.extend(frame.lazy()).collect())


def test_filters_and_columns_follow_each_other_as_in_a_plan() -> None:
    frame = many_rows()
    formula = Formula(
        Filter(~X.is_missing(), "no number"),
        Compute({"x": call("sin", X)}),
        Filter(X > 0.0, "too small"),
        Compute({"long": column("t").cast(ColumnType.STRING)}),
    )

    assert formula.apply(frame).equals(formula.extend(frame.lazy()).collect())


def test_rows_are_told_apart_as_a_filter_does() -> None:
    frame = many_rows()
    chosen = frame["n"] > 0

    first, second = rows_apart(frame, chosen)

    assert first.equals(frame.filter(chosen))
    assert second.equals(frame.filter(~chosen))
    assert rows_where(frame, chosen).equals(first)
