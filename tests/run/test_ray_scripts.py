"""Users' scripts on a real Ray cluster: what they require is installed on the node that runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modelwright.components.library import Library
from modelwright.components.palette.python_language.execute_python_script import ExecutePythonScript
from modelwright.data.table import Table
from modelwright.graph.graph import Graph, NodeId
from modelwright.run.ray_workers import ray_workers
from modelwright.run.result import RunResult
from modelwright.run.workers import local_workers
from modelwright.targets.contract import Target
from tests.components.palette.python_language.test_execute_python_script import wheel
from tests.ray_cluster import RayCluster
from tests.run.worlds import World, graph

pytestmark = pytest.mark.together

SCRIPT = """
import pathlib, time
import oddpricing, pandas

def azureml_main(first=None, second=None):
    here = pathlib.Path({place!r})
    (here / {name!r}).touch()
    while len(list(here.iterdir())) < 2:
        time.sleep(0.02)
    return pandas.DataFrame({{"x": [oddpricing.FACTOR], "where": [oddpricing.__file__]}})
"""


@pytest.fixture
def index(tmp_path: Path) -> str:
    """Requirements of a package that is nowhere else."""
    wheel(tmp_path, "oddpricing", "1.0", "FACTOR = 3\n")
    return f"--no-index\n--find-links {tmp_path}\noddpricing"


def world(folder: Path, target: Target) -> World:
    made = World(folder, target)
    made.library = Library(iter([ExecutePythonScript]))
    return made


def meeting(place: Path, requirements: str) -> Graph:
    """Two scripts that end when both have begun."""
    place.mkdir()
    nodes: dict[str, Any] = {}
    for name in ("one", "other"):
        script = SCRIPT.format(place=str(place), name=name)
        parameters = {"script": script, "requirements": requirements}
        nodes[name] = ("execute-python-script", parameters)
    return graph(nodes)


def found(world: World, result: RunResult) -> tuple[list[Any], set[Any], list[str]]:
    """What the scripts gave, which files they imported, and what their logs say."""
    assert result.status == "completed", result.failures
    tables = [world.store.get(s.outputs["results_dataset_1"].digest) for s in result.steps.values()]
    frames = [t.frame for t in tables if isinstance(t, Table)]
    # A script that said nothing has no log.
    logs = [s.log.read_text() for s in result.steps.values() if s.log and s.log.exists()]
    return [f["x"][0] for f in frames], {f["where"][0] for f in frames}, logs


def test_each_node_installs_what_scripts_require_once_and_they_give_what_they_give_here(
    tmp_path: Path, index: str, ray_cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with local_workers(most=2) as processes:
        here = world(tmp_path / "a", processes)
        values_here, _, _ = found(here, here.run(meeting(tmp_path / "meet-1", index)))
    with ray_workers(address=ray_cluster.address, idle_s=30) as workers:
        there = world(tmp_path / "b", workers)
        values, places, logs = found(there, there.run(meeting(tmp_path / "meet-2", index)))
        assert values == values_here == [3, 3]
        # Each node has a cache of its own.
        assert len(places) == 2
        assert ["Installed oddpricing==1.0." in log for log in logs] == [True, True]
        values, again, logs = found(there, there.run(meeting(tmp_path / "meet-3", index)))
        assert (values, again) == ([3, 3], places)
        assert not any("install" in log.lower() for log in logs)
        missing = meeting(tmp_path / "meet-4", "--no-index\nno-such-package-anywhere")
        refused = there.run(missing, until="one")
    (failure,) = refused.failures
    assert (failure.node, failure.code) == (NodeId("one"), "requirements-not-installed")
    assert "no-such-package-anywhere" in failure.message
    log = refused.steps[NodeId("one")].log
    assert log is not None
    assert "Installing --no-index, no-such-package-anywhere" in log.read_text()
