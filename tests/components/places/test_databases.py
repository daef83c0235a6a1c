from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import create_engine, make_url, text

from modelwright.components.errors import MissingExtra
from modelwright.components.places import databases
from modelwright.components.places.connection import Connection, Reach
from modelwright.components.places.databases import connect_arguments, read_rows, write_rows
from modelwright.components.places.errors import (
    DatabaseFailed,
    FolderNotAllowed,
    InvalidConnection,
    TargetExists,
)
from modelwright.data.table import Table

SERVER = os.environ.get("MODELWRIGHT_TEST_POSTGRES_URL")


class Base:
    """A database of the test's own."""

    def __init__(self, connection: Connection, reach: Reach, url: str) -> None:
        self.connection, self.reach, self.url = connection, reach, url
        self.is_lite = url.startswith("sqlite")

    def do(self, *statements: str) -> None:
        engine = create_engine(self.url)
        with engine.begin() as line:
            for statement in statements:
                line.execute(text(statement))
        engine.dispose()

    def read(self, query: str) -> Table:
        return read_rows(self.connection, query, self.reach)

    def write(self, name: str, table: Table, **more: Any) -> None:
        chosen = {"if_exists": "Error", **more}
        write_rows(self.connection, name, table, self.reach, **chosen)


@pytest.fixture(params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Base]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/shop.db"
        made = Base(Connection.of_url("shop", url), Reach(folders=(str(tmp_path),)), url)
        made.do("CREATE TABLE first_one (a INTEGER)")
        yield made
        return
    assert SERVER
    schema = "test_" + uuid4().hex
    server = make_url(SERVER).set(drivername="postgresql+psycopg")
    admin = create_engine(server)
    with admin.begin() as line:
        line.execute(text(f"CREATE SCHEMA {schema}"))
    own = server.update_query_dict({"options": f"-csearch_path={schema}"})
    url = own.render_as_string(hide_password=False)
    given = own.set(drivername="postgresql").render_as_string(hide_password=False)
    yield Base(Connection.of_url("shop", given), Reach(), url)
    with admin.begin() as line:
        line.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    admin.dispose()


def cars(count: int = 3) -> Table:
    frame = pl.DataFrame(
        {
            "make": [None if i == 1 else f"größe {i}" for i in range(count)],
            "doors": [None if i == 2 else 2**40 + i for i in range(count)],
            "width": [1.5 * i for i in range(count)],
            "turbo": [i % 2 == 0 for i in range(count)],
            "sold": [datetime(2020, 1, 1 + i % 28, 3) for i in range(count)],  # noqa: DTZ001
        }
    )
    return Table(frame)


def test_a_table_comes_back_as_it_was_written(base: Base) -> None:
    base.write("cars", cars(12_001))

    found = base.read("SELECT * FROM cars ORDER BY width")

    expected = cars(12_001).frame
    if "sqlite" in base.url:
        # SQLite has neither truth values nor times of its own.
        found = Table(
            found.frame.with_columns(
                pl.col("turbo").cast(pl.Boolean),
                pl.col("sold").str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us"),
            )
        )
    assert_frame_equal(found.frame, expected)


def test_a_table_is_read_by_its_name(base: Base) -> None:
    base.do('CREATE TABLE "Order" (id INTEGER, total NUMERIC(10, 2))')
    base.do('INSERT INTO "Order" VALUES (1, 2.50), (2, NULL)')

    found = base.read("Order")

    assert found.frame.to_dict(as_series=False) == {"id": [1, 2], "total": [2.5, None]}


def test_a_query_may_hold_colons_percents_and_repeated_names(base: Base) -> None:
    found = base.read("SELECT 1 AS a, 'x:y %s %(z)s 5%' AS a, 'b' AS b;")

    assert found.frame.to_dicts() == [{"a": 1, "a_1": "x:y %s %(z)s 5%", "b": "b"}]


def test_no_rows_still_have_their_columns(base: Base) -> None:
    base.do("CREATE TABLE empty (a INTEGER, b TEXT)")

    assert base.read("empty").schema.names == ("a", "b")


def test_a_query_changes_nothing(base: Base) -> None:
    base.do("CREATE TABLE kept (a INTEGER)", "INSERT INTO kept VALUES (1)")
    for query in (
        "DELETE FROM kept RETURNING a",
        "DROP TABLE kept",
        "INSERT INTO kept VALUES (2) RETURNING a",
    ):
        with pytest.raises(DatabaseFailed):
            base.read(query)

    assert base.read("kept").rows == 1


def test_a_wrong_query_is_told_with_the_databases_words(base: Base) -> None:
    with pytest.raises(DatabaseFailed) as caught:
        base.read("SELECT nope FROM nowhere")

    assert "nowhere" in caught.value.happened
    assert caught.value.fields["query"] == "SELECT nope FROM nowhere"


def test_what_is_there_stays_unless_asked(base: Base) -> None:
    base.write("cars", cars())
    with pytest.raises(TargetExists):
        base.write("cars", cars())
    base.write("cars", cars(), if_exists="Append")
    assert base.read("cars").rows == 6
    base.write("cars", cars(2), if_exists="Overwrite")
    assert base.read("cars").rows == 2


def test_all_rows_are_written_or_none(base: Base) -> None:
    base.do("CREATE TABLE ids (id INTEGER PRIMARY KEY)", "INSERT INTO ids VALUES (20000)")
    table = Table(pl.DataFrame({"id": list(range(20_001))}))

    with pytest.raises(DatabaseFailed):
        base.write("ids", table, if_exists="Append")
    assert base.read("ids").rows == 1
    with pytest.raises(DatabaseFailed):
        base.write("ids", Table(pl.DataFrame({"id": [1, 1]})), if_exists="Overwrite")
    assert base.read("ids").frame["id"].to_list() == [20_000]


def test_a_new_table_does_not_stay_behind_after_a_failure(base: Base) -> None:
    huge = Table(pl.DataFrame({"a" * 20: [1]})).frame.rename({"a" * 20: "a"})
    broken = Table(huge.with_columns(pl.lit("x\0y").alias("b")))
    if "sqlite" in base.url:
        pytest.skip("SQLite takes any text")

    with pytest.raises(DatabaseFailed):
        base.write("fresh", broken)
    with pytest.raises(DatabaseFailed, match="fresh"):
        base.read("fresh")


def test_a_column_that_the_table_lacks_is_named(base: Base) -> None:
    base.do("CREATE TABLE cars (make TEXT)")

    with pytest.raises(DatabaseFailed, match='no column "doors", "width"'):
        base.write("cars", cars(), if_exists="Append")


def test_the_target_is_a_name(base: Base) -> None:
    for name in ("", "a b", "x; DROP TABLE y", "a.b.c"):
        with pytest.raises(InvalidConnection):
            base.write(name, cars())


def test_values_that_tables_do_not_hold_become_text(base: Base) -> None:
    if "sqlite" in base.url:
        base.do("CREATE TABLE odd (a)", "INSERT INTO odd VALUES (1), ('x'), (x'00ff')")
        assert base.read("odd").frame["a"].to_list() == ["1", "x", "00ff"]
        return
    found = base.read(
        """SELECT '{"a": [1]}'::json AS document, ARRAY[1, 2] AS list,
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS id, '1 day'::interval AS span,
        DATE '2020-02-03' AS day, 12345678901234567890::numeric AS large"""
    )
    assert found.frame.to_dicts() == [
        {
            "document": '{"a": [1]}',
            "list": "[1, 2]",
            "id": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "span": "1 day, 0:00:00",
            "day": datetime(2020, 2, 3),  # noqa: DTZ001
            "large": 12345678901234567890.0,
        }
    ]


def test_parts_of_several_types_are_one_column(base: Base) -> None:
    base.do("CREATE TABLE long (n INTEGER, a TEXT)")
    rows = pl.DataFrame({"n": list(range(50_002)), "a": [None] * 50_001 + ["x"]})
    base.write("long", Table(rows), if_exists="Append")

    found = base.read("SELECT a FROM long ORDER BY n")

    assert found.frame["a"].null_count() == 50_001
    assert found.frame["a"][-1] == "x"


def test_a_file_of_sqlite_lies_in_an_allowed_folder(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "other.db").close()
    connection = Connection.of_url("shop", f"sqlite:///{tmp_path}/other.db")

    with pytest.raises(FolderNotAllowed):
        read_rows(connection, "SELECT 1", Reach(folders=(str(tmp_path / "own"),)))
    with pytest.raises(InvalidConnection):
        read_rows(Connection.of_url("m", "sqlite://"), "SELECT 1", Reach())
    own = Connection.of_url("shop", f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(InvalidConnection, match="no file"):
        read_rows(own, "SELECT 1", Reach(folders=(str(tmp_path),)))


def test_a_query_of_sqlite_opens_no_other_file(tmp_path: Path) -> None:
    reach = Reach(folders=(str(tmp_path / "own"),))
    (tmp_path / "own").mkdir()
    sqlite3.connect(tmp_path / "own" / "shop.db").close()
    connection = Connection.of_url("shop", f"sqlite:///{tmp_path}/own/shop.db")

    for query in (f"ATTACH '{tmp_path}/other.db' AS o", "PRAGMA query_only = 0"):
        with pytest.raises(DatabaseFailed):
            read_rows(connection, query, reach)


def test_a_database_that_does_not_answer_is_told_of() -> None:
    connection = Connection.of_url("far", "postgresql://me:pw@127.0.0.1:1/x")

    with pytest.raises(DatabaseFailed) as caught:
        read_rows(connection, "SELECT 1", Reach())

    assert "pw" not in str(caught.value)
    assert "refused" in caught.value.happened


def test_a_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(MissingExtra, match=r"MySQLdb|mysqlclient") as caught:
        read_rows(Connection.of_url("m", "mysql://h/x"), "SELECT 1", Reach())
    # There is no extra of that name.
    assert "modelwright[" not in str(caught.value)


def test_a_column_of_another_type_is_refused_whatever_the_database_would_do(base: Base) -> None:
    base.do("CREATE TABLE kept (n INTEGER, day DATE, price NUMERIC(9, 2), t TEXT, b BOOLEAN)")
    moment = datetime(2026, 1, 1, 13, 5)  # noqa: DTZ001
    for name, values in [
        ("n", [1.7]),
        ("n", ["x"]),
        ("day", [moment]),
        ("day", [20260101]),
        ("price", [moment]),
        ("price", ["1"]),
        ("t", [12]),
        ("b", [0.5]),
    ]:
        with pytest.raises(DatabaseFailed, match=f'column "{name}" .* the data have'):
            base.write("kept", Table(pl.DataFrame({name: values})), if_exists="Append")
    assert base.read("SELECT n FROM kept").rows == 0

    midnight = moment.replace(hour=0, minute=0)
    fitting = {"n": [1], "day": [midnight], "price": [2], "t": [None], "b": [True]}
    base.write("kept", Table(pl.DataFrame(fitting)), if_exists="Append")
    assert base.read("SELECT n, price FROM kept").frame.rows() == [(1, 2)]


def test_times_with_a_zone_keep_their_moment(base: Base) -> None:
    moment = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    base.write("times", Table(pl.DataFrame({"at": [moment, None]})))

    found = base.read("times").frame["at"].to_list()

    assert found == (["2026-01-01 10:00:00.000000", None] if base.is_lite else [moment, None])


def test_a_value_that_is_no_number_stays_so_where_the_database_has_it(base: Base) -> None:
    base.write("odd", Table(pl.DataFrame({"n": [float("nan"), None, float("inf")]})))

    found = base.read("odd").frame["n"]

    assert found.is_null().to_list() == [base.is_lite, True, False]
    assert found.is_nan().to_list() == [None if base.is_lite else True, None, False]


def test_spans_and_times_of_day_are_written_as_text(base: Base) -> None:
    base.write("spans", Table(pl.DataFrame({"s": [timedelta(hours=1)], "t": [time(12, 30)]})))

    assert base.read("spans").frame.rows() == [("1:00:00", "12:30:00")]


def test_columns_without_a_value_have_the_types_that_the_server_tells(base: Base) -> None:
    if base.is_lite:
        pytest.skip("SQLite knows the types of values, not those of columns")
    base.do("CREATE TABLE kinds (i INT, d NUMERIC, b BOOLEAN, t TEXT, at TIMESTAMP, day DATE)")
    kinds = [pl.Int64, pl.Float64, pl.Boolean, pl.String, pl.Datetime("us"), pl.Datetime("us")]

    assert base.read("kinds").frame.dtypes == kinds
    base.do("INSERT INTO kinds VALUES (NULL, NULL, NULL, NULL, NULL, NULL)")
    assert base.read("kinds").frame.dtypes == kinds


def test_a_name_that_the_server_would_cut_is_refused(base: Base) -> None:
    if base.is_lite:
        pytest.skip("SQLite takes names of any length")
    for table, column in (("t" * 64, "a"), ("long", "a" * 64), ("long", "ü" * 32)):
        with pytest.raises(DatabaseFailed, match="longer than the 63 bytes"):
            base.write(table, Table(pl.DataFrame({column: [1]})))
    base.write("t" * 63, Table(pl.DataFrame({"a" * 63: [1]})))


def test_two_exports_at_once_leave_the_rows_of_one(base: Base) -> None:
    base.write("cars", cars())
    with ThreadPoolExecutor(2) as both:
        for number in range(3):
            count = 6_000 + number
            for done in [
                both.submit(base.write, "cars", cars(count), if_exists="Overwrite")
                for _ in range(2)
            ]:
                done.result()
            assert base.read("cars").rows == count


def test_of_two_exports_to_a_new_table_one_is_told_that_it_is_there(base: Base) -> None:
    with ThreadPoolExecutor(2) as both:
        ends = [both.submit(base.write, "cars", cars(6_000)) for _ in range(2)]
        faults = [end.exception() for end in ends]

    assert [type(f) for f in faults if f] == [TargetExists]
    assert base.read("cars").rows == 6_000


def test_a_port_that_is_no_number_is_told_of() -> None:
    with pytest.raises(InvalidConnection, match="cannot be read"):
        read_rows(Connection.of_url("m", "postgresql://h:abc/x"), "SELECT 1", Reach())


@pytest.mark.parametrize("write", [False, True])
def test_a_query_of_duckdb_opens_no_other_file(write: bool, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    (tmp_path / "other.csv").write_text("a\n1\n")
    duckdb.connect(tmp_path / "shop.db").close()
    line = duckdb.connect(tmp_path / "shop.db", **connect_arguments("duckdb", write=write))

    for query in (
        f"SELECT * FROM '{tmp_path}/other.csv'",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/more.db'",
        "SET enable_external_access = true",
        *(() if write else ("CREATE TABLE t (a INTEGER)",)),
    ):
        with pytest.raises(duckdb.Error):
            line.execute(query)
    line.close()


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_CONNECT_S", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(DatabaseFailed, match="timeout"):
            read_rows(Connection.of_url("far", url), "SELECT 1", Reach())


def test_a_table_may_have_a_name_of_any_letters(base: Base) -> None:
    base.write("Öl_1", cars())

    assert base.read("Öl_1").rows == 3
