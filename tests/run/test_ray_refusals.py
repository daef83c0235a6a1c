"""What a Ray cluster may lack, told before any step; no cluster is needed for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modelwright.data.store import Store
from modelwright.graph.graph import NodeId
from modelwright.run.cluster_errors import ClusterNotReady, NoSuchResources, RayMissing
from modelwright.run.ray_workers import RayWorkers
from modelwright.targets.contract import Needs, TargetError
from modelwright.targets.ray import RayCluster


class BareNodes(RayWorkers):
    """A cluster whose nodes have no Modelwright."""

    def join(self) -> None:
        pass

    def probe(self, function: str, *arguments: Any) -> Mapping[str, tuple[bool, Any]]:
        return {"10.0.0.7": (False, "No module named 'modelwright'")}


class SmallNodes(RayWorkers):
    """A cluster of two nodes with two processors each."""

    @property
    def nodes(self) -> tuple[Mapping[str, Any], ...]:
        node = {"cpus": 2.0, "gpus": 0.0, "memory": 1 << 30, "object_store": 1 << 28}
        return ({"id": "a", "name": "a", **node}, {"id": "b", "name": "b", **node})


def test_more_than_any_node_has_is_refused_unless_nodes_may_still_come() -> None:
    wanted = {NodeId("train"): Needs(cpus=3)}
    fixed = SmallNodes(retries=0, name="fixed", address="10.0.0.1:6379")
    growing = SmallNodes(retries=0, name="growing", address="10.0.0.1:6379", most=8)
    with pytest.raises(NoSuchResources, match=r"needs 3 CPUs.*2 CPUs"):
        fixed._check_needs(wanted)
    assert (fixed.most, fixed.grows) == (4, False)
    assert (growing.most, growing.grows) == (8, True)
    growing._check_needs(wanted)


def test_a_node_without_the_package_is_named_with_what_to_install(tmp_path: Path) -> None:
    workers = BareNodes(retries=0, name="big", address="10.0.0.1:6379")
    with pytest.raises(ClusterNotReady, match=r'Node 10\.0\.0\.7 of compute "big"') as caught:
        workers.prepare(Store.open(tmp_path), {})
    assert "pip install" in str(caught.value)


def test_a_machine_without_ray_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(cluster: RayCluster) -> None:
        raise TargetError("No module named 'ray'", kind="missing")

    monkeypatch.setattr(RayCluster, "join", refuse)
    with pytest.raises(RayMissing, match=r"modelwright\[ray\]"):
        RayWorkers(retries=0, name="big", address="10.0.0.1:6379").join()
