"""A sweep on real worker processes, killed in the middle and run again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np

from modelwright.components.library import library
from modelwright.data.store import Store
from modelwright.graph.graph import NodeId
from modelwright.run.events import Event, StepReport, StepRunning
from modelwright.run.workers import local_workers
from tests.run.worlds import World, graph, statuses

TUNE = NodeId("tune")
RUNS = 40


def typed_rows() -> str:
    chance = np.random.default_rng(0)
    a, b = chance.normal(size=60), chance.normal(size=60)
    lines = [f"{x:.4f},{y:.4f},{3 * x - y:.4f}" for x, y in zip(a, b, strict=True)]
    return "\n".join(["a,b,y", *lines])


def test_a_killed_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    drawn = graph(
        {
            "rows": ("enter-data-manually", {"data": typed_rows()}),
            "learner": (
                "linear-regression",
                {
                    "create_trainer_mode": "ParameterRange",
                    "l2_regularization_weight_range": {"minimum": 0.05, "maximum": 40},
                },
            ),
            "tune": ("tune-model-hyperparameters", {"label_column": "y", "runs": RUNS}),
        },
        "rows.dataset > tune.training_dataset",
        "learner.untrained_model > tune.untrained_model",
    )
    reports: list[StepReport] = []
    with local_workers(most=2) as pool:
        world = World(tmp_path, pool)
        world.library = library()
        worker: list[str] = []

        def kill_later(event: Event) -> None:
            if isinstance(event, StepRunning) and event.node == TUNE:
                worker.append(event.worker)
            if isinstance(event, StepReport):
                reports.append(event)
                if len(reports) == 4:
                    # Whichever process it is: both work on the sweep.
                    for pid in pool.pids:
                        os.kill(pid, signal.SIGKILL)

        assert statuses(world.run(drawn, on_event=kill_later))["tune"] == "failed"
        before = len(reports)
        assert 4 <= before < RUNS
        result = world.run(drawn)
        again = [e for e in world.events if isinstance(e, StepReport)]
    assert statuses(result)["tune"] == "done"
    assert len(again) == RUNS
    (log,) = [p for p in (tmp_path / "logs").glob("*/tune.log") if "Best:" in p.read_text()]
    reused = next(line for line in log.read_text().splitlines() if "earlier attempt" in line)
    # Four settings were told of, so all their five folds had been measured and kept.
    assert int(reused.split()[0]) >= 4 * 5
    alone = World(tmp_path / "alone")
    alone.store, alone.library = Store.open(tmp_path / "other"), library()
    expected = alone.run(drawn)
    digest = {r.run: r.steps[TUNE].outputs["sweep_results"].digest for r in (result, expected)}
    assert len(set(digest.values())) == 1
