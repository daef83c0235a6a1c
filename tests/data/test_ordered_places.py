from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.components.palette.data_transformation import quantiles
from modelwright.data import ordered_places
from modelwright.data.ordered_places import at_places

NUMBERS = st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1.5, -7.0, math.inf])


@settings(max_examples=60, deadline=None)
@given(values=st.lists(NUMBERS, min_size=1, max_size=80), sample=st.integers(1, 90))
def test_places_are_those_of_the_sorted_numbers(values: list[float], sample: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordered_places, "_SAMPLE", sample)
        # Much too near, so that a number is missed now and then.
        patch.setattr(ordered_places, "_AROUND", 0.1)
        assert at_places(pl.Series(values), range(len(values))) == sorted(values)


@pytest.mark.parametrize("kind", ["drawn", "rising", "alike", "in turns", "two heaps"])
def test_places_among_many_numbers_are_those_of_the_sorted_numbers(kind: str) -> None:
    count = 50_000
    numbers = {
        "drawn": np.random.default_rng(2).lognormal(1, 2, count),
        "rising": np.arange(count, dtype=float),
        "alike": np.full(count, 3.0),
        "in turns": np.arange(count) % (count // 4096) + 0.5,
        "two heaps": np.repeat([1e-300, 1e300], count // 2),
    }[kind]
    places = [0, 1, count // 10, count // 2, count // 2 + 1, count - 2, count - 1]
    assert at_places(pl.Series(numbers), places) == np.sort(numbers)[places].tolist()
    with_gaps = (
        pl.Series(numbers)
        .extend_constant(None, count // 3)
        .gather(np.random.default_rng(4).permutation(count + count // 3))
    )
    assert at_places(with_gaps, places) == np.sort(numbers)[places].tolist()


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats() | st.none(), min_size=1, max_size=80),
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_quantiles_of_many_numbers_are_those_of_few(
    values: list[float | None], shares: list[float]
) -> None:
    column = pl.Series(values, dtype=pl.Float64)
    few = quantiles.quantiles(column, shares)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantiles, "_SMALL", 0)
        patch.setattr(ordered_places, "_SAMPLE", 8)
        many = quantiles.quantiles(column, shares)
    assert [_plain(v) for v in many] == [_plain(v) for v in few]


def _plain(value: float | None) -> str:
    # The sign of a zero says nothing; where infinities meet there is no number between.
    return repr(value + 0.0 if value is not None and math.isfinite(value) else value and None)
