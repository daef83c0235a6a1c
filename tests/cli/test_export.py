"""A pipeline is taken away by the command and over HTTP, and answers where nothing of its home is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from modelwright.actions.conversions import convert_pipeline
from modelwright.actions.endpoints import delete_endpoint, deploy_endpoint
from modelwright.actions.home import Home
from modelwright.actions.pipelines import read_pipeline, write_pipeline
from modelwright.actions.run_pipeline import run_pipeline
from modelwright.client.connection import Connection
from modelwright.client.endpoints import Endpoints
from modelwright.inference.package import Package
from tests.actions.homes import open_home, tutorial
from tests.api.servers import running
from tests.cli.command import Command, command


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which the tutorial has been trained, and beside it its inference pipeline."""
    folder = tmp_path_factory.mktemp("trained")
    with open_home(folder / "home") as home:
        report = run_pipeline(home, tutorial().graph)
        write_pipeline(convert_pipeline(home, report.run.id).document, folder / "inference.yaml")
        yield folder


@pytest.fixture
def modelwright(trained: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return command(trained / "home", capsys)


def test_a_pipeline_is_exported_as_folder_zip_and_onnx(
    modelwright: Command, trained: Path, tmp_path: Path
) -> None:
    for name, format in (("cars", "folder"), ("cars.zip", "zip"), ("cars.onnx", "onnx")):
        done = modelwright(
            "pipeline", "export", trained / "inference.yaml", "-o", tmp_path / name, "--json"
        )
        said = json.loads(done.out)
        assert (said["format"], said["path"]) == (format, str(tmp_path / name))
        assert said["steps"] == 3
    replies = [Package.open(tmp_path / n).scorer().try_samples() for n in ("cars", "cars.zip")]
    assert replies[0].results == replies[1].results
    inputs = onnx.load(tmp_path / "cars.onnx").graph.input
    assert {"make", "horsepower"} <= {i.name for i in inputs}
    again = modelwright("pipeline", "export", trained / "inference.yaml", "-o", tmp_path / "cars")
    assert str(tmp_path / "cars" / "README.md") in again.out


def deployed(home: Home, file: Path) -> None:
    deploy_endpoint(home, read_pipeline(file).graph, name="cars")


def test_an_endpoint_is_exported_through_every_door(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(trained / "home") as server:
        deployed(server.home, trained / "inference.yaml")
        try:
            answer = server.client.get("/api/endpoints/cars/export")
            assert 'filename="cars.zip"' in answer.headers["content-disposition"]
            (tmp_path / "http.zip").write_bytes(answer.content)
            token = server.client.headers["authorization"].removeprefix("Bearer ")
            connection = Connection(server.address, token)
            path = Endpoints(connection).export("cars", tmp_path / "cars.onnx", format="onnx")
            connection.close()
            assert onnx.load(path).producer_name == "modelwright"
            modelwright = command(trained / "home", capsys)
            done = modelwright("endpoint", "export", "cars", "-o", tmp_path / "shell", "--json")
            assert json.loads(done.out)["format"] == "folder"
        finally:
            delete_endpoint(server.home, "cars")
    digests = {Package.open(tmp_path / n).digest for n in ("http.zip", "shell")}
    assert len(digests) == 1
