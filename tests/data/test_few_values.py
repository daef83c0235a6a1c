"""Numbering the values of columns that have few of them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.data import few_values
from modelwright.data.few_values import numbered


def as_it_was(column: pl.Series, most: int = 1000) -> pl.Series:
    """The column put together from its numbers and values again."""
    found = numbered(column, most=most)
    assert found is not None
    return found.by_row(found.values)


@settings(max_examples=40)
@given(
    st.one_of(
        st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=1, max_size=60),
        st.lists(st.integers(-40, 40), min_size=1, max_size=60),
        st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=60),
    )
)
def test_numbers_and_values_together_are_the_column(values: list[Any]) -> None:
    column = pl.Series("c", values, dtype=pl.String if values == [None] * len(values) else None)
    assert as_it_was(column).equals(column)


def test_values_rise_and_a_missing_one_comes_first() -> None:
    found = numbered(pl.Series(["pear", None, "fig", "pear"]), most=9)
    assert found is not None
    assert found.values.to_list() == [None, "fig", "pear"]
    assert found.numbers.tolist() == [2, 0, 1, 2]


def test_a_value_that_no_looked_at_row_has_is_found_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(few_values, "_SAMPLE", 10)
    monkeypatch.setattr(few_values, "_PART", 16)
    column = pl.Series(["a"] * 55 + ["rare", None] + ["a"] * 43)
    assert as_it_was(column).equals(column)


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([str(n) for n in range(50)]),
        pl.Series([1, 1_000_000]),
        pl.Series([-(2**63), 2**63 - 1]),
        pl.Series([1, None]),
        pl.Series([0.5, 1.0]),
        pl.Series([], dtype=pl.String),
    ],
)
def test_too_many_values_and_other_columns_are_not_numbered(column: pl.Series) -> None:
    assert numbered(column, most=49) is None


@pytest.mark.parametrize("count", [1, 2, 300, 1000])
def test_answers_for_values_come_to_their_rows(count: int) -> None:
    column = pl.Series([f"word {n * 7 % count}" for n in range(3 * count)])
    found = numbered(column, most=1000)
    assert found is not None
    assert found.by_row(found.values.str.len_bytes().cast(pl.Int64)).equals(
        column.str.len_bytes().cast(pl.Int64)
    )
