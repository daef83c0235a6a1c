from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from modelwright.components.columns import ColumnSelection
from modelwright.components.errors import EmptySelection, EmptyTable
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.convert_to_indicator_values import (
    ConvertToIndicatorValues,
    NotCategorical,
    TooManyIndicators,
)
from modelwright.data.expression import DuplicateColumn
from modelwright.data.fitted import Transform
from modelwright.data.table import Table


def flagged(**columns: list[Any]) -> Table:
    return Table(pl.DataFrame(columns)).mark(*columns, categorical=True)


def indicated(table: Table, **parameters: Any) -> dict[str, list[Any]]:
    result = ConvertToIndicatorValues.model_validate(parameters).run(table).results_dataset
    found: dict[str, list[Any]] = result.frame.to_dict(as_series=False)
    return found


def test_each_value_gets_a_column_in_order() -> None:
    assert indicated(flagged(level=["low", "high", "low"])) == {
        "level": ["low", "high", "low"],
        "level-high": [0, 1, 0],
        "level-low": [1, 0, 1],
    }


def test_overwriting_leaves_only_the_new_columns_for_the_old() -> None:
    table = Table(pl.DataFrame({"k": ["a", "b"], "n": [1, 2]})).mark("k", categorical=True)

    assert indicated(table, overwrite=True) == {"n": [1, 2], "k-a": [1, 0], "k-b": [0, 1]}


def test_missing_values_are_a_category_of_their_own() -> None:
    assert indicated(flagged(x=[1.5, None, float("nan")]), overwrite=True) == {
        "x-1.5": [1, 0, 0],
        "x-Missing": [0, 1, 1],
    }


def test_numbers_truth_values_and_dates_are_separate_values() -> None:
    table = flagged(n=[25, 7], t=[True, False], d=[datetime(2020, 1, 2), datetime(2019, 1, 1)])  # noqa: DTZ001

    assert list(indicated(table, overwrite=True)) == [
        "n-7",
        "n-25",
        "t-false",
        "t-true",
        "d-2019-01-01T00:00:00",
        "d-2020-01-02T00:00:00",
    ]


def test_all_categorical_columns_are_taken_unless_some_are_chosen() -> None:
    table = flagged(a=["x"], b=["y"])

    assert list(indicated(table)) == ["a", "b", "a-x", "b-y"]
    assert list(indicated(table, columns=["b"])) == ["a", "b", "b-y"]


def test_other_rows_get_the_same_columns_and_zeros_for_new_values(tmp_path: Path) -> None:
    transform = ConvertToIndicatorValues().run(flagged(k=["a", "b"]))
    fitted = transform.indicator_values_transformation
    other = Table(pl.DataFrame({"k": ["b", "c", None]}))

    found = fitted.apply(other).frame

    assert found.to_dict(as_series=False) == {
        "k": ["b", "c", None],
        "k-a": [0, 0, 0],
        "k-b": [1, 0, 0],
    }
    assert fitted.learnt == {"values": {"k": ["a", "b"]}}
    fitted.save(tmp_path)
    assert_frame_equal(Transform.load(tmp_path).apply(other).frame, found)


def test_a_column_without_the_flag_is_refused_before_and_in_a_run() -> None:
    table = Table(pl.DataFrame({"w": ["a"]}))
    component = ConvertToIndicatorValues(columns=ColumnSelection.of("w"))

    with pytest.raises(NotCategorical, match="Edit Metadata"):
        component.run(table)
    with pytest.raises(NotCategorical):
        component.outline(dataset=TableOutline(table.schema))
    with pytest.raises(EmptySelection):
        ConvertToIndicatorValues().run(table)


def test_names_that_would_come_twice_are_refused() -> None:
    with pytest.raises(DuplicateColumn, match="k-Missing"):
        indicated(flagged(k=["Missing", None]))
    with pytest.raises(DuplicateColumn, match="k-a"):
        indicated(flagged(**{"k": ["a"], "k-a": ["b"]}))


def test_too_many_values_and_no_rows_are_refused() -> None:
    with pytest.raises(TooManyIndicators) as caught:
        indicated(flagged(n=list(range(10_001))))
    assert caught.value.code == "too-many-indicators"
    with pytest.raises(EmptyTable):
        indicated(Table(pl.DataFrame(schema={"k": pl.String})).mark("k", categorical=True))


@pytest.mark.parametrize("overwrite", [True, False])
def test_the_outline_knows_the_old_columns_and_that_more_will_come(overwrite: bool) -> None:
    table = Table(pl.DataFrame({"k": ["a"], "n": [1]})).mark("k", categorical=True)

    outline = ConvertToIndicatorValues(overwrite=overwrite).outline(
        dataset=TableOutline(table.schema, rows=1)
    )

    kept = table.schema.drop(["k"]) if overwrite else table.schema
    assert outline["results_dataset"] == TableOutline(kept, complete=False, rows=1)
