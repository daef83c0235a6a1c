"""Steps that are no formulas work on a table of four times the memory that they may take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

LIMIT = 250_000_000
COLUMNS = 16
ROWS = 4 * LIMIT // (8 * COLUMNS)

linux = pytest.mark.skipif(sys.platform != "linux", reason="the limit is one of Linux")

# The limit counts what the process allocates, and not files that it has mapped.
PROGRAM = """
import json, resource, sys
from pathlib import Path
import polars as pl
from modelwright.components.context import Context
from modelwright.components.contract import outputs_by_port
from modelwright.components.library import library
from modelwright.components.places.connection import REACH, Reach
from modelwright.data import arrow_file
from modelwright.data.fitted import Transform
from modelwright.data.folds import FoldedTable
from modelwright.data.memory import is_large
from modelwright.data.table import Table

folder, limit, rows, columns = Path(sys.argv[1]), *map(int, sys.argv[2:5])
SMALL = 1000

def made(count):
    values = [((pl.col("row") * (n + 3)) % 1009 / 8.0).alias(f"c{n}") for n in range(columns - 2)]
    key = (pl.col("row") % 997).alias("key")
    path = folder / f"{count}.arrow"
    # A part at a time, so that nothing has all of them.
    step = 100_000
    with_rows = [
        pl.select(pl.int_range(at, min(at + step, count)).alias("row"))
        .lazy().with_columns(key, *values)
        for at in range(0, count, step)
    ]
    pl.concat(with_rows).sink_ipc(path, compression="uncompressed", engine="streaming")
    return Table(arrow_file.read(path))

# One of its keys matches nothing.
keys = [*range(500), 2000]
other = Table(pl.DataFrame({"key": keys, "more": [n / 2 for n in keys]}))
KEYS = {"left_keys": ["key"], "right_keys": ["key"], "keep_right_keys": False}
STEPS = {
    "filter": ("split-data", {"mode": "Relative Expression Split",
                              "relational_expression": chr(92) + '"key" > 500'}),
    "split": ("split-data", {"fraction": 0.75, "seed": 7}),
    "sample": ("partition-and-sample", {"rate": 0.25, "sampling_seed": 3}),
    "join": ("join-data", KEYS),
    "left": ("join-data", KEYS | {"join_type": "Left Outer Join"}),
    "full": ("join-data", KEYS | {"join_type": "Full Outer Join"}),
    "semi": ("join-data", KEYS | {"join_type": "Left Semi-Join"}),
    "duplicates": ("remove-duplicate-rows", {"keys": ["key"]}),
    "rows": ("add-rows", {}),
    "columns": ("select-columns-in-dataset", {"columns": ["key", "c3"]}),
    "clean": ("clean-missing-data", {}),
    "mean": ("clean-missing-data", {"mode": "Replace with mean", "columns": ["row", "key"]}),
    "median": ("clean-missing-data", {"mode": "Replace with median", "columns": ["row", "key"]}),
    "mode": ("clean-missing-data", {"mode": "Replace with mode", "columns": ["key"]}),
    "scale": ("normalize-data", {}),
    "quantiles": ("group-data-into-bins", {"columns": ["row", "key"], "bins": 4,
                                           "output_mode": "Inplace"}),
    "width": ("group-data-into-bins", {"columns": ["row", "key"], "bins": 4,
                                       "mode": "Equal Width", "output_mode": "Inplace"}),
    "clip": ("clip-values", {"upper_kind": "Percentile", "upper_percentile": 90.0,
                             "columns": ["row", "key"]}),
    "stratified": ("split-data", {"fraction": 0.75, "seed": 7, "stratified": True,
                                  "stratification_column": "key"}),
    "groups": ("apply-sql-transformation",
               {"script": "SELECT count(*) AS row, key FROM t1 GROUP BY key"}),
    "summary": ("summarize-data", {}),
    "folds": ("partition-and-sample", {"mode": "Assign to Folds", "folds": 4, "seed": 7,
                                       "stratified": True, "key": "key"}),
    "pearson": ("filter-based-feature-selection", {"target": "key", "count": 3}),
    "squares": ("filter-based-feature-selection", {"target": "key", "count": 3,
                                                   "method": "Chi squared"}),
    "parquet": ("export-data", {"path": str(folder / "out.parquet")}),
    "csv": ("export-data", {"path": str(folder / "out.csv")}),
}
told_secrets = {REACH: json.dumps(Reach((str(folder),)).to_json())}

def done(name, table):
    component_id, settings = STEPS[name]
    component = library().make(component_id, library().spec(component_id).version, settings)
    given = {
        "join-data": {"left_dataset": table, "right_dataset": other},
        "add-rows": {"dataset1": table, "dataset2": table},
        "apply-sql-transformation": {"t1": table},
    }.get(component_id, {"dataset": table})
    context = Context(secret=told_secrets.get, scratch=folder)
    asks = "context" in type(component).run.__annotations__
    result = component.run(**given, **({"context": context} if asks else {}))
    return [v for v in outputs_by_port(component, result).values() if v is not None]

def told(tables):
    found = []
    for table in tables:
        if isinstance(table, Transform):
            columns = table.learnt.get("columns", {})
            found.append({n: columns[n] for n in ("row", "key") if n in columns})
            continue
        if "Feature" in table.schema:
            found.append(table.frame.rows_by_key("Feature", named=True, unique=True))
            continue
        if isinstance(table, FoldedTable):
            table = table.fold(2)
        wanted = [n for n in ("row", "key", "more") if n in table.schema]
        plan = table.frame.lazy().select(pl.len(), *(pl.col(n).sum() for n in wanted))
        sums = plan.collect(engine="streaming")
        found.append(dict(zip(["rows", *wanted], sums.row(0), strict=True)))
    return found

name = sys.argv[5]
if name == "rows of the table":
    # In a process of its own, so that nothing it had in memory counts as had before.
    made(rows)
    sys.exit(print("[]"))
# What libraries reserve at their first use is not of the rows.
told(done(name, made(SMALL)))
for written in folder.glob("out.*"):
    written.unlink()
table = Table(arrow_file.read(folder / f"{rows}.arrow"))
assert table.size >= 4 * limit * 0.99, table.size
status = Path("/proc/self/status").read_text()
had = next(int(l.split()[1]) * 1024 for l in status.splitlines() if l.startswith("VmData:"))
resource.setrlimit(resource.RLIMIT_DATA, (had + limit, had + limit))
assert is_large(table.frame)
print(json.dumps(told(done(name, table))))
"""


ROW, KEY = np.arange(ROWS), np.arange(ROWS) % 997
MATCHED = KEY < 500
MORE = {"more": KEY[MATCHED].sum() / 2}


def sums(chosen: Any) -> dict[str, float]:
    """What is told of a table with these rows."""
    return {"rows": chosen.sum(), "row": ROW[chosen].sum(), "key": KEY[chosen].sum()}


def binned(edges_of: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """What is told of numbers in bins with these inner edges, and of the binning."""
    edges = {"row": edges_of(ROW), "key": edges_of(KEY)}
    bins = {n: np.searchsorted(edges[n], v, side="left") + 1 for n, v in NAMED.items()}
    learnt = {n: {"edges": pytest.approx(list(edge))} for n, edge in edges.items()}
    return [{"rows": ROWS} | {n: bin_.sum() for n, bin_ in bins.items()}, learnt]


def filled(values: dict[str, float]) -> list[dict[str, Any]]:
    """What is told where nothing lacks, and of the values that would be put in."""
    return [EVERY, {n: {"missing": 0, "value": pytest.approx(v)} for n, v in values.items()}]


def clipped() -> list[dict[str, Any]]:
    """What is told of numbers clipped at their 90th percentiles."""
    highest = {n: float(np.quantile(v, 0.9)) for n, v in NAMED.items()}
    after = {n: pytest.approx(np.minimum(v, highest[n]).sum()) for n, v in NAMED.items()}
    upper = {n: pytest.approx(v) for n, v in highest.items()}
    return [
        {"rows": ROWS} | after,
        {n: {"upper": v, "upper_substitute": v} for n, v in upper.items()},
    ]


NAMED = {"row": ROW, "key": KEY}
SHARES = (0.25, 0.5, 0.75)
EVERY = sums(ROW >= 0)
EXPECTED: dict[str, Any] = {
    "filter": [sums(KEY > 500), sums(KEY <= 500)],
    "join": [sums(MATCHED) | MORE],
    "left": [EVERY | MORE],
    "full": [
        {
            "rows": ROWS + 1,
            "row": EVERY["row"],
            "key": EVERY["key"] + 2000,
            "more": MORE["more"] + 1000,
        }
    ],
    "semi": [sums(MATCHED)],
    "duplicates": [sums(ROW < 997)],
    "rows": [{name: 2 * value for name, value in EVERY.items()}],
    "columns": [{name: EVERY[name] for name in ("rows", "key")}],
    "clean": [EVERY, {"row": {"missing": 0}, "key": {"missing": 0}}],
    "mean": filled({"row": ROW.mean(), "key": KEY.mean()}),
    "median": filled({"row": float(np.median(ROW)), "key": float(np.median(KEY))}),
    "mode": filled({"key": 0}),
    "quantiles": binned(lambda values: np.quantile(values, SHARES)),
    "width": binned(lambda values: values.max() * np.array(SHARES)),
    "clip": clipped(),
    "groups": [{"rows": 997, "row": ROWS, "key": 997 * 996 // 2}],
}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the processes work."""
    return tmp_path_factory.mktemp("large")


@pytest.fixture(scope="module")
def prepared(large: Path) -> Callable[[str], list[dict[str, Any]]]:
    """What a step tells of its results, from a process of its own."""
    env = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[4]),
        "POLARS_MAX_THREADS": "2",
        "TMPDIR": str(large),
        # Arrow's own allocator reserves a gigabyte whatever it needs.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }

    def run(name: str) -> list[dict[str, Any]]:
        sizes = map(str, (LIMIT, ROWS, COLUMNS))
        command = [sys.executable, "-c", PROGRAM, str(large), *sizes, name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == 0, done.stderr[-2000:]
        assert not list(large.glob("modelwright-rows-*"))
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    run("rows of the table")
    return run


@linux
@pytest.mark.parametrize("name", EXPECTED)
def test_a_table_of_four_times_the_memory_is_prepared(
    name: str, prepared: Callable[[str], list[dict[str, Any]]]
) -> None:
    assert prepared(name) == EXPECTED[name]


@linux
def test_a_table_of_four_times_the_memory_is_split_and_sampled(
    prepared: Callable[[str], list[dict[str, Any]]],
) -> None:
    by_chance, alike = prepared("split"), prepared("stratified")
    for first, second in (by_chance, alike):
        assert (first["rows"], second["rows"]) == (ROWS * 3 // 4, ROWS - ROWS * 3 // 4)
        assert {name: first[name] + second[name] for name in first} == EVERY
    # A quarter of each key, but for the rounding of its rows.
    assert alike[1]["key"] == pytest.approx(EVERY["key"] / 4, abs=997 * 996)
    (sample,) = prepared("sample")
    assert sample["rows"] == pytest.approx(ROWS / 4, abs=1)


@linux
def test_a_table_of_four_times_the_memory_is_dealt_to_folds(
    prepared: Callable[[str], list[dict[str, Any]]],
) -> None:
    (second,) = prepared("folds")
    assert second["rows"] == pytest.approx(ROWS / 4, abs=1)
    # A quarter of each key, but for the rounding of its rows.
    assert second["key"] == pytest.approx(EVERY["key"] / 4, abs=997 * 996)


@linux
def test_columns_of_a_table_of_four_times_the_memory_are_scored(
    prepared: Callable[[str], list[dict[str, Any]]],
) -> None:
    kept, scores, _ = prepared("pearson")
    assert (kept["rows"], kept["key"]) == (ROWS, EVERY["key"])
    assert scores["row"]["Score"] == pytest.approx(abs(np.corrcoef(ROW, KEY)[0, 1]))

    _, scores, _ = prepared("squares")
    shares = np.linspace(0, 1, 11)[1:-1]
    row, key = (np.searchsorted(np.quantile(v, shares), v, side="left") for v in (ROW, KEY))
    cells = np.bincount(10 * row + key, minlength=100).reshape(10, 10).astype(float)
    expected = np.outer(cells.sum(axis=1), cells.sum(axis=0)) / ROWS
    statistic = ((cells - expected) ** 2 / expected).sum()
    assert scores["row"]["Score"] == pytest.approx(statistic, rel=1e-4)


@linux
def test_a_table_of_four_times_the_memory_is_scaled(
    prepared: Callable[[str], list[dict[str, Any]]],
) -> None:
    scaled, learnt = prepared("scale")
    assert scaled == {"rows": ROWS, "row": pytest.approx(0, abs=1), "key": pytest.approx(0, abs=1)}
    for name, values in NAMED.items():
        assert learnt[name]["mean"] == pytest.approx(values.mean())
        assert learnt[name]["deviation"] == pytest.approx(values.std())


@linux
def test_a_table_of_four_times_the_memory_is_summarized(
    prepared: Callable[[str], list[dict[str, Any]]],
) -> None:
    (told,) = prepared("summary")
    assert len(told) == COLUMNS
    for name, values in NAMED.items():
        expected = {
            "Count": ROWS,
            "Missing Value Count": 0,
            "Unique Value Count": len(np.unique(values)),
            "Mode": 0,
            "Min": 0,
            "Max": values.max(),
            "Mean": values.mean(),
            "Sample Variance": values.var(ddof=1),
            "Median": np.median(values),
            "P99.5": np.quantile(values, 0.995),
        }
        assert {n: told[name][n] for n in expected} == pytest.approx(expected)


@linux
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_table_of_four_times_the_memory_is_exported(
    kind: str, prepared: Callable[[str], list[dict[str, Any]]], large: Path
) -> None:
    assert prepared(kind) == []
    path = large / f"out.{kind}"
    read = pl.scan_parquet(path) if kind == "parquet" else pl.scan_csv(path)
    found = read.select(pl.len().alias("rows"), pl.col("row").sum(), pl.col("key").sum())
    assert found.collect(engine="streaming").row(0, named=True) == EVERY
    path.unlink()
