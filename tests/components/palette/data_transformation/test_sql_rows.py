"""Queries over rows that were chosen before they were handed over."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from modelwright.components.palette.data_transformation.sql_engine import run_script
from modelwright.components.palette.data_transformation.sql_rows import LEAST, narrowed

INF, NAN = float("inf"), float("nan")
ROWS = {
    "x": [0.1, 2.5, None, NAN, INF, -INF, -0.0, 2.0, 9.75],
    "n": [1, 2, 3, None, 5, -6, 7, 2**60, 2],
    "t": ["a", "b", None, "", "a", "A", "it's", "a", "a"],
    "Flag": [True, False, None, True, True, False, True, True, True],
}
FRAME = pl.DataFrame(ROWS)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def rows_of(
    connection: duckdb.DuckDBPyConnection, query: str, tables: dict[str, pl.DataFrame]
) -> pl.DataFrame:
    for name, frame in tables.items():
        connection.register(name, frame.with_columns(pl.col(pl.Float64).fill_nan(None)).to_arrow())
    found = pl.from_arrow(connection.sql(query).to_arrow_table())
    assert isinstance(found, pl.DataFrame)
    return found


@pytest.mark.parametrize(
    "query",
    [
        "SELECT x, n FROM t1 WHERE t = 'a'",
        "SELECT * FROM t1 WHERE t = 'it''s'",
        "SELECT x FROM t1 WHERE x > 2",
        "SELECT x FROM t1 WHERE x >= 2.5 AND n < 4",
        "SELECT x FROM t1 WHERE x < 0.1",
        "SELECT x FROM t1 WHERE x <= 0.1 AND t <> 'b'",
        "SELECT x FROM t1 WHERE x = 0",
        "SELECT n FROM t1 WHERE 2 = n",
        "SELECT n FROM t1 WHERE 2 < N AND (t = 'a' OR x > 1)",
        "SELECT count(*) AS many FROM t1 WHERE t = 'b'",
        "SELECT t, sum(x) AS s FROM t1 WHERE n > 2 GROUP BY t HAVING sum(x) > 1 ORDER BY t",
        "SELECT y.x AS z FROM t1 AS y WHERE n = 2 ORDER BY z DESC LIMIT 1",
        "SELECT row_number() OVER () AS r, t FROM t1 WHERE n >= 3",
        "SELECT DISTINCT t FROM T1 WHERE n = 2 ORDER BY ALL",
        "SELECT x, #2 AS second FROM t1 WHERE n > 4",
        "SELECT t1 FROM t1 WHERE n > 4",
        "SELECT COLUMNS('x|n') FROM t1 WHERE t = 'nowhere'",
    ],
)
def test_chosen_rows_give_the_same_result(
    connection: duckdb.DuckDBPyConnection, query: str
) -> None:
    wanted = rows_of(connection, query, {"t1": FRAME})

    shorter, tables = narrowed(connection, query, {"t1": FRAME}, least=0)

    assert tables["t1"].height < FRAME.height
    assert_frame_equal(rows_of(connection, shorter, dict(tables)), wanted)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT x FROM t1",
        "SELECT x FROM t1 WHERE t = 'a' OR n = 2",
        "SELECT x FROM t1 WHERE NOT t = 'b'",
        "SELECT x FROM t1 WHERE x + 1 > 2",
        "SELECT x FROM t1 WHERE n > 1.5",
        "SELECT x FROM t1 WHERE n = '2'",
        "SELECT x FROM t1 WHERE x > 12345678901234567890",
        "SELECT x FROM t1 WHERE x = 0.10000000000000000555",
        "SELECT x FROM t1 WHERE t > 'a'",
        "SELECT x FROM t1 WHERE Flag = true",
        "SELECT -x AS n FROM t1 WHERE n = 2",
        "SELECT a.x FROM t1 AS a JOIN t2 AS b ON a.n = b.n WHERE a.t = 'a'",
        "SELECT x FROM t1 WHERE n = 2 AND x = (SELECT max(x) FROM t1 AS o WHERE o.n = 2)",
        "SELECT x FROM t1 WHERE n = 2 UNION ALL SELECT x FROM t1",
        "WITH t1 AS (SELECT 1.5 AS x, 2 AS n) SELECT x FROM t1 WHERE n = 2",
        "SELECT x FROM t1 WHERE n = 2 USING SAMPLE 3",
        "SELECT x FROM t2 WHERE n < 100",
    ],
)
def test_what_may_mean_something_else_or_spares_nothing_stays_as_it_is(
    connection: duckdb.DuckDBPyConnection, query: str
) -> None:
    tables = {"t1": FRAME, "t2": pl.DataFrame({"x": [0.5], "n": [1]})}

    assert narrowed(connection, query, tables, least=0) == (query, tables)


def test_a_long_table_is_asked_as_a_short_one_is() -> None:
    chance = np.random.default_rng(5)
    frame = pl.DataFrame(
        {"x": chance.normal(size=LEAST), "t": ["a", "b", "c", None] * (LEAST // 4)}
    )

    found = run_script("SELECT x, x * 2 AS two FROM t1 WHERE t = 'b' AND x > 0.5", {"t1": frame})

    wanted = frame.filter((pl.col("t") == "b") & (pl.col("x") > 0.5)).select(
        "x", two=pl.col("x") * 2
    )
    assert_frame_equal(found, wanted)
