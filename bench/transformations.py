"""Each transformation on a million rows beside the obvious pandas code, turn by turn in one process.

    python -m bench.transformations                   # a table
    python -m bench.transformations --json            # one JSON document
    python -m bench.transformations --write           # docs/benchmarks/transformations.md anew
    python -m bench.transformations --only join --time-only

Before anything is measured the two results are compared, value by value and in their order; where chance
chooses rows, by their number, in all and of each make.  A difference ends the benchmark.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
from bench.transformation_jobs import JOBS, Data, Job, rows
from polars.testing import assert_frame_equal

from modelwright.components.context import Context
from modelwright.components.library import library
from modelwright.data.table import Table
from modelwright.run.workers import ALLOCATORS

ROWS = 1_000_000
DOCS = Path(__file__).parent.parent / "docs" / "benchmarks" / "transformations.md"
# Quick work is repeated for so many seconds in all, so that its best is not one of few.
_ENOUGH, _MOST = 0.3, 15
# Less than that is the allocator's, not the rows'.
_NOISE = 2 << 20

REASONS = """
**Aimed at**: three times as fast in the middle, and nothing slower or with more memory; the line below the
table says what is reached.  What stands in the way, as far as it was looked into:

- Mathematics is NumPy's on both sides; a second core is all that can make it quicker, and memory is soon as
  busy as it can be.  That is Ln, Pow, TanH, Sin, and Logistic.
- Sums with a constant, rounding and filling in do little more than read and write memory, on both sides.
- Choosing rows (one fold, a comparison) copies them on both sides: told which rows, nearly all of the time is
  that of writing eight columns anew, which a second core hardly shortens.
- A sample keeps the order of the table, and each stratum its share to the row; pandas does neither.
- A query is planned first, and reading a million texts takes the database as long as all of pandas' comparison.
"""


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
    def takes_more(self) -> bool:
        """Whether it takes more memory here."""
        return self.memory > self.pandas_memory + _NOISE


def ours(job: Job, data: Data) -> Callable[[], Any]:
    """The component, ready to run."""
    tables = [data.table, data.other if job.second else data.table]
    if job.given:
        tables[0] = _component(job, job.given[0]).run(data.table)
    component = _component(job, job.settings)
    given: dict[str, Any] = dict(zip(job.ports, tables, strict=False))
    if "context" in type(component).run.__annotations__:
        given["context"] = Context()
    return lambda: component.run(**given)


def _component(job: Job, settings: dict[str, Any]) -> Any:
    return library().make(job.component, library().spec(job.component).version, settings)


def theirs(job: Job, data: Data) -> Callable[[], Any]:
    """The pandas code, ready to run."""
    second = job.given[1](data.frame) if job.given else data.second
    return lambda: job.pandas(data.frame, second)


def compare(job: Job, here: Any, pandas: Any) -> None:
    """Raise AssertionError unless both sides give the same, as far as the job promises it."""
    # The table a step gives comes first; what it learnt, and reports of it, have no counterpart.
    mine = [one.frame for one in (here if isinstance(here, tuple) else (here,)) if _is_table(one)]
    others = pandas if isinstance(pandas, tuple) else (pandas,)
    for one, other in zip(mine, others, strict=False):
        wanted = pl.from_pandas(job.of_pandas(other))
        if job.by_chance:
            # pandas rounds the share of each of six makes for itself.
            assert abs(one.height - wanted.height) <= 6 * ("stratified" in job.name), job.name
            counts = [
                f.group_by("make").agg(pl.len().cast(float)).sort("make") for f in (one, wanted)
            ]
            # A share of each make is rounded; by chance alone they differ by a few standard deviations.
            apart = 2.0 if "stratified" in job.name else 10 * one.height**0.5
            assert_frame_equal(*counts, rel_tol=0.0, abs_tol=apart)
            continue
        frames = [_comparable(frame, job) for frame in (one, wanted)]
        assert_frame_equal(*frames, check_dtypes=False, rel_tol=1e-9, abs_tol=1e-12)


def _is_table(value: Any) -> bool:
    return isinstance(value, Table)


def _comparable(frame: pl.DataFrame, job: Job) -> pl.DataFrame:
    """Numbers, true and false as doubles without NaN, text as text; sorted where there is no order."""
    numbers = [n for n, d in frame.schema.items() if d.is_numeric() or d == pl.Boolean]
    plain = frame.with_columns(pl.col(numbers).cast(pl.Float64).fill_nan(None))
    return plain.sort(*job.in_any_order) if job.in_any_order else plain


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
    # What the first call loads and starts, such as threads, is not of the rows.
    make(job, rows(count // 10, **sides))()
    work = make(job, rows(count, **sides))
    given_back()
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    kept = work()
    peak = _status("VmHWM")
    del kept
    return max(0, peak - before)


def given_back() -> None:
    """What is left free goes to the system, or either side would take it again without growing."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


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
        # Allocators that keep what was given back would hide what is taken.
        env={**os.environ, **ALLOCATORS},
    )
    return int(done.stdout)


def measure(only: str, rounds: int, count: int, *, memory: bool) -> list[Result]:
    """Each job, turn by turn, once both sides have given the same; memory in processes of their own."""
    data = rows(count)
    jobs = [job for job in JOBS if only.lower() in job.name.lower()]
    times: dict[str, tuple[list[Any], list[Any]]] = {job.name: ([], []) for job in jobs}
    for job in jobs:
        left, right = ours(job, data), theirs(job, data)
        compare(job, left(), right())
        mine, others = times[job.name]
        # Whichever comes first finds the caches as the other left them.
        while len(mine) < rounds or (_spent(mine, others) < _ENOUGH and len(mine) < _MOST):
            mine.append(seconds(left))
            others.append(seconds(right))
    del data
    asked = [(job, side, count) for job in jobs for side in ("ours", "pandas")]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = iter(pool.map(measured_apart, *zip(*asked, strict=True)) if memory else ())
        return [
            Result(name, wall, pandas_wall, cpu, pandas_cpu, next(found, 0), next(found, 0))
            for name, taken in times.items()
            for (wall, cpu), (pandas_wall, pandas_cpu) in [
                [map(min, zip(*t, strict=True)) for t in taken]
            ]
        ]


def _spent(mine: list[Any], others: list[Any]) -> float:
    return float(sum(wall for wall, _ in (*mine, *others)))


def table(results: list[Result]) -> str:
    """The results in Markdown, and what they say together."""
    lines = [
        "| transformation | here | pandas | times as fast | processors here | pandas "
        "| memory here | pandas |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {r.name} | {_ms(r.seconds)} | {_ms(r.pandas_seconds)} | {r.faster:.1f} "
        f"| {_ms(r.cpu)} | {_ms(r.pandas_cpu)} | {r.memory >> 20} MB | {r.pandas_memory >> 20} MB |"
        for r in results
    ]
    median = statistics.median(r.faster for r in results)
    slower = [f"{r.name} ({r.faster:.2f})" for r in results if r.faster < 1]
    more = [f"{r.name} ({r.memory >> 20} MB)" for r in results if r.takes_more]
    return "\n".join(lines) + (
        f"\n\nMedian: {median:.1f} times as fast.  Slower than pandas: {_listed(slower)}.  "
        f"More memory than pandas: {_listed(more)}."
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.{1 if seconds < 0.01 else 0}f} ms"


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def page(results: list[Result], asked: argparse.Namespace) -> str:
    """docs/benchmarks/transformations.md."""
    import pandas as pd

    return f"""# Transformations

Each transformation on {asked.rows:,} rows beside the obvious pandas code, turn by turn in one process.
This page is written by

    python -m bench.transformations --write

Before anything is measured the two results are compared, value by value and in their order; where chance
chooses rows, by their number, in all and of each value of a column.  The pandas code is in
`bench/transformation_jobs.py`.

Both sides start from their own table in memory and make a new one; neither reads or writes files.  A step
that fits something for later requests (clipping, scaling, binning …) does that here, too, and pandas does
not.  pandas {pd.__version__} has its default types (numbers of NumPy, text of Arrow), and shares columns
between frames where it can, as Polars {pl.__version__} does.  Both sides use as many threads as they do by
default.

Times: the best of at least {asked.rounds} rounds, {os.cpu_count()} cores; *processors* is the time of all
threads together.  Memory: the highest growth of the resident memory while one side works, in a process of
its own, without the other side's table.

{table(results)}

Not measured, as there is no obvious pandas code for it: SMOTE, the recommender split, Apply Transformation
(the same formula as the step that fitted it), Select Columns Transform (it reads no row), Convert to CSV
(it passes its table on), Permutation Feature Importance (its time is that of the model), and the scripts in
Python and R, which are the user's own.
{REASONS}"""


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
        told = [asdict(r) | {"faster": r.faster} for r in results]
        print(json.dumps({"rows": asked.rows, "rounds": asked.rounds, "results": told}, indent=1))
        return
    print(table(results))
    if asked.write:
        DOCS.parent.mkdir(exist_ok=True)
        DOCS.write_text(page(results, asked))


if __name__ == "__main__":
    main()
