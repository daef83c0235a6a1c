"""Preparation of tables that are larger than what a worker may take, and what cannot be prepared so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modelwright.components.library import library
from modelwright.components.places.connection import REACH, Reach
from modelwright.data.expression import Compute, Filter, Formula
from modelwright.data.expression.build import call, column
from modelwright.data.memory import allowed, in_parts, streamed
from modelwright.data.store import Store
from modelwright.data.table import Table
from modelwright.graph.assets import FixedAssets
from modelwright.graph.codec import read
from modelwright.graph.graph import NodeId
from modelwright.run.plan import plan
from modelwright.run.result import RunResult
from modelwright.run.runner import Runner
from modelwright.run.workers import local_workers

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
