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
import pytest

LIMIT = 400_000_000
COLUMNS = 16
ROWS = 4 * LIMIT // (8 * COLUMNS)

linux = pytest.mark.skipif(sys.platform != "linux", reason="the limit is one of Linux")

# The limit counts what the process allocates, and not files that it has mapped.
PROGRAM = """
import json, resource, sys
from pathlib import Path
import polars as pl
from modelwright.components.context import Context
from modelwright.components.library import library
from modelwright.data import arrow_file
from modelwright.data.memory import is_large
from modelwright.data.table import Table
from tests.contract.examples import work

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

other = Table(pl.DataFrame({"key": range(500), "more": [n / 2 for n in range(500)]}))
KEYS = {"left_keys": ["key"], "right_keys": ["key"], "keep_right_keys": False}
STEPS = {
    "filter": ("split-data", {"mode": "Relative Expression Split",
                              "relational_expression": chr(92) + '"key" > 500'}),
    "split": ("split-data", {"fraction": 0.75, "seed": 7}),
    "sample": ("partition-and-sample", {"rate": 0.25, "sampling_seed": 3}),
    "join": ("join-data", KEYS),
    "semi": ("join-data", KEYS | {"join_type": "Left Semi-Join"}),
    "duplicates": ("remove-duplicate-rows", {"keys": ["key"]}),
    "rows": ("add-rows", {}),
    "columns": ("select-columns-in-dataset", {"columns": ["key", "c3"]}),
    "clean": ("clean-missing-data", {}),
}

def done(name, table):
    component_id, settings = STEPS[name]
    component = library().make(component_id, library().spec(component_id).version, settings)
    given = {
        "join-data": {"left_dataset": table, "right_dataset": other},
        "add-rows": {"dataset1": table, "dataset2": table},
    }.get(component_id, {"dataset": table})
    return [t for t in work(component, given).values() if isinstance(t, Table)]

def told(tables):
    found = []
    for table in tables:
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


EVERY = sums(ROW >= 0)
EXPECTED = {
    "filter": [sums(KEY > 500), sums(KEY <= 500)],
    "join": [sums(MATCHED) | MORE],
    "semi": [sums(MATCHED)],
    "duplicates": [sums(ROW < 997)],
    "rows": [{name: 2 * value for name, value in EVERY.items()}],
    "columns": [{name: EVERY[name] for name in ("rows", "key")}],
    "clean": [EVERY],
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[dict[str, float]]]:
    """What a step tells of its results, from a process of its own."""
    folder = tmp_path_factory.mktemp("large")
    env = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[4]),
        "POLARS_MAX_THREADS": "2",
        "TMPDIR": str(folder),
        # Arrow's own allocator reserves a gigabyte whatever it needs.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }

    def run(name: str) -> list[dict[str, float]]:
        sizes = map(str, (LIMIT, ROWS, COLUMNS))
        command = [sys.executable, "-c", PROGRAM, str(folder), *sizes, name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        assert done.returncode == 0, done.stderr[-2000:]
        assert not list(folder.glob("modelwright-rows-*"))
        found: list[dict[str, float]] = json.loads(done.stdout)
        return found

    run("rows of the table")
    return run


@linux
@pytest.mark.parametrize("name", EXPECTED)
def test_a_table_of_four_times_the_memory_is_prepared(
    name: str, prepared: Callable[[str], list[dict[str, float]]]
) -> None:
    assert prepared(name) == EXPECTED[name]


@linux
def test_a_table_of_four_times_the_memory_is_split_and_sampled(
    prepared: Callable[[str], list[dict[str, float]]],
) -> None:
    first, second = prepared("split")
    assert (first["rows"], second["rows"]) == (ROWS * 3 // 4, ROWS - ROWS * 3 // 4)
    assert {name: first[name] + second[name] for name in first} == EVERY
    (sample,) = prepared("sample")
    assert sample["rows"] == pytest.approx(ROWS / 4, abs=1)
