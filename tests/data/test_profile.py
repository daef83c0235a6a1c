"""Profiles: every figure by a second way, and the cases in which there is none."""

from __future__ import annotations

import json
import math
import statistics
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.data.profile import Bin, ColumnProfile, TopValue, profile
from modelwright.data.schema import Column, ColumnType, MissingColumn, Role
from modelwright.data.table import Table


def of(values: list[Any], dtype: Any = None) -> ColumnProfile:
    return profile(Table(pl.DataFrame({"a": pl.Series(values, dtype=dtype)}))).columns[0]


@given(st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_figures_of_numbers_agree_with_other_libraries(values: list[float | None]) -> None:
    found = of(values, pl.Float64)
    held = [v for v in values if v is not None]
    assert (found.count, found.missing) == (len(held), len(values) - len(held))
    assert found.unique == len(set(held))
    if not held:
        return
    assert (found.minimum, found.maximum) == (min(held), max(held))
    assert found.mean == pytest.approx(statistics.fmean(held), rel=1e-9, abs=1e-6)
    assert found.median == pytest.approx(statistics.median(held))
    series = pl.Series(held)
    for percent, value in found.quantiles.items():
        assert value == pytest.approx(series.quantile(percent / 100, interpolation="linear"))
    if len(held) > 1:
        assert found.variance == pytest.approx(statistics.variance(held), rel=1e-6, abs=1e-6)
    assert sum(b.count for b in found.histogram) == len(held)
    for place, part in enumerate(found.histogram):
        last = place == len(found.histogram) - 1
        inside = [v for v in held if part.start <= v < part.end or (last and v == part.end)]
        assert part.count == len(inside)


def test_shape_is_that_of_a_sample() -> None:
    values = [1.0, 2.0, 2.5, 7.0, 11.0, 30.0]
    found = of(values)
    assert found.skewness == pytest.approx(scipy.stats.skew(values, bias=False))
    assert found.kurtosis == pytest.approx(scipy.stats.kurtosis(values, bias=False))
    assert found.deviation == pytest.approx(statistics.stdev(values))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (None, None, None, None)),
        ([1.0], (1.0, None, None, None)),
        ([1.0, 3.0], (2.0, 2.0, None, None)),
        ([0.1] * 7, (0.1, 0.0, None, None)),
        ([1.0, 2.0, 4.0], (7 / 3, 7 / 3, 0.93521953, None)),
    ],
)
def test_figures_that_so_few_values_do_not_give_are_none(
    values: list[float], expected: tuple[float | None, ...]
) -> None:
    found = of(values, pl.Float64)
    shown = (found.mean, found.variance, found.skewness, found.kurtosis)
    assert shown == tuple(e if e is None else pytest.approx(e) for e in expected)


def test_not_a_number_is_missing_and_infinities_are_counted_apart() -> None:
    found = of([1.0, math.nan, None, math.inf, -math.inf, 3.0])
    assert (found.count, found.missing, found.infinite) == (4, 2, 2)
    assert (found.minimum, found.maximum, found.mean) == (1.0, 3.0, 2.0)
    only = of([math.inf, math.nan])
    assert (only.count, only.missing, only.mean, only.histogram) == (1, 1, None, ())


def test_whole_numbers_have_bins_with_whole_edges() -> None:
    assert of([1, 2, 2, 3, 9]).histogram == (Bin(1, 4, 4), Bin(4, 7, 0), Bin(7, 10, 1))
    assert of([5] * 9).histogram == (Bin(5, 6, 9),)
    assert of([2**62, -(2**62)]).histogram[0].count == 1
    assert sum(b.count for b in of([2**63 - 1, -(2**63), 0, 1]).histogram) == 4


def test_there_are_at_most_twenty_bins() -> None:
    assert len(of([float(i) for i in range(10_000)]).histogram) == 20
    assert len(of([float(i) for i in range(100)]).histogram) == 10
    assert len(of(list(range(10_000))).histogram) == 20


def test_numbers_at_the_limit_of_doubles_do_not_overflow() -> None:
    found = of([-1.7e308, 1.7e308, 0.0, 1.0])
    assert found.median == 0.5
    assert all(math.isfinite(b.start) and math.isfinite(b.end) for b in found.histogram)
    assert found.variance is None
    json.dumps(found.to_json(), allow_nan=False)


def test_text_has_its_most_frequent_values_ties_in_order() -> None:
    values = ["b", "a", "b", None, "c", "a", "d"] + [f"x{i}" for i in range(20)]
    found = of(values)
    assert (found.count, found.missing, found.unique) == (26, 1, 24)
    assert found.top[:4] == (
        TopValue("a", 2),
        TopValue("b", 2),
        TopValue("c", 1),
        TopValue("d", 1),
    )
    assert len(found.top) == 10
    assert found.mean is None
    assert found.histogram == ()


def test_a_long_text_is_cut() -> None:
    shown = of(["x" * 1000]).top[0].value
    assert len(shown) == 200
    assert shown.endswith("…")


def test_truth_values_are_counted() -> None:
    found = of([True, False, True, None])
    assert (found.count, found.missing, found.unique) == (3, 1, 2)
    assert found.top == (TopValue(True, 2), TopValue(False, 1))


def test_dates_have_range_quantiles_and_bins() -> None:
    start = datetime.fromisoformat("2020-01-01T00:00:00")
    values = [start + timedelta(days=i) for i in range(101)]
    found = of([*values, None])
    assert (found.count, found.missing, found.unique) == (101, 1, 101)
    assert (found.minimum, found.maximum) == (values[0], values[-1])
    assert found.median == values[50]
    assert found.quantiles[25] == values[25]
    assert sum(b.count for b in found.histogram) == 101
    assert found.histogram[0].start == start
    far = of([datetime.fromisoformat("9999-12-31T00:00:00"), start])
    assert far.histogram[-1].end == far.maximum
    assert of([], pl.Datetime("us")).unique == 0


def test_other_types_are_only_counted() -> None:
    found = of([[1], None, [1]])
    assert (found.count, found.missing, found.unique, found.top) == (2, 1, None, ())


def test_a_column_without_values_has_counts_only() -> None:
    for dtype in (pl.Float64, pl.Int64, pl.String, pl.Boolean, pl.Datetime("us")):
        found = of([None, None], dtype)
        assert (found.count, found.missing, found.unique) == (0, 2, 0)
        assert (found.minimum, found.mean, found.histogram, found.top) == (None, None, (), ())


def test_a_profile_is_strict_json_with_marks() -> None:
    frame = pl.DataFrame({"x": [1.5, math.nan, math.inf], "y": ["a", None, "b"]})
    table = Table(frame, [Column("y", ColumnType.STRING, Role.LABEL, categorical=True)])
    shown = json.loads(json.dumps(profile(table).to_json(), allow_nan=False))
    assert shown["rows"] == 3
    assert shown["columns"][1] == {
        "name": "y",
        "type": "String",
        "role": "label",
        "categorical": True,
        "count": 2,
        "missing": 1,
        "infinite": 0,
        "unique": 2,
        **dict.fromkeys(["minimum", "maximum", "mean", "median"]),
        **dict.fromkeys(["deviation", "variance", "skewness", "kurtosis"]),
        "quantiles": {},
        "histogram": [],
        "top": [{"value": "a", "count": 1}, {"value": "b", "count": 1}],
    }


def test_some_columns_can_be_asked_for() -> None:
    table = Table(pl.DataFrame({"a": [1], "b": [2], "count": ["x"], "value": ["y"]}))
    assert [c.column.name for c in profile(table, ["value", "a"]).columns] == ["value", "a"]
    with pytest.raises(MissingColumn):
        profile(table, ["z"])
