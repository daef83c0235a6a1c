"""Preparation of tables that are larger than what a worker may take, and what cannot be prepared so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modelwright.components.library import library
from modelwright.components.places.connection import REACH, Reach
from modelwright.data import arrow_file
from modelwright.data.expression import Compute, Filter, Formula
from modelwright.data.expression.build import call, column
from modelwright.data.memory import allowed, in_parts, streamed, written
from modelwright.data.store import Store
from modelwright.data.table import Table
from modelwright.graph.assets import FixedAssets
from modelwright.graph.codec import read
from modelwright.graph.graph import NodeId
from modelwright.run.plan import plan
from modelwright.run.result import RunResult
from modelwright.run.runner import Runner
from modelwright.run.workers import ALLOCATORS, local_workers

COLUMNS = 3
ALLOWED = 400 << 20

PREPARATION = """\
modelwright: 1
name: Large
nodes:
  rows:
    component: import-data
    parameters: {data_source: Datastore, path: %s/**}
  half:
    component: apply-math-operation
    parameters:
      category: Operations
      operations: Multiply
      second: 0.5
      columns: [c0, c1]
      output_mode: Inplace
    inputs: {dataset: rows.dataset}
  chosen:
    component: select-columns-in-dataset
    parameters: {columns: [c0, c2]}
    inputs: {dataset: half.results_dataset}
"""


def parquet_folder(folder: Path, size: int) -> int:
    """Random numbers of so many bytes in memory, in four files; how many rows they are."""
    folder.mkdir()
    chance = np.random.default_rng(0)
    rows = size // (8 * COLUMNS) // 4
    for part in range(4):
        columns = {f"c{n}": chance.normal(size=rows) for n in range(COLUMNS)}
        pl.DataFrame(columns).write_parquet(folder / f"part-{part}.parquet", row_group_size=50_000)
    return 4 * rows


def run(text: str, folder: Path, tmp_path: Path) -> tuple[RunResult, Store]:
    """Run a pipeline with workers that may take little."""
    store = Store.open(tmp_path / "store")
    graph = read(text).graph
    secrets = {REACH: json.dumps(Reach(folders=(str(folder),)).to_json())}
    with local_workers(most=1, memory=ALLOWED, threads=2) as workers:
        runner = Runner(workers, logs=tmp_path / "logs", secrets=secrets.get)
        planned = plan(graph, library=library(), store=store, assets=FixedAssets())
        return runner.run(planned), store


def test_a_pipeline_over_four_times_the_allowed_memory_completes_within_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    rows = parquet_folder(folder, 4 * ALLOWED)
    result, store = run(PREPARATION % folder, folder, tmp_path)
    assert result.status == "completed", result.failures
    output = result.steps[NodeId("chosen")].outputs["results_dataset"]
    assert (output.rows, output.summary["columns"]) == (rows, 2)
    table = store.get(output.digest)
    assert isinstance(table, Table)
    first = pl.read_parquet(folder / "part-0.parquet", n_rows=3)
    assert table.frame["c0"].head(3).to_list() == (first["c0"] * 0.5).to_list()
    assert table.frame["c2"].head(3).to_list() == first["c2"].to_list()


JOIN = """\
import sys
from pathlib import Path
import numpy as np
import polars as pl
from modelwright.components.palette.data_transformation.join_data import JoinData
from modelwright.data import arrow_file
from modelwright.data.memory import parts
from modelwright.data.table import Table
from modelwright.run.worker import bound_memory

folder, most = Path(sys.argv[1]), int(sys.argv[2])
bound_memory(most)
left, right = (Table(arrow_file.read(folder / name)) for name in ("left", "right"))
assert min(left.size, right.size) >= 4 * most, (left.size, right.size)
keys = ["name", "part"]
join = JoinData(
    left_keys={"rules": [{"names": keys}]},
    right_keys={"rules": [{"names": keys}]},
    match_case=False,
    join_type="Full Outer Join",
)
joined = join.run(left, right).frame
matched = lone = 0
compared = ["row", "row_right", "name", "name_right", "c0", "d0", "c9", "d9", "note"]
for _, part in parts(joined.select(compared)):
    both = part.filter(pl.col("row").is_not_null() & pl.col("row_right").is_not_null())
    assert (both["name"].str.to_lowercase() == both["name_right"].str.to_lowercase()).all()
    assert (both["c0"] * 2 == both["d0"]).all() and (both["c9"] * 2 == both["d9"]).all()
    assert (both["note"].str.strip_chars(".") == both["c0"].cast(pl.Int64).cast(pl.String)).all()
    matched += both.height
    lone += part["row"].null_count()
# Each in the order of its table, those of the right table without a match last.
order = joined["row"].head(joined.height - lone)
assert order.is_sorted() and order.null_count() == 0
assert joined["row_right"].tail(lone).is_sorted() and joined["row"].tail(lone).null_count() == lone
print(joined.height, matched, lone)
"""


def keyed(rows: int, first: int, factor: float, name: str) -> Iterator[pl.DataFrame]:
    """A tenth of the keys of one side are not on the other one; the keys of every 50th row lack."""
    step = 7919
    for at in range(0, rows, 100_000):
        row = np.arange(at, min(at + 100_000, rows))
        key = row * step % rows + first
        numbers = {f"{name}{n}": (key + n) * factor for n in range(10)}
        label = "customer " if name == "c" else "CUSTOMER "
        lacking = pl.col("row") % 50 == 0
        yield pl.DataFrame({"row": row, "key": key, **numbers}).select(
            "row",
            (label + (pl.col("key") // 3).cast(pl.String)).alias("name"),
            pl.when(~lacking).then(pl.col("key") % 3).alias("part"),
            *numbers,
            pl.col("key").cast(pl.String).str.pad_start(600, ".").alias("note"),
        )


def test_two_tables_over_four_times_the_allowed_memory_are_joined_within_it(tmp_path: Path) -> None:
    most, rows = 100 << 20, 600_000
    arrow_file.write(written(keyed(rows, 0, 1.0, "c")), tmp_path / "left")
    arrow_file.write(written(keyed(rows, rows // 10, 2.0, "d")), tmp_path / "right")
    command = [sys.executable, "-c", JOIN, str(tmp_path), str(most)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ALLOCATORS})
    assert done.returncode == 0, done.stderr[-3000:]
    keys = np.arange(rows) * 7919 % rows
    lacking = np.arange(rows) % 50 == 0
    left, right = np.zeros(rows * 2, bool), np.zeros(rows * 2, bool)
    left[keys[~lacking]] = True
    right[keys[~lacking] + rows // 10] = True
    matched = int((left & right).sum())
    expected = [2 * rows - matched, matched, rows - matched]
    assert [int(number) for number in done.stdout.split()] == expected


LEARNING = """\
modelwright: 1
name: Learning
nodes:
  rows:
    component: import-data
    parameters: {data_source: Datastore, path: %s/**}
  learner: {component: linear-regression}
  train:
    component: train-model
    parameters: {label_column: c0}
    inputs: {dataset: rows.dataset, untrained_model: learner.untrained_model}
"""


def test_a_step_that_would_not_fit_is_told_with_the_numbers_before_it_is_tried(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    parquet_folder(folder, ALLOWED)
    result, _ = run(LEARNING % folder, folder, tmp_path)
    failed = {failure.node: failure.code for failure in result.failures}
    assert failed == {"train": "would-not-fit"}, result.failures
    (failure,) = result.failures
    fields = failure.error["fields"]
    assert fields["needed"] == pytest.approx(ALLOWED, rel=0.01)
    assert 0 < fields["allowed"] < ALLOWED
    assert "0.42 GB" in failure.message
    assert result.steps[NodeId("rows")].status == "done"


def test_rows_streamed_into_a_file_equal_those_made_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = pl.DataFrame(
        {"x": [1.0, None, 3.0] * 50_000, "t": ["a", "b", None] * 50_000, "n": range(150_000)}
    )
    formula = Formula(
        Compute({"y": call("add", column("x"), 2.0)}),
        Filter(call("greater", column("n"), 10), "few"),
    )
    expected = formula.apply(frame)
    monkeypatch.setattr("modelwright.data.memory.is_large", lambda frame: True)
    assert formula.apply(frame).equals(expected)
    assert streamed(frame.lazy()).equals(frame)


def test_fewer_rows_are_changed_at_a_time_where_many_columns_come_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = pl.DataFrame({"n": range(200_000)})
    wide = [(pl.col("n") % width).alias(f"{width}") for width in range(1, 400)]
    sizes: list[int] = []

    def widened(rows: pl.DataFrame) -> pl.DataFrame:
        made = rows.select(wide)
        sizes.append(int(made.estimated_size()))
        return made

    expected = frame.select(pl.all().sum().alias("0"), *(e.sum() for e in wide))
    monkeypatch.setattr("modelwright.data.memory.is_large", lambda frame: True)
    found = in_parts(frame, widened)
    assert max(sizes) < 60 << 20
    assert found.height == frame.height
    assert found.select(pl.all().sum()).equals(expected.drop("0"))


def test_what_may_still_be_taken_is_a_number_that_this_machine_has() -> None:
    import psutil

    assert 0 < allowed() <= psutil.virtual_memory().total
