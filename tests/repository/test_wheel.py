from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]


def test_the_wheel_carries_types_samples_and_their_terms(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    names = set(ZipFile(wheel).namelist())
    shipped = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "modelwright").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {
        "modelwright/py.typed",
        "modelwright/samples/datasets/automobile-price-raw.csv",
        "modelwright/samples/pipelines/automobile-price.yaml",
        "modelwright/samples/datasets/README.md",
    } <= shipped
    assert shipped - names == set()
    assert [name for name in names if name.startswith("tests")] == []
