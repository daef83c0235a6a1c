"""What training through Train Model costs beside the library's own fit, and how much memory categories take.

    python -m bench.training                    # 1,000,000 rows x 30 numbers; prints the tables of docs/learners.md
    python -m bench.training --rows 100000 --rounds 1
    python -m bench.training --write

The library is given the matrix that the learner makes of the rows.  Ours is timed twice: the fit alone,
of rows that are numbers already, and the whole of Train Model with its featurisation and all it records.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from modelwright.components.context import Context
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.training import SUPERVISED, training_data
from modelwright.components.library import library
from modelwright.components.palette.model_training.train_model import TrainModel
from modelwright.data.schema import Task
from modelwright.data.table import Table

DOCS = Path(__file__).parent.parent / "docs" / "learners.md"
START, END = "<!-- training: begin -->", "<!-- training: end -->"
TREES = 20
ONE = Context(threads=1)
MEMORY_ROWS = 500_000


def rows_of(count: int) -> pl.DataFrame:
    """30 features, a number and a class to predict."""
    chance = np.random.default_rng(0)
    matrix = chance.normal(size=(count, 30))
    frame = pl.DataFrame({f"f{at}": matrix[:, at] for at in range(30)})
    number = matrix[:, :5] @ np.arange(1, 6) + chance.normal(size=count)
    return frame.with_columns(number=pl.Series(number), side=pl.Series((number > 0).astype(int)))


@dataclass(frozen=True)
class Pair:
    """A learner and the library that it stands on, with equal settings.

    matrix: what the library is given, of the learner's own encoding; fit: of it, and of the label.
    """

    id: str
    settings: dict[str, Any]
    label: str
    library: str
    matrix: Callable[[Any], Any]
    fit: Callable[[Any, Any], Any]


def dense(encoded: Any) -> np.ndarray:
    """Numbers, and categories by number."""
    from modelwright.components.learning.boosting import tree_matrix

    return tree_matrix(encoded)


def boosted(objective: str) -> Callable[[Any, Any], Any]:
    """LightGBM with the settings of our learner."""

    def fit(matrix: Any, target: Any) -> Any:
        import lightgbm

        settings = {
            "objective": objective,
            "num_leaves": 20,
            "min_data_in_leaf": 1,
            "learning_rate": 0.2,
            "lambda_l2": 1.0,
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
            "num_threads": 1,
        }
        return lightgbm.train(settings, lightgbm.Dataset(matrix, target), TREES)

    return fit


def ridge(matrix: Any, target: Any) -> Any:
    """scikit-learn's ridge regression."""
    from sklearn.linear_model import Ridge

    return Ridge(alpha=1.0).fit(matrix, target)


def logistic(matrix: Any, target: Any) -> Any:
    """scikit-learn's logistic regression."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000).fit(matrix, target)


PAIRS = (
    Pair(
        "boosted-decision-tree-regression",
        {"number_of_trees_constructed": TREES},
        "number",
        "lightgbm.train",
        dense,
        boosted("regression"),
    ),
    Pair(
        "two-class-boosted-decision-tree",
        {"number_of_trees_constructed": TREES},
        "side",
        "lightgbm.train",
        dense,
        boosted("binary"),
    ),
    Pair("linear-regression", {}, "number", "sklearn Ridge", dense, ridge),
    Pair(
        "two-class-logistic-regression", {}, "side", "sklearn LogisticRegression", dense, logistic
    ),
)


def learner_of(pair: Pair) -> Learner:
    """The learner with the settings of a pair."""
    learner = library().make(pair.id, library().spec(pair.id).version, pair.settings)
    assert isinstance(learner, Learner)
    return learner


def seconds(work: Callable[[], Any]) -> float:
    """Of processor time, which other work on the machine hardly changes; both sides use one thread."""
    started = time.process_time()
    work()
    return time.process_time() - started


def timed(pair: Pair, count: int, rounds: int) -> str:
    """A row of the table; the sides take turns and the best round of each counts."""
    learner = learner_of(pair)
    frame = rows_of(count)
    other = "side" if pair.label == "number" else "number"
    table = Table(frame.drop(other))
    encoded = training_data(learner, table, pair.label, Context())
    matrix, target = pair.matrix(encoded.encoded), encoded.target
    own, whole, library_s = [], [], []
    step = TrainModel(label_column=pair.label)
    for _ in range(rounds):
        library_s.append(seconds(lambda: pair.fit(matrix, target)))
        own.append(seconds(lambda: learner.fit(encoded, ONE)))
        whole.append(seconds(lambda: step.run(learner.run(), table, context=ONE)))
    theirs, mine, all_of_it = min(library_s), min(own), min(whole)
    title = learner.__component__.title
    print(f"{title}: library {theirs:.2f}, fit {mine:.2f}, Train Model {all_of_it:.2f}", flush=True)
    return (
        f"| {title} | {pair.library} | {theirs:.2f} s | {mine:.2f} s | {mine / theirs:.2f} | "
        f"{all_of_it:.2f} s | {all_of_it / theirs:.2f} |"
    )


def of_categories(name: str, count: int) -> None:
    """Train a learner on a column of 10,000 categories, and print what memory the process took."""
    chance = np.random.default_rng(0)
    names = np.array([f"category {n:05d}" for n in range(10_000)])
    drawn = chance.integers(0, 10_000, count)
    a = chance.normal(size=count)
    number = a + np.sin(drawn)
    frame = pl.DataFrame({"category": names[drawn], "a": a, "b": chance.normal(size=count)})
    spec = library().spec(name)
    learner = library().make(name, spec.version, SHORT if "network" in name else {})
    assert isinstance(learner, Learner)
    edges = {Task.TWO_CLASS: [0.0], Task.MULTICLASS: [-0.7, 0.7]}.get(learner.task)
    label: Any = np.digitize(number, edges) if edges else np.exp(number / 2)
    table = Table(frame.with_columns(y=pl.Series(label)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = seconds(lambda: TrainModel(label_column="y").run(learner.run(), table, context=ONE))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {"title": spec.title, "peak": peak * 1024, "before": before * 1024, "seconds": spent}
        )
    )


SHORT = {"number_of_learning_iterations": 1}
"""One pass of a network takes the memory of all."""


def supervised() -> list[str]:
    """The ids of the learners of a label; the wrappers are learners of many of them."""
    return [
        c.__component__.id
        for c in library()
        if issubclass(c, Learner)
        and c.task in SUPERVISED
        and "-multiclass" not in c.__component__.id
    ]


def memory(count: int) -> list[str]:
    """A row per learner, each trained in a process of its own."""
    lines = []
    for name in supervised():
        command = [
            sys.executable,
            "-m",
            "bench.training",
            "--categories",
            name,
            "--rows",
            str(count),
        ]
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        lines.append(
            f"| {found['title']} | {found['seconds']:.1f} s | {found['before'] / 1e9:.2f} GB | "
            f"{found['peak'] / 1e9:.2f} GB |"
        )
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Measure, print, and write if asked to."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--only", default="", help="only learners whose id has this text")
    asked.add_argument("--categories", default="", help=argparse.SUPPRESS)
    asked.add_argument("--write", action="store_true", help="put the tables into docs/learners.md")
    given = asked.parse_args()
    if given.categories:
        of_categories(given.categories, given.rows)
        return
    table = [
        f"{given.rows:,} rows x 30 numbers:",
        "",
        "| learner | library | its fit | our fit | ratio | Train Model | ratio |",
        "|---|---|---|---|---|---|---|",
        *(timed(pair, given.rows, given.rounds) for pair in PAIRS if given.only in pair.id),
        "",
        f"{min(given.rows, MEMORY_ROWS):,} rows, a text column of 10,000 values and two numbers:",
        "",
        "| learner | Train Model | memory before | at the most |",
        "|---|---|---|---|",
        *memory(min(given.rows, MEMORY_ROWS)),
    ]
    if given.write:
        text = DOCS.read_text(encoding="utf-8")
        before, rest = text.split(START, 1)
        _, after = rest.split(END, 1)
        body = "\n".join(table)
        DOCS.write_text(f"{before}{START}\n\n{body}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
