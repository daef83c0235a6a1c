from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "altair",
    "alembic",
    "docker",
    "duckdb",
    "fastapi",
    "imblearn",
    "kubernetes",
    "lightgbm",
    "pandas",
    "pyarrow",
    "ray",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "torch",
    "vl_convert",
}

IMPORT_ALL = """
import importlib, json, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.parametrize(
    "package",
    [
        "data",
        "components",
        "graph",
        "targets",
        "run",
        "inference",
        "serve",
        "actions",
        "client",
        "cli",
    ],
)
def test_importing_a_whole_package_loads_no_heavy_library(package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, f"modelwright.{package}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert "modelwright" in loaded
    assert loaded & HEAVY == set()
