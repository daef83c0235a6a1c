"""Weighted sums of arithmetic in one go are those that Polars would add up, and read each column once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from modelwright.data.expression import Compute, Expression, Formula, column, dot, literal, lookup
from modelwright.data.expression.nodes import Dot
from modelwright.data.expression.sums import BLOCK, arithmetic_sum
from modelwright.data.expression.typing_rules import Types
from modelwright.data.schema import ColumnType
from modelwright.data.table import Table

CHANCE = np.random.default_rng(2)
ROWS = BLOCK + 5
FRAME = pl.DataFrame(
    {
        "a": [None if at % 5 == 0 else at / 7 for at in range(ROWS)],
        "b": np.where(CHANCE.random(ROWS) < 0.2, np.nan, CHANCE.normal(size=ROWS)),
        "n": [None if at % 3 == 0 else at % 11 for at in range(ROWS)],
        "t": [("x", "y", None)[at % 3] for at in range(ROWS)],
    }
)
A, B, N = column("a"), column("b"), column("n")
AWAY = B.fill_missing(0.25) - 1.5
TERMS: list[list[tuple[Expression, float]]] = [
    [(AWAY * AWAY, 0.5), (A, 2.0)],
    [((A - 1.0) / (B - 2.0), 1.0), (B, 3.0)],
    [((N * 1.5 + A.fill_missing(0.0)) * 1e308, 2.0), (literal(3.0), 1.0)],
    [((N + 1).fill_missing(4), 0.1), (lookup(column("t"), {"x": 1.0}, 0.5) * B, 1.0)],
    [(((A + B).fill_missing(-1.0) - 3.0) * 2.0, -1.0)],
]


def added_by_polars(terms: list[tuple[Expression, float]]) -> pl.DataFrame:
    """Each term in a column of its own, then added up."""
    alone = Formula(Compute({f"term {at}": term for at, (term, _) in enumerate(terms)}))
    columns = alone.apply(FRAME)
    total = pl.repeat(0.75, ROWS, dtype=pl.Float64)
    for at, (_, weight) in enumerate(terms):
        total = total + columns[f"term {at}"].cast(pl.Float64) * weight
    return columns.select(total.alias("sum"))


@pytest.mark.parametrize("terms", TERMS)
def test_a_sum_is_that_of_its_terms_with_the_same_gaps(
    terms: list[tuple[Expression, float]],
) -> None:
    found = Formula(Compute({"sum": dot(terms, 0.75)})).apply(FRAME).select("sum")
    expected = added_by_polars(terms)
    assert found["sum"].is_null().equals(expected["sum"].is_null())
    np.testing.assert_array_equal(found["sum"].to_numpy(), expected["sum"].to_numpy())
    assert isinstance(dot(terms, 0.75), Dot)


def test_what_stands_in_several_terms_is_read_once() -> None:
    terms = [((A - middle) * (A - middle), 1.0) for middle in (1.0, 2.0, 3.0)]
    summed = arithmetic_sum(Dot(tuple(terms)), Types(types()))
    assert summed is not None
    assert summed.leaves == (A,)


def test_the_numbers_of_columns_are_not_written_over() -> None:
    before = FRAME.clone()
    for some, others in pairwise(TERMS):
        Formula(Compute({"sum": dot([*some, *others])})).apply(FRAME)
    assert FRAME.equals(before)


def test_sums_of_columns_alone_and_of_whole_numbers_are_left_to_others() -> None:
    assert arithmetic_sum(Dot(((A, 2.0), (B, 1.0))), Types(types())) is None
    assert arithmetic_sum(Dot(((N * 2, 2.0),)), Types(types())) is None


def types() -> dict[str, ColumnType]:
    return {c.name: c.type for c in Table(FRAME).schema}
