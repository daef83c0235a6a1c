"""What a Ray cluster may lack, told before any step; no cluster is needed for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modelwright.data.store import Store
from modelwright.run.cluster_errors import ClusterNotReady, RayMissing
from modelwright.run.ray_workers import RayWorkers
from modelwright.targets.contract import TargetError
from modelwright.targets.ray import RayCluster


class BareNodes(RayWorkers):
    """A cluster whose nodes have no Modelwright."""

    def join(self) -> None:
        pass

    def probe(self, function: str, *arguments: Any) -> Mapping[str, tuple[bool, Any]]:
        return {"10.0.0.7": (False, "No module named 'modelwright'")}


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
