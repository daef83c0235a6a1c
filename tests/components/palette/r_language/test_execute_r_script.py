from __future__ import annotations

import os
import shutil
import time
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from modelwright.components.context import Context
from modelwright.components.outline import TableOutline
from modelwright.components.palette.r_language.execute_r_script import ExecuteRScript, Results
from modelwright.data.file_bundle import FileBundle
from modelwright.data.schema import ColumnType, Role
from modelwright.data.scripting.errors import (
    ScriptEnded,
    ScriptError,
    ScriptOutOfMemory,
    ScriptTimedOut,
)
from modelwright.data.scripting.r_process import MissingR
from modelwright.data.table import Table

needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")

CARS = Table(pl.DataFrame({"make": ["audi", "bmw"], "price": [10, 20]}))


def script(*lines: str, before: str = "") -> str:
    """A script whose azureml_main has these lines; the first of them is line 2."""
    return before + "\n".join(["azureml_main <- function(dataframe1, dataframe2) {", *lines, "}"])


def run(source: str, *tables: Table | None, bundle: FileBundle | None = None) -> Results:
    given = dict(zip(("dataset1", "dataset2"), tables, strict=False))
    return ExecuteRScript(script=source).run(**given, script_bundle=bundle, context=Context())


@needs_r
def test_a_list_of_two_frames_is_the_two_results() -> None:
    source = script(
        "dataframe1$double <- dataframe1$price * 2",
        "list(dataset1=dataframe1, dataset2=dataframe2)",
    )

    first, second, plots = run(source, CARS, Table(pl.DataFrame({"x": [1.5]})))

    assert first.frame.to_dict(as_series=False) == {
        "make": ["audi", "bmw"],
        "price": [10, 20],
        "double": [20.0, 40.0],
    }
    assert second is not None
    assert second.frame["x"].to_list() == [1.5]
    assert plots is None


@needs_r
def test_a_bare_frame_does_as_well_and_a_port_without_a_wire_gives_null() -> None:
    source = script("stopifnot(is.null(dataframe2))", "dataframe1")

    first, second, _ = run(source, CARS)

    assert first.frame.equals(CARS.frame)
    assert second is None


@needs_r
def test_every_type_comes_back_as_it_went_with_missing_values() -> None:
    frame = pl.DataFrame(
        {
            "text": ['größe "x",\n\t', None, ""],
            "kind": ["a", None, "b"],
            "whole": [1, None, -(2**31) + 1],
            "large": [2**53, None, -5],
            "part": [1.5, None, float("nan")],
            "end": [float("inf"), -0.1, float("-inf")],
            "truth": [True, None, False],
            "day": [datetime(2020, 1, 2, 3, 4, 5, 678901), None, datetime(1950, 1, 1)],  # noqa: DTZ001
            "^.*$": [None, None, None],
        },
        schema_overrides={"^.*$": pl.String},
    )
    table = Table(frame).mark("kind", categorical=True).mark("part", role=Role.LABEL)

    first = run(script("dataframe1"), table).result_dataset1

    assert_frame_equal(first.frame, frame)
    assert first.schema == table.schema


@needs_r
def test_r_sees_the_types_it_knows() -> None:
    table = Table(
        pl.DataFrame(
            {
                "t": ["a"],
                "c": ["b"],
                "i": [1],
                "l": [2**40],
                "d": [0.5],
                "b": [True],
                "m": [datetime(2020, 1, 2)],  # noqa: DTZ001
            }
        )
    ).mark("c", categorical=True)
    source = script("data.frame(x = sapply(dataframe1, function(c) class(c)[1]))")

    found = run(source, table).result_dataset1.frame["x"].to_list()

    assert found == ["character", "factor", "integer", "numeric", "numeric", "logical", "POSIXct"]


@needs_r
def test_a_moment_is_the_same_however_r_holds_it() -> None:
    source = script(
        'berlin <- data.frame(x = as.POSIXct("2020-06-01 12:00:00", tz = "Europe/Berlin"))',
        "berlin$y <- as.POSIXlt(berlin$x)",
        'berlin$z <- strptime("2020-06-01 10:00:00", "%Y-%m-%d %H:%M:%S")',
        "list(dataset1 = berlin)",
    )

    found = run(source, CARS).result_dataset1.frame.row(0)

    assert found == (datetime(2020, 6, 1, 10),) * 3  # noqa: DTZ001


@needs_r
def test_a_table_without_rows_passes() -> None:
    table = Table(pl.DataFrame(schema={"a": pl.Int64, "b": pl.String, "c": pl.Float64}))

    first = run(script("dataframe1"), table).result_dataset1

    assert (first.rows, first.schema.names) == (0, ("a", "b", "c"))


@needs_r
def test_prints_go_to_the_log_and_plots_become_images() -> None:
    said: list[str] = []
    source = script(
        "plot(1:3)", "hist(dataframe1$price)", 'cat("half")', "message('both')", "dataframe1"
    )

    result = ExecuteRScript(script=source).run(CARS, context=Context(log=said.append))

    assert said == ["halfboth"]
    assert result.plots is not None
    assert list(result.plots.files) == ["plot-01.png", "plot-02.png"]
    assert all(c.startswith(b"\x89PNG") for c in result.plots.files.values())


@needs_r
def test_a_seed_makes_chance_the_same_again() -> None:
    source = script("data.frame(x=runif(3))")

    found = [
        ExecuteRScript(script=source, random_seed=seed)
        .run(context=Context())
        .result_dataset1.frame["x"]
        .to_list()
        for seed in (7, 7, 8)
    ]

    assert found[0] == found[1] != found[2]


@needs_r
def test_bundled_files_can_be_sourced_and_read(tmp_path: Path) -> None:
    bundle = FileBundle({"pricing.R": b"FACTOR <- 3\n", "data/extra.txt": b"7\n"})
    source = script(
        "extra <- scan('Script Bundle/data/extra.txt', quiet=TRUE)",
        "dataframe1$price <- dataframe1$price * FACTOR + extra",
        "dataframe1",
        before="source('./Script Bundle/pricing.R')\n",
    )
    component = ExecuteRScript(script=source)

    first = component.run(CARS, script_bundle=bundle, context=Context(scratch=tmp_path))[0]

    assert first.frame["price"].to_list() == [37, 67]
    assert list(tmp_path.iterdir()) == []


@needs_r
@pytest.mark.parametrize(
    ("source", "line", "why"),
    [
        ("x <- (\n", 2, "unexpected end of input"),
        ("x <- 1\n)\n", 2, "unexpected ')'"),
        ("x <- 1\n", None, 'defines no function "azureml_main"'),
        ("x <- 1\nstop('at the top')\n", 2, "at the top"),
        (script("y <- 1", "stop('no such luck')"), 3, "no such luck"),
        (
            script("sapply(1:2, function(i) {", "dataframe1[[99]]", "})"),
            3,
            "subscript out of bounds",
        ),
        ("azureml_main <- function(a) a\n", None, "unused argument"),
        (script("5"), None, "no list with the element dataset1"),
        (script("list(dataset2=dataframe1)"), None, "no list with the element dataset1"),
        (script("list(dataset1=5)"), None, "dataset1 is of class numeric, not a data frame"),
        (script("data.frame(x=as.raw(1))"), None, 'column "x" of class raw'),
        (script("data.frame(a=1, a=2, check.names=FALSE)"), None, 'two columns called "a"'),
    ],
)
def test_a_script_that_does_not_work_says_why(source: str, line: int | None, why: str) -> None:
    with pytest.raises(ScriptError) as caught:
        run(source, CARS)

    assert why in str(caught.value)
    assert caught.value.fields["line"] == line


@needs_r
def test_a_script_has_its_limits() -> None:
    started = time.monotonic()
    with pytest.raises(ScriptTimedOut):
        ExecuteRScript(script=script("Sys.sleep(60)"), time_limit=3).run(CARS, context=Context())
    with pytest.raises(ScriptTimedOut):
        ExecuteRScript(script="repeat {}", time_limit=1).run(CARS, context=Context())
    with pytest.raises(ScriptOutOfMemory, match="Line 2"):
        ExecuteRScript(script=script("x <- numeric(2e8)", "dataframe1"), memory_limit=0.5).run(
            CARS, context=Context()
        )
    with pytest.raises(ScriptEnded):
        run(script("quit(status = 3)"), CARS)
    assert time.monotonic() - started < 40


@needs_r
def test_an_endpoint_runs_the_top_once_and_the_function_for_each_request() -> None:
    source = script(
        "calls <<- calls + 1L",
        "if (dataframe1$make[1] == 'fail') stop('failed')",
        "data.frame(calls=calls, process=Sys.getpid())",
        before="calls <- 0L\n",
    )
    component = ExecuteRScript(script=source, random_seed=os.getpid() % 1000)
    context = Context(resident=True)

    before = component.run(CARS, context=context).result_dataset1.frame.row(0)
    with pytest.raises(ScriptError):
        component.run(Table(pl.DataFrame({"make": ["fail"]})), context=context)
    after = component.run(CARS, context=context).result_dataset1.frame.row(0)

    assert after == (before[0] + 2, before[1])


@needs_r
@settings(max_examples=5, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
            st.none() | st.integers(-(2**53), 2**53),
            st.none() | st.floats(),
        ),
        max_size=20,
    )
)
def test_any_table_comes_back(rows: list[tuple[str | None, int | None, float | None]]) -> None:
    frame = pl.DataFrame(
        rows, schema={"t": pl.String, "i": pl.Int64, "f": pl.Float64}, orient="row"
    )
    component = ExecuteRScript(script=script("dataframe1"))

    found = component.run(Table(frame), context=Context(resident=True)).result_dataset1

    assert_frame_equal(found.frame, frame)


def test_a_machine_without_r_is_known_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWRIGHT_RSCRIPT", "/nowhere/Rscript")

    with pytest.raises(MissingR, match="apt install r-base-core"):
        ExecuteRScript().outline(dataset1=TableOutline(CARS.schema))
    with pytest.raises(MissingR):
        ExecuteRScript().run(CARS, context=Context())


@needs_r
def test_a_factor_is_categorical_text() -> None:
    source = script("dataframe1$make <- factor(dataframe1$make)", "dataframe1")

    column = run(source, CARS).result_dataset1.schema.column("make")

    assert (column.type, column.categorical) == (ColumnType.STRING, True)


def test_the_ports_are_named_as_on_the_canvas() -> None:
    spec = ExecuteRScript.__component__

    assert [p.title for p in spec.inputs] == ["Dataset1", "Dataset2", "Script Bundle"]
    assert [p.title for p in spec.outputs] == ["Result dataset1", "Result dataset2", "Plots"]
    assert [p.optional for p in spec.outputs] == [False, True, True]
