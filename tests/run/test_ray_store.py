"""What a Ray cluster keeps values in: its object stores, and a store behind a URL."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from modelwright.data.store import Store
from modelwright.run.ray_workers import ray_workers
from tests.ray_cluster import RayCluster
from tests.run.test_ray import branches, digests
from tests.run.worlds import World
from tests.s3_server import s3_server as s3_server  # a fixture

pytestmark = pytest.mark.together


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
