"""A Ray cluster that is started on this machine for runs, and stopped again."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.run.ray_workers import ray_workers
from tests.run.worlds import World, graph

pytestmark = pytest.mark.together


def test_a_cluster_started_here_leaves_no_token_of_its_own_in_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with ray_workers(most=1) as workers:
        world = World(tmp_path, workers)
        result = world.run(graph({"n": ("numbers", {}), "a": ("add", {})}, "n.table > a.dataset"))
        assert world.values(result, "a.table") == [1, 2, 3]
    assert not (tmp_path / "home" / ".ray" / "auth_token").exists()
