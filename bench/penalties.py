"""Where the penalties of boosted trees and of networks come from, how networks begin and forests vote.

    python -m bench.penalties               # about fifteen minutes
    python -m bench.penalties --only boosted

They were chosen once, on data that `bench.learners` does not look at: of the values below the best mean score for
networks and forests, and for leaves the largest penalty before a task loses.  Each value is tried on the same rows: some drawn to
train, others to test.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import polars as pl

from modelwright.components.context import Context
from modelwright.components.learning import boosting, decision_forests, network
from modelwright.components.learning.evaluation import read_scores
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.scoring import score
from modelwright.components.learning.training import train
from modelwright.components.library import library
from modelwright.components.palette.classification import (
    multiclass_boosted_decision_tree as of_classes,
)
from modelwright.data.schema import Task
from modelwright.data.table import Table
from modelwright.samples import DATASETS

ONE = Context(threads=1)
TEST = 2_000
SEEDS = 2


@cache
def rows_of(file: str) -> pl.DataFrame:
    """A sample data set that ships, without rows that lack a value."""
    sample = next(s for s in DATASETS if s.file == file)
    if sample.path.suffix == ".parquet":
        return pl.read_parquet(sample.path).drop_nulls()
    return pl.read_csv(sample.path, null_values=list(sample.missing)).drop_nulls()


def data_of(task: Task) -> Iterator[pl.DataFrame]:
    """Rows with what to predict of them as `y`: weekly income, shapes of letters, flights."""
    census = rows_of("us-census-2000-income.csv").drop("expersq", "puma")
    income = pl.col("lweekinc")
    letters = rows_of("letter-recognition.csv")
    flights = rows_of("nyc-flights-2013.parquet").select(FLIGHT)
    late = pl.col("arr_delay")
    if task is Task.REGRESSION:
        yield census.rename({"lweekinc": "y"})
        yield letters.rename({"onpix": "y"})
        yield flights.rename({"arr_delay": "y"})
    elif task is Task.TWO_CLASS:
        high = (income > income.median()).cast(int).alias("y")
        yield census.with_columns(high).drop("lweekinc")
        second = (pl.col("letter") > "M").cast(int).alias("y")
        yield letters.with_columns(second).drop("letter")
        yield flights.with_columns((late > 0).cast(int).alias("y")).drop("arr_delay")
    else:
        third = income.rank(method="ordinal") * 3 // (pl.len() + 1)
        yield census.with_columns(third.alias("y")).drop("lweekinc")
        yield letters.rename({"letter": "y"})
        grade = (late > -10).cast(int) + (late > 10).cast(int)
        yield flights.with_columns(grade.alias("y")).drop("arr_delay")


def bent(task: Task) -> Iterator[pl.DataFrame]:
    """Rows of which no plane tells much: weather, and numbers made for the purpose."""
    from sklearn import datasets

    weather = rows_of("nyc-weather-2013.parquet").select(WEATHER)
    if task is Task.REGRESSION:
        yield weather.rename({"temp": "y"})
        numbers, label = datasets.make_friedman1(5000, noise=1.0, random_state=0)
    elif task is Task.TWO_CLASS:
        yield weather.with_columns((pl.col("precip") > 0).cast(int).alias("y")).drop("precip")
        numbers, label = datasets.make_hastie_10_2(5000, random_state=0)
    else:
        third = pl.col("temp").rank(method="ordinal") * 3 // (pl.len() + 1)
        yield weather.with_columns(third.alias("y")).drop("temp")
        numbers, label = datasets.make_gaussian_quantiles(
            n_samples=5000, n_features=6, n_classes=3, random_state=0
        )
    yield pl.DataFrame(numbers).with_columns(y=pl.Series(label))


FLIGHT = (
    "month",
    "dep_delay",
    "carrier",
    "origin",
    "dest",
    "air_time",
    "distance",
    "hour",
    "arr_delay",
)


WEATHER = (
    "origin",
    "month",
    "hour",
    "temp",
    "humid",
    "wind_dir",
    "wind_speed",
    "precip",
    "pressure",
    "visib",
)


def score_of(learner: Learner, frame: pl.DataFrame, size: int, seed: int) -> float:
    """Trained on so many rows, tested on others."""
    order = np.random.default_rng(seed).permutation(frame.height)
    training, test = frame[order[:size]], frame[order[size : size + TEST]]
    model = train(learner, Table(training), "y", ONE)
    metrics = read_scores(score(model, Table(test)), port="test").metrics()
    found = metrics[
        "Coefficient_of_Determination" if learner.task is Task.REGRESSION else "Accuracy"
    ]
    return float("nan") if found is None else found


def mean_score(learner: Learner, sizes: tuple[int, ...], *, curved: bool) -> float:
    """Over data, sizes and seeds."""
    frames = [*data_of(learner.task), *(bent(learner.task) if curved else ())]
    tries = product(frames, sizes, range(SEEDS))
    return float(np.mean([score_of(learner, f, size, seed) for f, size, seed in tries]))


def learners_of(part: str) -> list[type[Learner]]:
    """Those with a word in their id."""
    return [c for c in library() if issubclass(c, Learner) and part in c.__component__.id]


def starts() -> None:
    """Print a row per diameter of the starting weights, and for numbers per rate."""
    print("| diameter | rate of numbers | several classes | two classes | numbers |")
    print("|---" * 5 + "|")
    by_task = {c.task: c for c in learners_of("network")}
    for diameter in (0.1, 0.2, 0.5, 1.0):
        begun = {"the_initial_learning_weights_diameter": diameter}
        shown = [
            f"{mean_score(by_task[task](**begun), (200, 1_000), curved=True):.4f}"
            for task in (Task.MULTICLASS, Task.TWO_CLASS)
        ]
        for rate in (0.005, 0.01, 0.02):
            rated = {**begun, "learning_rate": rate}
            found = mean_score(by_task[Task.REGRESSION](**rated), (200, 1_000), curved=True)
            print(f"| {diameter} | {rate} | {' | '.join(shown)} | {found:.4f} |", flush=True)
            shown = ["", ""]


def compared(
    part: str,
    grid: dict[str, tuple[float, ...]],
    module: Any,
    sizes: tuple[int, ...],
    *,
    curved: bool = False,
) -> None:
    """Print a row per combination of values: the mean score over data, sizes and seeds, for each task."""
    learners = learners_of(part)
    names = [c.task.value for c in learners]
    print(f"| {' | '.join(grid)} | {' | '.join(names)} | mean |")
    print("|---" * (len(grid) + len(names) + 1) + "|")
    for values in product(*grid.values()):
        for name, value in zip(grid, values, strict=True):
            setattr(module, name, value)
            if name == "LEAF_PENALTY":
                vars(of_classes)["LEAF_PENALTY_OF_CLASSES"] = value
        means = [mean_score(c(), sizes, curved=curved) for c in learners]
        shown = " | ".join(f"{m:.4f}" for m in [*means, float(np.mean(means))])
        print(f"| {' | '.join(map(str, values))} | {shown} |", flush=True)


def main() -> None:
    """Try every combination."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    asked.add_argument(
        "--only", default="", choices=("", "boosted", "drawn", "network", "starts", "forest")
    )
    given = asked.parse_args()
    started = time.perf_counter()
    grid: dict[str, tuple[float, ...]]
    if given.only in ("", "boosted"):
        compared(
            "boosted",
            {"LEAF_PENALTY": (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)},
            boosting,
            (200, 1_000, 5_000),
        )
        print()
    if given.only in ("", "drawn"):
        grid = {"DRAWN_ROWS": (1.0, 0.7, 0.5), "DRAWN_INPUTS": (1.0, 0.7, 0.5)}
        compared("boosted", grid, boosting, (200, 1_000, 3_000), curved=True)
        print()
    if given.only in ("", "network"):
        grid = {"PENALTY": (0.3, 1.0, 3.0), "DEVIATION": (0.5, 1.0)}
        compared("network", grid, network, (200, 1_000), curved=True)
        print()
    if given.only in ("", "starts"):
        starts()
    if given.only in ("", "forest"):
        grid = {"GROWN_ON": (0.5, 1.0, 2.0, 4.0, 8.0)}
        compared("decision-forest", grid, decision_forests, (200, 1_000, 3_000), curved=True)
    print(f"{time.perf_counter() - started:.0f} seconds")


if __name__ == "__main__":
    main()
