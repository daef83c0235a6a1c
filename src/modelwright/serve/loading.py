"""From a package on disk to a deployment that has proved that it answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson

from modelwright.inference.package import Package
from modelwright.inference.scorer import Scorer
from modelwright.serve.gathering import MOST
from modelwright.serve.lanes import FormulaLane, Lane
from modelwright.serve.live import Live
from modelwright.serve.settings import DeploymentSettings
from modelwright.serve.workers import Nursery, WorkerLane


async def load(
    name: str, path: Path, settings: DeploymentSettings, nursery: Path | None = None
) -> Live:
    """The packaged pipeline, ready and tried on its sample rows.

    nursery: where its scoring processes are made, if it needs any; it gets its own for None.
    Raises NotAPackage, NewerPackage, CorruptPackage, DeploymentFailed, and what a step says to the
    sample rows.
    """
    # Beside the event loop: what is deployed already goes on answering.
    package, scorer = await asyncio.to_thread(_open, path)
    if scorer is not None:
        return Live(name, package, FormulaLane(scorer, settings), settings)
    made_by = nursery or await Nursery.start(path, settings)
    # At least one, which proves that it can score, also where later there may be none.
    replicas = max(1, settings.min_replicas)
    workers = replicas * settings.max_concurrent_requests
    lane: Lane = await WorkerLane.start(name, made_by, settings, workers=workers)
    return Live(name, package, lane, settings)


def _open(path: Path) -> tuple[Package, Scorer | None]:
    """The package and, where it is formulas, its scorer; scripts are only run in other processes."""
    package = Package.open(path)
    if not package.plan.is_compiled:
        return package, None
    scorer = package.scorer()
    if all(i.samples for i in scorer.inputs):
        scorer.try_samples()
        if scorer.answer_all is not None:
            # What is made once for many rows is made before anybody waits for it.
            body = orjson.dumps({"Inputs": {i.name: list(i.samples[:1]) for i in scorer.inputs}})
            scorer.answer_all([body] * MOST)
    return package, scorer
