"""Clusters: what a step costs on Ray, a sweep beside joblib, and tables that are large.

    python bench/scale.py [--json] [--cores N] [--gigabytes G] [--only PART …] [--write]

PART is overhead, sweep, handed or larger; --write puts what was measured into docs/benchmarks/clusters.md.
A Ray cluster is started on this machine for it and stopped again.  Both sides of a comparison take
turns, and the least of each is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import polars as pl
from bench.scale_steps import Small, Sweep, trial

from modelwright.components.contract import Component
from modelwright.components.library import Library, library
from modelwright.components.places.connection import REACH, Reach
from modelwright.data.store import Store
from modelwright.graph.assets import FixedAssets
from modelwright.graph.codec import read
from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire
from modelwright.run.plan import plan
from modelwright.run.ray_workers import ray_workers
from modelwright.run.result import RunResult
from modelwright.run.run_graph import run_graph
from modelwright.run.runner import Runner
from modelwright.run.workers import local_workers
from modelwright.targets.contract import Target

OWN: tuple[type[Component], ...] = (Small, Sweep)
STEPS = 20
TRIALS = 16
TURNS = 3
ALLOWED = 400 << 20
PARTS = ("overhead", "sweep", "handed", "larger")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "clusters.md"

LARGER = """\
modelwright: 1
name: Larger than memory
nodes:
  rows:
    component: import-data
    parameters: {data_source: Datastore, path: %s/**}
  half:
    component: apply-math-operation
    parameters: {category: Operations, operations: Multiply, second: 0.5, columns: [c0, c1], output_mode: Inplace}
    inputs: {dataset: rows.dataset}
  chosen:
    component: select-columns-in-dataset
    parameters: {columns: [c0, c2]}
    inputs: {dataset: half.results_dataset}
"""

HANDED_ON = """
import json, sys, time
import numpy as np, polars as pl, ray
from modelwright.data.table import Table
from modelwright.run.ray_program import unwrap, wrap
size = int(float(sys.argv[1]) * 1e9)
ray.init(num_cpus=1, object_store_memory=int(size * 1.4), include_dashboard=False, log_to_driver=False,
         _node_ip_address="127.0.0.1")
table = Table(pl.DataFrame({f"c{n}": np.random.default_rng(n).random(size // 80) for n in range(10)}))
copied, handed = [], []
for _ in range(3):
    begun = time.perf_counter()
    copy = [table.frame[name].to_numpy().copy() for name in table.frame.columns]
    copied.append(time.perf_counter() - begun)
    del copy
    begun = time.perf_counter()
    ref = ray.put(wrap(table))
    given = unwrap(ray.get(ref))
    total = float(given.frame["c3"][-1])
    handed.append(time.perf_counter() - begun)
    del ref, given
    time.sleep(1)
print(json.dumps({"copy_s": min(copied), "handed_s": min(handed)}))
"""


def chain() -> Graph:
    """Small steps, each of which feeds the next."""
    nodes = {NodeId(f"s{n}"): Node("small") for n in range(STEPS)}
    wires = (
        Wire(Pin(NodeId(f"s{n}"), "table"), Pin(NodeId(f"s{n + 1}"), "dataset"))
        for n in range(STEPS - 1)
    )
    return Graph("chain", "", nodes, frozenset(wires))


def run(graph: Graph, target: Target, folder: Path) -> RunResult:
    """Run all of a graph."""
    result = run_graph(
        graph,
        store=Store.open(folder),
        library=Library(iter(OWN)),
        target=target,
        rerun=True,
    )
    if result.status != "completed":
        raise SystemExit([f.message for f in result.failures])
    return result


def overhead(target: Target, folder: Path) -> float:
    """Milliseconds a step on a warm cluster, beside its own work."""
    run(chain(), target, folder)
    found = []
    for _ in range(TURNS):
        result = run(chain(), target, folder)
        work = sum(step.seconds or 0.0 for step in result.steps.values())
        found.append((result.seconds - work) / STEPS * 1000)
    return min(found)


def sweep(target: Target, folder: Path, cores: int) -> tuple[float, float]:
    """Seconds of the same trials on the cluster and by joblib, in turns."""
    from joblib import Parallel, delayed

    graph = Graph("sweep", "", {NodeId("sweep"): Node("sweep", parameters={"trials": TRIALS})})
    run(graph, target, folder)
    Parallel(n_jobs=cores)(delayed(trial)(n, 0.01) for n in range(cores))
    here, there = [], []
    for _ in range(TURNS):
        begun = time.perf_counter()
        Parallel(n_jobs=cores)(delayed(trial)(n) for n in range(TRIALS))
        here.append(time.perf_counter() - begun)
        there.append(run(graph, target, folder).seconds)
    return min(there), min(here)


def larger_than_memory(folder: Path) -> dict[str, float]:
    """A pipeline over a Parquet folder of four times what its one worker may take."""
    data = folder / "parquet"
    data.mkdir()
    rows = 4 * ALLOWED // (8 * 3) // 4
    for part in range(4):
        chance = np.random.default_rng(part)
        columns = {f"c{n}": chance.normal(size=rows) for n in range(3)}
        pl.DataFrame(columns).write_parquet(data / f"{part}.parquet", row_group_size=50_000)
    with local_workers(most=1, memory=ALLOWED, threads=2) as target:
        planned = plan(
            read(LARGER % data).graph,
            library=library(),
            store=Store.open(folder / "large"),
            assets=FixedAssets(),
        )
        reach = json.dumps(Reach(folders=(str(data),)).to_json())
        result = Runner(target, secrets={REACH: reach}.get).run(planned)
    if result.status != "completed":
        raise SystemExit([f.message for f in result.failures])
    made = result.steps[NodeId("chosen")].outputs["results_dataset"]
    if made.rows != 4 * rows:
        raise SystemExit(f"{made.rows} rows instead of {4 * rows}")
    return {"times_the_memory": 4 * rows * 24 / ALLOWED, "larger_than_memory_s": result.seconds}


def handed_on(gigabytes: float) -> dict[str, float]:
    """Seconds to hand a table on within a node, and to copy it."""
    command = [sys.executable, "-c", HANDED_ON, str(gigabytes)]
    # Ray would leave a token in the user's folder otherwise.
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled"}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=300, env=environment
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "handed_to_copy": found["handed_s"] / found["copy_s"]}


def measured(parts: Collection[str], cores: int, gigabytes: float) -> dict[str, float]:
    """What the parts cost, by name."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="modelwright-bench-") as name:
        folder = Path(name)
        if {"overhead", "sweep"} & set(parts):
            with ray_workers(name="bench", most=cores, threads=1) as target:
                if "overhead" in parts:
                    found["overhead_ms_a_step"] = overhead(target, folder)
                if "sweep" in parts:
                    there, here = sweep(target, folder, cores)
                    found |= {"sweep_s": there, "joblib_s": here, "sweep_to_joblib": there / here}
        if "larger" in parts:
            found |= larger_than_memory(folder)
    if "handed" in parts:
        found |= handed_on(gigabytes)
    return found


def lines(found: Mapping[str, float], gigabytes: float) -> dict[str, tuple[str, str, str]]:
    """The page's lines, by part: what, how much of it, and what it should be."""
    made = {}
    if "overhead_ms_a_step" in found:
        made["overhead"] = (
            f"a step on a warm Ray cluster, beside its own work (a chain of {STEPS})",
            f"{found['overhead_ms_a_step']:.1f} ms",
            "at most 30 ms",
        )
    if "sweep_s" in found:
        made["sweep"] = (
            f"a sweep of {TRIALS} trials against the same trials by joblib on the same cores",
            f"{found['sweep_s']:.1f} s to {found['joblib_s']:.1f} s: {found['sweep_to_joblib']:.2f} x",
            "at most 1.15 x",
        )
    if "handed_s" in found:
        handed, copied = found["handed_s"] * 1000, found["copy_s"] * 1000
        made["handed"] = (
            f"{gigabytes:g} GB of a table handed from one step to the next on one node, "
            "against a copy in memory",
            f"{handed:.0f} ms to {copied:.0f} ms: {found['handed_to_copy']:.2f} x",
            "at most 1.3 x",
        )
    if "larger_than_memory_s" in found:
        made["larger"] = (
            f"a pipeline over Parquet files of {found['times_the_memory']:.1f} times the memory "
            f"({ALLOWED >> 20} MiB) that its worker may take",
            f"completes in {found['larger_than_memory_s']:.0f} s",
            "completes",
        )
    return made


def write(made: Mapping[str, tuple[str, str, str]], cores: int) -> None:
    """Put the lines into the page; those of parts that were not measured stay as they are."""
    import ray

    text = PAGE.read_text(encoding="utf-8")
    where = f"{datetime.now(UTC):%d %B %Y}, {cores} cores, Ray {ray.__version__}".lstrip("0")
    for part, cells in made.items():
        line = f"| {' | '.join((part, *cells, where))} |"
        text, count = re.subn(rf"^\| {part} \|.*$", line, text, flags=re.MULTILINE)
        if count != 1:
            raise SystemExit(f'{PAGE} has {count} lines of "{part}" instead of one')
    PAGE.write_text(text, encoding="utf-8")


def main() -> None:
    """Measure, and print a table or JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--cores", type=int, default=2)
    options.add_argument("--gigabytes", type=float, default=1.0)
    options.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    options.add_argument("--write", action="store_true", help=f"put it into {PAGE.name}")
    given = options.parse_args()
    found = measured(given.only, given.cores, given.gigabytes)
    made = lines(found, given.gigabytes)
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        for what, much, wanted in made.values():
            print(f"{what}: {much} ({wanted})")
    if given.write:
        write(made, given.cores)


if __name__ == "__main__":
    main()
