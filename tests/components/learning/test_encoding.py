from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from modelwright.components.errors import ColumnTypeError
from modelwright.components.learning.encoding import (
    CategoryFeature,
    Encoding,
    NumberFeature,
    learn_encoding,
)
from modelwright.components.learning.errors import AllMissing, InfiniteValues, TooManyUniqueValues
from modelwright.data.table import Table


def learnt(frame: pl.DataFrame, *categorical: str) -> Encoding:
    table = Table(frame).mark(*categorical, categorical=True)
    return learn_encoding(table.frame, table.schema)


def codes(encoding: Encoding, frame: pl.DataFrame) -> list[list[int]]:
    return [c.tolist() for c in encoding.encode(Table(frame).frame).codes]


def test_texts_become_sorted_levels_with_missing_as_the_last_when_it_was_seen() -> None:
    frame = pl.DataFrame(
        {"fuel": ["gas", None, "diesel", "gas"], "doors": ["two", "two", "a", "b"]}
    )
    encoding = learnt(frame)
    assert encoding.features == (
        CategoryFeature("fuel", ("diesel", "gas", None)),
        CategoryFeature("doors", ("a", "b", "two")),
    )
    assert codes(encoding, frame) == [[1, 2, 0, 1], [2, 2, 0, 1]]


def test_a_value_or_a_gap_that_training_never_saw_belongs_to_no_level() -> None:
    encoding = learnt(pl.DataFrame({"fuel": ["gas", "diesel"]}))
    later = pl.DataFrame({"fuel": ["gas", "hydrogen", None]})
    assert codes(encoding, later) == [[1, 2, 2]]


def test_whole_numbers_marked_categorical_are_levels_in_numeric_order() -> None:
    frame = pl.DataFrame({"zone": [10, 9, 10, None]})
    assert learnt(frame, "zone").features == (CategoryFeature("zone", (9, 10, None)),)
    assert codes(learnt(frame, "zone"), frame) == [[1, 0, 1, 2]]


def test_fractions_marked_categorical_count_not_a_number_as_missing() -> None:
    frame = pl.DataFrame({"x": [0.5, float("nan"), None]})
    assert learnt(frame, "x").features == (CategoryFeature("x", (0.5, None)),)
    assert codes(learnt(frame, "x"), frame) == [[0, 1, 1]]


def test_figures_of_a_number_leave_out_what_is_missing() -> None:
    frame = pl.DataFrame({"x": [1.0, None, 3.0, float("nan")], "sure": [True, False, None, True]})
    x, sure = learnt(frame, "sure").features
    assert x == NumberFeature("x", mean=2.0, deviation=1.0, minimum=1.0, maximum=3.0)
    assert isinstance(sure, NumberFeature)
    assert sure.mean == pytest.approx(2 / 3)


def test_blocks_hold_numbers_with_gaps_as_not_a_number() -> None:
    frame = pl.DataFrame({"x": [1.0, None, 3.0], "name": ["a", "b", "a"], "n": [4, 5, None]})
    encoded = learnt(frame).encode(frame)
    block = encoded.block(1, 3)
    np.testing.assert_array_equal(block, [[np.nan, 5.0], [3.0, np.nan]])


def test_many_levels_take_larger_codes() -> None:
    frame = pl.DataFrame({"k": [f"{i:04d}" for i in range(900)] * 2})
    encoded = learnt(frame).encode(frame)
    assert encoded.codes[0].dtype == np.uint16
    assert encoded.codes[0][:900].tolist() == list(range(900))


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinity_is_refused_with_the_name_of_its_column(value: float) -> None:
    with pytest.raises(InfiniteValues, match='Column "x" on port "dataset" is infinite in a row'):
        learnt(pl.DataFrame({"x": [1.0, value]}))


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("x", [None, None], dtype=pl.Float64),
        pl.Series("x", [float("nan"), None]),
        pl.Series("x", [None, None], dtype=pl.String),
    ],
)
def test_a_feature_without_any_value_is_refused(column: pl.Series) -> None:
    with pytest.raises(AllMissing, match='"x"'):
        learnt(pl.DataFrame([column]))


def test_a_text_that_is_nearly_unique_is_refused_beyond_a_thousand_values() -> None:
    few = pl.DataFrame({"id": [str(i) for i in range(1000)]})
    assert len(learnt(few).categories[0].levels) == 1000
    # 970 of 1000 are unique: not more than 97 %.
    repeated = pl.DataFrame({"id": [str(i) for i in range(1940)] + ["0"] * 60})
    assert len(learnt(repeated).categories[0].levels) == 1940
    with pytest.raises(TooManyUniqueValues) as caught:
        learnt(pl.DataFrame({"id": [str(i) for i in range(1001)]}))
    assert caught.value.fields == {
        "column": "id",
        "port": "dataset",
        "unique": 1001,
        "values": 1001,
    }


def test_a_point_in_time_is_no_feature() -> None:
    with pytest.raises(ColumnTypeError, match=r'"when".*DateTime') as caught:
        learnt(pl.DataFrame({"when": [datetime(2024, 1, 1)]}))  # noqa: DTZ001  # tables hold UTC
    assert "Clear its feature mark" in caught.value.remedy
