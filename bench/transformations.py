"""Each transformation on a million rows beside the obvious pandas code, turn by turn in one process.

    python -m bench.transformations                   # a table
    python -m bench.transformations --json            # one JSON document
    python -m bench.transformations --write           # the table into docs/benchmarks/transformations.md
    python -m bench.transformations --only join --rounds 5

Both sides start from their own table in memory and make a new one; neither touches what it was given.
A transformation that fits something for later requests (clipping, scaling, binning …) does that here,
too, and pandas does not.  Time: the best of the rounds, by the clock and of all
processors together; on a machine that does other work, too, only the second tells much.  Memory: the highest growth of the process's
resident memory while one side works, in a process of its own for each side, with the other side's
table not there.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from modelwright.components.context import Context
from modelwright.components.library import library
from modelwright.data.table import Table

ROWS = 1_000_000
DOCS = Path(__file__).parent.parent / "docs" / "benchmarks" / "transformations.md"
NUMBERS = ["a", "b", "c", "d"]
NUMERIC = {"rules": [{"names": NUMBERS}]}


@dataclass(frozen=True)
class Data:
    """The same rows for both sides; a second table for joins."""

    table: Table
    other: Table
    frame: Any = None
    second: Any = None


@dataclass(frozen=True)
class Job:
    """A component with settings, and the pandas code for the same."""

    name: str
    component: str
    settings: dict[str, Any]
    pandas: Callable[[Any, Any], Any]
    second: bool = False
    ports: tuple[str, ...] = ("dataset",)


@dataclass
class Result:
    """Seconds, seconds of processors, and bytes of both sides; the factors are pandas over ours."""

    name: str
    seconds: float
    pandas_seconds: float
    cpu: float
    pandas_cpu: float
    memory: int
    pandas_memory: int

    @property
    def faster(self) -> float:
        """How many times as fast it is here."""
        return self.pandas_seconds / self.seconds

    @property
    def share_of_memory(self) -> float:
        """Memory here, as a share of that of pandas."""
        return self.memory / max(1, self.pandas_memory)


def rows(count: int, *, ours: bool = True, theirs: bool = True) -> Data:
    """Numbers with a few gaps, whole numbers, texts of few and of many values, and a second table."""
    chance = np.random.default_rng(7)
    values: dict[str, Any] = {}
    for name in NUMBERS:
        column = chance.lognormal(1.0, 0.7, count)
        column[chance.random(count) < 0.02] = np.nan
        values[name] = column
    values["whole"] = chance.integers(0, 1000, count)
    values["key"] = chance.integers(0, count // 10, count)
    values["make"] = np.array(["audi", "bmw", "fiat", "ford", "seat", "volvo"])[
        chance.integers(0, 6, count)
    ]
    values["flag"] = chance.random(count) < 0.4
    frame = pl.DataFrame(values).with_columns(pl.col(NUMBERS).fill_nan(None))
    other = pl.DataFrame({"key": range(count // 10), "extra": chance.random(count // 10)})
    pandas = (frame.to_pandas(), other.to_pandas()) if theirs else (None, None)
    if not ours:
        frame, other = frame.clear(), other.clear()
    table = Table(frame).mark("make", categorical=True)
    return Data(table, Table(other), *pandas)


def _clip(df: Any, _: Any) -> Any:
    out = df.copy()
    low, high = df[NUMBERS].quantile(0.01), df[NUMBERS].quantile(0.99)
    out[NUMBERS] = df[NUMBERS].clip(low, high, axis=1)
    return out


def _zscore(df: Any, _: Any) -> Any:
    out = df.copy()
    out[NUMBERS] = (df[NUMBERS] - df[NUMBERS].mean()) / df[NUMBERS].std(ddof=0)
    return out


def _minmax(df: Any, _: Any) -> Any:
    out = df.copy()
    low, high = df[NUMBERS].min(), df[NUMBERS].max()
    out[NUMBERS] = (df[NUMBERS] - low) / (high - low)
    return out


def _lognormal(df: Any, _: Any) -> Any:
    from scipy import stats

    out = df.copy()
    for name in NUMBERS:
        logs = np.log(df[name])
        out[name] = stats.norm.cdf((logs - logs.mean()) / logs.std(ddof=0))
    return out


def _bins(df: Any, _: Any) -> Any:
    import pandas as pd

    out = df.copy()
    for name in NUMBERS:
        out[f"{name}_quantized"] = pd.qcut(df[name], 10, labels=False, duplicates="drop")
    return out


def _widths(df: Any, _: Any) -> Any:
    import pandas as pd

    out = df.copy()
    for name in NUMBERS:
        out[f"{name}_quantized"] = pd.cut(df[name], 10, labels=False)
    return out


def _indicators(df: Any, _: Any) -> Any:
    import pandas as pd

    return pd.concat([df, pd.get_dummies(df["make"], prefix="make", dtype=int)], axis=1)


def _chi_squared(df: Any, _: Any) -> Any:
    import pandas as pd
    from scipy.stats import chi2_contingency

    found = {}
    for name in [*NUMBERS, "whole", "key", "flag"]:
        column = df[name]
        binned = pd.qcut(column, 10, duplicates="drop") if column.nunique() > 10 else column
        found[name] = chi2_contingency(pd.crosstab(binned, df["make"]))[0]
    best = sorted(found, key=lambda n: -found[n])[:3]
    return df[[*best, "make"]].copy()


def _summary(df: Any, _: Any) -> Any:
    import pandas as pd

    numbers = df[[*NUMBERS, "whole", "key"]]
    told = {
        "Count": df.count(),
        "Unique Value Count": df.nunique(),
        "Missing Value Count": df.isna().sum(),
        "Min": numbers.min(),
        "Max": numbers.max(),
        "Mean": numbers.mean(),
        "Mean Deviation": (numbers - numbers.mean()).abs().mean(),
        "1st Quartile": numbers.quantile(0.25),
        "Median": numbers.median(),
        "3rd Quartile": numbers.quantile(0.75),
        "Mode": pd.Series({n: numbers[n].mode().iloc[0] for n in numbers}),
        "Range": numbers.max() - numbers.min(),
        "Sample Variance": numbers.var(),
        "Sample Standard Deviation": numbers.std(),
        "Sample Skewness": numbers.skew(),
        "Sample Kurtosis": numbers.kurt(),
        **{f"P{p}": numbers.quantile(p / 100) for p in (0.5, 1, 5, 95, 99, 99.5)},
    }
    return pd.DataFrame(told)


def _replaced(df: Any, _: Any) -> Any:
    out = df.copy()
    out[NUMBERS] = df[NUMBERS].fillna(df[NUMBERS].mean())
    return out


def _medians(df: Any, _: Any) -> Any:
    out = df.copy()
    out[NUMBERS] = df[NUMBERS].fillna(df[NUMBERS].median())
    return out


def _logs(df: Any, _: Any) -> Any:
    out = df.copy()
    for name in NUMBERS:
        out[f"Ln({name})"] = np.log(df[name])
    return out


def _split(df: Any, _: Any) -> Any:
    first = df.sample(frac=0.7, random_state=7)
    return first, df.drop(first.index)


def _stratified(df: Any, _: Any) -> Any:
    first = df.groupby("make").sample(frac=0.7, random_state=7)
    return first, df.drop(first.index)


def _pearson(df: Any, _: Any) -> Any:
    numbers = df[[*NUMBERS, "key"]]
    found = numbers.corrwith(df["whole"]).abs().sort_values(ascending=False)
    return df[[*found.index[:2], "whole"]].copy()


def _joined_columns(df: Any, _: Any) -> Any:
    import pandas as pd

    return pd.concat([df, df.add_suffix(" (2)")], axis=1)


def _joined_rows(df: Any, _: Any) -> Any:
    import pandas as pd

    return pd.concat([df, df], ignore_index=True)


_SQL = "SELECT make, flag, count(*) AS n, avg(a) AS mean FROM t1 GROUP BY make, flag"
_KEYS = {"left_keys": ["key"], "right_keys": ["key"]}
_SIDES = ("left_dataset", "right_dataset")

JOBS = (
    Job(
        "Select Columns in Dataset",
        "select-columns-in-dataset",
        {"columns": ["a", "whole", "make"]},
        lambda df, _: df[["a", "whole", "make"]].copy(),
    ),
    Job("Clean Missing Data, rows", "clean-missing-data", {}, lambda df, _: df.dropna()),
    Job(
        "Clean Missing Data, mean",
        "clean-missing-data",
        {"mode": "Replace with mean", "columns": NUMERIC},
        _replaced,
    ),
    Job(
        "Clean Missing Data, median",
        "clean-missing-data",
        {"mode": "Replace with median", "columns": NUMERIC},
        _medians,
    ),
    Job(
        "Clip Values",
        "clip-values",
        {
            "columns": NUMERIC,
            "thresholds": "ClipPeaksAndSubpeaks",
            "both_kind": "Percentile",
        },
        _clip,
    ),
    Job("Normalize Data, ZScore", "normalize-data", {"columns": NUMERIC}, _zscore),
    Job(
        "Normalize Data, MinMax",
        "normalize-data",
        {"columns": NUMERIC, "method": "MinMax"},
        _minmax,
    ),
    Job(
        "Normalize Data, LogNormal",
        "normalize-data",
        {"columns": NUMERIC, "method": "LogNormal"},
        _lognormal,
    ),
    Job("Group Data into Bins, quantiles", "group-data-into-bins", {"columns": NUMERIC}, _bins),
    Job(
        "Group Data into Bins, widths",
        "group-data-into-bins",
        {"columns": NUMERIC, "mode": "Equal Width"},
        _widths,
    ),
    Job(
        "Convert to Indicator Values",
        "convert-to-indicator-values",
        {"columns": ["make"]},
        _indicators,
    ),
    Job(
        "Join Data, inner",
        "join-data",
        {**_KEYS, "keep_right_keys": False},
        lambda df, other: df.merge(other, on="key"),
        second=True,
        ports=_SIDES,
    ),
    Job(
        "Join Data, left outer",
        "join-data",
        {**_KEYS, "join_type": "Left Outer Join", "keep_right_keys": False},
        lambda df, other: df.merge(other, on="key", how="left"),
        second=True,
        ports=_SIDES,
    ),
    Job("Add Columns", "add-columns", {}, _joined_columns, ports=_SIDES),
    Job("Add Rows", "add-rows", {}, _joined_rows, ports=("dataset1", "dataset2")),
    Job(
        "Remove Duplicate Rows",
        "remove-duplicate-rows",
        {"keys": ["key", "make"]},
        lambda df, _: df.drop_duplicates(["key", "make"]),
    ),
    Job("Split Data, at random", "split-data", {"fraction": 0.7, "seed": 7}, _split),
    Job(
        "Split Data, stratified",
        "split-data",
        {"fraction": 0.7, "seed": 7, "stratified": True, "stratification_column": "make"},
        _stratified,
    ),
    Job(
        "Split Data, expression",
        "split-data",
        {"mode": "Relative Expression Split", "relational_expression": '\\"whole" > 500'},
        lambda df, _: (df[df["whole"] > 500], df[~(df["whole"] > 500)]),
    ),
    Job(
        "Partition and Sample",
        "partition-and-sample",
        {"rate": 0.1, "sampling_seed": 7},
        lambda df, _: df.sample(frac=0.1, random_state=7),
    ),
    Job(
        "Apply Math Operation",
        "apply-math-operation",
        {"basic": "Ln", "columns": NUMERIC},
        _logs,
    ),
    Job(
        "Apply SQL Transformation",
        "apply-sql-transformation",
        {"script": _SQL},
        lambda df, _: df.groupby(["make", "flag"])["a"].agg(["size", "mean"]).reset_index(),
        ports=("t1",),
    ),
    Job(
        "Edit Metadata",
        "edit-metadata",
        {"columns": ["whole"], "data_type": "Double", "new_names": "part"},
        lambda df, _: df.astype({"whole": float}).rename(columns={"whole": "part"}),
    ),
    Job(
        "Filter Based Feature Selection, Pearson",
        "filter-based-feature-selection",
        {"target": "whole", "count": 2},
        _pearson,
    ),
    Job(
        "Filter Based Feature Selection, chi squared",
        "filter-based-feature-selection",
        {"method": "Chi squared", "target": "make", "count": 3},
        _chi_squared,
    ),
    Job("Summarize Data", "summarize-data", {}, _summary),
)


def ours(job: Job, data: Data) -> Callable[[], Any]:
    """The component, ready to run."""
    version = library().spec(job.component).version
    component = library().make(job.component, version, job.settings)
    tables = [data.table, data.other if job.second else data.table]
    given = dict(zip(job.ports, tables, strict=False))
    asks = "context" in type(component).run.__annotations__
    more = {"context": Context()} if asks else {}
    return lambda: component.run(**given, **more)


def theirs(job: Job, data: Data) -> Callable[[], Any]:
    """The pandas code, ready to run."""
    return lambda: job.pandas(data.frame, data.second)


def seconds(work: Callable[[], Any]) -> tuple[float, float]:
    """How long one call takes, by the clock and of the processors; its result is freed afterwards."""
    gc.collect()
    start, busy = time.perf_counter(), time.process_time()
    kept = work()
    taken = time.perf_counter() - start, time.process_time() - busy
    del kept
    return taken


def growth(job: Job, side: str, count: int) -> int:
    """The highest growth of resident memory during one call, in bytes, in a process like new."""
    make = ours if side == "ours" else theirs
    sides = {"ours": side == "ours", "theirs": side == "pandas"}
    # What the first call loads and reserves is not of the rows.
    make(job, rows(1000, **sides))()
    work = make(job, rows(count, **sides))
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    kept = work()
    peak = _status("VmHWM")
    del kept
    return max(0, peak - before)


def _status(name: str) -> int:
    text = Path("/proc/self/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def measured_apart(job: Job, side: str, count: int) -> int:
    """The memory of a job on one side, from a process of its own."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "bench.transformations", "--memory", side),
            *("--only", job.name, "--rows", str(count)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def measure(only: str, rounds: int, count: int, *, memory: bool) -> list[Result]:
    """Each job, turn by turn; memory takes a process for each job and side."""
    data = rows(count)
    jobs = [job for job in JOBS if only.lower() in job.name.lower()]
    times: dict[str, tuple[list[Any], list[Any]]] = {job.name: ([], []) for job in jobs}
    for job in jobs:
        left, right = ours(job, data), theirs(job, data)
        left(), right()
        for _ in range(rounds):
            times[job.name][0].append(seconds(left))
            times[job.name][1].append(seconds(right))
    found = []
    for job in jobs:
        apart = [measured_apart(job, side, count) if memory else 0 for side in ("ours", "pandas")]
        (wall, cpu), (pandas_wall, pandas_cpu) = (
            map(min, zip(*taken, strict=True)) for taken in times[job.name]
        )
        found.append(Result(job.name, wall, pandas_wall, cpu, pandas_cpu, *apart))
    return found


def table(results: list[Result]) -> str:
    """The results in Markdown."""
    lines = [
        "| transformation | here | pandas | times as fast | processors here | pandas "
        "| memory here | pandas | share |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r.name} | {r.seconds * 1e3:.0f} ms | {r.pandas_seconds * 1e3:.0f} ms "
        f"| {r.faster:.1f} | {r.cpu * 1e3:.0f} ms | {r.pandas_cpu * 1e3:.0f} ms "
        f"| {r.memory >> 20} MB | {r.pandas_memory >> 20} MB "
        f"| {r.share_of_memory:.2f} |"
        for r in results
    ]
    median = statistics.median(r.faster for r in results)
    slowest = min(results, key=lambda r: r.faster)
    most = max(results, key=lambda r: r.share_of_memory)
    return "\n".join(lines) + (
        f"\n\nMedian: {median:.1f} times as fast.  Least: {slowest.name}, {slowest.faster:.1f}.  "
        f"Most memory against pandas: {most.name}, {most.share_of_memory:.2f}."
    )


def main() -> None:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--time-only", action="store_true")
    parser.add_argument("--memory", choices=["ours", "pandas"])
    asked = parser.parse_args()
    if asked.memory:
        (job,) = (job for job in JOBS if job.name == asked.only)
        print(growth(job, asked.memory, asked.rows))
        return
    results = measure(asked.only, asked.rounds, asked.rows, memory=not asked.time_only)
    if asked.json:
        told = [
            asdict(r) | {"faster": r.faster, "memory_share": r.share_of_memory} for r in results
        ]
        print(json.dumps({"rows": asked.rows, "rounds": asked.rounds, "results": told}, indent=1))
        return
    text = table(results)
    print(text)
    if asked.write:
        DOCS.parent.mkdir(exist_ok=True)
        summary = (__doc__ or "").partition("\n\n    python")[0]
        rest = (__doc__ or "").rpartition("--rounds 5\n")[2].strip()
        DOCS.write_text(
            f"# Transformations\n\n{summary}\n\n    python -m bench.transformations --write\n\n"
            f"{rest}\n\n{asked.rows:,} rows, best of {asked.rounds} rounds, "
            f"{_cores()} cores.\n\n{text}\n"
        )


def _cores() -> int:
    import os

    return os.cpu_count() or 1


if __name__ == "__main__":
    main()
