from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from modelwright.data.fitted import Model
from modelwright.inference.errors import StepFailed
from modelwright.inference.package import (
    CorruptPackage,
    NewerPackage,
    NotAPackage,
    Package,
    read,
    write,
)
from modelwright.inference.scorer import CompiledSteps, Scorer
from tests.inference.cars import car_prices, car_request, car_rows, cars, digest_of

TRIMMING = "def azureml_main(a=None, b=None):\n    return a[['make', 'Scored Labels']]\n"


@pytest.mark.parametrize("name", ["cars", "cars.zip"])
@pytest.mark.parametrize("script", [None, TRIMMING])
def test_a_package_answers_as_the_serving_does(
    tmp_path: Path, name: str, script: str | None
) -> None:
    serving = car_prices(script=script)
    write(serving, tmp_path / name)
    body = car_request(*car_rows())
    package = Package.open(tmp_path / name)
    assert package.scorer().answer(body) == Scorer(serving).answer(body)
    assert isinstance(package.scorer().steps, CompiledSteps) is (script is None)


def test_a_package_tells_what_it_was_made_of(tmp_path: Path) -> None:
    serving = car_prices()
    package = write(serving, tmp_path / "cars")
    assert (package.name, package.description) == ("cars", "Prices of cars")
    assert package.inputs == serving.inputs
    assert package.made_with["python"]
    assert package.made_with["polars"]
    (output,) = package.outputs
    assert [c.name for c in output.columns][-2:] == ["highway-mpg", "Scored Labels"]
    assert [s.compiled for s in package.plan.steps] == [True, True, True]


@pytest.mark.parametrize("script", [None, TRIMMING])
def test_a_package_tells_what_each_step_costs(tmp_path: Path, script: str | None) -> None:
    package = write(car_prices(script=script), tmp_path / "cars")
    costs = {s.node: s.cost_us for s in package.plan.steps}
    assert [*costs] == ["select", "clean", "score", *(["script"] if script else [])]
    assert all(cost is not None and 0 < cost < 1_000_000 for cost in costs.values())


def test_the_serving_in_a_package_is_whole(tmp_path: Path) -> None:
    serving = car_prices()
    write(serving, tmp_path / "cars.zip")
    again = read(tmp_path / "cars.zip")
    assert again.graph == serving.graph
    assert set(again.artifacts) == set(serving.artifacts)
    model = again.artifacts[digest_of("model")]
    assert isinstance(model, Model)
    assert model.formula == serving.artifacts[digest_of("model")].formula  # type: ignore[attr-defined]
    body = car_request(*car_rows())
    assert Scorer(again).answer(body) == Scorer(serving).answer(body)


def test_a_pipeline_that_cannot_score_its_samples_is_not_packaged(tmp_path: Path) -> None:
    failing = "def azureml_main(a=None, b=None):\n    return 1 / 0\n"
    with pytest.raises(StepFailed):
        write(car_prices(script=failing), tmp_path / "cars")
    assert list(tmp_path.iterdir()) == []


def test_packaging_again_replaces_the_package(tmp_path: Path) -> None:
    first = write(car_prices(), tmp_path / "cars")
    second = write(car_prices(chosen=("Scored Labels",)), tmp_path / "cars")
    assert first.digest != second.digest
    body = car_request(*car_rows(cars()[2:3]))
    rows = json.loads(Package.open(tmp_path / "cars").scorer().answer(body))["Results"]
    assert [*rows["WebServiceOutput0"][0]] == ["Scored Labels"]
    assert [p.name for p in tmp_path.iterdir()] == ["cars"]


def test_something_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(NotAPackage):
        write(car_prices(), tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.txt").exists()


def test_what_is_to_be_installed_is_listed_and_formulas_need_no_training_library(
    tmp_path: Path,
) -> None:
    write(car_prices(), tmp_path / "compiled")
    write(car_prices(script=TRIMMING), tmp_path / "script")
    compiled = (tmp_path / "compiled" / "requirements.txt").read_text(encoding="utf-8")
    script = (tmp_path / "script" / "requirements.txt").read_text(encoding="utf-8")
    assert "modelwright[serve]==" in compiled
    assert "pandas" not in compiled
    assert "modelwright[serve,learn]==" in script
    assert "pandas==" in script


def changed(folder: Path, **values: Any) -> None:
    path = folder / "serving.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**manifest, **values}), encoding="utf-8")


def test_a_package_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    write(car_prices(), tmp_path / "cars")
    changed(tmp_path / "cars", version=2)
    with pytest.raises(NewerPackage) as caught:
        Package.open(tmp_path / "cars")
    assert caught.value.fields["version"] == 2


@pytest.mark.parametrize("file", ["plan.json", "graph.yaml", "requirements.txt"])
def test_a_changed_file_is_named(tmp_path: Path, file: str) -> None:
    write(car_prices(), tmp_path / "cars")
    path = tmp_path / "cars" / file
    path.write_bytes(path.read_bytes().replace(b"e", b"f", 1))
    with pytest.raises(CorruptPackage) as caught:
        Package.open(tmp_path / "cars")
    assert file in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    write(car_prices(), tmp_path / "cars")
    shutil.rmtree(tmp_path / "cars" / "artifacts")
    with pytest.raises(CorruptPackage) as caught:
        Package.open(tmp_path / "cars")
    assert "fitted.json" in str(caught.value)


def test_a_changed_manifest_is_refused(tmp_path: Path) -> None:
    write(car_prices(), tmp_path / "cars")
    changed(tmp_path / "cars", name="trucks")
    with pytest.raises(CorruptPackage):
        Package.open(tmp_path / "cars")


def test_a_zip_cut_short_is_refused(tmp_path: Path) -> None:
    write(car_prices(), tmp_path / "cars.zip")
    content = (tmp_path / "cars.zip").read_bytes()
    (tmp_path / "cars.zip").write_bytes(content[: len(content) // 2])
    with pytest.raises(NotAPackage):
        Package.open(tmp_path / "cars.zip")


def test_a_zip_damaged_within_is_refused(tmp_path: Path) -> None:
    write(car_prices(), tmp_path / "cars.zip")
    content = bytearray((tmp_path / "cars.zip").read_bytes())
    content[len(content) // 3] ^= 0xFF
    (tmp_path / "cars.zip").write_bytes(bytes(content))
    with pytest.raises(CorruptPackage):
        Package.open(tmp_path / "cars.zip")


def test_a_zip_that_reaches_outside_itself_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../outside.txt", "gotcha")
    with pytest.raises(CorruptPackage):
        Package.open(tmp_path / "bad.zip")
    assert not (tmp_path.parent / "outside.txt").exists()


def test_other_files_and_folders_are_no_packages(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("hello", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "serving.json").write_text('{"format": "x"}', encoding="utf-8")
    for path in ("text.zip", "folder", "other", "nowhere"):
        with pytest.raises(NotAPackage):
            Package.open(tmp_path / path)
