"""The tutorial and a sweep on a real Ray cluster give what they give on this machine, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modelwright import samples
from modelwright.actions.compute import create_compute, show_compute
from modelwright.actions.compute_settings import ComputeSettings
from modelwright.actions.home import Home
from modelwright.actions.run_pipeline import begin_run, require_completed
from modelwright.actions.runs import RunReport
from modelwright.graph.codec import read
from modelwright.graph.graph import Graph, NodeId
from modelwright.run.events import Event
from tests.ray_cluster import RayCluster

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
    settings = ComputeSettings(name="cluster", kind="ray", address=cluster.address, idle_s=3)
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
