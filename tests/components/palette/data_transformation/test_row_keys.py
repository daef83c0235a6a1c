from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.components.palette.data_transformation.quantiles import quantiles
from modelwright.components.palette.data_transformation.row_keys import first_of_each, lookup

EXTREMES = [-(2**63), 2**63 - 1]
numbers = st.none() | st.integers(-5, 5) | st.sampled_from(EXTREMES)


@given(st.lists(numbers, max_size=12), st.lists(st.integers(-5, 5), min_size=1, unique=True))
@settings(max_examples=60, deadline=None)
def test_a_number_is_found_in_the_row_that_has_it(left: list[int | None], right: list[int]) -> None:
    found = lookup(pl.Series(left, dtype=pl.Int64), pl.Series(right, dtype=pl.Int64))
    assert found is not None
    rows = pl.DataFrame({"row": range(len(right))})
    beside = found.beside(rows).get_column("row")
    assert beside.to_list() == [right.index(n) if n in right else None for n in left]
    matched = found.matched()
    assert (matched is None) == (not beside.null_count())
    if matched is not None:
        assert matched.equals(beside.is_not_null())
        assert found.of(matched).beside(rows)["row"].equals(beside.drop_nulls())
    assert found.left_over(len(right)).to_list() == [n not in left for n in right]


@pytest.mark.parametrize("right", [[1, 1], [1, 1, None], EXTREMES, [], [None]])
def test_keys_that_are_no_dense_numbers_are_left_to_others(right: list[int | None]) -> None:
    assert lookup(pl.Series([1, 2]), pl.Series(right, dtype=pl.Int64)) is None


def test_a_missing_key_finds_no_missing_key() -> None:
    found = lookup(pl.Series([None, 5, 6]), pl.Series([None, 6, None]))
    assert found is not None
    assert found.beside(pl.DataFrame({"row": [0, 1, 2]}))["row"].to_list() == [None, None, 1]
    assert found.left_over(3).to_list() == [True, False, True]


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.sampled_from("äbc"), st.booleans()), min_size=1),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_one_row_of_each_key_is_told(rows: list[tuple[int, str, bool]], last: bool) -> None:
    keys = pl.DataFrame(rows, schema=["n", "t", "b"], orient="row").get_columns()
    found = first_of_each(keys, last=last)
    assert found is not None
    others = [rows[at + 1 :] if last else rows[:at] for at in range(len(rows))]
    assert found.to_list() == [row not in rest for row, rest in zip(rows, others, strict=True)]


def test_keys_that_lie_far_apart_are_left_to_others() -> None:
    assert first_of_each([pl.Series(EXTREMES)]) is None
    assert first_of_each([pl.Series([0.5, 1.5])]) is None


@given(
    st.lists(st.none() | st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=40),
    st.lists(st.floats(0, 1), min_size=1, max_size=40),
)
@settings(max_examples=60, deadline=None)
def test_quantiles_are_those_of_the_sorted_values(
    values: list[float | None], shares: list[float]
) -> None:
    there = sorted(v for v in values if v is not None and v == v)
    found = quantiles(pl.Series(values, dtype=pl.Float64), shares)
    if not there:
        assert found == [None] * len(shares)
        return
    for share, value in zip(shares, found, strict=True):
        place = (len(there) - 1) * share
        low, high = there[int(place)], there[min(int(place) + 1, len(there) - 1)]
        assert value == pytest.approx(low + (high - low) * (place % 1), rel=1e-9, abs=1e-6)
