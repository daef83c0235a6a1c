"""The whole program is killed at some moment, and run again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from modelwright.data.store import Store
from modelwright.graph.graph import Graph
from modelwright.run.events import Event
from modelwright.run.workers import local_workers
from tests.run.worlds import World, graph, statuses

STEPS = 12
LAST = f"n{STEPS - 1}"
ROOT = Path(__file__).parents[2]


def long_chain(folder: Path) -> Graph:
    """A chain of steps that store a few megabytes each and count their runs; the last never ends."""
    names = [f"n{number}" for number in range(STEPS)]
    return graph(
        {
            "n": ("numbers", {"rows": 400_000}),
            **{
                name: ("add", {"amount": number + 1, "counted": str(folder)})
                for number, name in enumerate(names)
            },
            "h": ("hang", {"place": str(folder)}),
        },
        "n.table > n0.dataset",
        *(f"{a}.table > {b}.dataset" for a, b in pairwise([*names, "h"])),
    )


def run_and_tell(folder: Path) -> None:
    """The program that is killed: it says on a line each which step is done."""

    def tell(event: Event) -> None:
        if event.kind in ("step-done", "run-finished"):
            print(event.kind, getattr(event, "node", ""), flush=True)

    with local_workers(most=2) as pool:
        print("workers", *pool.pids, flush=True)
        World(folder, pool).run(long_chain(folder), on_event=tell)


def children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


@pytest.mark.parametrize("moment", [1, 5, 9])
def test_finished_steps_survive_a_kill_of_the_whole_program(tmp_path: Path, moment: int) -> None:
    program = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from tests.run.test_kill import run_and_tell; "
            "run_and_tell(Path(sys.argv[1]))",
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert program.stdout is not None
    finished: list[str] = []
    for line in program.stdout:
        if line.startswith("step-done"):
            finished.append(line.split()[1])
        if len(finished) == moment:
            break
    workers = children(program.pid)
    program.kill()
    finished += [line.split()[1] for line in program.stdout if line.startswith("step-done")]
    program.wait()
    program.stdout.close()
    assert finished
    assert workers
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive

    counted = {
        name: (tmp_path / name).stat().st_size for name in os.listdir(tmp_path) if "add" in name
    }
    with local_workers(most=1) as pool:
        world = World(tmp_path, pool)
        result = world.run(long_chain(tmp_path), until=LAST)
    assert result.status == "completed"
    assert {n for n, s in statuses(result).items() if s == "reused"} >= set(finished)
    for node in finished:
        if node != "n":
            name = f"add-{int(node[1:]) + 1}"
            assert world.counted(name) == counted[name] == 1
    total = sum(range(1, STEPS + 1))
    assert world.values(result, f"{LAST}.table")[:2] == [total, total + 1]
    for step in result.steps.values():
        for output in step.outputs.values():
            assert world.store.get(output.digest, verify=True).summary()["rows"] == 400_000

    # What was half written is swept away once it is old enough to be nobody's.
    for part in (tmp_path / "store" / "temporary").iterdir():
        os.utime(part, (time.time() - 3600,) * 2)
    assert Store.open(tmp_path / "store").usage().temporary == 0
