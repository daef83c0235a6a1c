"""Compute clusters for runs, over HTTP and by the client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwright.actions.compute_settings import ComputeBusy, InvalidCompute, UnknownTarget
from modelwright.client.client import Client
from modelwright.client.pipeline import Pipeline
from modelwright.workspace.errors import NameTaken
from tests.api.pipelines import script, typed
from tests.api.servers import Running, fault, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as server:
        yield server


def test_a_defined_cluster_is_listed_shown_changed_and_forgotten(server: Running) -> None:
    asked = {"name": "small", "max_workers": 1, "idle_s": 5, "worker_memory": 1 << 30}
    made = server.post("/api/compute", asked)
    assert (made["kind"], made["state"], made["most"], made["idle_s"]) == ("local", "off", 1, 5)
    assert [t["name"] for t in server.get("/api/compute")["targets"]] == ["local", "small"]
    changed = server.client.patch("/api/compute/small", json={"max_workers": 2}).json()
    assert (changed["max_workers"], changed["worker_memory"]) == (2, 1 << 30)
    shown = server.get("/api/compute/small")
    # What is free of the machine's memory changes from one look to the next.
    assert {**shown, "memory_free": 0} == {**changed, "memory_free": 0}
    assert server.client.delete("/api/compute/small").is_success
    gone = server.client.get("/api/compute/small")
    assert fault(gone, 422)["code"] == "unknown-target"


@pytest.mark.parametrize(
    ("asked", "setting"),
    [
        ({"name": "x y"}, "name"),
        ({"name": "few", "min_workers": 3, "max_workers": 2}, "max_workers"),
        ({"name": "tight", "worker_memory": 1000}, "worker_memory"),
        ({"name": "near", "address": "host:1"}, "address"),
        ({"name": "far", "kind": "ray", "address": "nowhere"}, "address"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name(
    server: Running, asked: dict[str, object], setting: str
) -> None:
    refused = fault(server.client.post("/api/compute", json=asked), 422)
    assert (refused["code"], refused["fields"]["setting"]) == ("invalid-compute", setting)
    assert len(server.get("/api/compute")["targets"]) == 1


def test_names_are_told_apart_without_case_and_this_machine_cannot_be_forgotten(
    server: Running,
) -> None:
    server.post("/api/compute", {"name": "small"})
    taken = server.client.post("/api/compute", json={"name": "Small"})
    assert fault(taken, 409)["code"] == "name-taken"
    local = server.client.delete("/api/compute/local")
    assert fault(local, 422)["code"] == "invalid-compute"


def test_a_run_on_a_cluster_of_its_own_uses_workers_of_its_own(server: Running) -> None:
    server.post("/api/compute", {"name": "small", "max_workers": 1})
    run = server.finished(server.post("/api/runs", {"graph": typed(), "target": "small"})["id"])
    assert (run["status"], run["target"]) == ("completed", "small")
    events = server.get(f"/api/runs/{run['id']}/events")["items"]
    workers = {e["event"]["worker"] for e in events if e["event"]["kind"] == "step-running"}
    assert {w.rpartition("-")[0] for w in workers} == {"small"}
    shown = server.get("/api/compute/small")
    assert (shown["state"], len(shown["workers"]), shown["running"]) == ("idle", 1, [])


def test_the_pipeline_names_a_cluster_and_a_submission_another(server: Running) -> None:
    for name in ("one", "two"):
        server.post("/api/compute", {"name": name, "max_workers": 1})
    graph = {**typed(), "compute": "one"}
    assert server.post("/api/runs", {"graph": graph})["target"] == "one"
    assert server.post("/api/runs", {"graph": graph, "target": "two"})["target"] == "two"
    lost = server.client.post("/api/runs", json={"graph": {**graph, "compute": "onne"}})
    refused = fault(lost, 422)
    assert refused["code"] == "unknown-target"
    assert 'Nearest: "one"' in refused["remedy"]


def test_what_runs_and_what_waits_is_told_and_keeps_the_cluster(
    server: Running, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    server.post("/api/compute", {"name": "small", "max_workers": 1})
    graph = script(
        "import pathlib, time, pandas\n"
        f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n"
        "return pandas.DataFrame({'a': [1]}),"
    )
    graph["nodes"].append(
        {"id": "after", "component": "select-columns-in-dataset", "parameters": {"columns": "all"}}
    )
    graph["wires"] = [{"source": "script.results_dataset_1", "target": "after.dataset"}]
    run = server.post("/api/runs", {"graph": graph, "target": "small"})
    deadline = time.monotonic() + 30
    while not (shown := server.get("/api/compute/small"))["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert shown["state"] == "busy"
    assert [(s["run"], s["node"]) for s in shown["running"]] == [(run["id"], "script")]
    assert [s["node"] for s in shown["waiting"]] == ["after"]
    assert shown["waiting"][0]["reason"]
    busy = server.client.delete("/api/compute/small")
    assert fault(busy, 409)["code"] == "compute-busy"
    gate.touch()
    assert server.finished(run["id"])["status"] == "completed"


def test_the_client_does_what_the_routes_do(server: Running) -> None:
    token = server.post("/api/tokens", {"name": "test"})["secret"]
    with Client(server.address, token) as client:
        made = client.compute.create("small", max_workers=1)
        shown = client.compute.get("small")
        assert {**shown, "memory_free": 0} == {**made, "memory_free": 0}
        with pytest.raises(NameTaken):
            client.compute.create("small")
        with pytest.raises(InvalidCompute):
            client.compute.change("small", idle_s=86_000, min_workers=2)
        pipeline = Pipeline("Typed")
        from modelwright.components.palette.data_input_and_output.enter_data_manually import (
            EnterDataManually,
        )

        pipeline.add(EnterDataManually(data="a\n1\n"))
        run = client.runs.run(pipeline, target="small")
        assert run.status == "completed"
        client.compute.delete("small")
        with pytest.raises(UnknownTarget):
            client.runs.submit(pipeline, target="small")
        assert issubclass(ComputeBusy, Exception)
