"""A Parquet folder goes through Import Data and Export Data in a quarter of the memory that its rows take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

LIMIT = 225_000_000
FILES, ROWS = 10, 3_000_000

# The limit counts what the process allocates, and not files that it has mapped.
PROGRAM = """
import json, resource, sys
from pathlib import Path
import polars as pl
from modelwright.components.context import Context
from modelwright.components.palette.data_input_and_output.export_data import ExportData
from modelwright.components.palette.data_input_and_output.import_data import ImportData
from modelwright.components.places.connection import REACH, Reach

folder, limit = Path(sys.argv[1]), int(sys.argv[2])
told = {REACH: json.dumps(Reach((str(folder),)).to_json())}
context = Context(secret=told.get, scratch=folder / "scratch")

def copied(source, target):
    table = ImportData(data_source="Datastore", path=source).run(context=context)
    ExportData(path=target).run(table, context=context)
    return table

# What libraries reserve at their first use is not of the rows.
copied("one.parquet", "first.parquet")
status = Path("/proc/self/status").read_text()
had = next(int(l.split()[1]) * 1024 for l in status.splitlines() if l.startswith("VmData:"))
resource.setrlimit(resource.RLIMIT_DATA, (had + limit, had + limit))
table = copied("big/**", "copy.parquet")
print(json.dumps({"rows": table.rows, "size": table.size}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is one of Linux")
def test_a_parquet_folder_of_four_times_the_memory_is_copied(tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "scratch").mkdir()
    number = pl.int_range(ROWS, eager=True).alias("i")
    frame = number.to_frame().with_columns(
        (pl.col("i") % 1000 / 8).alias("a"),
        (pl.col("i") % 777 / 4).alias("b"),
        pl.format("text {}", pl.col("i") % 50).alias("t"),
    )
    frame.write_parquet(tmp_path / "big" / "0.parquet", row_group_size=1 << 16)
    for at in range(1, FILES):
        os.link(tmp_path / "big" / "0.parquet", tmp_path / "big" / f"{at}.parquet")
    frame.head(10).write_parquet(tmp_path / "one.parquet")

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), str(LIMIT)],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "POLARS_MAX_THREADS": "2",
            # Arrow's own allocator reserves a gigabyte whatever it needs.
            "ARROW_DEFAULT_MEMORY_POOL": "system",
        },
    )

    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["rows"] == FILES * ROWS
    assert told["size"] >= 4 * LIMIT
    copy = pl.scan_parquet(tmp_path / "copy.parquet")
    sums = copy.select(pl.len(), pl.col("i").sum(), pl.col("t").n_unique()).collect().row(0)
    assert sums == (FILES * ROWS, FILES * sum(range(ROWS)), 50)
    assert not list((tmp_path / "scratch").iterdir())
