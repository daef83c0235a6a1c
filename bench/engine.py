"""How fast pipelines run: the tutorial in four situations, and a million rows against pandas by hand.

Run as `python bench/engine.py [--json] [--only tutorial|million] [--rounds N]`.

The tutorial: 205 rows through select, clean, split, linear regression, train, score, evaluate; in a
process that has everything imported.  Cold: without any worker process.  Warm: with idle workers.
Learner changed: after one parameter of Linear Regression was changed.  Reused: run once more.

A million rows: 12 numeric and 8 text columns with 5 to 50 levels, 2 % of all cells missing, through the
same steps, every result stored.  Against it the same work written by hand with pandas and scikit-learn,
which stores nothing.  Both sides begin with their libraries imported, ours with idle workers, and end with
the metrics; ours reads a registered data set, theirs a Parquet file of the same rows.  They take turns, each
time in a new process, and must agree on the result.  Memory is the highest sum of the proportional set sizes
of all processes of a side, looked at every 10 ms, imports and interpreters included.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psutil

from modelwright.components.library import library
from modelwright.data.artifact import Digest
from modelwright.data.store import Store
from modelwright.data.table import Table
from modelwright.graph.assets import DatasetAsset, FixedAssets
from modelwright.graph.codec import read
from modelwright.graph.edits import set_parameter
from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire
from modelwright.run.history import FolderHistory
from modelwright.run.plan import plan
from modelwright.run.result import RunResult
from modelwright.run.runner import Runner
from modelwright.run.workers import local_workers
from modelwright.samples import DATASETS, PIPELINES
from modelwright.targets.local import LocalProcesses

ROWS = 1_000_000
NUMBERS = [f"number_{n:02d}" for n in range(12)]
TEXTS = [f"text_{n}" for n in range(8)]
LEVELS = [5, 8, 12, 18, 25, 32, 40, 50]
LABEL, LEFT_OUT = NUMBERS[0], NUMBERS[11]
MISSING = 0.02
AGREEMENT = 0.01
"""The two sides split the rows by chance of their own, so their figures differ by so much at most."""

Figures = dict[str, float]


class Desk:
    """A store with one data set, and what is needed to run a graph on it."""

    def __init__(self, folder: Path, name: str, digest: Digest, table: tuple[Any, int]) -> None:
        self.store = Store.open(folder / "store")
        schema, rows = table
        self.assets = FixedAssets({name: DatasetAsset(name, 1, digest, schema, rows)})
        self.history = FolderHistory(folder / "history")
        self.logs = folder / "logs"

    def run(self, graph: Graph, workers: LocalProcesses) -> RunResult:
        """Plan and run, until the last result is stored."""
        planned = plan(
            graph,
            library=library(),
            store=self.store,
            assets=self.assets,
            history=self.history,
        )
        result = Runner(workers, logs=self.logs).run(planned)
        for step in result.steps.values():
            assert step.status in ("done", "reused"), step.log and step.log.read_text()
        return result

    def r_squared(self, result: RunResult, node: str) -> float:
        """The coefficient of determination that Evaluate Model found."""
        output = result.output(Pin(NodeId(node), "evaluation_results"))
        assert output
        table = self.store.get(output.digest)
        assert isinstance(table, Table)
        return float(table.frame["Coefficient_of_Determination"].item())


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# The tutorial


def tutorial(rounds: int) -> Figures:
    """The tutorial pipeline in four situations; medians."""
    found: dict[str, list[float]] = {"cold": [], "warm": [], "learner_changed": [], "reused": []}
    sample = DATASETS[0]
    cars = Table(pl.read_csv(sample.path, null_values=list(sample.missing)))
    graph = read(PIPELINES[0].text).graph
    changed = set_parameter(graph, NodeId("linear-regression"), "l2_regularization_weight", 2.0)

    def desk(folder: str) -> Desk:
        store = Store.open(Path(folder) / "store")
        return Desk(Path(folder), sample.name, store.put(cars), (cars.schema, cars.rows))

    library()
    for _ in range(max(1, rounds // 2)):
        with tempfile.TemporaryDirectory() as folder:
            fresh = desk(folder)

            def cold(fresh: Desk = fresh) -> None:
                with local_workers() as workers:
                    fresh.run(graph, workers)

            found["cold"].append(seconds(cold))
    with local_workers() as workers:
        workers.warm(workers.most)
        # Idle workers use their time to import what the palette needs.
        time.sleep(3)
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                fresh = desk(folder)
                found["warm"].append(seconds(lambda: fresh.run(graph, workers)))  # noqa: B023
                found["learner_changed"].append(seconds(lambda: fresh.run(changed, workers)))  # noqa: B023
                found["reused"].append(seconds(lambda: fresh.run(changed, workers)))  # noqa: B023
    return {f"tutorial_{name}_s": statistics.median(times) for name, times in found.items()}


# A million rows


def table_of(rows: int) -> pl.DataFrame:
    """Random rows whose label depends on all other columns, with missing cells in every column."""
    random = np.random.default_rng(7)
    columns: dict[str, np.ndarray[Any, Any]] = {
        name: random.normal(10 * place, 1 + place, rows) for place, name in enumerate(NUMBERS)
    }
    label = sum(0.5 * columns[name] for name in NUMBERS[1:]) + random.normal(0, 5, rows)
    for name, count in zip(TEXTS, LEVELS, strict=True):
        codes = random.integers(0, count, rows)
        label += random.normal(0, 3, count)[codes]
        columns[name] = np.array([f"{name} level {code:02d}" for code in range(count)])[codes]
    columns[LABEL] = np.asarray(label)
    frame = pl.DataFrame({name: columns[name] for name in (*NUMBERS, *TEXTS)})
    gaps = [pl.Series(random.random(rows) >= MISSING) for _ in frame.columns]
    return frame.with_columns(
        pl.when(kept).then(pl.col(name)).alias(name)
        for name, kept in zip(frame.columns, gaps, strict=True)
    )


def million_graph() -> Graph:
    """Select, clean, split, linear regression, train, score, evaluate."""
    parameters: dict[str, tuple[str, dict[str, Any]]] = {
        "data": ("dataset", {"name": "million"}),
        "select": (
            "select-columns-in-dataset",
            {"columns": {"begin": "all", "rules": [{"rule": "exclude", "names": [LEFT_OUT]}]}},
        ),
        "clean": ("clean-missing-data", {"columns": "all", "mode": "Remove entire row"}),
        "split": ("split-data", {"fraction": 0.7, "seed": 1}),
        "learner": ("linear-regression", {}),
        "train": ("train-model", {"label_column": LABEL}),
        "score": ("score-model", {}),
        "evaluate": ("evaluate-model", {}),
    }
    wires = {
        "data.dataset": "select.dataset",
        "select.results_dataset": "clean.dataset",
        "clean.cleaned_dataset": "split.dataset",
        "learner.untrained_model": "train.untrained_model",
        "split.results_dataset1": "train.dataset",
        "train.trained_model": "score.trained_model",
        "split.results_dataset2": "score.dataset",
        "score.scored_dataset": "evaluate.scored_dataset",
    }
    nodes = {NodeId(n): Node(c, parameters=p) for n, (c, p) in parameters.items()}
    drawn = (Wire(Pin.parse(source), Pin.parse(target)) for source, target in wires.items())
    return Graph("million", nodes=nodes, wires=frozenset(drawn))


def ours(folder: Path) -> Callable[[], float]:
    """Our side, ready to begin."""
    noted = json.loads((folder / "dataset.json").read_text())
    store = Store.open(folder / "store")
    table = store.get(Digest(noted["digest"]))
    assert isinstance(table, Table)
    desk = Desk(folder, "million", Digest(noted["digest"]), (table.schema, table.rows))
    del table
    graph = million_graph()
    library()
    workers = local_workers()
    workers.warm(1)
    time.sleep(3)

    def work() -> float:
        return desk.r_squared(desk.run(graph, workers), "evaluate")

    return work


def theirs(folder: Path) -> Callable[[], float]:
    """The same by hand, ready to begin."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LinearRegression
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    def work() -> float:
        frame = pd.read_parquet(folder / "million.parquet")
        frame = frame.drop(columns=[LEFT_OUT]).dropna()
        train, test = train_test_split(frame, train_size=0.7, random_state=1)
        encoder = ColumnTransformer(
            [("text", OneHotEncoder(handle_unknown="ignore"), TEXTS)], remainder="passthrough"
        )
        model = make_pipeline(encoder, LinearRegression())
        model.fit(train.drop(columns=[LABEL]), train[LABEL])
        scored = test.assign(scored=model.predict(test.drop(columns=[LABEL])))
        actual, found = scored[LABEL], scored["scored"]
        errors, spread = actual - found, actual - actual.mean()
        metrics = {
            "mean absolute": mean_absolute_error(actual, found),
            "root mean squared": root_mean_squared_error(actual, found),
            "relative absolute": errors.abs().sum() / spread.abs().sum(),
            "relative squared": (errors**2).sum() / (spread**2).sum(),
            "determination": r2_score(actual, found),
        }
        return float(metrics["determination"])

    return work


SIDES: dict[str, Callable[[Path], Callable[[], float]]] = {"ours": ours, "theirs": theirs}


def side(name: str, folder: Path) -> None:
    """The program of a side: get ready, say so, wait for a line, work, tell."""
    work = SIDES[name](folder)
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.perf_counter()
    r_squared = work()
    print(json.dumps({"seconds": time.perf_counter() - start, "r_squared": r_squared}), flush=True)
    # Its memory is looked at until it is told to go.
    sys.stdin.readline()
    os._exit(0)


def measured(name: str, folder: Path) -> Figures:
    """Seconds, megabytes at the most, and the result of a side in a new process."""
    program = subprocess.Popen(
        [sys.executable, __file__, "--side", name, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdin
    assert program.stdout
    assert program.stdout.readline() == "ready\n"
    memory = PeakMemory(program.pid)
    program.stdin.write("go\n")
    program.stdin.flush()
    line = program.stdout.readline()
    most = memory.stop()
    program.stdin.write("end\n")
    program.communicate()
    return {**json.loads(line), "megabytes": most / 1e6}


class PeakMemory:
    """The highest sum of the proportional set sizes of a process and those below it."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> int:
        """End the watch; bytes."""
        self._over.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            family = [self._root, *self._root.children(recursive=True)]
            self._most = max(self._most, sum(_proportional(p.pid) for p in family))


def _proportional(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def million(rounds: int) -> Figures:
    """Both sides in turns; medians and their ratios."""
    found: dict[str, list[Figures]] = {name: [] for name in SIDES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = Table(table_of(ROWS))
        table.frame.write_parquet(folder / "million.parquet")
        digest = Store.open(folder / "first").put(table)
        (folder / "dataset.json").write_text(json.dumps({"digest": digest}))
        del table
        for turn in range(rounds):
            for side_name in sorted(SIDES, reverse=turn % 2 == 1):
                shutil.rmtree(folder / "store", ignore_errors=True)
                shutil.copytree(folder / "first", folder / "store", copy_function=os.link)
                found[side_name].append(measured(side_name, folder))
    middle = {
        side_name: {
            figure: statistics.median(turn[figure] for turn in turns) for figure in turns[0]
        }
        for side_name, turns in found.items()
    }
    us, them = middle["ours"], middle["theirs"]
    assert abs(us["r_squared"] - them["r_squared"]) < AGREEMENT, middle
    return {
        "million_s": us["seconds"],
        "million_by_hand_s": them["seconds"],
        "million_wall_ratio": us["seconds"] / them["seconds"],
        "million_megabytes": us["megabytes"],
        "million_by_hand_megabytes": them["megabytes"],
        "million_memory_ratio": us["megabytes"] / them["megabytes"],
        "million_r_squared": us["r_squared"],
        "million_by_hand_r_squared": them["r_squared"],
    }


def deploy(rounds: int) -> Figures:
    """Seconds from the command that deploys the tutorial's pipeline to its first scored row.

    Both commands count whole, with their start: `endpoint deploy`, then `endpoint score`.
    """
    command = Path(sys.executable).with_name("modelwright")
    with tempfile.TemporaryDirectory(prefix="modelwright-bench-") as folder:
        home, inference = Path(folder) / "home", Path(folder) / "inference.yaml"
        rows = Path(folder) / "rows.json"

        def run(*words: str) -> str:
            told = subprocess.run(
                [str(command), "--home", str(home), *words],
                check=True,
                capture_output=True,
                text=True,
            )
            return told.stdout

        sample = str(PIPELINES[0].path)
        run("pipeline", "run", sample)
        run("pipeline", "convert", sample, "--run", "latest", "-o", str(inference))
        table = pl.read_csv(DATASETS[0].path, null_values=["?"]).drop("price")
        rows.write_text(json.dumps(table.slice(3, 1).to_dicts()))
        taken = []
        for round_number in range(rounds):
            name = f"bench-{round_number}"
            begun = time.perf_counter()
            run("endpoint", "deploy", str(inference), "--name", name)
            run("endpoint", "score", name, "--input", str(rows))
            taken.append(time.perf_counter() - begun)
            run("endpoint", "delete", name)
    return {"deploy_s": statistics.median(taken)}


PARTS: dict[str, tuple[Callable[[int], Figures], int]] = {
    "tutorial": (tutorial, 7),
    "million": (million, 3),
    "deploy": (deploy, 3),
}
"""Each part with its rounds; a further one adds its figures under names of its own."""

GOALS = {
    "tutorial_warm_s": 1.0,
    "tutorial_reused_s": 0.15,
    "million_wall_ratio": 0.5,
    "million_memory_ratio": 1.0,
    "deploy_s": 3.0,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--only", choices=sorted(PARTS), help="one part instead of all")
    parser.add_argument("--rounds", type=int, help="how often each situation is measured")
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        side(arguments.side[0], Path(arguments.side[1]))
        return
    found: Figures = {}
    for name, (part, rounds) in PARTS.items():
        if arguments.only in (None, name):
            found |= part(arguments.rounds or rounds)
    if arguments.json:
        print(json.dumps(found))
        return
    for figure, value in found.items():
        goal = f"at most {GOALS[figure]:g}" if figure in GOALS else ""
        print(f"{figure:<34} {value:>10.3f}  {goal}")


if __name__ == "__main__":
    main()
