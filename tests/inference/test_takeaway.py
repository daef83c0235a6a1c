"""An exported package answers by itself: without a workspace and without training libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from modelwright.inference.package import NotAPackage, Package, write
from modelwright.inference.scorer import Scorer
from modelwright.inference.takeaway import export_package
from tests.inference.cars import car_prices, car_request, car_rows
from tests.serve.replicas import PRIMARY, SECONDARY

# Stands before the others on the path, so that whoever imports it learns it at once.
REFUSED = "raise ImportError('a training library was imported: ' + __name__)\n"
TRAINING = ("sklearn", "pandas", "scipy", "lightgbm", "pyarrow", "duckdb", "imblearn", "altair")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return write(car_prices(), tmp_path_factory.mktemp("package") / "cars")


@pytest.mark.parametrize("name", ["cars", "cars.zip"])
def test_what_was_exported_is_a_package_still(package: Package, tmp_path: Path, name: str) -> None:
    export_package(package, tmp_path / name)
    again = Package.open(export_package(package, tmp_path / name))
    assert again.digest == package.digest
    body = car_request(*car_rows())
    assert again.scorer().answer(body) == Scorer(car_prices()).answer(body)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_its_readme_tells_how_to_start_and_call_it(package: Package, tmp_path: Path) -> None:
    export_package(package, tmp_path / "cars")
    text = (tmp_path / "cars" / "README.md").read_text(encoding="utf-8")
    assert "pip install -r requirements.txt" in text
    assert "python -m modelwright.serve.replica ." in text
    (line,) = (li for li in text.splitlines() if li.strip().startswith("-d "))
    request = line.strip().removeprefix("-d '").removesuffix("'").replace("'\\''", "'")
    assert "Results" in json.loads(package.scorer().answer(request.encode()))
    requirements = (tmp_path / "cars" / "requirements.txt").read_text(encoding="utf-8")
    assert "modelwright[serve]==" in requirements
    docker = (tmp_path / "cars" / "Dockerfile").read_text(encoding="utf-8")
    assert "requirements.txt" in docker
    assert "modelwright.serve.replica" in docker


def test_something_else_is_not_overwritten(package: Package, tmp_path: Path) -> None:
    (tmp_path / "cars").mkdir()
    (tmp_path / "cars" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(NotAPackage):
        export_package(package, tmp_path / "cars")
    assert [p.name for p in (tmp_path / "cars").iterdir()] == ["notes.txt"]


def test_it_answers_where_no_training_library_is_installed(
    package: Package, tmp_path: Path
) -> None:
    export_package(package, tmp_path / "cars.zip")
    bare = tmp_path / "bare"
    bare.mkdir()
    for library in TRAINING:
        (bare / f"{library}.py").write_text(REFUSED, encoding="utf-8")
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"primary": PRIMARY, "secondary": SECONDARY}), encoding="utf-8")
    reading, writing = os.pipe()
    # As its README says, in an empty folder and without a home.
    command = [sys.executable, "-m", "modelwright.serve.replica", "cars.zip", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--keys-file", "keys.json", "--report", str(writing)],
        cwd=tmp_path,
        pass_fds=(writing,),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(bare), "HOME": str(tmp_path / "none")},
    )
    os.close(writing)
    try:
        with os.fdopen(reading, encoding="utf-8") as pipe:
            said = json.loads(pipe.readline() or "{}")
        headers = {"Authorization": f"Bearer {PRIMARY}"}
        answer = httpx.post(
            f"http://127.0.0.1:{said['port']}/score", content=car_request(), headers=headers
        )
    finally:
        process.terminate()
        process.wait(10)
    assert answer.content == Scorer(car_prices()).answer(car_request())
    assert not (tmp_path / "none").exists()


def test_the_libraries_that_are_refused_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pandas.py").write_text(REFUSED, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", "import pandas"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert "a training library was imported: pandas" in run.stderr
