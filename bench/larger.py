"""Tables larger than memory: a pipeline over a Parquet folder of several times what its worker may take.

    python bench/larger.py [--gigabytes G] [--memory G] [--json] [--write]

Random numbers that do not compress are written as Parquet files, read, prepared and exported again, in a folder
of TMPDIR that is deleted afterwards; it takes three and a half times as much of the disk.  --write puts what was measured into
docs/benchmarks/larger.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import polars as pl
import psutil

from modelwright.components.library import library
from modelwright.components.places.connection import REACH, Reach
from modelwright.data.store import Store
from modelwright.graph.assets import FixedAssets
from modelwright.graph.codec import read
from modelwright.run.plan import plan
from modelwright.run.result import RunResult
from modelwright.run.runner import Runner
from modelwright.run.workers import local_workers

COLUMNS = 16
KEYS = 1000
FILE = 200_000_000
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "larger.md"

PIPELINE = """\
modelwright: 1
name: Larger than memory
nodes:
  import:
    component: import-data
    parameters: {{data_source: Datastore, path: {data}/**}}
  select:
    component: select-columns-in-dataset
    parameters: {{columns: [key, c0]}}
    inputs: {{dataset: import.dataset}}
  filter:
    component: apply-sql-transformation
    parameters: {{script: "SELECT * FROM t1 WHERE c1 > 2.5"}}
    inputs: {{t1: import.dataset}}
  group:
    component: apply-sql-transformation
    parameters: {{script: "SELECT key, avg(c1) AS mean, count(*) AS number FROM t1 GROUP BY key"}}
    inputs: {{t1: import.dataset}}
  sample:
    component: partition-and-sample
    parameters: {{mode: Sampling, rate: 0.01, sampling_seed: 1}}
    inputs: {{dataset: import.dataset}}
  clean:
    component: clean-missing-data
    parameters: {{columns: [c0], mode: Replace with median}}
    inputs: {{dataset: select.results_dataset}}
  join:
    component: join-data
    parameters: {{left_keys: [key], right_keys: [key], keep_right_keys: false}}
    inputs: {{left_dataset: clean.cleaned_dataset, right_dataset: group.results_dataset}}
  split:
    component: split-data
    parameters: {{fraction: 0.7, seed: 1}}
    inputs: {{dataset: clean.cleaned_dataset}}
  summarize:
    component: summarize-data
    inputs: {{dataset: clean.cleaned_dataset}}
  export:
    component: export-data
    parameters: {{path: {joined}}}
    inputs: {{dataset: join.results_dataset}}
"""


def make(folder: Path, size: int) -> tuple[int, int]:
    """A folder of Parquet files of so many bytes; how many rows, and how many bytes they are."""
    folder.mkdir()
    rows = written = 0
    each = FILE // (8 * COLUMNS)
    while written < size:
        chance = np.random.default_rng(rows)
        columns = {f"c{n}": chance.normal(size=each) for n in range(COLUMNS - 1)}
        frame = pl.DataFrame({"key": chance.integers(0, KEYS, each), **columns})
        lacking = pl.when(pl.col("key") % 100 != 7).then(pl.col("c0"))
        path = folder / f"part-{rows:012}.parquet"
        frame.with_columns(lacking.alias("c0")).write_parquet(path, row_group_size=100_000)
        rows += each
        written += path.stat().st_size
    return rows, written


def measured(folder: Path, gigabytes: float, memory: float) -> dict[str, Any]:
    """What each step took.  Ends the program when a step fails or gives other rows than it should."""
    data = folder / "data"
    rows, size = make(data, int(gigabytes * 1e9))
    secrets = {REACH: json.dumps(Reach(folders=(str(folder),)).to_json())}
    store = Store.open(folder / "store")
    begun = time.perf_counter()
    with watched() as own, local_workers(most=1, memory=int(memory * 1e9), threads=2) as workers:
        graph = read(PIPELINE.format(data=data, joined=folder / "joined.parquet")).graph
        planned = plan(graph, library=library(), store=store, assets=FixedAssets())
        result = Runner(workers, secrets=secrets.get).run(planned)
    seconds = time.perf_counter() - begun
    if result.status != "completed":
        raise SystemExit([f.message for f in result.failures])
    check(result, rows, folder / "joined.parquet")
    return {
        "gigabytes": size / 1e9,
        "rows": rows,
        "memory_gb": memory,
        "most_gb": max(own) / 1e9,
        "seconds": seconds,
        "steps": {name: step.seconds for name, step in result.steps.items()},
    }


@contextmanager
def watched() -> Iterator[list[int]]:
    """The bytes that a process begun here has of its own, again and again; files that are mapped do not count."""
    found = [0]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            for process in psutil.Process().children(recursive=True):
                with suppress(OSError, psutil.Error):
                    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
                    found.extend(int(n) << 10 for n in re.findall(r"RssAnon:\s+(\d+) kB", status))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def check(result: RunResult, rows: int, exported: Path) -> None:
    """Whether the steps gave as many rows as they should."""
    given = {
        str(name): [out.rows for out in step.outputs.values() if out.rows is not None]
        for name, step in result.steps.items()
    }
    wanted = {"import": rows, "select": rows, "clean": rows, "join": rows, "group": KEYS}
    wrong = [name for name, count in wanted.items() if given[name][0] != count]
    if wrong or sum(given["split"]) != rows or given["sample"][0] != round(rows * 0.01):
        raise SystemExit(f"other rows than there should be: {given}")
    if pl.scan_parquet(exported).select(pl.len()).collect().item() != rows:
        raise SystemExit("the export has other rows")


def write(found: Mapping[str, Any]) -> None:
    """Put it into the page."""
    lines = [
        f"{datetime.now(UTC):%d %B %Y}, {os.cpu_count()} cores: {found['gigabytes']:.1f} GB of Parquet in "
        f"{found['rows'] / 1e6:.0f} million rows of {COLUMNS} columns; one worker that may take "
        f"{found['memory_gb']:g} GB, and had {found['most_gb']:.1f} GB of its own at the most; "
        f"{found['seconds'] / 60:.0f} minutes in all.".lstrip("0"),
        "",
        "| step | seconds |",
        "|---|---:|",
        *(f"| {name} | {seconds:.0f} |" for name, seconds in found["steps"].items()),
    ]
    text = PAGE.read_text(encoding="utf-8")
    place = re.compile(r"(?<=<!-- measured -->\n).*(?=<!-- end -->)", re.DOTALL)
    PAGE.write_text(place.sub("\n" + "\n".join(lines) + "\n\n", text), encoding="utf-8")


def main() -> None:
    """Measure, and print JSON or lines."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--gigabytes", type=float, default=20.0)
    options.add_argument("--memory", type=float, default=4.0, help="gigabytes of the worker")
    options.add_argument("--json", action="store_true")
    options.add_argument("--write", action="store_true", help=f"put it into {PAGE.name}")
    given = options.parse_args()
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < 3.5 * given.gigabytes * 1e9:
        raise SystemExit(
            f"{free / 1e9:.0f} GB of the disk are free; {3.5 * given.gigabytes:g} are needed"
        )
    with tempfile.TemporaryDirectory(prefix="modelwright-larger-") as folder:
        found = measured(Path(folder), given.gigabytes, given.memory)
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        print(
            f"{found['gigabytes']:.1f} GB within {found['memory_gb']:g} GB, of which "
            f"{found['most_gb']:.1f} were taken: {found['seconds']:.0f} s"
        )
        for name, seconds in found["steps"].items():
            print(f"{name:>10} {seconds:8.1f} s")
    if given.write:
        write(found)


if __name__ == "__main__":
    main()
