from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from modelwright.components.columns import ColumnSelection
from modelwright.components.errors import ColumnTypeError, EmptySelection, EmptyTable
from modelwright.components.learning.errors import InfiniteValues
from modelwright.components.outline import TableOutline, TransformOutline
from modelwright.components.palette.data_transformation.column_faults import InfiniteValue
from modelwright.components.palette.data_transformation.normalize_data import (
    NormalizeData,
    NoSpread,
)
from modelwright.data.fitted import Transform
from modelwright.data.schema import ColumnType, Role
from modelwright.data.table import Table

NAN = float("nan")
INF = float("inf")


def normalized(values: list[Any], **parameters: Any) -> list[Any]:
    table = Table(pl.DataFrame({"x": values}))
    return NormalizeData(**parameters).run(table).transformed_dataset.frame["x"].to_list()


def test_zscore_takes_the_deviation_of_the_population() -> None:
    assert normalized([2, 4, 4, 4, 5, 5, 7, 9]) == [-1.5, -0.5, -0.5, -0.5, 0.0, 0.0, 1.0, 2.0]


def test_minmax_reaches_from_zero_to_one() -> None:
    assert normalized([10, 15, 20], method="MinMax") == [0.0, 0.5, 1.0]


def test_logistic_and_tanh_go_by_the_value_alone() -> None:
    assert normalized([0.0, math.log(3)], method="Logistic") == pytest.approx([0.5, 0.75])
    assert normalized([0.0, 1.0], method="TanH") == pytest.approx([0.0, math.tanh(1)])


def test_lognormal_is_the_distribution_function_of_the_fitted_law() -> None:
    values = [1.0, math.e, math.e**2]

    found = normalized(values, method="LogNormal")

    deviation = np.std([0.0, 1.0, 2.0])
    expected = [0.5 * math.erfc(-(x - 1) / deviation / math.sqrt(2)) for x in (0.0, 1.0, 2.0)]
    assert found == pytest.approx(expected)


def test_lognormal_of_values_not_above_zero_is_zero_and_they_do_not_count() -> None:
    positive = normalized([1.0, 2.0, 3.0], method="LogNormal")

    assert normalized([1.0, 2.0, 3.0, 0.0, -5.0], method="LogNormal") == [*positive, 0.0, 0.0]


@pytest.mark.parametrize("method", ["ZScore", "MinMax", "Logistic", "LogNormal", "TanH"])
def test_missing_values_stay_missing_and_do_not_count(method: str) -> None:
    whole = normalized([1.0, 2.0, 4.0], method=method)

    found = normalized([1.0, None, 2.0, NAN, 4.0], method=method)

    assert [found[0], found[2], found[4]] == whole
    assert found[1] is None
    assert found[3] is None or math.isnan(found[3])


@pytest.mark.parametrize("method", ["ZScore", "MinMax", "Logistic", "LogNormal", "TanH"])
def test_a_constant_column_becomes_zero_or_stays_as_it_is(method: str) -> None:
    assert normalized([0.1, None, 0.1, 0.1], method=method) == [0.0, None, 0.0, 0.0]
    kept = normalized([0.1, None, 0.1, 0.1], method=method, zero_constants=False)
    assert kept == [0.1, None, 0.1, 0.1]


def test_a_column_without_values_stays_without() -> None:
    assert normalized([None, NAN], columns=ColumnSelection(begin="all"))[0] is None


def test_a_constant_of_training_is_zero_in_new_data_too() -> None:
    transform = NormalizeData().run(Table(pl.DataFrame({"x": [5, 5]}))).transformation_function

    assert transform.apply(Table(pl.DataFrame({"x": [7, None]}))).frame["x"].to_list() == [
        0.0,
        None,
    ]


def test_new_data_are_scaled_by_the_old_and_may_leave_the_range() -> None:
    component = NormalizeData(method="MinMax")
    transform = component.run(Table(pl.DataFrame({"x": [0, 10]}))).transformation_function

    assert transform.apply(Table(pl.DataFrame({"x": [-5, 20]}))).frame["x"].to_list() == [-0.5, 2.0]


def test_numeric_columns_are_taken_when_nothing_is_chosen_and_others_pass() -> None:
    table = Table(pl.DataFrame({"w": ["a", "b"], "n": [1, 3], "d": [1.0, 2.0], "t": [True, False]}))

    for selection in (ColumnSelection(), NormalizeData().columns):
        result = NormalizeData(columns=selection, method="MinMax").run(table).transformed_dataset
        assert result.frame.to_dict(as_series=False) == {
            "w": ["a", "b"],
            "n": [0.0, 1.0],
            "d": [0.0, 1.0],
            "t": [True, False],
        }


def test_roles_stay_and_types_become_double() -> None:
    table = Table(pl.DataFrame({"n": [1, 3]})).mark("n", role=Role.LABEL)

    column = NormalizeData().run(table).transformed_dataset.schema.column("n")

    assert (column.type, column.role) == (ColumnType.DOUBLE, Role.LABEL)


def test_text_cannot_be_scaled() -> None:
    table = Table(pl.DataFrame({"w": ["a"]}))

    with pytest.raises(ColumnTypeError, match='"w"'):
        NormalizeData(columns=ColumnSelection.of("w")).run(table)
    with pytest.raises(EmptySelection):
        NormalizeData().run(table)
    with pytest.raises(EmptySelection):
        NormalizeData().outline(dataset=TableOutline(table.schema))


def test_there_is_nothing_to_learn_from_no_rows() -> None:
    with pytest.raises(EmptyTable):
        NormalizeData().run(Table(pl.DataFrame({"n": []}, schema={"n": pl.Int64})))


@pytest.mark.parametrize("method", ["ZScore", "MinMax", "LogNormal"])
def test_an_infinite_value_leaves_no_scale(method: str) -> None:
    with pytest.raises(InfiniteValue, match=method):
        normalized([1.0, 2.0, INF], method=method)


@pytest.mark.parametrize("method", ["ZScore", "MinMax"])
def test_values_that_are_infinitely_far_apart_leave_no_scale(method: str) -> None:
    with pytest.raises(InfiniteValues, match="too large to count with"):
        normalized([1e308, -1e308, 0.0], method=method)


def test_an_infinite_value_has_a_logistic_and_a_tanh() -> None:
    assert normalized([0.0, INF], method="Logistic") == [0.5, 1.0]
    assert normalized([0.0, -INF], method="TanH") == [0.0, -1.0]


@pytest.mark.parametrize("values", [[-1.0, -2.0], [-1.0, 5.0]])
def test_lognormal_needs_two_different_values_above_zero(values: list[float]) -> None:
    with pytest.raises(NoSpread) as caught:
        normalized(values, method="LogNormal")

    assert caught.value.code == "no-spread"


@given(
    st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=2, max_size=20).filter(
        lambda v: len({round(x, 3) for x in v if x is not None}) > 1
    )
)
@settings(max_examples=50, deadline=None)
def test_zscores_have_mean_zero_and_deviation_one(values: list[float | None]) -> None:
    found = [x for x in normalized(values) if x is not None]

    assert np.mean(found) == pytest.approx(0.0, abs=1e-6)
    assert np.std(found) == pytest.approx(1.0)


def test_the_row_form_gives_the_same_numbers_as_the_table() -> None:
    table = Table(pl.DataFrame({"x": [1.5, 2.0, -4.0, 0.25, None]}))

    for method in ("ZScore", "MinMax", "Logistic", "LogNormal", "TanH"):
        result, transform = NormalizeData(method=method).run(table)
        program = transform.formula.compile_rows(table.schema)
        assert [program.score(row) for row in table.frame.to_dicts()] == result.frame.to_dicts()


def test_what_was_learnt_can_be_read_and_stored(tmp_path: Path) -> None:
    table = Table(pl.DataFrame({"x": [2, 4]}))
    result, transform = NormalizeData().run(table)

    assert transform.learnt == {
        "method": "ZScore",
        "columns": {"x": {"minimum": 2.0, "maximum": 4.0, "mean": 3.0, "deviation": 1.0}},
    }
    transform.save(tmp_path)
    assert_frame_equal(Transform.load(tmp_path).apply(table).frame, result.frame)


def test_the_outline_has_the_columns_that_a_run_gives() -> None:
    table = Table(pl.DataFrame({"w": ["a", "b"], "n": [1, 3]}))

    outline = NormalizeData().outline(dataset=TableOutline(table.schema, rows=2))

    given = TableOutline(NormalizeData().run(table).transformed_dataset.schema, rows=2)
    assert outline == {
        "transformed_dataset": given,
        "transformation_function": TransformOutline(("n",), given),
    }
