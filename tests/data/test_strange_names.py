"""Columns whose names look like patterns go through every file and back."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from modelwright.data.files.options import FORMATS, Format
from modelwright.data.files.reading import read_table
from modelwright.data.files.writing import write_table
from modelwright.data.table import Table


def strange(rows: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "^.*$": range(rows),
            "*": [("a", None, "b")[i % 3] for i in range(rows)],
            "^t$": [f"text {i}" for i in range(rows)],
            "a*": [i % 2 == 0 for i in range(rows)],
        },
        schema={"^.*$": pl.Int64, "*": pl.String, "^t$": pl.String, "a*": pl.Boolean},
    )


@pytest.mark.parametrize("chosen", FORMATS)
@pytest.mark.parametrize("rows", [3, 20_001])
def test_a_file_brings_them_back(chosen: Format, rows: int, tmp_path: Path) -> None:
    path = tmp_path / f"cars.{chosen}"

    write_table(Table(strange(rows)), path)

    assert_frame_equal(read_table(path).frame, strange(rows))


@pytest.mark.parametrize("rows", [0, 3, 20_001])
def test_the_store_brings_them_back(rows: int, tmp_path: Path) -> None:
    Table(strange(rows)).save(tmp_path)

    assert_frame_equal(Table.load(tmp_path).frame, strange(rows))


def test_their_types_are_brought_to_those_of_tables() -> None:
    frame = pl.DataFrame({"*": [1, 2], "^.*$": [3, 4]}, schema={"*": pl.Int8, "^.*$": pl.Float32})

    assert list(Table(frame).frame.dtypes) == [pl.Int64, pl.Float64]
