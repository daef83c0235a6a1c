from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.components.palette.data_input_and_output.test_import_data import place

from modelwright.components.errors import InvalidParameter
from modelwright.components.palette.data_input_and_output.export_data import ExportData
from modelwright.components.places.connection import Connection
from modelwright.components.places.errors import FolderNotAllowed, TargetExists
from modelwright.data.files.reading import read_table
from modelwright.data.schema import Role
from modelwright.data.table import Table

CARS = Table(pl.DataFrame({"make": ["audi", None], "doors": [2, 4]})).mark("doors", role=Role.LABEL)


def export(folder: Path, path: str, *connections: Connection, **settings: Any) -> None:
    ExportData(path=path, **settings).run(CARS, context=place(folder, *connections))


@pytest.mark.parametrize(
    ("path", "chosen", "read_as"),
    [
        ("out/cars.csv", None, "csv"),
        ("cars.parquet", None, "parquet"),
        ("cars.jsonl", None, "jsonl"),
        ("cars.arrow", None, "arrow"),
        ("cars", None, "csv"),
        ("cars.data", "TSV", "tsv"),
        ("cars.csv", "Parquet", "parquet"),
    ],
)
def test_a_table_comes_back_from_the_file(
    path: str, chosen: str | None, read_as: str, tmp_path: Path
) -> None:
    export(tmp_path, path, **({"file_format": chosen} if chosen else {}))

    from modelwright.data.files.options import ReadOptions

    found = read_table(tmp_path / path, ReadOptions.from_json({"format": read_as}))
    assert_frame_equal(found.frame, CARS.frame)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [Path(path).name]


def test_a_file_that_is_there_stays_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "cars.csv").write_text("old")

    with pytest.raises(TargetExists):
        export(tmp_path, "cars.csv")
    assert (tmp_path / "cars.csv").read_text() == "old"
    export(tmp_path, "cars.csv", if_exists="Overwrite")
    assert (tmp_path / "cars.csv").read_text() == "make,doors\naudi,2\n,4\n"


def test_rows_are_added_to_tables_of_databases_only(tmp_path: Path) -> None:
    connection = Connection.of_url("shop", f"sqlite:///{tmp_path}/shop.db")
    for _ in range(2):
        export(tmp_path, "cars", connection, datastore="shop", if_exists="Append")

    line = sqlite3.connect(tmp_path / "shop.db")
    assert line.execute("SELECT make, doors FROM cars").fetchall() == [("audi", 2), (None, 4)] * 2
    line.close()
    with pytest.raises(InvalidParameter):
        export(tmp_path, "cars.csv", if_exists="Append")


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderNotAllowed):
        export(tmp_path / "own", str(tmp_path / "cars.csv"))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_path_is_known_before_a_run() -> None:
    with pytest.raises(InvalidParameter):
        ExportData().outline()
