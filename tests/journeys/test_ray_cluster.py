"""The tutorial and a sweep on a real Ray cluster give what they give on this machine, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modelwright import samples
from modelwright.actions.compute import create_compute, show_compute
from modelwright.actions.compute_settings import ComputeSettings
from modelwright.actions.datasets import register_table
from modelwright.actions.home import Home
from modelwright.actions.run_pipeline import begin_run, require_completed
from modelwright.actions.runs import RunReport, read_log
from modelwright.client.client import Client
from modelwright.data.table import Table
from modelwright.graph.codec import read
from modelwright.graph.graph import Graph, NodeId
from modelwright.run.events import Event
from tests.api.pipelines import script
from tests.api.servers import running
from tests.cli.command import command
from tests.ray_cluster import RayCluster
from tests.run.test_ray import wait_for

pytestmark = pytest.mark.together


def pipeline(name: str) -> Graph:
    return read(next(p.text for p in samples.PIPELINES if p.id == name)).graph


def run(home: Home, graph: Graph, target: str) -> tuple[RunReport, list[Event]]:
    events: list[Event] = []
    begun = begin_run(home, graph, target=target, rerun=True)
    report = begun.work(events.append)
    require_completed(report)
    return report, events


def digests(report: RunReport) -> dict[str, dict[str, str]]:
    return {s.node: {p: o.digest for p, o in s.outputs.items()} for s in report.steps}


def on_cluster(home: Home, cluster: RayCluster) -> None:
    settings = ComputeSettings(name="cluster", kind="ray", address=cluster.address, idle_s=30)
    create_compute(home, settings)


def test_the_tutorial_and_a_sweep_on_a_cluster_equal_those_of_this_machine(
    tmp_path: Path, ray_cluster: RayCluster
) -> None:
    with Home.open(tmp_path / "home") as home:
        on_cluster(home, ray_cluster)
        trials: list[Event] = []
        for name in ("automobile-price", "tune-parameters"):
            here, heard_here = run(home, pipeline(name), "local")
            there, heard_there = run(home, pipeline(name), "cluster")
            assert digests(there) == digests(here)
            assert [m.value for m in there.metrics] == [m.value for m in here.metrics]
            trials = [e for e in heard_there if e.kind == "step-report"]
            assert len(trials) == len([e for e in heard_here if e.kind == "step-report"])
        assert trials, "a sweep tells of its trials as they come in"
        shown = show_compute(home, "cluster")
        assert len(shown.nodes) == 2
        assert shown.cores == 2


SPREAD = """\
modelwright: 1
name: Spread
nodes:
  rows: {component: dataset, parameters: {name: Flowers}}
  logistic: {component: two-class-logistic-regression}
  all:
    component: one-vs-all-multiclass
    inputs: {untrained_binary_classification_model: logistic.untrained_model}
  one:
    component: one-vs-one-multiclass
    inputs: {untrained_binary_classification_model: logistic.untrained_model}
  train-all:
    component: train-model
    parameters: {label_column: kind}
    inputs: {untrained_model: all.untrained_model, dataset: rows.dataset}
  train-one:
    component: train-model
    parameters: {label_column: kind}
    inputs: {untrained_model: one.untrained_model, dataset: rows.dataset}
  forest: {component: multiclass-decision-forest}
  wide: {component: multiclass-decision-forest, parameters: {number_of_decision_trees: 700}}
  train-trees:
    component: train-model
    parameters: {label_column: kind}
    inputs: {untrained_model: wide.untrained_model, dataset: rows.dataset}
  validate:
    component: cross-validate-model
    parameters: {label_column: kind, random_seed: 0}
    inputs: {untrained_model: forest.untrained_model, dataset: rows.dataset}
  importance:
    component: permutation-feature-importance
    parameters: {metric: Accuracy, seed: 0}
    inputs: {trained_model: train-all.trained_model, test_data: rows.dataset}
"""


def test_steps_of_many_parts_give_on_a_cluster_what_they_give_here(
    tmp_path: Path, ray_cluster: RayCluster
) -> None:
    chance = np.random.default_rng(0)
    kinds = chance.integers(0, 3, 240)
    columns = {f"c{n}": chance.normal(size=240) + kinds * (n + 1) / 3 for n in range(4)}
    flowers = Table(pl.DataFrame({**columns, "kind": [f"kind {k}" for k in kinds]}))
    with Home.open(tmp_path / "home") as home:
        register_table(home, flowers, name="Flowers")
        on_cluster(home, ray_cluster)
        graph = read(SPREAD).graph
        here, _ = run(home, graph, "local")
        there, _ = run(home, graph, "cluster")
        assert digests(there) == digests(here)
        spread = {"train-all", "train-one", "train-trees", "validate", "importance"}
        assert spread <= digests(there).keys()
        assert "700 trees are grown in 4 shares" in read_log(home, there.run.id, "train-trees")


def test_what_runs_and_what_waits_for_what_is_told_alike_by_command_server_and_client(
    tmp_path: Path, ray_cluster: RayCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = tmp_path / "gate"
    waiting = script(
        "import pathlib, time, pandas\n"
        f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n"
        "return pandas.DataFrame({'a': [1]}),"
    )["nodes"][0]
    nodes = [{**waiting, "id": f"s{n}"} for n in range(3)]
    nodes += [{**waiting, "id": "huge", "resources": {"cpus": 64}}]
    after = {"component": "select-columns-in-dataset", "parameters": {"columns": "all"}}
    nodes += [{**after, "id": "after"}]
    wires = [{"source": "s0.results_dataset_1", "target": "after.dataset"}]
    asked = {"graph": {"name": "Waits", "nodes": nodes, "wires": wires}, "target": "cluster"}
    told = {
        "huge": "waits for 64 CPUs; no machine there has as much now.",
        "after": "It waits for s0.",
    }
    with running(tmp_path / "home") as server:
        token = server.post("/api/tokens", {"name": "test"})["secret"]
        with Client(server.address, token) as client:
            client.compute.create(
                "cluster", kind="ray", address=ray_cluster.address, max_workers=5, idle_s=3
            )
            run = server.post("/api/runs", asked)

            def shown() -> dict[str, str]:
                return {s["node"]: s["reason"] for s in client.compute.get("cluster")["waiting"]}

            wait_for(lambda: len(client.compute.get("cluster")["running"]) == 2)
            wait_for(lambda: any("0 CPUs are free there" in why for why in shown().values()))
            wait_for(lambda: "64 CPUs" in shown()["huge"])
            found = client.compute.get("cluster")
            assert (found["state"], len(found["nodes"]), len(found["workers"])) == ("busy", 2, 2)
            third = ({"s0", "s1", "s2"} - {s["node"] for s in found["running"]}).pop()
            waits = shown()
            assert waits.keys() == {third, "huge", "after"}
            assert waits["huge"].endswith(told["huge"])
            assert "waits for 1 CPU; 0 CPUs are free there" in waits[third]
            assert waits["after"] == ("It waits for s0.")
            # Another program, which has not joined the cluster.
            table = command(tmp_path / "home", capsys)("compute", "show", "cluster")
            assert table.out.startswith("cluster: ray, busy\n")
            for text in ("NODE", "huge", told["after"], *(n["name"] for n in found["nodes"])):
                assert text in table.out
            server.post(f"/api/runs/{run['id']}/cancel")
            assert server.finished(run["id"])["status"] == "cancelled"
            wait_for(lambda: not client.compute.get("cluster")["running"])
            assert client.compute.get("cluster")["waiting"] == []


def test_a_single_node_may_run_on_the_cluster_and_the_others_here(
    tmp_path: Path, ray_cluster: RayCluster
) -> None:
    graph = pipeline("automobile-price")
    node = NodeId("train-model")
    graph = graph.with_node(node, replace(graph.nodes[node], compute="cluster"))
    with Home.open(tmp_path / "home") as home:
        on_cluster(home, ray_cluster)
        _, events = run(home, graph, "local")
    workers = {e.node: e.worker for e in events if e.kind == "step-running"}  # type: ignore[attr-defined]
    assert workers[node].startswith("cluster-")
    assert {w.partition("-")[0] for n, w in workers.items() if n != node} == {"local"}
