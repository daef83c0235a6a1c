"""What training costs beside the library's own fit, and how much memory categories take.

    python -m bench.training                    # prints the tables of docs/learners.md
    python -m bench.training --only network     # learners whose id has this text
    python -m bench.training --rows 100000      # at most so many rows
    python -m bench.training --write

The library is given the matrix that the learner makes of the rows.  Ours is timed twice: the fit alone,
of rows that are numbers already, and the whole of Train Model (or Train Clustering Model, Train Anomaly
Detection Model) with its featurisation and all that it records, but without the distances of every row
that clustering gives beside the model.  With `--only` and `--write` the rows of those learners are put
into the tables that stand there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from bench.training_pairs import MILLION, Pair, pairs
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from modelwright.components.context import Context
from modelwright.components.learning.encoding import learn_encoding
from modelwright.components.learning.learner import Learner, TrainingData
from modelwright.components.learning.training import training_data
from modelwright.components.learning.unlabelled import train_unlabelled
from modelwright.components.library import library
from modelwright.components.palette.anomaly_detection.train_anomaly_detection_model import (
    TrainAnomalyDetectionModel as TrainAnomaly,
)
from modelwright.components.palette.model_training.train_clustering_model import (
    TrainClusteringModel,
)
from modelwright.components.palette.model_training.train_model import TrainModel
from modelwright.data.schema import Task
from modelwright.data.table import Table

DOCS = Path(__file__).parent.parent / "docs" / "learners.md"
TIME, MEMORY = "training", "categories"
"""Names of the two tables in the page."""
MOST = 5
ENOUGH_S = 8.0
"""Rounds are begun until there were so many, or so many seconds are over."""

ONE = Context(threads=1)
MEMORY_ROWS = 500_000


def rows_of(count: int) -> pl.DataFrame:
    """30 features, and of each kind a column to predict: a number, a side of two, a kind of three, a count."""
    chance = np.random.default_rng(0)
    matrix = chance.normal(size=(count, 30))
    frame = pl.DataFrame({f"f{at}": matrix[:, at] for at in range(30)})
    number = matrix[:, :5] @ np.arange(1, 6) + chance.normal(size=count)
    return frame.with_columns(
        number=pl.Series(number),
        side=pl.Series((number > 0).astype(int)),
        kind=pl.Series(np.digitize(number, [-3.0, 3.0])),
        count=pl.Series(chance.poisson(np.exp(number / 8))),
    )


LABELS = ("number", "side", "kind", "count")


def learner_of(pair: Pair) -> Learner:
    """The learner with the settings of a pair."""
    learner = library().make(pair.id, library().spec(pair.id).version, pair.settings)
    assert isinstance(learner, Learner)
    return learner


def keep_memory() -> None:
    """Let memory that was given back stay with this process, on Linux.

    Else a virtual machine may take it away at once, and half a second per matrix is its own work.
    """
    import ctypes

    if sys.platform == "linux":
        allocator = ctypes.CDLL(None)
        no_maps, trim = -4, -1
        allocator.mallopt(no_maps, 0)
        allocator.mallopt(trim, 2**31 - 1)


def seconds(work: Callable[[], Any]) -> float:
    """Of processor time, which other work on the machine hardly changes; both sides use one thread."""
    started = time.process_time()
    work()
    return time.process_time() - started


def data_of(learner: Learner, table: Table, label: str) -> TrainingData:
    """The rows as the learner has them."""
    if label:
        return training_data(learner, table, label, ONE)
    encoded = learn_encoding(table.frame, table.schema).encode(table.frame)
    return TrainingData(encoded, table.schema, np.empty(0))


def step_of(learner: Learner, label: str) -> TrainModel | TrainClusteringModel | TrainAnomaly:
    """The step that trains the learner."""
    if learner.task is Task.CLUSTERING:
        return TrainClusteringModel(append=False)
    return TrainAnomaly() if learner.task is Task.ANOMALY else TrainModel(label_column=label)


def training(learner: Learner, table: Table, label: str) -> Callable[[], object]:
    """All that the step does to train.

    Of Train Clustering Model that is the model; its table of every row's distances is scoring, which no
    library's fit does either.
    """
    if learner.task is Task.CLUSTERING:
        return lambda: train_unlabelled(learner, table, table.schema, ONE, None)
    step = step_of(learner, label)
    return lambda: step.run(learner.run(), table, context=ONE)


def timed(pair: Pair, frame: pl.DataFrame) -> str:
    """A row of the table; the sides take turns, and the best round of each counts."""
    learner = learner_of(pair)
    table = Table(frame.head(pair.rows).drop(name for name in LABELS if name != pair.label))
    data = data_of(learner, table, pair.label)
    matrix = pair.matrix(data)
    step = training(learner, table, pair.label)
    own: list[float] = []
    whole: list[float] = []
    library_s: list[float] = []
    started = time.perf_counter()
    while not own or (len(own) < MOST and time.perf_counter() - started < ENOUGH_S):
        library_s.append(seconds(lambda: pair.fit(matrix, data.target)))
        own.append(seconds(lambda: learner.fit(data, ONE)))
        whole.append(seconds(step))
    theirs, mine, all_of_it = min(library_s), min(own), min(whole)
    told = f"{table.rows:,}" + (f", {pair.note}" if pair.note else "")
    line = (
        f"| {learner.__component__.title} | {told} | {len(own)} | {pair.library} | {theirs:.2f} s | "
        f"{mine:.2f} s | {mine / theirs:.2f} | {all_of_it:.2f} s | {all_of_it / theirs:.2f} |"
    )
    print(f"{line} {time.perf_counter() - started:.0f} s", flush=True)
    return line


CATEGORIES = 10_000

SHORT: dict[str, dict[str, Any]] = {
    "network": {"number_of_learning_iterations": 2},
    "class-decision-forest": {"number_of_decision_trees": 2},
}
"""Fewer repetitions of the same, for the sake of time; what a tree keeps is small beside the rows."""


def of_categories(name: str, count: int, *, whole: bool) -> None:
    """Train a learner on a column of 10,000 categories, and print what memory the process took."""
    chance = np.random.default_rng(0)
    names = np.array([f"category {n:05d}" for n in range(CATEGORIES)])
    drawn = chance.integers(0, CATEGORIES, count)
    a = chance.normal(size=count)
    number = a + np.sin(drawn)
    frame = pl.DataFrame({"category": names[drawn], "a": a, "b": chance.normal(size=count)})
    spec = library().spec(name)
    settings = next((s for part, s in SHORT.items() if part in name and not whole), {})
    learner = library().make(name, spec.version, settings)
    assert isinstance(learner, Learner)
    edges = {Task.TWO_CLASS: [0.0], Task.MULTICLASS: [-0.7, 0.7]}.get(learner.task)
    label: Any = np.digitize(number, edges) if edges else np.exp(number / 2)
    supervised = learner.task not in (Task.CLUSTERING, Task.ANOMALY)
    table = Table(frame.with_columns(y=pl.Series(label)) if supervised else frame)
    step = step_of(learner, "y")
    before = peak_bytes()
    spent = seconds(lambda: step.run(learner.run(), table, context=ONE))
    found = {"title": spec.title, "peak": peak_bytes(), "before": before, "seconds": spent}
    print(json.dumps(found | {"settings": settings}))


def peak_bytes() -> int:
    """The most memory that this process has held, of itself alone."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def memory(name: str, count: int) -> str:
    """A row of the table of a learner that is trained in a process of its own."""
    command = [sys.executable, "-m", "bench.training", "--categories", name, "--rows", str(count)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    settings = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in found["settings"].items())
    line = (
        f"| {found['title']} | {settings or 'defaults'} | {found['seconds']:.1f} s | "
        f"{found['before'] / 1e9:.2f} GB | {found['peak'] / 1e9:.2f} GB |"
    )
    print(line, flush=True)
    return line


def main() -> None:
    """Measure, print, and write if asked to."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asked.add_argument("--rows", type=int, default=MILLION, help="at most so many")
    asked.add_argument("--only", default="", help="only learners whose id has this text")
    asked.add_argument("--part", choices=("time", "memory", "both"), default="both")
    asked.add_argument("--categories", default="", help="the memory of this learner alone")
    asked.add_argument("--whole", action="store_true", help="that with its defaults")
    asked.add_argument("--write", action="store_true", help="put the tables into docs/learners.md")
    given = asked.parse_args()
    if given.categories:
        of_categories(given.categories, given.rows, whole=given.whole)
        return
    if given.write and given.rows != MILLION:
        asked.error("what is written is of all rows")
    chosen = [pair for pair in pairs() if given.only in pair.id]
    tables: dict[str, list[str]] = {}
    if given.part != "memory":
        keep_memory()
        frame = rows_of(given.rows)
        with threadpool_limits(limits=1):
            tables[TIME] = [*TIMES, *(timed(pair, frame) for pair in chosen)]
        del frame
    if given.part != "time":
        count = min(given.rows, MEMORY_ROWS)
        title = f"{count:,} rows, a text column of {CATEGORIES:,} values and two numbers:"
        tables[MEMORY] = [title, "", *PEAKS, *(memory(pair.id, count) for pair in chosen)]
    if given.write:
        for name, lines in tables.items():
            write(name, lines, only=bool(given.only))


def write(name: str, lines: list[str], *, only: bool) -> None:
    """Put a table into the page, or with `only` its rows in the place of those of the same learners."""
    text = DOCS.read_text(encoding="utf-8")
    start, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = text.split(start, 1)
    there, after = rest.split(end, 1)
    if only:
        held = there.strip().splitlines()
        head = held.index(next(line for line in held if line.startswith("|---"))) + 1
        rows = {line.split("|")[1]: line for line in held[head:]}
        rows |= {line.split("|")[1]: line for line in lines if line.startswith("| ")}
        rows.pop(held[head - 2].split("|")[1], None)
        order = [f" {library().spec(pair.id).title} " for pair in pairs()]
        lines = [*held[:head], *(rows[title] for title in order if title in rows)]
    body = "\n".join(lines)
    DOCS.write_text(f"{before}{start}\n\n{body}\n\n{end}{after}", encoding="utf-8")


TIMES = (
    "Rows of 30 numbers; where the library itself takes minutes, fewer of them:",
    "",
    "| learner | rows | rounds | library | its fit | our fit | ratio | with training step | ratio |",
    "|---|---|---|---|---|---|---|---|---|",
)
PEAKS = (
    "| learner | settings | training step | memory before | at the most |",
    "|---|---|---|---|---|",
)

if __name__ == "__main__":
    main()
