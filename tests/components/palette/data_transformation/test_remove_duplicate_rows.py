from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.components.columns import ColumnSelection
from modelwright.components.errors import EmptySelection, MissingColumn
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.remove_duplicate_rows import (
    RemoveDuplicateRows,
)
from modelwright.data.table import Table


def kept(frame: pl.DataFrame, *keys: str, **parameters: Any) -> list[tuple[Any, ...]]:
    selection = ColumnSelection.of(*keys) if keys else ColumnSelection(begin="all")
    return RemoveDuplicateRows(keys=selection, **parameters).run(Table(frame)).frame.rows()


FRAME = pl.DataFrame({"k": ["a", "b", "a", "b", "c"], "v": [1, 2, 3, 2, 5]})


def test_the_first_of_equal_keys_stays() -> None:
    assert kept(FRAME, "k") == [("a", 1), ("b", 2), ("c", 5)]


def test_the_last_of_equal_keys_stays_in_its_place() -> None:
    assert kept(FRAME, "k", retain_first=False) == [("a", 3), ("b", 2), ("c", 5)]


def test_all_columns_are_keys_unless_some_are_chosen() -> None:
    assert kept(FRAME) == [("a", 1), ("b", 2), ("a", 3), ("c", 5)]


def test_a_row_with_a_missing_key_always_stays() -> None:
    frame = pl.DataFrame(
        {"k": [None, None, 1.0, 1.0, float("nan"), float("nan")], "v": [1, 2, 3, 4, 5, 6]}
    )

    assert [row[1] for row in kept(frame, "k")] == [1, 2, 3, 5, 6]


def test_keys_that_are_not_there_and_no_keys_are_refused() -> None:
    with pytest.raises(MissingColumn):
        kept(FRAME, "w")
    with pytest.raises(EmptySelection, match="Key column selection"):
        RemoveDuplicateRows(keys=ColumnSelection()).run(Table(FRAME))


@given(st.lists(st.tuples(st.sampled_from([None, 1, 2, 3]), st.sampled_from(["x", "y"]))))
@settings(max_examples=50, deadline=None)
def test_it_does_what_a_loop_would(rows: list[tuple[int | None, str]]) -> None:
    seen: set[tuple[int | None, str]] = set()
    expected = []
    for row in rows:
        if None in row or row not in seen:
            expected.append(row)
        seen.add(row)

    frame = pl.DataFrame(rows, schema={"n": pl.Int64, "w": pl.String}, orient="row")

    assert kept(frame) == expected


def test_the_outline_keeps_the_columns_and_promises_no_rows() -> None:
    schema = Table(FRAME).schema

    outline = RemoveDuplicateRows().outline(dataset=TableOutline(schema, rows=5))

    assert outline == {"results_dataset": TableOutline(schema)}
