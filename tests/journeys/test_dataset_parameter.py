"""A data set of a pipeline that is chosen anew at each run, by every door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modelwright.actions.datasets import register_table
from modelwright.client.client import Client
from modelwright.client.pipeline import Pipeline
from modelwright.client.wire_forms import graph_to_json
from modelwright.components.palette.data_transformation.select_columns_in_dataset import (
    SelectColumnsInDataset,
)
from modelwright.data.table import Table
from tests.api.servers import Running, fault, running
from tests.cli.command import command


def drawn() -> Pipeline:
    pipeline = Pipeline("Counted")
    rows = pipeline.dataset("small", node_id="rows")
    pipeline.add(SelectColumnsInDataset(columns=["x"]), dataset=rows, node_id="chosen")
    pipeline.parameter("data", node=rows, parameter="name", default="small")
    return pipeline


def rows_of(server: Running, run: dict[str, Any]) -> int:
    (output,) = run["steps"][-1]["outputs"].values()
    return int(server.get(f"/api/artifacts/{output['digest']}")["content"]["rows"])


def test_another_data_set_or_a_version_of_it_is_named_at_a_run_in_every_door(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline, file = drawn(), tmp_path / "counted.yaml"
    pipeline.save(file)
    with running(tmp_path / "home") as server:
        for name, rows in (("small", 1), ("small", 2), ("large", 5)):
            register_table(server.home, Table(pl.DataFrame({"x": range(rows)})), name=name)
        modelwright = command(tmp_path / "home", capsys)
        (listed,) = modelwright("pipeline", "parameters", file, "--json").json
        assert (listed["name"], listed["default"]) == ("data", "small")
        graph = graph_to_json(pipeline.graph)
        draft = server.post("/api/drafts", {"name": "Counted", "graph": graph})
        token = server.post("/api/tokens", {"name": "test"})["secret"]
        with Client(server.address, token) as client:
            for value, rows in ((None, 2), ("large", 5), ("small@1", 1)):
                given = {} if value is None else {"data": value}
                for asked in ({"graph": graph}, {"draft_id": draft["id"]}):
                    made = server.post("/api/runs", {**asked, "parameters": given})
                    run = server.finished(made["id"])
                    assert run["parameters"] == {"data": value or "small"}
                    assert rows_of(server, run) == rows
                words = [f"--parameter=data={value}"] if value else []
                run = modelwright("pipeline", "run", file, *words, "--json").json
                assert rows_of(server, server.get(f"/api/runs/{run['id']}")) == rows
                there = client.runs.run(pipeline, parameters=given)
                assert rows_of(server, server.get(f"/api/runs/{there.id}")) == rows
                here = pipeline.run(home=tmp_path / "home", parameters=given)
                assert here.status == "completed"
        missing = {"graph": graph, "parameters": {"data": "larger"}}
        refused = fault(server.client.post("/api/runs", json=missing), 422)
        assert "large" in str(refused)
