from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from modelwright.components.columns import ColumnSelection
from modelwright.components.errors import (
    ColumnTypeError,
    EmptySelection,
    EmptyTable,
    InvalidParameter,
)
from modelwright.components.learning.errors import InfiniteValues
from modelwright.components.outline import TableOutline, TransformOutline
from modelwright.components.palette.data_transformation.column_faults import (
    ColumnAllMissing,
    InfiniteValue,
)
from modelwright.components.palette.data_transformation.group_data_into_bins import (
    GroupDataIntoBins,
)
from modelwright.data.expression import DuplicateColumn
from modelwright.data.fitted import Transform
from modelwright.data.schema import ColumnType, Role
from modelwright.data.table import Table

ONE_TO_TEN = list(range(1, 11))


def binned(values: list[Any], **parameters: Any) -> list[Any]:
    component = GroupDataIntoBins.model_validate({"output_mode": "Inplace"} | parameters)
    table = Table(pl.DataFrame({"x": pl.Series(values, strict=False)}))
    return component.run(table).quantized_dataset.frame["x"].to_list()


def test_quantiles_hold_about_as_many_rows_each() -> None:
    assert binned(ONE_TO_TEN, bins=5) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert binned([10, 1, 5, 7], bins=2) == [2, 1, 1, 2]


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("QuantileIndex", [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
        ("PQuantile", [0.2, 0.2, 0.4, 0.4, 0.6, 0.6, 0.8, 0.8, 1.0, 1.0]),
        ("Percent", [20.0, 20.0, 40.0, 40.0, 60.0, 60.0, 80.0, 80.0, 100.0, 100.0]),
    ],
)
def test_quantiles_are_put_out_as_numbers_shares_or_percents(
    normalization: str, expected: list[float]
) -> None:
    assert binned(ONE_TO_TEN, bins=5, normalization=normalization) == expected


def test_bins_that_coincide_are_one_with_the_highest_number() -> None:
    assert binned([0, 0, 0, 0, 0, 0, 1, 2, 3, 4], bins=5) == [2, 2, 2, 2, 2, 2, 4, 4, 5, 5]
    assert binned([1, 2, 9, 9, 9, 9], bins=3) == [1, 1, 3, 3, 3, 3]
    assert binned([7, 7, 7], bins=4) == [4, 4, 4]


def test_equal_width_cuts_the_range_into_equal_lengths() -> None:
    assert binned([0, 1, 2.5, 5, 7.5, 9, 10], mode="Equal Width", bins=4) == [1, 1, 1, 2, 3, 4, 4]
    assert binned([7, 7], mode="Equal Width", bins=4) == [1, 1]


def test_custom_edges_make_one_bin_more_and_an_edge_belongs_to_the_bin_below() -> None:
    assert binned([-1, 0, 0.5, 10, 11], mode="Custom Edges", edges="0, 10") == [1, 1, 2, 2, 3]
    assert binned([-5, 5], mode="Custom Edges") == [1, 2]


@pytest.mark.parametrize("mode", ["Quantiles", "Equal Width", "Custom Edges"])
def test_missing_values_stay_missing_and_do_not_count(mode: str) -> None:
    found = binned([1.0, None, 2.0, float("nan"), 3.0, 4.0], mode=mode, bins=2, edges="2.5")

    assert found == [1, None, 1, None, 2, 2]


@pytest.mark.parametrize("mode", ["Quantiles", "Equal Width"])
def test_new_values_beyond_the_range_fall_into_the_outer_bins(mode: Any) -> None:
    component = GroupDataIntoBins(mode=mode, bins=3, output_mode="ResultOnly")
    transform = component.run(Table(pl.DataFrame({"x": [1, 2, 3]}))).binning_transformation

    other = transform.apply(Table(pl.DataFrame({"x": [-100, 2, 100]})))

    assert other.frame.to_dict(as_series=False) == {"x_quantized": [1, 2, 3]}


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40),
    st.integers(1, 8),
    st.sampled_from(["Quantiles", "Equal Width"]),
)
@settings(max_examples=60, deadline=None)
def test_bins_cover_every_value_and_rise_with_it(values: list[float], bins: int, mode: str) -> None:
    found = binned(values, bins=bins, mode=mode)

    assert all(1 <= number <= bins for number in found)
    ordered = [number for _, number in sorted(zip(values, found, strict=True))]
    assert ordered == sorted(ordered)


def test_results_are_added_replace_or_stand_alone() -> None:
    table = Table(pl.DataFrame({"x": [1, 9], "w": ["a", "b"]})).mark("x", role=Role.LABEL)

    def result(**parameters: Any) -> Table:
        component = GroupDataIntoBins.model_validate({"bins": 2} | parameters)
        return component.run(table).quantized_dataset

    appended = result()
    assert appended.frame.rows() == [(1, "a", 1), (9, "b", 2)]
    assert appended.schema.names == ("x", "w", "x_quantized")
    inplace = result(output_mode="Inplace", normalization="PQuantile")
    assert inplace.frame.rows() == [(0.5, "a"), (1.0, "b")]
    assert inplace.schema.column("x").role is Role.LABEL
    assert inplace.schema.column("x").type is ColumnType.DOUBLE
    assert result(output_mode="ResultOnly").schema.names == ("x_quantized",)


def test_binned_columns_are_categorical_unless_that_is_switched_off() -> None:
    table = Table(pl.DataFrame({"x": [1, 9]}))

    for flag in (True, False):
        component = GroupDataIntoBins(categorical=flag)
        result, transform = component.run(table)
        assert result.schema.column("x_quantized").categorical is flag
        assert transform.apply(table).schema == result.schema


@pytest.mark.parametrize(
    ("edges", "why"),
    [
        ("1, x", "no list of numbers"),
        ("", "no list"),
        ("2, 1", "do not rise"),
        ("1, inf", "finite"),
    ],
)
def test_edges_that_make_no_sense_are_refused(edges: str, why: str) -> None:
    component = GroupDataIntoBins(mode="Custom Edges", edges=edges)
    table = Table(pl.DataFrame({"x": [1]}))

    with pytest.raises(InvalidParameter, match=why):
        component.run(table)
    with pytest.raises(InvalidParameter, match=why):
        component.outline(dataset=TableOutline(table.schema))


def test_columns_that_cannot_be_binned_are_refused() -> None:
    words = Table(pl.DataFrame({"w": ["a"]}))

    with pytest.raises(ColumnTypeError):
        GroupDataIntoBins(columns=ColumnSelection.of("w")).run(words)
    with pytest.raises(EmptySelection):
        GroupDataIntoBins().run(words)
    for mode in ("Quantiles", "Equal Width"):
        with pytest.raises(ColumnAllMissing):
            binned([None, float("nan")], mode=mode, columns=["x"])
        with pytest.raises(InfiniteValue):
            binned([1.0, float("inf")], mode=mode)
        with pytest.raises(EmptyTable):
            GroupDataIntoBins.model_validate({"mode": mode}).run(
                Table(pl.DataFrame(schema={"x": pl.Float64}))
            )


def test_values_that_are_infinitely_far_apart_have_no_bins_of_equal_width() -> None:
    table = Table(pl.DataFrame({"x": [1e308, -1e308, 0.0]}))

    with pytest.raises(InfiniteValues, match="too large to count with"):
        GroupDataIntoBins(mode="Equal Width", bins=2).run(table)
    assert GroupDataIntoBins(bins=2).run(table).quantized_dataset.rows == 3


def test_a_new_name_that_is_taken_is_an_error() -> None:
    with pytest.raises(DuplicateColumn):
        GroupDataIntoBins().run(Table(pl.DataFrame({"x": [1], "x_quantized": [2]})))


def test_what_was_learnt_can_be_read_and_stored(tmp_path: Path) -> None:
    table = Table(pl.DataFrame({"x": ONE_TO_TEN}))
    result, transform = GroupDataIntoBins(mode="Equal Width", bins=3).run(table)

    assert transform.learnt == {"mode": "Equal Width", "columns": {"x": {"edges": [4.0, 7.0]}}}
    transform.save(tmp_path)
    assert_frame_equal(Transform.load(tmp_path).apply(table).frame, result.frame)


@pytest.mark.parametrize("output_mode", ["Append", "Inplace", "ResultOnly"])
@pytest.mark.parametrize("normalization", ["Percent", "QuantileIndex"])
def test_the_outline_has_the_columns_that_a_run_gives(output_mode: Any, normalization: Any) -> None:
    table = Table(pl.DataFrame({"x": [1, 2], "w": ["a", "b"]}))
    component = GroupDataIntoBins(output_mode=output_mode, normalization=normalization)

    outline = component.outline(dataset=TableOutline(table.schema, rows=2))

    given = TableOutline(component.run(table).quantized_dataset.schema, rows=2)
    assert outline == {
        "quantized_dataset": given,
        "binning_transformation": TransformOutline(("x",), given),
    }
