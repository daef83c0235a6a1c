"""Arrays beneath columns, and gaps filled."""

from __future__ import annotations

import math

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.data.expression.gaps import beneath, filled

NUMBERS = st.lists(st.none() | st.floats(), max_size=40)


@given(values=NUMBERS, first=st.integers(0, 40))
@settings(max_examples=60)
def test_nulls_and_nan_of_a_slice_are_filled_and_nothing_else(
    values: list[float | None], first: int
) -> None:
    column = pl.Series("n", values, dtype=pl.Float64).slice(first)

    found = filled(column, 7.5).to_list()

    wanted = [7.5 if v is None or math.isnan(v) else v for v in values[first:]]
    assert [repr(v) for v in found] == [repr(v) for v in wanted]


def test_a_column_in_pieces_is_filled_as_one() -> None:
    column = pl.concat([pl.Series([1.0, None]), pl.Series([math.nan, 4.0])], rechunk=False)

    assert filled(column, 0.0).to_list() == [1.0, 0.0, 0.0, 4.0]


def test_the_numbers_beneath_are_those_of_the_rows_that_are_there() -> None:
    column = pl.Series([None, 1.0, None, 3.0]).slice(1)

    found = beneath(column)

    assert len(found) == 3
    assert found[[0, 2]].tolist() == [1.0, 3.0]
