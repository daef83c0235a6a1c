from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.components.errors import ColumnTypeError, InvalidParameter, MissingColumn
from modelwright.components.outline import TableOutline, outline_of
from modelwright.components.palette.data_transformation.partition_and_sample import (
    NoSuchFold,
    PartitionAndSample,
)
from modelwright.data.folds import FoldedTable
from modelwright.data.schema import Role
from modelwright.data.table import Table

TEN = pl.DataFrame({"n": range(10)})


def taken(frame: pl.DataFrame, **parameters: Any) -> list[Any]:
    return PartitionAndSample(**parameters).run(Table(frame)).frame.to_series(0).to_list()


def folds(frame: pl.DataFrame, **parameters: Any) -> list[list[int]]:
    result = PartitionAndSample(mode="Assign to Folds", **parameters).run(Table(frame))
    assert isinstance(result, FoldedTable)
    assert result.frame.equals(frame)
    return [rows.to_list() for rows in result.folds]


def test_head_gives_the_first_rows_or_all() -> None:
    assert taken(TEN, mode="Head", head_rows=3) == [0, 1, 2]
    assert taken(TEN, mode="Head", head_rows=99) == list(range(10))
    assert taken(TEN, mode="Head", head_rows=0) == []


def test_a_sample_is_a_fraction_of_the_rows_in_their_order() -> None:
    sample = taken(TEN, rate=0.4, sampling_seed=3)

    assert len(sample) == 4
    assert sample == sorted(sample)
    assert sample == taken(TEN, rate=0.4, sampling_seed=3)
    frame = pl.DataFrame({"n": range(1000)})
    assert taken(frame, rate=0.5, sampling_seed=0) != taken(frame, rate=0.5, sampling_seed=1)


def test_a_stratified_sample_takes_the_same_share_of_each_value() -> None:
    frame = pl.DataFrame({"k": ["a"] * 60 + ["b"] * 30 + [None] * 10})

    sample = taken(frame, rate=0.1, sampling_stratified=True, sampling_key="k")

    assert Counter(sample) == {"a": 6, "b": 3, None: 1}


@given(rows=st.integers(0, 40), count=st.integers(1, 6), randomized=st.booleans())
@settings(max_examples=50, deadline=None)
def test_every_row_is_in_one_fold_and_folds_are_even(
    rows: int, count: int, randomized: bool
) -> None:
    frame = pl.DataFrame({"n": range(rows)}, schema={"n": pl.Int64})

    found = folds(frame, folds=count, randomized=randomized)

    assert len(found) == count
    assert sorted(row for fold in found for row in fold) == list(range(rows))
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_rows_are_dealt_in_turn_when_chance_has_no_part() -> None:
    assert folds(TEN, folds=3, randomized=False) == [[0, 3, 6, 9], [1, 4, 7], [2, 5, 8]]


def test_folds_have_the_proportions_and_one_more_takes_the_rest() -> None:
    own = {"method": "Partition with customized proportions", "randomized": False}

    assert folds(TEN, proportions="0.5, .3, .2", **own) == [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9]]
    assert folds(TEN, proportions="0.6", **own) == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]
    assert len(folds(TEN, proportions=".1,.2,.7", **own)) == 3


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("randomized", [True, False])
def test_proportions_are_kept_by_chance_and_within_each_value(
    stratified: bool, randomized: bool
) -> None:
    keys = ["a" if i % 5 else "b" for i in range(100)]
    found = folds(
        pl.DataFrame({"k": keys}),
        method="Partition with customized proportions",
        proportions="0.5, 0.25",
        stratified=stratified,
        key="k" if stratified else "",
        randomized=randomized,
    )

    assert [len(fold) for fold in found] == [50, 25, 25]
    assert sorted(row for fold in found for row in fold) == list(range(100))
    if stratified:
        assert [sum(keys[row] == "b" for row in fold) for fold in found] == [10, 5, 5]


def test_stratified_folds_share_out_each_value_evenly() -> None:
    keys = [True] * 9 + [False] * 30 + [None] * 3

    found = folds(pl.DataFrame({"k": keys}), folds=3, stratified=True, key="k", seed=5)

    assert [Counter(keys[row] for row in fold) for fold in found] == [
        Counter({True: 3, False: 10, None: 1})
    ] * 3


def test_with_replacement_each_fold_is_drawn_from_all_rows() -> None:
    frame = pl.DataFrame({"n": range(200)})

    found = folds(frame, folds=4, replacement=True)

    assert [len(fold) for fold in found] == [50] * 4
    assert all(len(set(fold)) == 50 for fold in found)
    assert len({row for fold in found for row in fold}) < 200
    assert found == folds(frame, folds=4, replacement=True)
    assert found != folds(frame, folds=4, replacement=True, seed=1)


def test_a_fold_and_its_complement_are_picked() -> None:
    component = PartitionAndSample(mode="Assign to Folds", folds=5, randomized=False)
    folded = component.run(Table(TEN).mark("n", role=Role.LABEL))

    fold = PartitionAndSample(mode="Pick Fold", fold=2).run(folded)
    rest = PartitionAndSample(mode="Pick Fold", fold=2, complement=True).run(folded)

    assert fold.frame["n"].to_list() == [1, 6]
    assert rest.frame["n"].to_list() == [0, 2, 3, 4, 5, 7, 8, 9]
    assert fold.schema.columns[0].role is Role.LABEL


def test_a_fold_that_is_not_there_is_an_error() -> None:
    folded = PartitionAndSample(mode="Assign to Folds", folds=3).run(Table(TEN))

    with pytest.raises(NoSuchFold, match="has 3 folds") as caught:
        PartitionAndSample(mode="Pick Fold", fold=4).run(folded)
    assert caught.value.code == "no-such-fold"
    with pytest.raises(NoSuchFold, match="assigns folds"):
        PartitionAndSample(mode="Pick Fold").run(Table(TEN))


def test_a_fold_beyond_those_that_are_assigned_is_found_before_a_run() -> None:
    proportions = {"method": "Partition with customized proportions", "proportions": "0.5, 0.25"}
    assigned = PartitionAndSample.model_validate({"mode": "Assign to Folds", **proportions})
    known = assigned.outline(dataset=TableOutline(Table(TEN).schema, rows=10))["results_dataset"]

    def picked(number: int) -> object:
        component = PartitionAndSample(mode="Pick Fold", fold=number)
        return component.outline(dataset=known)["results_dataset"]

    # The rest of the rows is one more.
    assert picked(3) == TableOutline(Table(TEN).schema)
    with pytest.raises(NoSuchFold, match="has 3 folds"):
        picked(4)
    assert outline_of(assigned.run(Table(TEN))) == known


@pytest.mark.parametrize(
    ("proportions", "why"),
    [("0.5, 0.6", r"add up to 1\.1"), ("0.5, x", "no list"), ("-0.1, 0.5", "between 0 and 1")],
)
def test_proportions_that_make_no_sense_are_refused(proportions: str, why: str) -> None:
    component = PartitionAndSample(
        mode="Assign to Folds",
        method="Partition with customized proportions",
        proportions=proportions,
    )

    with pytest.raises(InvalidParameter, match=why):
        component.run(Table(TEN))
    with pytest.raises(InvalidParameter, match=why):
        component.outline(dataset=TableOutline(Table(TEN).schema))


def test_stratifying_needs_a_column_that_is_there() -> None:
    with pytest.raises(InvalidParameter, match="for sampling"):
        taken(TEN, sampling_stratified=True)
    with pytest.raises(MissingColumn):
        folds(TEN, stratified=True, key="m")
    nested = pl.DataFrame({"list": [[1], [2], [1]]})
    with pytest.raises(ColumnTypeError, match='"list"'):
        folds(nested, stratified=True, key="list")
    with pytest.raises(ColumnTypeError, match='"list"'):
        taken(nested, sampling_stratified=True, sampling_key="list")


@pytest.mark.parametrize(
    ("parameters", "rows"),
    [
        ({"mode": "Head", "head_rows": 3}, 3),
        ({"mode": "Head", "head_rows": 30}, 10),
        ({"rate": 0.25}, 3),
        ({"mode": "Assign to Folds"}, 10),
        ({"mode": "Pick Fold"}, None),
    ],
)
def test_the_outline_counts_the_rows_where_it_can(
    parameters: dict[str, Any], rows: int | None
) -> None:
    schema = Table(TEN).schema

    outline = PartitionAndSample(**parameters).outline(dataset=TableOutline(schema, rows=10))

    folds = 5 if parameters.get("mode") == "Assign to Folds" else None
    assert outline == {"results_dataset": TableOutline(schema, rows=rows, folds=folds)}
