from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydantic import ValidationError
from tests.components.places.test_web import content, served

from modelwright.components.context import Context
from modelwright.components.errors import InvalidParameter
from modelwright.components.palette.data_input_and_output.import_data import ImportData
from modelwright.components.places.connection import CONNECTION, REACH, Connection, Reach
from modelwright.components.places.errors import ColumnsDiffer, NothingThere, UnknownConnection
from modelwright.data.files.errors import UnreadableFile
from modelwright.data.files.writing import write_table
from modelwright.data.schema import ColumnType, MissingColumn, Role
from modelwright.data.table import Table


def place(folder: Path, *connections: Connection, hosts: tuple[str, ...] = ()) -> Context:
    """A place where a step may use one folder, and knows some connections."""
    answers = {CONNECTION + c.name: json.dumps(c.to_json()) for c in connections}
    answers[REACH] = json.dumps(Reach((str(folder),), hosts).to_json())
    return Context(secret=answers.get, scratch=folder)


def imported(folder: Path, path: str, **settings: Any) -> Table:
    return ImportData(data_source="Datastore", path=path, **settings).run(context=place(folder))


def test_a_file_on_the_web_is_imported(tmp_path: Path) -> None:
    with served(cars__csv=content(b"make,doors\naudi,2\nbmw,\n")) as web:
        table = ImportData(url=f"{web.address}/cars.csv").run(
            context=place(tmp_path, hosts=("127.0.0.1",))
        )

    assert table.frame.to_dicts() == [{"make": "audi", "doors": 2}, {"make": "bmw", "doors": None}]


def test_parsing_options_say_how_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "cars.txt").write_bytes("größe;1,5\nklein;2,5\n".encode("latin-1"))
    options = {"separator": ";", "decimal": ",", "header": False, "encoding": "latin-1"}

    table = imported(tmp_path, "cars.txt", options=options)

    assert table.frame.to_dict(as_series=False) == {
        "col1": ["größe", "klein"],
        "col2": [1.5, 2.5],
    }


def test_an_unknown_option_is_refused_when_it_is_set() -> None:
    with pytest.raises(ValidationError, match="delimiter"):
        ImportData(options={"delimiter": ";"})


def test_only_chosen_columns_are_kept(tmp_path: Path) -> None:
    (tmp_path / "cars.csv").write_text("a,b,c\n1,2,3\n")

    assert imported(tmp_path, "cars.csv", columns=("c", "a")).schema.names == ("a", "c")
    headless = {"header": False}
    chosen = imported(tmp_path, "cars.csv", columns=("col2", "col1"), options=headless)
    assert chosen.schema.names == ("col1", "col2")
    with pytest.raises(MissingColumn):
        imported(tmp_path, "cars.csv", columns=("d",))


def test_the_rows_of_several_files_follow_each_other(tmp_path: Path) -> None:
    for name, row in (("b", "2,y"), ("a", "1,x"), ("c", "2.5,7")):
        (tmp_path / f"{name}.csv").write_text(f"n,t\n{row}\n")

    table = imported(tmp_path, "*.csv")

    assert table.frame.to_dict(as_series=False) == {"n": [1.0, 2.0, 2.5], "t": ["x", "y", "7"]}


def test_text_that_reads_as_a_number_in_one_file_is_kept_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("code\n007\n")
    (tmp_path / "b.csv").write_text("code\nx\n")

    assert imported(tmp_path, "*.csv").frame["code"].to_list() == ["007", "x"]


@pytest.mark.parametrize(
    ("second", "difference"),
    [
        ("a,b,c\n1,2,3\n", 'it also has "c"'),
        ("a\n1\n", 'it lacks "b"'),
        ("b,a\n1,2\n", "another order"),
    ],
)
def test_files_with_other_columns_are_refused(second: str, difference: str, tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_text(second)

    with pytest.raises(ColumnsDiffer, match=difference):
        imported(tmp_path, "*.csv")


def test_a_parquet_folder_keeps_types_and_marks(tmp_path: Path) -> None:
    frames = [pl.DataFrame({"x": [1], "y*": ["a"]}), pl.DataFrame({"x": [2.5], "y*": ["b"]})]
    for number, frame in enumerate(frames):
        write_table(
            Table(frame).mark("x", role=Role.LABEL), tmp_path / f"{number}.parquet", "parquet"
        )

    table = imported(tmp_path, "**")

    assert table.frame.to_dict(as_series=False) == {"x": [1.0, 2.5], "y*": ["a", "b"]}
    label = table.label()
    assert label is not None
    assert (label.name, label.type) == ("x", ColumnType.DOUBLE)


@pytest.mark.parametrize(
    "files",
    [
        {"1.csv": "n\n\n", "2.csv": "n\n7\n", "3.csv": "n\n"},
        {"1.jsonl": '{"n": null}\n', "2.jsonl": '{"n": 7}\n'},
    ],
)
def test_a_file_without_values_in_a_column_says_nothing_of_its_type(
    files: dict[str, str], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    found = imported(tmp_path, "*").frame["n"].drop_nulls()

    assert found.dtype == pl.Int64
    assert found.to_list() == [7]


def test_parquet_of_the_type_null_goes_with_any(tmp_path: Path) -> None:
    for number, values in enumerate(([None], [7], [0.5])):
        pl.DataFrame({"n": values}).write_parquet(tmp_path / f"{number}.parquet")

    assert imported(tmp_path, "**").frame["n"].to_list() == [None, 7.0, 0.5]


def test_values_of_parquet_that_do_not_go_into_one_column_are_refused(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for name, one, two in (("zone", moment, moment.replace(tzinfo=None)), ("kind", [1], {"a": 1})):
        (tmp_path / name).mkdir()
        for number, value in enumerate((one, two)):
            pl.DataFrame({"x": [value]}).write_parquet(tmp_path / name / f"{number}.parquet")
        with pytest.raises(ColumnsDiffer, match='its column "x" is'):
            imported(tmp_path, f"{name}/**")


def test_a_page_that_is_damaged_is_told_with_its_file(tmp_path: Path) -> None:
    pl.DataFrame({"x": range(1000)}).write_parquet(tmp_path / "1.parquet")
    content = bytearray((tmp_path / "1.parquet").read_bytes())
    content[4:60] = b"\xff" * 56
    (tmp_path / "2.parquet").write_bytes(content)

    with pytest.raises(UnreadableFile, match=r"2\.parquet"):
        imported(tmp_path, "**")


def test_parquet_files_of_other_types_are_refused(tmp_path: Path) -> None:
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"x": ["a"]}).write_parquet(tmp_path / "2.parquet")

    with pytest.raises(ColumnsDiffer, match='"x" is String, not Integer'):
        imported(tmp_path, "**")


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "1.parquet")
    (tmp_path / "2.parquet").write_bytes((tmp_path / "1.parquet").read_bytes()[:-40])

    with pytest.raises(UnreadableFile, match=r"2\.parquet"):
        imported(tmp_path, "**")


def test_a_large_parquet_folder_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelwright.components.places.tables._SMALL", 1)
    frame = pl.DataFrame({"x": range(200_000), "t": ["größe", None] * 100_000})
    frame.head(150_000).write_parquet(tmp_path / "a.parquet")
    frame.tail(50_000).write_parquet(tmp_path / "b.parquet")

    table = imported(tmp_path, "**", columns=("t", "x"))

    assert_frame_equal(table.frame, frame)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


def test_a_database_gives_what_its_query_asks(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as line:
        line.execute("CREATE TABLE cars (make TEXT, doors INTEGER)")
        line.execute("INSERT INTO cars VALUES ('audi', 2), ('bmw', 4)")
    line.close()
    connection = Connection.of_url("shop", f"sqlite:///{tmp_path}/shop.db")
    query = "SELECT doors, make FROM cars WHERE doors > 2"

    chosen: list[dict[str, Any]] = [{"query": query}, {"path": "cars", "columns": ("doors",)}]
    for settings in chosen:
        table = ImportData(
            data_source="Datastore",
            datastore="shop",
            **settings,
        ).run(context=place(tmp_path, connection))

        assert table.frame["doors"].to_list()[-1] == 4
    with pytest.raises(InvalidParameter, match="Database query"):
        ImportData(data_source="Datastore", datastore="shop").run(
            context=place(tmp_path, connection)
        )


def test_what_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(UnknownConnection):
        imported(tmp_path, "x", datastore="shop")
    with pytest.raises(NothingThere):
        imported(tmp_path, "none.csv")


def test_an_empty_place_is_known_before_a_run() -> None:
    for component in (ImportData(), ImportData(data_source="Datastore")):
        with pytest.raises(InvalidParameter):
            component.outline()
    assert ImportData(url="http://example.org/x").outline() == {"dataset": None}


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("small", [0, 1 << 20])
def test_folders_that_tell_a_column_are_one(
    tmp_path: Path, ending: Literal["parquet", "csv"], small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelwright.components.places.tables._SMALL", small)
    for year, land, n in (("2025", "a%20b", 1), ("2026", "07", 2)):
        folder = tmp_path / "sold=1" / f"year={year}" / f"land={land}" / "plain"
        folder.mkdir(parents=True)
        table = Table(pl.DataFrame({"n": [n, n], "t": ["x", "y"]}))
        write_table(table, folder / f"part.{ending}", ending)
    lost = tmp_path / "sold=1" / "year=2026" / "land=__HIVE_DEFAULT_PARTITION__"
    lost.mkdir()
    write_table(Table(pl.DataFrame({"n": [3], "t": ["z"]})), lost / f"part.{ending}", ending)

    # What lies above the folder that is asked for is not of its rows.
    found = imported(tmp_path, "sold=1/**")

    assert found.frame.to_dict(as_series=False) == {
        "n": [1, 1, 2, 2, 3],
        "t": ["x", "y", "x", "y", "z"],
        "year": [2025, 2025, 2026, 2026, 2026],
        "land": ["a b", "a b", "07", "07", None],
    }
    assert imported(tmp_path, "sold=1").frame.equals(found.frame)
    chosen = imported(tmp_path, "sold=1/**", columns=("year", "t"))
    assert chosen.schema.names == ("t", "year")
    alone = imported(tmp_path, "sold=1/**", columns=("year",))
    assert alone.frame["year"].to_list() == [2025, 2025, 2026, 2026, 2026]


def test_a_column_of_the_files_is_not_told_by_folders(tmp_path: Path) -> None:
    folder = tmp_path / "year=2026"
    folder.mkdir()
    (folder / "a.csv").write_text("year,n\n1999,1\n")

    assert imported(tmp_path, "**").frame.to_dicts() == [{"year": 1999, "n": 1}]


def test_rows_without_a_header_are_numbered_before_what_folders_tell(tmp_path: Path) -> None:
    folder = tmp_path / "year=2026"
    folder.mkdir()
    (folder / "a.csv").write_text("5,1\n")

    found = imported(tmp_path, "**", options={"header": False})
    assert found.frame.to_dicts() == [{"col1": 5, "col2": 1, "year": 2026}]
