"""Figures of columns that are read in parts: those of the whole column, exactly."""

from __future__ import annotations

import math
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.components.palette.data_transformation.quantiles import quantiles
from modelwright.components.palette.statistical_functions import summarize_data
from modelwright.components.palette.statistical_functions.summarize_data import SummarizeData
from modelwright.data import large_columns, memory
from modelwright.data.table import Table

NUMBERS = st.floats(width=64) | st.sampled_from([0.0, -0.0, 1.5, 1e-300, -7.0]) | st.none()
WHOLE = st.integers(-(2**62), 2**62) | st.sampled_from([0, 1, 2]) | st.none()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts and room of a few values, so that a short column is a long one."""
    monkeypatch.setattr(large_columns, "_PART", 7)
    monkeypatch.setattr(large_columns, "_room", lambda: 5)


def plain(values: list[float | None]) -> list[float]:
    return [v for v in values if v is not None and not math.isnan(v)]


@settings(max_examples=40, deadline=None)
@given(values=st.lists(NUMBERS, max_size=60))
def test_places_are_those_of_the_sorted_column(values: list[float | None]) -> None:
    column = pl.Series(values, dtype=pl.Float64)
    ordered = sorted(plain(values))

    assert large_columns.count(column) == len(ordered)
    assert large_columns.at_places(column, range(len(ordered))) == ordered
    assert large_columns.smallest(column) == min(ordered, default=None)
    assert large_columns.largest(column) == max(ordered, default=None)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(NUMBERS, min_size=1, max_size=60), bins=st.integers(1, 7))
def test_quantiles_are_those_of_the_whole_column(values: list[float | None], bins: int) -> None:
    column = pl.Series(values, dtype=pl.Float64)
    shares = [number / bins for number in range(bins + 1)]

    whole, in_parts = quantiles(column, shares), quantiles(column, shares, large=True)

    # The sign of a zero says nothing.
    assert [repr(abs(v) if v == 0 else v) for v in in_parts] == [
        repr(abs(v) if v == 0 else v) for v in whole
    ]


@settings(max_examples=40, deadline=None)
@given(values=st.lists(WHOLE, max_size=60))
def test_the_mode_of_whole_numbers_is_exact(values: list[int | None]) -> None:
    column = pl.Series(values, dtype=pl.Int64)
    counted = Counter(v for v in values if v is not None)
    most = max(counted.values(), default=0)

    expected = min((v for v, count in counted.items() if count == most), default=None)

    assert large_columns.mode(column) == expected
    assert large_columns.different(column) == len(counted)


def test_whole_numbers_that_are_one_as_floats_are_different_all_the_same() -> None:
    values = [2**60 + n for n in (*range(20), 7)]

    found = large_columns.occurrences(pl.Series(values), [0, 20])

    assert (found.different, found.mode, found.places) == (20, 2.0**60, (2.0**60, 2.0**60))


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.sampled_from(["a", "b", "é", ""]) | st.none() | st.text(), max_size=60))
def test_the_mode_of_text_is_the_first_of_the_most_frequent(values: list[str | None]) -> None:
    column = pl.Series(values, dtype=pl.String)
    counted = Counter(v for v in values if v is not None)
    most = max(counted.values(), default=0)

    expected = min((v for v, count in counted.items() if count == most), default=None)

    assert large_columns.mode(column) == expected
    assert large_columns.different(column) == len(counted)


def test_truth_and_moments_keep_their_type() -> None:
    moments = pl.Series([2, 1, 1, None]).cast(pl.Datetime("us"))

    assert large_columns.mode(pl.Series([True, False, True])) is True
    assert large_columns.mode(moments) == moments[1]
    assert large_columns.mean(pl.Series([True, False, True, None])) == pytest.approx(2 / 3)


@settings(max_examples=25, deadline=None)
@given(
    numbers=st.lists(st.integers(-50, 50).map(lambda n: n / 4) | st.none(), min_size=1),
    words=st.lists(st.sampled_from("abc") | st.none(), min_size=1),
)
def test_a_summary_in_parts_is_the_summary(
    numbers: list[float | None], words: list[str | None]
) -> None:
    count = min(len(numbers), len(words))
    frame = pl.DataFrame(
        {
            "n": pl.Series(numbers[:count], dtype=pl.Float64),
            "t": pl.Series(words[:count], dtype=pl.String),
            "b": [number is not None and number > 0 for number in numbers[:count]],
        }
    )
    whole = SummarizeData().run(Table(frame)).frame

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summarize_data, "is_large", lambda frame: True)
        # Fewer values have no kurtosis, and are copied whatever they are of.
        patch.setattr(summarize_data, "_FEW", 4)
        in_parts = SummarizeData().run(Table(frame)).frame

    assert in_parts.columns == whole.columns
    for one, other in zip(in_parts.rows(), whole.rows(), strict=True):
        for value, expected in zip(one, other, strict=True):
            # Text, and what does not exist, are as they are.
            near = pytest.approx(expected, 1e-9, 1e-9) if isinstance(expected, float) else expected
            assert value == near


def test_rows_changed_in_parts_are_those_changed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "is_large", lambda frame: True)
    monkeypatch.setattr(memory, "_BATCH", 3)
    monkeypatch.setattr(memory, "_PART", 1)
    frame = pl.DataFrame({"x": range(10), "t": ["é", None] * 5, "l": [[1, 2]] * 10})
    chosen = pl.Series([n % 3 == 1 for n in range(10)])

    assert memory.rows_where(frame, chosen).equals(frame.filter(chosen))
    assert memory.rows_where(frame, pl.Series([False] * 10)).equals(frame.clear())
    changed = memory.in_parts(frame, lambda rows: rows.with_columns(pl.col("x") * 2))
    assert changed.equals(frame.with_columns(pl.col("x") * 2))
