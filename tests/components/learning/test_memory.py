"""A text column of many values is never written out as a matrix of 0 and 1."""

from __future__ import annotations

import subprocess
import sys

import pytest

# 40,000 rows x 10,000 values would be 3.2 GB as numbers.
PROGRAM = """
import sys
import numpy as np, polars as pl
from modelwright.components.context import Context
from modelwright.components.library import library
from modelwright.components.learning.training import train
from modelwright.data.table import Table

chance = np.random.default_rng(0)
names = np.array([f"category {n:05d}" for n in range(10_000)])
drawn = chance.integers(0, 10_000, 40_000)
frame = pl.DataFrame({"category": names[drawn], "a": chance.normal(size=40_000)})
table = Table(frame.with_columns(y=pl.Series((drawn % 2).astype(int))))
learner = library().find(sys.argv[1])()
model = train(learner, table, "y", Context(threads=1))
model.score(table)
# Not ru_maxrss, which begins with what the process that started this one had.
status = open("/proc/self/status").read()
print(status.split("VmHWM:")[1].split()[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak is counted in other units")
@pytest.mark.parametrize(
    "learner",
    ["linear-regression", "two-class-logistic-regression", "two-class-boosted-decision-tree"],
)
def test_ten_thousand_categories_take_little_memory(learner: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, learner], capture_output=True, text=True, check=True
    )
    assert int(done.stdout.split()[-1]) * 1024 < 1e9
