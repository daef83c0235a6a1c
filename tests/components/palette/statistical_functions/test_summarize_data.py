from __future__ import annotations

import statistics
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from modelwright.components.outline import TableOutline
from modelwright.components.palette.statistical_functions.summarize_data import SummarizeData
from modelwright.data.table import Table

NAMES = [
    "Feature",
    "Count",
    "Unique Value Count",
    "Missing Value Count",
    "Min",
    "Max",
    "Mean",
    "Mean Deviation",
    "1st Quartile",
    "Median",
    "3rd Quartile",
    "Mode",
    "Range",
    "Sample Variance",
    "Sample Standard Deviation",
    "Sample Skewness",
    "Sample Kurtosis",
    "P0.5",
    "P1",
    "P5",
    "P95",
    "P99.5",
]


PERCENTILES = {
    "1st Quartile": 25,
    "3rd Quartile": 75,
    "P0.5": 0.5,
    "P1": 1,
    "P5": 5,
    "P95": 95,
    "P99.5": 99.5,
}


def summary(values: list[Any], dtype: Any = None) -> dict[str, Any]:
    table = Table(pl.DataFrame({"x": pl.Series(values, dtype=dtype)}))
    return SummarizeData().run(table).frame.row(0, named=True)


def test_there_are_22_columns_and_a_row_for_each_of_the_table() -> None:
    table = Table(pl.DataFrame({"a": [1], "b": ["x"], "c": [True]}))

    report = SummarizeData().run(table).frame

    assert report.columns == NAMES
    assert report["Feature"].to_list() == ["a", "b", "c"]


def test_a_few_numbers_the_eye_can_check() -> None:
    found = summary([4, 1, 2, None, 1])

    assert (found["Count"], found["Unique Value Count"], found["Missing Value Count"]) == (5, 3, 1)
    assert (found["Min"], found["Max"], found["Range"], found["Mean"]) == (1.0, 4.0, 3.0, 2.0)
    assert found["Mean Deviation"] == 1.0
    assert (found["1st Quartile"], found["Median"], found["3rd Quartile"]) == (1.0, 1.5, 2.5)
    assert found["Mode"] == 1.0
    assert found["Sample Variance"] == 2.0
    assert found["Sample Standard Deviation"] == pytest.approx(2**0.5)


def test_moments_and_percentiles_are_those_of_numpy_and_scipy() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=500)

    found = summary(values.tolist())

    assert found["Sample Variance"] == pytest.approx(values.var(ddof=1))
    assert found["Sample Skewness"] == pytest.approx(stats.skew(values, bias=False))
    assert found["Sample Kurtosis"] == pytest.approx(stats.kurtosis(values, bias=False))
    assert found["Mean Deviation"] == pytest.approx(np.abs(values - values.mean()).mean())
    for name, percent in (("P0.5", 0.5), ("P1", 1), ("P5", 5), ("P95", 95), ("P99.5", 99.5)):
        assert found[name] == pytest.approx(np.percentile(values, percent))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.none() | st.integers(-9, 9).map(lambda n: n / 4), min_size=1, max_size=40),
    st.sampled_from([pl.Float64, pl.Int64]),
)
def test_each_figure_is_the_one_of_the_standard_library(
    values: list[float | None], dtype: Any
) -> None:
    given_values = [None if v is None else int(4 * v) if dtype == pl.Int64 else v for v in values]
    known = [float(v) for v in given_values if v is not None]

    found = summary(given_values, dtype)

    counts = {"Feature": "x", "Count": len(values), "Missing Value Count": values.count(None)}
    expected: dict[str, Any] = {
        **dict.fromkeys(NAMES),
        **counts,
        "Unique Value Count": len(set(known)),
    }
    if known:
        mean = statistics.fmean(known)
        expected |= {
            "Min": min(known),
            "Max": max(known),
            "Mean": mean,
            "Mean Deviation": statistics.fmean(abs(v - mean) for v in known),
            "Mode": min(statistics.multimode(known)),
            "Range": max(known) - min(known),
            "Median": statistics.median(known),
            **{n: np.percentile(known, p) for n, p in PERCENTILES.items()},
        }
    if len(known) > 1:
        expected["Sample Variance"] = statistics.variance(known)
        expected["Sample Standard Deviation"] = statistics.stdev(known)
    if len(set(known)) > 1 and len(known) > 2:
        expected["Sample Skewness"] = stats.skew(known, bias=False)
    if len(set(known)) > 1 and len(known) > 3:
        expected["Sample Kurtosis"] = stats.kurtosis(known, bias=False)
    assert list(found) == list(expected) == NAMES
    assert found == {
        n: pytest.approx(v, rel=1e-9, abs=1e-12) if isinstance(v, float) else v
        for n, v in expected.items()
    }


def test_of_several_modes_the_smallest_is_told() -> None:
    assert summary([3, 3, 1, 1, 2])["Mode"] == 1.0


def test_numbers_that_are_one_as_floats_are_different_all_the_same() -> None:
    found = summary([2**60, 2**60 + 1, 2**60 + 2, 2**60 + 2, None])

    assert (found["Unique Value Count"], found["Mode"]) == (3, float(2**60))
    assert summary([-(2**63), 1 - 2**63])["Unique Value Count"] == 2


def test_truth_values_count_as_one_and_zero() -> None:
    mixed = summary([True, False, True, None])
    assert (mixed["Min"], mixed["Max"], mixed["Mean"], mixed["Range"]) == (0.0, 1.0, 2 / 3, 1.0)
    assert mixed["Unique Value Count"] == 2

    alike = summary([True, True])
    assert (alike["Min"], alike["Max"], alike["Range"]) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize(
    "values",
    [["a", "b", "a", None], [datetime(2020, 1, 1)] * 2 + [datetime(2021, 1, 1), None]],  # noqa: DTZ001
)
def test_text_and_dates_have_counts_only(values: list[Any]) -> None:
    found = summary(values)

    assert [found[name] for name in NAMES[1:4]] == [4, 2, 1]
    assert all(found[name] is None for name in NAMES[4:])


def test_not_a_number_is_missing() -> None:
    found = summary([1.0, float("nan"), 3.0])

    assert (found["Missing Value Count"], found["Mean"]) == (1, 2.0)


def test_a_figure_that_does_not_exist_is_missing() -> None:
    one = summary([5.0])
    assert (one["Mean"], one["P95"], one["Sample Variance"]) == (5.0, 5.0, None)
    assert (one["Sample Skewness"], one["Sample Kurtosis"]) == (None, None)

    nothing = summary([None, None], dtype=pl.Float64)
    assert (nothing["Count"], nothing["Unique Value Count"]) == (2, 0)
    assert all(nothing[name] is None for name in NAMES[4:])


def test_a_table_without_rows_or_columns_is_described_too() -> None:
    assert summary([], dtype=pl.Int64)["Count"] == 0
    assert SummarizeData().run(Table(pl.DataFrame())).rows == 0


def test_the_outline_has_the_columns_that_a_run_gives() -> None:
    table = Table(pl.DataFrame({"a": [1], "b": ["x"]}))
    schema = SummarizeData().run(table).schema

    assert SummarizeData().outline(dataset=TableOutline(table.schema)) == {
        "results_dataset": TableOutline(schema, rows=2)
    }
    assert SummarizeData().outline(dataset=None) == {"results_dataset": TableOutline(schema)}
