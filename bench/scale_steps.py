"""Steps for the benchmark of clusters."""

from __future__ import annotations

import time

import numpy as np
import polars as pl

from modelwright.components.context import Context
from modelwright.components.contract import Component
from modelwright.data.table import Table


def trial(seed: int, seconds: float = 0.5) -> float:
    """Work that keeps one core busy for about so long."""
    chance = np.random.default_rng(seed)
    end, total = time.process_time() + seconds, 0.0
    while time.process_time() < end:
        total += float(np.sort(chance.random(20_000))[0])
    return total


class Small(Component, category="Bench"):
    """Adds one to a few numbers."""

    def run(self, dataset: Table | None) -> Table:
        """Add one."""
        if dataset is None:
            return Table(pl.DataFrame({"x": range(1000)}))
        return Table(dataset.frame.with_columns(pl.col("x") + 1))


class Sweep(Component, category="Bench"):
    """Does trials on the target's workers."""

    trials: int = 16

    def run(self, *, context: Context) -> Table:
        """Do the trials."""
        return Table(pl.DataFrame({"x": context.map(trial, range(self.trials))}))
