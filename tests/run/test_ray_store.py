"""What a Ray cluster keeps values in: its object stores, and a store behind a URL."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from modelwright.data.store import Store
from modelwright.run.ray_workers import ray_workers
from tests.ray_cluster import RayCluster, on_loopback
from tests.run.test_ray import branches, digests
from tests.run.worlds import World, graph
from tests.s3_server import s3_server as s3_server  # a fixture

pytestmark = pytest.mark.together


def test_an_object_store_without_room_is_told_and_loses_nothing_that_is_finished(
    tmp_path: Path,
) -> None:
    # Ray puts on the disk what has no room in memory, so the disk is to seem full, too.
    full_disk = {"RAY_local_fs_capacity_threshold": "0.0001"}
    # Values of 32 MB, which are less than the share above which they go through the store.
    nodes: dict[str, tuple[str, Mapping[str, Any]]] = {"first": ("numbers", {"rows": 3})}
    nodes |= {f"n{i}": ("numbers", {"rows": 4_000_000, "start": i}) for i in range(4)}
    nodes |= {f"a{i}": ("add", {}) for i in range(4)}
    drawn = graph(nodes, *(f"n{i}.table > a{i}.dataset" for i in range(4)))
    with (
        on_loopback(),
        RayCluster.started(nodes=1, cpus=2, object_store_mb=80, environment=full_disk) as cluster,
        ray_workers(address=cluster.address) as workers,
    ):
        there = World(tmp_path, workers).run(drawn)
    assert {f.code for f in there.failures} == {"object-store-full"}
    finished = {n for n, s in there.steps.items() if s.status == "done"}
    here = World(tmp_path).run(drawn)
    assert here.status == "completed"
    assert {n for n, s in here.steps.items() if s.status == "reused"} == finished


def test_nodes_hand_results_on_through_a_bucket(
    tmp_path: Path,
    ray_cluster: RayCluster,
    s3_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    bucket = f"b{uuid.uuid4().hex}"
    s3fs.S3FileSystem().mkdir(bucket)
    # The workers have these variables, and nothing else, of where the store is.
    with ray_workers(address=ray_cluster.address, idle_s=3) as workers:
        world = World(tmp_path, workers)
        world.store = Store.open(f"s3://{bucket}/store", cache=tmp_path / "cache")
        result = world.run(branches())
    assert result.status == "completed", result.failures
    assert digests(result) == digests(World(tmp_path / "here").run(branches()))
    elsewhere = Store.open(f"s3://{bucket}/store", cache=tmp_path / "another")
    for made in result.steps.values():
        for output in made.outputs.values():
            assert elsewhere.get(output.digest).size
