from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.errors import MissingExtra
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation import sql_engine
from modelwright.components.palette.data_transformation.apply_sql_transformation import (
    ApplySQLTransformation,
)
from modelwright.components.palette.data_transformation.sql_engine import SqlError
from modelwright.data.expression import DuplicateColumn
from modelwright.data.schema import ColumnType, Role
from modelwright.data.table import Table

CARS = Table(
    pl.DataFrame(
        {"make": ["audi", "bmw", "audi"], "price": [10, 20, None], "num of doors": [2.0, 4.0, 4.0]}
    )
)
MAKERS = Table(pl.DataFrame({"make": ["audi", "volvo"], "land": ["de", "se"]}))


def rows(script: str, *tables: Table, said: list[str] | None = None) -> list[tuple[Any, ...]]:
    log = [] if said is None else said
    component = ApplySQLTransformation(script=script)
    return component.run(*(tables or (CARS,)), context=Context(log=log.append)).frame.rows()


def test_by_default_the_first_table_passes() -> None:
    result = ApplySQLTransformation().run(CARS, context=Context())

    assert result.frame.equals(CARS.frame, null_equal=True)
    assert result.schema == CARS.schema


def test_a_query_groups_and_orders() -> None:
    script = "SELECT make, count(*) AS n, sum(price) AS s FROM t1 GROUP BY make ORDER BY n DESC"

    result = ApplySQLTransformation(script=script).run(CARS, context=Context())

    assert result.frame.rows() == [("audi", 2, 10), ("bmw", 1, 20)]
    assert [c.type for c in result.schema] == [
        ColumnType.STRING,
        ColumnType.INTEGER,
        ColumnType.INTEGER,
    ]


def test_three_tables_are_joined() -> None:
    third = Table(pl.DataFrame({"land": ["de"], "name": ["Germany"]}))
    script = (
        "SELECT t1.make, t3.name FROM t1 LEFT OUTER JOIN t2 ON t1.make = t2.make "
        "LEFT OUTER JOIN t3 ON t2.land = t3.land ORDER BY t1.make, t1.price"
    )

    found = rows(script, CARS, MAKERS, third)

    assert found == [("audi", "Germany"), ("audi", "Germany"), ("bmw", None)]


def test_names_with_blanks_stand_in_brackets_or_quotes() -> None:
    assert rows("SELECT [num of doors] FROM t1 WHERE [price] > 15") == [(4.0,)]
    assert rows('SELECT t1."num of doors" FROM t1 WHERE price > 15') == [(4.0,)]
    assert rows("SELECT '[make]' AS [a b] FROM t1 LIMIT 1 -- [x") == [("[make]",)]
    assert rows("SELECT list_value(7, 8)[1] AS x") == [(7,)]


def test_the_ways_of_sqlite_are_followed() -> None:
    script = (
        "SELECT 5 / 2, total(price), iif(1 = 1, 'y', 'n'), ifnull(NULL, 3), "  # codespell:ignore iif
        "julianday('2020-01-01'), datetime('2020-01-01 12:30'), substr('abc', 2), instr('abc', 'c') "
        "FROM t1"
    )

    assert rows(script) == [
        (2, 30.0, "y", 3, 2458849.5, "2020-01-01 12:30:00", "bc", 3),
    ]


def test_missing_numbers_are_null() -> None:
    table = Table(pl.DataFrame({"x": [1.0, float("nan"), None]}))

    assert rows("SELECT count(*) FROM t1 WHERE x IS NULL", table) == [(2,)]


def test_several_statements_may_make_and_change_tables_and_leave_the_input_alone() -> None:
    said: list[str] = []
    script = (
        "CREATE TABLE dear AS SELECT * FROM t1 WHERE price > 15;\n"
        "UPDATE t1 SET price = 0 WHERE price IS NULL;\n"
        "SELECT 1;\n"
        "SELECT (SELECT count(*) FROM dear) AS n, min(price) AS low FROM t1;"
    )

    assert rows(script, said=said) == [(1, 0)]
    assert CARS.frame["price"].to_list() == [10, 20, None]
    assert said == ["The result is that of the last of 2 SELECT statements."]


def test_every_type_comes_through() -> None:
    table = Table(
        pl.DataFrame(
            {
                "t": [True, None],
                "d": [datetime(2020, 1, 2, 3), None],  # noqa: DTZ001
                "i": [1, None],
                "f": [0.5, None],
                "s": ["ä", None],
            }
        )
    )

    result = ApplySQLTransformation().run(table, context=Context())

    assert result.frame.equals(table.frame, null_equal=True)
    assert result.schema == table.schema


def test_marks_stay_on_columns_of_the_same_name_and_type() -> None:
    table = CARS.mark("price", role=Role.LABEL).mark("make", categorical=True)
    script = "SELECT make, price, CAST(price AS VARCHAR) AS p FROM t1"

    schema = ApplySQLTransformation(script=script).run(table, context=Context()).schema

    assert schema.column("price").role is Role.LABEL
    assert schema.column("make").categorical
    retyped = ApplySQLTransformation(script="SELECT CAST(price AS VARCHAR) AS price FROM t1")
    assert retyped.run(table, context=Context()).schema.columns[0].role is Role.FEATURE


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT heft FROM t1", "heft"),
        ("SELECT * FROM t2", "t2"),
        ("SELECT CAST(make AS INTEGER) FROM t1", "Could not convert"),
        ("CREATE TABLE x AS SELECT 1 AS a", "it holds no SELECT"),
        ("", "it holds no SELECT"),
    ],
)
def test_a_script_that_fails_says_why(script: str, why: str) -> None:
    with pytest.raises(SqlError) as caught:
        rows(script)

    assert why in str(caught.value)
    assert caught.value.code == "sql-failed"


def test_a_column_that_comes_twice_is_an_error() -> None:
    with pytest.raises(DuplicateColumn, match="make"):
        rows("SELECT make, make FROM t1")


def test_a_script_finds_nothing_of_the_scripts_before_it() -> None:
    rows("CREATE TABLE left_behind AS SELECT 1 AS one; SELECT * FROM left_behind")
    rows("CREATE MACRO twice(x) AS 2 * x; SELECT twice(price) AS p FROM t1")
    rows("SELECT t2.price FROM t1, t2", CARS, CARS)
    for script in ("SELECT * FROM left_behind", "SELECT twice(price) FROM t1", "FROM t2"):
        with pytest.raises(SqlError):
            rows(script)


def test_chance_is_not_that_which_a_script_before_it_set() -> None:
    rows("SELECT setseed(0.5) FROM t1")
    drawn = [rows("SELECT random() FROM t1 LIMIT 1") for _ in range(3)]
    assert len({row for one in drawn for row in one}) == 3


def test_files_are_out_of_reach(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")

    for script in (
        f"SELECT * FROM '{secret}'",
        f"SELECT * FROM read_csv('{secret}')",
        f"COPY t1 TO '{tmp_path / 'out.csv'}'; SELECT 1",
        "SET enable_external_access = true; SELECT 1",
    ):
        with pytest.raises(SqlError):
            rows(script)
    assert [p.name for p in tmp_path.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize(
    "script",
    [
        "SELECT * FROM t1 WHERE n % 3 = 0",
        "SELECT m, sum(n) AS n, avg(x) AS x, max(t) AS t FROM t1 GROUP BY m ORDER BY m",
        "SELECT n, t, u FROM t1 JOIN t2 USING (n) ORDER BY n",
        "SELECT * FROM t1 WHERE n < 0",
        "DELETE FROM t1 WHERE n > 9; SELECT count(*) AS c, count(x) AS x FROM t1",
    ],
)
def test_tables_larger_than_memory_give_the_same_rows(
    script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = pl.int_range(100_000, eager=True).alias("n")
    x = n.to_frame().select(pl.when(n % 7 > 0).then(n / 2).otherwise(float("nan")).alias("x"))
    frame = pl.DataFrame({"n": n, "m": n % 1000, "t": "text " + n.cast(pl.String)}).hstack(x)
    tables = (Table(frame), Table(frame.select((n * 2).alias("n"), ("u" + pl.col("t")).alias("u"))))
    expected = ApplySQLTransformation(script=script).run(*tables, context=Context())

    monkeypatch.setattr(sql_engine, "is_large", lambda frame: True)
    found = ApplySQLTransformation(script=script).run(*tables, context=Context())

    assert found.frame.equals(expected.frame)
    assert found.schema == expected.schema


def test_what_is_out_of_reach_stays_so_for_tables_larger_than_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_engine, "is_large", lambda frame: True)
    with pytest.raises(SqlError, match="disabled"):
        rows(f"COPY t1 TO '{tmp_path / 'out.csv'}'; SELECT 1")
    with pytest.raises(DuplicateColumn):
        rows("SELECT t1.make, t2.make FROM t1 JOIN t2 ON t1.make = t2.make", CARS, MAKERS)


def test_a_query_that_has_too_little_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_engine, "is_large", lambda frame: True)
    monkeypatch.setattr(sql_engine, "allowed", lambda: 3 << 20)
    many = Table(pl.DataFrame({"n": range(1_000_000)}))
    with pytest.raises(SqlError, match="needs more memory") as caught:
        rows("SELECT list(n ORDER BY -n) AS l FROM t1", many)
    assert "more memory" in caught.value.remedy


def test_variables_of_the_program_are_out_of_reach() -> None:
    frame = pl.DataFrame({"a": [1]})

    with pytest.raises(SqlError):
        rows("SELECT * FROM frame")
    assert frame.height == 1


def outline(script: str, **known: TableOutline | None) -> TableOutline | None:
    ports: dict[str, Any] = {"t1": None, "t2": None, "t3": None}
    found = ApplySQLTransformation(script=script).outline(**(ports | known))["results_dataset"]
    assert found is None or isinstance(found, TableOutline)
    return found


def test_the_outline_has_the_columns_that_a_run_gives() -> None:
    table = CARS.mark("price", role=Role.LABEL)
    script = "SELECT make, price, sum(price) AS s, [num of doors] > 2 AS big FROM t1 GROUP BY ALL;"

    found = outline(script, t1=TableOutline(table.schema, rows=3))

    result = ApplySQLTransformation(script=script).run(table, context=Context())
    assert found == TableOutline(result.schema)


def test_the_outline_finds_a_query_that_cannot_work_and_waits_for_tables_to_come() -> None:
    known = TableOutline(CARS.schema)

    with pytest.raises(SqlError, match="heft"):
        outline("SELECT heft FROM t1", t1=known)
    assert outline("SELECT * FROM t2", t1=known) is None
    assert outline("SELECT * FROM t1") is None
    assert outline("CREATE TABLE x AS SELECT 1; SELECT * FROM x", t1=known) is None


def test_without_the_database_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(MissingExtra, match=r"modelwright\[learn\]"):
        rows("SELECT * FROM t1")
