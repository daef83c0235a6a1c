from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwright.actions.conversions import convert_pipeline
from modelwright.actions.pipelines import write_pipeline
from modelwright.actions.run_pipeline import run_pipeline
from modelwright.graph.codec import Document
from modelwright.graph.edits import set_parameter
from modelwright.graph.graph import NodeId
from tests.actions.homes import open_home, tutorial
from tests.cli.command import Command, command


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which the tutorial has been trained, and beside it two inference pipelines."""
    folder = tmp_path_factory.mktemp("trained")
    with open_home(folder / "home") as home:
        report = run_pipeline(home, tutorial().graph)
        document = convert_pipeline(home, report.run.id).document
        write_pipeline(document, folder / "inference.yaml")
        named = set_parameter(document.graph, NodeId("web-service-output"), "name", "price")
        write_pipeline(Document(named, document.layout), folder / "better.yaml")
        yield folder
        for name in home.replicas.names():
            home.replicas.remove(name)


@pytest.fixture
def modelwright(trained: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return command(trained / "home", capsys)


def test_clusters_are_made_listed_resized_and_deleted(modelwright: Command) -> None:
    made = modelwright("cluster", "create", "two", "--cpu-cores", "0.5", "--memory-gb", "1")
    assert made.out.startswith("two (local) is ready.\nProcessor cores: 0.5 of 0.5 free\n")
    text = modelwright("cluster", "list").out
    assert "default" in text
    assert "0.5 of 0.5" in text
    assert modelwright("cluster", "resize", "two", "--cpu-cores", "1").status == 0
    shown = modelwright("cluster", "show", "two", "--json").json
    assert shown["capacity"]["cpu_cores"] == 1.0
    assert shown["memory_gb"] is None
    assert modelwright("cluster", "detach", "two").out == "two is detached.\n"
    missing = modelwright("cluster", "delete", "two")
    assert missing.status != 0
    assert 'no inference cluster "two"' in missing.err


def test_a_canary_is_deployed_promoted_rolled_back_and_deleted(
    modelwright: Command, trained: Path
) -> None:
    planned = modelwright("endpoint", "plan", "cars", "--set", "cpu_reserve=1000").out
    assert planned.startswith("A replica does not fit on default: 1000 processor cores are needed")
    assert (
        modelwright("endpoint", "deploy", trained / "inference.yaml", "--name", "cars").status == 0
    )
    better = trained / "better.yaml"
    canary = modelwright("endpoint", "deploy", better, "--name", "cars", "--share", "10", "--json")
    assert [(d["number"], d["traffic"]) for d in canary.json["deployments"]] == [(2, 10), (1, 90)]
    halves = modelwright("endpoint", "traffic", "cars", "1=50", "2=50").out
    assert halves.startswith("cars is healthy.")
    assert halves.count("50 %") == 2
    wrong = modelwright("endpoint", "traffic", "cars", "1:50")
    assert "NUMBER=PERCENT" in wrong.err
    assert "100 %" in modelwright("endpoint", "promote", "cars", "2").out
    rolled = modelwright("endpoint", "rollback", "cars", "--json").json
    assert {d["number"]: d["traffic"] for d in rolled["deployments"]} == {1: 100, 2: 0}
    changed = modelwright(
        "endpoint", "change", "cars", "--set", "max_replicas=3", "--set", "max_body_mb=5", "--json"
    ).json
    assert changed["settings"]["max_replicas"] == 3
    assert changed["access"]["max_body_mb"] == 5
    assert modelwright("endpoint", "delete-deployment", "cars", "2").out == "cars #2 is deleted.\n"
    assert modelwright("endpoint", "delete", "cars").status == 0
