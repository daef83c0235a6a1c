from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from modelwright.components.context import Context
from modelwright.components.errors import ColumnTypeError, InvalidParameter, MissingColumn
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.row_expression import (
    SplitExpressionError,
)
from modelwright.components.palette.data_transformation.split_data import (
    RatingColumnsError,
    SplitData,
)
from modelwright.data.schema import Role, Schema
from modelwright.data.table import Table

TEN = pl.DataFrame({"n": range(10)})


def split(frame: pl.DataFrame, **parameters: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    first, second = SplitData(**parameters).run(Table(frame), context=Context())
    return first.frame, second.frame


def by_relation(frame: pl.DataFrame, expression: str) -> list[Any]:
    """The first column of the rows that satisfy the expression."""
    settings = {"mode": "Relative Expression Split", "relational_expression": expression}
    return split(frame, **settings)[0].to_series(0).to_list()


def by_pattern(frame: pl.DataFrame, expression: str) -> list[Any]:
    """The first column of the rows that hold the pattern."""
    settings = {"mode": "Regular Expression Split", "regular_expression": expression}
    return split(frame, **settings)[0].to_series(0).to_list()


@given(
    rows=st.integers(0, 60),
    fraction=st.floats(0, 1),
    randomized=st.booleans(),
    stratified=st.booleans(),
    seed=st.integers(0, 5),
)
@settings(max_examples=60, deadline=None)
def test_the_two_tables_together_are_the_input(
    rows: int, fraction: float, randomized: bool, stratified: bool, seed: int
) -> None:
    frame = pl.DataFrame(
        {"n": range(rows), "key": [i % 3 or None for i in range(rows)]},
        schema={"n": pl.Int64, "key": pl.Int64},
    )

    first, second = split(
        frame,
        fraction=fraction,
        randomized=randomized,
        seed=seed,
        stratified=stratified,
        stratification_column="key" if stratified else "",
    )

    assert_frame_equal(pl.concat([first, second]).sort("n"), frame)
    assert first["n"].is_sorted()
    assert abs(first.height - rows * fraction) <= 0.5 + 1e-6


def test_the_tutorials_193_rows_at_seventy_percent_give_135_and_58() -> None:
    first, second = split(pl.DataFrame({"n": range(193)}), fraction=0.7)

    assert (first.height, second.height) == (135, 58)


def test_without_chance_the_first_rows_go_left() -> None:
    first, second = split(TEN, fraction=0.3, randomized=False)

    assert (first["n"].to_list(), second["n"].to_list()) == ([0, 1, 2], [3, 4, 5, 6, 7, 8, 9])


def test_a_seed_repeats_its_split_and_another_seed_gives_another() -> None:
    frame = pl.DataFrame({"n": range(1000)})

    once, again, other = (split(frame, seed=seed)[0] for seed in (0, 0, 1))

    assert_frame_equal(once, again)
    assert not once.equals(other)


def test_chance_is_even() -> None:
    frame = pl.DataFrame({"n": range(20)})

    drawn = pl.concat([split(frame, fraction=0.25, seed=seed)[0] for seed in range(400)])

    counts = drawn.group_by("n").len()["len"]
    # Each row is drawn 100 times on average, with a standard deviation below 9.
    assert counts.min() > 60  # type: ignore[operator]
    assert counts.max() < 140  # type: ignore[operator]


def test_a_stratified_split_shares_out_each_value_alike() -> None:
    frame = pl.DataFrame({"key": ["a"] * 80 + ["b"] * 20 + [None] * 10})

    first, _ = split(frame, fraction=0.6, stratified=True, stratification_column="key", seed=3)

    assert dict(first.group_by("key").len().rows()) == {"a": 48, "b": 12, None: 6}


def test_values_too_rare_to_share_out_still_make_the_whole_fraction() -> None:
    frame = pl.DataFrame({"key": [f"only {i}" for i in range(10)]})

    first, second = split(frame, fraction=0.5, stratified=True, stratification_column="key")

    assert (first.height, second.height) == (5, 5)


def test_not_a_number_is_one_stratum_with_missing() -> None:
    frame = pl.DataFrame({"key": [float("nan"), None] * 4 + [1.0] * 4})

    first, _ = split(frame, stratified=True, stratification_column="key")

    assert first["key"].eq(1.0).fill_null(value=False).sum() >= 2
    assert first.height == 6


def test_marks_go_with_the_rows() -> None:
    table = Table(pl.DataFrame({"a": [1, 2], "b": [3, 4]})).mark("b", role=Role.LABEL)

    first, second = SplitData().run(table, context=Context())

    assert first.schema == second.schema == table.schema


def test_stratifying_needs_a_column_that_is_there() -> None:
    with pytest.raises(InvalidParameter, match="no column is chosen"):
        split(TEN, stratified=True)
    with pytest.raises(MissingColumn):
        split(TEN, stratified=True, stratification_column="m")


def test_nested_values_are_neither_strata_nor_text() -> None:
    frame = pl.DataFrame({"list": [[1], [2], [1]]})

    with pytest.raises(ColumnTypeError, match='"list"'):
        split(frame, stratified=True, stratification_column="list")
    with pytest.raises(SplitExpressionError, match="no text"):
        by_pattern(frame, r"(\0) 1")


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        (r'\"word" Gryphon', ["Gryphon", "the Gryphon sat"]),
        (r'\"word" ^Gryphon$', ["Gryphon"]),
        (r'\"word" (?i)^gryphon$', ["Gryphon", "gryphon"]),
        (r"(\0) ^[a-g]", ["gryphon"]),
        (r'\"word" (.)\1', ["goose"]),
        (r'\"word" the\sG', ["the Gryphon sat"]),
        (r'\"word" zebra', []),
    ],
)
def test_a_pattern_sends_the_rows_that_hold_it_left(expression: str, rows: list[str]) -> None:
    frame = pl.DataFrame({"word": ["Gryphon", "gryphon", "the Gryphon sat", "goose", None]})
    if expression.startswith(r"(\0)"):
        rows = ["gryphon", "goose"]

    assert by_pattern(frame, expression) == rows


def test_a_pattern_searches_numbers_as_they_are_written() -> None:
    assert by_pattern(pl.DataFrame({"n": [10, 21, 102]}), r"(\0) ^10") == [10, 102]


def test_every_row_that_does_not_hold_the_pattern_goes_right() -> None:
    frame = pl.DataFrame({"word": ["a", None, "b"]})
    parameters = {"mode": "Regular Expression Split", "regular_expression": r'\"word" a'}

    assert split(frame, **parameters)[1]["word"].to_list() == [None, "b"]


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        (r'\"n" > 7', [8, 9]),
        (r'\"n" >= 7', [7, 8, 9]),
        (r"(\0)<=3 & !=2", [0, 1, 3]),
        (r"(\0) < 2 | > 7", [0, 1, 8, 9]),
        (r"(\0) < 2 | > 5 & < 7", [0, 1, 6]),
        (r"(\0) > 5 & < 7 | == 0", [0, 6]),
        (r"(\0) == 4.0", [4]),
        (r"(\0) < 1e0", [0]),
        (r"(\0) > -1 & < 1", [0]),
    ],
)
def test_a_relation_compares_numbers(expression: str, rows: list[int]) -> None:
    assert by_relation(TEN, expression) == rows


def test_a_relation_compares_text_for_equality() -> None:
    frame = pl.DataFrame({"make": ["audi", "alfa romero", None, "bmw"]})

    assert by_relation(frame, r'\"make" == audi') == ["audi"]
    assert by_relation(frame, r'\"make" == "alfa romero" | == bmw') == ["alfa romero", "bmw"]
    assert by_relation(frame, r'\"make" != alfa romero') == ["audi", "bmw"]


def test_a_relation_compares_truth_values() -> None:
    frame = pl.DataFrame({"ok": [True, False, None]})

    assert by_relation(frame, r'\"ok" == true') == [True]
    assert by_relation(frame, r'\"ok" != True') == [False]


@pytest.mark.parametrize("written", ["1/1/2010", "2010-01-01", "2010-01-01 00:00", "01/01/2010"])
def test_a_relation_compares_dates_however_they_are_written(written: str) -> None:
    frame = pl.DataFrame({"d": [datetime(2009, 12, 31), datetime(2010, 1, 2), None]})  # noqa: DTZ001

    assert by_relation(frame, rf'\"d" > {written}') == [datetime(2010, 1, 2)]  # noqa: DTZ001


def test_a_missing_value_satisfies_nothing() -> None:
    frame = pl.DataFrame({"x": [1.0, None, float("nan"), 3.0]})

    for expression, rows in ((r"(\0) != 1", [3.0]), (r"(\0) > 0", [1.0, 3.0])):
        assert by_relation(frame, expression) == rows


def test_a_column_name_may_hold_blanks_and_signs() -> None:
    assert by_relation(pl.DataFrame({"a > b & c": [1, 2]}), r'\"a > b & c" > 1') == [2]


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "does not begin with a column"),
        ("n > 5", "does not begin with a column"),
        (r'\"n"', "a comparison such as"),
        (r'\"n" > ', "a comparison such as"),
        (r'\"n" 5', "a comparison such as"),
        (r'\"n" > 5 &', "a comparison such as"),
        (r'\"n" > 5 & \"n" < 7', "a second time"),
        (r'\"n" > x', "'x' is no number"),
        (r'\"n" > nan', "'nan' is no number"),
        (r"(\7) > 1", "column 7, counted from 0, of 4"),
        (r'\"w" > a', "== and != only"),
        (r'\"ok" == 1', "neither true nor false"),
        (r'\"d" > yesterday', "no date"),
    ],
)
def test_a_relation_that_makes_no_sense_is_refused(expression: str, why: str) -> None:
    frame = pl.DataFrame({"n": [1], "w": ["a"], "ok": [True], "d": [datetime(2010, 1, 1)]})  # noqa: DTZ001

    with pytest.raises(SplitExpressionError) as caught:
        by_relation(frame, expression)

    assert why in str(caught.value)
    assert caught.value.code == "invalid-split-expression"


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("^a", "does not begin with a column"),
        (r'\"w"', "a blank and a pattern"),
        (r'\"w"^a', "a blank and a pattern"),
        (r'\"w" [', "no regular expression"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_refused(expression: str, why: str) -> None:
    with pytest.raises(SplitExpressionError, match=why):
        by_pattern(pl.DataFrame({"w": ["a"]}), expression)


def test_an_expression_about_an_unknown_column_names_the_nearest() -> None:
    with pytest.raises(MissingColumn) as caught:
        by_relation(pl.DataFrame({"Year": [1]}), r'\"Yeer" > 1')

    assert 'Nearest: "Year"' in str(caught.value)


def ratings(users: int, items: int) -> pl.DataFrame:
    pairs = [(f"u{u}", f"i{i}", float(u + i)) for u in range(users) for i in range(items)]
    return pl.DataFrame(pairs, schema=["user", "item", "rating"], orient="row")


def split_ratings(frame: pl.DataFrame, **shares: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    return split(frame, mode="Recommender Split", **shares)


def test_training_only_users_are_not_tested_and_test_users_share_their_ratings() -> None:
    train, test = split_ratings(ratings(10, 8))

    assert (train.height, test.height) == (5 * 8 + 5 * 2, 5 * 6)
    assert test["user"].n_unique() == 5
    assert train["user"].n_unique() == 10
    assert_frame_equal(pl.concat([train, test]).sort("user", "item"), ratings(10, 8))


def test_cold_users_and_items_are_not_trained_on() -> None:
    train, test = split_ratings(ratings(10, 10), cold_users=0.2, cold_items=0.3)

    assert len(set(test["user"]) - set(train["user"])) == 2
    assert len(set(test["item"]) - set(train["item"])) == 3


def test_ignored_users_and_items_are_in_neither_table_and_the_log_says_how_many() -> None:
    said: list[str] = []
    component = SplitData(mode="Recommender Split", ignored_users=0.1, ignored_items=0.5)

    train, test = component.run(Table(ratings(10, 10)), context=Context(log=said.append))

    both = pl.concat([train.frame, test.frame])
    assert (both["user"].n_unique(), both["item"].n_unique()) == (9, 5)
    assert said == ["55 of 100 ratings are in neither table."]


def test_items_that_turn_cold_by_chance_can_be_left_out() -> None:
    frame = pl.DataFrame({"user": [f"u{i}" for i in range(6)], "item": range(6)})
    shares = {"training_only_users": 0.5, "test_ratings_for_training": 0.0}

    assert split_ratings(frame, **shares)[1].height == 3
    assert split_ratings(frame, **shares, drop_cold_items=True)[1].height == 0


def test_ratings_need_two_columns_and_no_missing_user_or_item() -> None:
    with pytest.raises(RatingColumnsError, match="fewer than two columns"):
        split_ratings(TEN)
    with pytest.raises(RatingColumnsError, match='column "i" has 1 missing'):
        split_ratings(pl.DataFrame({"u": [1, 2], "i": [1.0, float("nan")]}))


def test_fractions_of_users_beyond_the_whole_are_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"add up to 1\.2"):
        split_ratings(ratings(2, 2), training_only_users=0.6, cold_users=0.6)


@pytest.mark.parametrize("fraction", [-0.1, 1.1])
def test_a_fraction_outside_zero_to_one_is_refused(fraction: float) -> None:
    with pytest.raises(InvalidParameter) as caught:
        SplitData.parse({"fraction": fraction})

    assert caught.value.fields["parameter"] == "Fraction of rows in the first output dataset"


def outline(columns: Schema, rows: int | None, **parameters: Any) -> list[Any]:
    return list(SplitData(**parameters).outline(dataset=TableOutline(columns, rows=rows)).values())


def test_the_outline_keeps_the_columns_and_counts_the_rows_where_it_can() -> None:
    schema = Table(TEN).schema

    assert outline(schema, 193, fraction=0.7) == [
        TableOutline(schema, rows=135),
        TableOutline(schema, rows=58),
    ]
    relation = {"mode": "Relative Expression Split", "relational_expression": r"(\0) > 1"}
    assert outline(schema, 193, **relation) == [TableOutline(schema), TableOutline(schema)]
    assert list(SplitData().outline(dataset=None).values()) == [None, None]


def test_the_outline_already_finds_what_a_run_would() -> None:
    schema = Table(TEN).schema

    with pytest.raises(MissingColumn):
        outline(schema, None, stratified=True, stratification_column="m")
    with pytest.raises(SplitExpressionError):
        outline(schema, None, mode="Relative Expression Split", relational_expression="x")


def test_settings_of_other_modes_are_left_out() -> None:
    component = SplitData(mode="Regular Expression Split", regular_expression=r"(\0) a")

    assert component.settings() == {
        "mode": "Regular Expression Split",
        "regular_expression": r"(\0) a",
    }
    assert "seed" not in SplitData(randomized=False).settings()
