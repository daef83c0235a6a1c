from __future__ import annotations

import tracemalloc
from datetime import datetime
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from modelwright.components.errors import (
    ColumnTypeError,
    EmptyTable,
    InvalidParameter,
    MissingColumn,
)
from modelwright.components.learning.errors import InfiniteValues
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.smote import (
    SMOTE,
    MissingValuesError,
    NoNumericFeature,
    NotTwoClasses,
    TooFewOfAClass,
)
from modelwright.data.schema import Role
from modelwright.data.table import Table


def classes(common: int, rare: int) -> Table:
    """A feature from 0 to 1 in the common class, and from 10 to 11 in the rare one."""
    count = common + rare
    frame = pl.DataFrame(
        {
            "x": [i / common if i < common else 10 + (i - common) / rare for i in range(count)],
            "whole": [i % 7 for i in range(count)],
            "word": ["p" if i % 2 else "q" for i in range(count)],
            "ok": [i % 3 == 0 for i in range(count)],
            "day": [datetime(2020, 1, 1 + i % 5) for i in range(count)],  # noqa: DTZ001
            "label": ["no"] * common + ["yes"] * rare,
        }
    )
    return Table(frame).mark("label", role=Role.LABEL)


def grown(table: Table, **parameters: Any) -> pl.DataFrame:
    return SMOTE(**parameters).run(table).frame


@pytest.mark.parametrize(("percentage", "rare"), [(0, 18), (100, 36), (200, 54), (300, 72)])
def test_the_rarer_class_grows_by_the_percentage(percentage: int, rare: int) -> None:
    frame = grown(classes(57, 18), percentage=percentage)

    counts = dict(frame.group_by("label").len().rows())
    assert counts == {"no": 57, "yes": rare}


def test_all_rows_of_the_input_come_first_with_their_marks() -> None:
    table = classes(20, 8)

    result = SMOTE().run(table)

    assert_frame_equal(result.frame.head(28), table.frame)
    assert result.schema == table.schema


def test_new_rows_lie_between_rows_of_their_class() -> None:
    new = grown(classes(20, 8), percentage=500).tail(40)

    assert new["x"].min() >= 10  # type: ignore[operator]
    assert new["x"].max() < 11  # type: ignore[operator]
    assert new["whole"].is_between(0, 6).all()
    assert set(new["word"]) <= {"p", "q"}
    assert new["x"].n_unique() > 30


def test_one_share_holds_for_all_numbers_of_a_row() -> None:
    frame = pl.DataFrame(
        {"x": [0.0, 4.0, 50.0, 60.0, 70.0], "y": [0.0, 8.0, 1.0, 2.0, 3.0], "c": [1, 1, 0, 0, 0]}
    )

    new = grown(Table(frame), label_column="c", neighbors=1, percentage=300).tail(6)

    assert new["y"].to_list() == pytest.approx((new["x"] * 2).to_list())
    assert new["c"].to_list() == [1] * 6


def test_a_new_row_lies_towards_one_of_the_nearest() -> None:
    frame = pl.DataFrame({"x": [0.0, 1.0, 100.0, 101.0] + [50.0] * 5, "c": [1] * 4 + [0] * 5})

    new = grown(Table(frame), label_column="c", neighbors=1, percentage=1000).tail(40)["x"]

    assert (new.is_between(0, 1) | new.is_between(100, 101)).all()


def test_numbers_marked_as_categorical_are_taken_as_they_are() -> None:
    table = classes(20, 8).mark("whole", categorical=True)
    rare = set(table.frame.filter(pl.col("label") == "yes")["whole"])

    assert set(grown(table, percentage=500)["whole"].tail(40)) <= rare


def test_a_seed_repeats_its_rows_and_another_gives_others() -> None:
    table = classes(20, 8)

    assert_frame_equal(grown(table, seed=1), grown(table, seed=1))
    assert not grown(table, seed=1).equals(grown(table, seed=2))


def test_of_equally_frequent_classes_the_later_in_order_grows() -> None:
    frame = grown(classes(8, 8))

    assert dict(frame.group_by("label").len().rows()) == {"no": 8, "yes": 16}


def test_a_label_of_one_or_three_values_is_refused() -> None:
    three = Table(pl.DataFrame({"x": [1.0, 2.0, 3.0], "c": [1, 2, 3]}))

    with pytest.raises(NotTwoClasses, match="3 different"):
        grown(three, label_column="c")
    with pytest.raises(NotTwoClasses, match="1 different"):
        grown(Table(three.frame.head(1)), label_column="c")


@pytest.mark.parametrize("column", ["x", "word", "label"])
def test_a_missing_value_is_refused(column: str) -> None:
    table = classes(20, 8)
    holes = table.of(table.frame.with_columns(pl.col(column).shift(1)))

    with pytest.raises(MissingValuesError) as caught:
        grown(holes)

    assert caught.value.fields["column"] == column


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e200])
def test_a_number_that_no_distance_is_counted_with_is_refused(value: float) -> None:
    table = classes(20, 8)
    where = pl.Series(range(28)) == 25

    with pytest.raises(InfiniteValues, match='"x" on port "samples"'):
        grown(Table(table.frame.with_columns(x=table.frame["x"].set(where, value)), table.schema))
    # The frequent class is not measured.
    common = table.frame["x"].set(pl.Series(range(28)) == 3, value)
    assert len(grown(Table(table.frame.with_columns(x=common), table.schema))) == 36


def test_long_whole_numbers_keep_their_digits() -> None:
    end = 2**63 - 1
    frame = pl.DataFrame(
        {
            "id": [2**60 + 1] * 12,
            "whole": [-(2**63), end] * 6,
            "label": ["no"] * 4 + ["yes"] * 8,
        }
    )

    made = grown(Table(frame).mark("label", role=Role.LABEL), percentage=300, neighbors=3)

    rare = made.filter(pl.col("label") == "no")
    assert rare["id"].unique().to_list() == [2**60 + 1]
    assert rare["whole"].is_between(-(2**63), end).all()
    assert rare["whole"].n_unique() > 2


def test_too_few_rows_for_the_neighbourhood_are_refused() -> None:
    with pytest.raises(TooFewOfAClass, match="6 are needed") as caught:
        grown(classes(20, 5))
    assert caught.value.code == "too-few-rows-of-class"
    assert grown(classes(20, 6)).height == 32
    with pytest.raises(EmptyTable):
        grown(Table(classes(20, 5).frame.clear()), label_column="label")


def test_the_label_is_found_by_its_mark_or_named() -> None:
    unmarked = Table(classes(20, 8).frame)

    with pytest.raises(InvalidParameter, match="no column is chosen"):
        grown(unmarked)
    with pytest.raises(MissingColumn):
        grown(unmarked, label_column="labell")


def test_there_must_be_a_number_among_the_features() -> None:
    table = Table(pl.DataFrame({"w": ["a", "b"], "c": [0, 1]}))

    with pytest.raises(NoNumericFeature):
        SMOTE(label_column="c").outline(samples=TableOutline(table.schema))
    with pytest.raises(ColumnTypeError):
        grown(Table(pl.DataFrame({"x": [1, 2], "l": [[1], [2]], "c": [0, 1]})), label_column="c")


def test_the_percentage_is_a_multiple_of_a_hundred() -> None:
    with pytest.raises(InvalidParameter):
        SMOTE.parse({"percentage": 150})


def test_the_outline_keeps_the_columns() -> None:
    table = classes(20, 8)

    assert SMOTE().outline(samples=TableOutline(table.schema, rows=28)) == {
        "table": TableOutline(table.schema)
    }
    assert SMOTE(percentage=0).outline(samples=TableOutline(table.schema, rows=28)) == {
        "table": TableOutline(table.schema, rows=28)
    }


def test_a_text_of_many_values_is_neither_spread_into_columns_nor_nearer_than_it_is() -> None:
    rare = 6_000
    frame = pl.DataFrame(
        {
            "x": [float(i % 40) for i in range(rare)] + [0.0] * (rare + 1),
            "word": [f"w{i // 2}" for i in range(rare)] + ["common"] * (rare + 1),
            "label": ["yes"] * rare + ["no"] * (rare + 1),
        }
    )
    tracemalloc.start()
    try:
        made = grown(Table(frame).mark("label", role=Role.LABEL), neighbors=1)[2 * rare + 1 :]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Rows of the same number, or the next one with the same word, are nearest; all else is farther.
    assert ((made["x"] - pl.Series([float(i % 40) for i in range(rare)])).abs() <= 1).all()
    assert peak < 0.75 * 8 * rare * (rare // 2)
