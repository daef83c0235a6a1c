from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from modelwright.data.artifact import CorruptArtifact
from modelwright.data.folds import FoldedTable
from modelwright.data.schema import Role
from modelwright.data.store import Store
from modelwright.data.table import Table


def letters() -> FoldedTable:
    plain = Table(pl.DataFrame({"w": list("abcde")})).mark("w", role=Role.LABEL)
    folds = (pl.Series([0, 3]), pl.Series([1]), pl.Series([], dtype=pl.Int64))
    return FoldedTable(plain.frame, plain.schema, folds)


def test_a_fold_has_its_rows_and_the_others_have_the_rest() -> None:
    table = letters()

    assert table.fold(1).frame["w"].to_list() == ["a", "d"]
    assert table.others(1).frame["w"].to_list() == ["b", "c", "e"]
    assert (table.fold(3).rows, table.others(3).rows) == (0, 5)
    assert table.fold(1).schema == table.schema


@pytest.mark.parametrize("number", [0, 4, -1])
def test_a_fold_that_is_not_there_is_an_error(number: int) -> None:
    with pytest.raises(IndexError):
        letters().fold(number)


def test_it_comes_back_from_a_store_with_its_folds(tmp_path: Path) -> None:
    store = Store.open(tmp_path)

    back = store.get(store.put(letters()))

    assert isinstance(back, FoldedTable)
    assert [rows.to_list() for rows in back.folds] == [[0, 3], [1], []]
    assert back.schema == letters().schema
    assert back.frame.equals(letters().frame)
    assert back.summary() == {"rows": 5, "columns": 1, "folds": 3}


def test_rows_that_are_in_one_fold_each_are_remembered_by_its_number(tmp_path: Path) -> None:
    frame = pl.DataFrame({"w": list("abcde")})
    table = FoldedTable.assigned(frame, (), pl.Series([2, 1, 2, 1, 1], dtype=pl.UInt8), 3)
    store = Store.open(tmp_path)

    back = store.get(store.put(table))

    assert isinstance(back, FoldedTable)
    for one in (table, back):
        assert [rows.to_list() for rows in one.folds] == [[1, 3, 4], [0, 2], []]
        assert one.fold(2).frame["w"].to_list() == ["a", "c"]
        assert one.others(2).frame["w"].to_list() == ["b", "d", "e"]
        assert one.summary() == {"rows": 5, "columns": 1, "folds": 3}


def test_a_table_made_of_it_is_plain() -> None:
    table = letters()

    assert type(table.of(table.frame)) is Table


def test_without_its_folds_it_is_corrupt(tmp_path: Path) -> None:
    letters().save(tmp_path)
    (tmp_path / "folds.arrow").unlink()

    with pytest.raises(CorruptArtifact):
        FoldedTable.load(tmp_path)
