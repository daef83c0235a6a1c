from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.actions.connections import (
    add_connection,
    allow,
    delete_connection,
    disallow,
    list_connections,
    show_reach,
)
from modelwright.actions.home import Home
from modelwright.actions.pipelines import plan_pipeline
from modelwright.actions.run_pipeline import RunFailed, run_pipeline
from modelwright.components.places.connection import Reach
from modelwright.graph.codec import read
from modelwright.graph.graph import Graph, NodeId
from modelwright.workspace.errors import NotFound

COPY = """\
modelwright: 1
name: Copy
nodes:
  brought:
    component: import-data
    parameters: {data_source: Datastore, datastore: shelf, path: cars.csv, regenerate_output: REGENERATE}
  sent:
    component: export-data
    parameters: {path: out/cars.parquet, if_exists: Overwrite}
    inputs: {dataset: brought.dataset}
"""


def test_a_pipeline_copies_from_a_connection_to_the_homes_own_folder(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "cars.csv").write_text("a,b\n1,x\n")
    graph = read(COPY.replace("REGENERATE", "false")).graph
    with Home.open(tmp_path / "home") as home:
        add_connection(home, "shelf", str(shelf))
        with pytest.raises(RunFailed, match="folder-not-allowed"):
            run_pipeline(home, graph)
        allow(home, folder=shelf)

        run_pipeline(home, graph)

        assert (tmp_path / "home" / "files" / "out" / "cars.parquet").is_file()


def test_the_source_is_looked_at_again_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    file = tmp_path / "shelf" / "cars.csv"
    kept, fresh = (read(COPY.replace("REGENERATE", word)).graph for word in ("false", "true"))
    with Home.open(tmp_path / "home") as home:
        add_connection(home, "shelf", str(tmp_path / "shelf"))
        allow(home, folder=tmp_path / "shelf")

        def rows(graph: Graph) -> int | None:
            report = run_pipeline(home, graph)
            step = next(s for s in report.steps if s.node == "brought")
            return step.outputs["dataset"].rows

        file.write_text("a\n1\n")
        assert (rows(kept), rows(fresh)) == (1, 1)
        file.write_text("a\n1\n2\n")
        plans = [plan_pipeline(home, graph).step(NodeId("brought")) for graph in (kept, fresh)]
        assert (rows(kept), rows(fresh)) == (1, 2)

    assert [p.action for p in plans] == ["reuse", "run"]
    assert "not looked at again" in plans[0].reason
    assert "fetched anew" in plans[1].reason


def test_connections_are_listed_without_their_secrets_and_forgotten(tmp_path: Path) -> None:
    with Home.open(tmp_path) as home:
        made = add_connection(
            home, "shop", "postgresql://me:pw@db/x", values={"sslmode": "require"}
        )
        home.workspace.secrets.put("other", {"a": "b"}, kind="connection")

        assert list_connections(home) == (made,)
        assert (made.kind, made.url) == ("database", "postgresql://me@db/x")
        assert set(made.keys) == {"password", "sslmode"}
        with pytest.raises(NotFound):
            delete_connection(home, "other")
        delete_connection(home, "shop")
        assert list_connections(home) == ()


def test_what_was_allowed_is_taken_back(tmp_path: Path) -> None:
    with Home.open(tmp_path) as home:
        before = show_reach(home)
        allow(home, folder=tmp_path / "a", host="10.0.0.0/8", largest_download=7)
        allow(home, folder=tmp_path / "a")
        changed = show_reach(home)
        disallow(home, folder=tmp_path / "a", host="10.0.0.0/8")

        assert before == Reach((str(tmp_path / "files"),))
        assert changed == Reach((*before.folders, str(tmp_path / "a")), ("10.0.0.0/8",), 7)
        assert show_reach(home) == Reach(before.folders, (), 7)
