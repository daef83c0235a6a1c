from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from modelwright.components.columns import ColumnSelection
from modelwright.components.errors import ColumnTypeError, EmptyTable, InvalidParameter
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.clip_values import ClipValues
from modelwright.components.palette.data_transformation.column_faults import (
    ColumnAllMissing,
    InfiniteValue,
)
from modelwright.data.expression import DuplicateColumn
from modelwright.data.fitted import Transform
from modelwright.data.schema import ColumnType, Role
from modelwright.data.table import Table

ONE_TO_TEN = list(range(1, 11))
BOTH = {"thresholds": "ClipPeaksAndSubpeaks"}


def clipped(values: list[Any], **parameters: Any) -> dict[str, list[Any]]:
    component = ClipValues.model_validate(parameters)
    table = Table(pl.DataFrame({"x": values}))
    found: dict[str, list[Any]] = component.run(table).results_dataset.frame.to_dict(
        as_series=False
    )
    return found


def test_values_above_a_constant_become_the_threshold_and_equal_ones_stay() -> None:
    assert clipped([1, 5, 6, 100], upper_constant=5)["x"] == [1, 5, 5, 5]


def test_values_below_a_constant_become_the_threshold() -> None:
    assert clipped([-3.5, 0.0, 1.0], thresholds="ClipSubpeaks", lower_constant=0)["x"] == [
        0.0,
        0.0,
        1.0,
    ]


def test_each_side_has_its_own_substitute() -> None:
    found = clipped(
        ONE_TO_TEN,
        **BOTH,
        lower_constant=3,
        upper_constant=8,
        lower_substitute="Missing",
        upper_substitute="Threshold",
    )

    assert found["x"] == [None, None, 3, 4, 5, 6, 7, 8, 8, 8]


def test_percentiles_flag_what_lies_beyond_them() -> None:
    own = {**BOTH, "both_kind": "Percentile", "indicators": True}

    flags = clipped(ONE_TO_TEN, lower_percentile=20, upper_percentile=90, **own)["x_IsClipped"]
    assert [n for n, flag in zip(ONE_TO_TEN, flags, strict=True) if flag] == [1, 2, 10]

    narrow = clipped(ONE_TO_TEN, lower_percentile=40, upper_percentile=60, **own)
    assert narrow["x"] == pytest.approx([4.6] * 4 + [5.0, 6.0] + [6.4] * 4)
    assert narrow["x_IsClipped"] == [True] * 4 + [False] * 2 + [True] * 4


def test_mean_and_median_are_those_before_clipping() -> None:
    values = [0, 1, 2, 3, 94]

    assert clipped(values, upper_constant=50, upper_substitute="Mean")["x"][-1] == 20.0
    assert clipped(values, upper_constant=50, upper_substitute="Median")["x"][-1] == 2.0


def test_missing_values_stay_missing_do_not_count_and_are_not_flagged() -> None:
    found = clipped(
        [1.0, None, float("nan"), 9.0], upper_constant=5, upper_substitute="Mean", indicators=True
    )

    assert found["x"][0] == 1.0
    assert found["x"][1] is None
    assert found["x"][3] == 5.0
    assert found["x_IsClipped"] == [False, False, False, True]


def test_without_overwriting_the_column_stays_beside_its_clipped_copy() -> None:
    found = clipped([1, 9], upper_constant=5, overwrite=False, indicators=True)

    assert found == {"x": [1, 9], "x_Clipped": [1, 5], "x_IsClipped": [False, True]}


def test_new_data_are_clipped_where_the_old_were() -> None:
    component = ClipValues(upper_kind="Percentile", upper_percentile=50)
    transform = component.run(Table(pl.DataFrame({"x": [1, 2, 3]}))).clipping_transformation

    assert transform.apply(Table(pl.DataFrame({"x": [50, 60]}))).frame["x"].to_list() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"upper_constant": 5}, ColumnType.INTEGER),
        ({"upper_constant": 5.5}, ColumnType.DOUBLE),
        ({"upper_constant": 5.5, "upper_substitute": "Missing"}, ColumnType.INTEGER),
        ({"upper_constant": 1e300}, ColumnType.DOUBLE),
        ({"upper_substitute": "Mean"}, ColumnType.DOUBLE),
        ({"upper_kind": "Percentile"}, ColumnType.DOUBLE),
        ({"upper_kind": "Percentile", "upper_substitute": "Missing"}, ColumnType.INTEGER),
        ({"overwrite": False, "indicators": True}, ColumnType.INTEGER),
        (BOTH, ColumnType.INTEGER),
    ],
)
def test_a_whole_column_stays_whole_where_only_whole_numbers_are_put_in(
    parameters: dict[str, Any], expected: ColumnType
) -> None:
    table = Table(pl.DataFrame({"x": [1, 200], "w": ["a", "b"]})).mark("x", role=Role.LABEL)
    component = ClipValues.model_validate(parameters)

    result = component.run(table).results_dataset

    assert result.schema.columns[-1 if not component.overwrite else 0].type in (
        expected,
        ColumnType.BOOLEAN,
    )
    assert result.schema.column("x").role is Role.LABEL
    outline = component.outline(dataset=TableOutline(table.schema, rows=2))
    assert outline["results_dataset"] == TableOutline(result.schema, rows=2)


@given(st.lists(st.floats(-1e6, 1e6) | st.none(), max_size=20), st.floats(-1e5, 1e5))
@settings(max_examples=50, deadline=None)
def test_clipping_twice_is_clipping_once(values: list[float | None], limit: float) -> None:
    once = clipped([*values, 0.0], upper_constant=limit)

    assert clipped(once["x"], upper_constant=limit) == once
    assert all(value is None or value <= limit for value in once["x"])


def test_thresholds_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="not below the upper threshold"):
        clipped([1], **BOTH, lower_constant=5, upper_constant=5)
    with pytest.raises(InvalidParameter, match="Percentile value for lower"):
        ClipValues.model_validate(
            {**BOTH, "both_kind": "Percentile", "lower_percentile": 60, "upper_percentile": 40}
        ).outline(dataset=TableOutline(Table(pl.DataFrame({"x": [1]})).schema))


def test_text_is_refused() -> None:
    with pytest.raises(ColumnTypeError):
        ClipValues(columns=ColumnSelection.of("w")).run(Table(pl.DataFrame({"w": ["a"]})))


def test_a_statistic_needs_values_that_are_finite() -> None:
    percentile = {"upper_kind": "Percentile"}
    nothing = Table(pl.DataFrame({"x": []}, schema={"x": pl.Float64}))

    with pytest.raises(EmptyTable):
        ClipValues.model_validate(percentile).run(nothing)
    assert ClipValues().run(nothing).results_dataset.rows == 0
    with pytest.raises(ColumnAllMissing):
        clipped([None, float("nan")], **percentile, columns="all")
    with pytest.raises(InfiniteValue):
        clipped([1.0, float("inf")], upper_substitute="Mean")
    assert clipped([1.0, float("inf")], upper_constant=5)["x"] == [1.0, 5.0]


def test_a_new_name_that_is_taken_is_an_error() -> None:
    table = Table(pl.DataFrame({"x": [1], "x_IsClipped": [True]}))

    with pytest.raises(DuplicateColumn):
        ClipValues(indicators=True).run(table)


def test_of_a_threshold_only_the_number_in_use_is_a_setting() -> None:
    assert "upper_percentile" not in ClipValues().settings()
    assert "upper_constant" not in ClipValues(upper_kind="Percentile").settings()
    both = ClipValues.model_validate({**BOTH, "both_kind": "Percentile"}).settings()
    assert {"upper_percentile", "lower_percentile"} <= both.keys()
    assert not {"upper_constant", "lower_constant"} & both.keys()


def test_what_was_learnt_can_be_stored(tmp_path: Path) -> None:
    table = Table(pl.DataFrame({"x": [1, 2, 30]}))
    result, transform = ClipValues(upper_kind="Percentile", upper_percentile=50).run(table)

    assert transform.learnt["columns"] == {"x": {"upper": 2.0, "upper_substitute": 2.0}}
    transform.save(tmp_path)
    assert_frame_equal(Transform.load(tmp_path).apply(table).frame, result.frame)
