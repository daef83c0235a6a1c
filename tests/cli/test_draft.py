from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.graph.codec import Document, write
from modelwright.graph.edits import set_parameter
from modelwright.graph.graph import NodeId
from tests.actions.homes import tutorial
from tests.cli.command import Command, command

CLEAN = NodeId("clean-missing-data")
MODEL = "MD - Regression - Automobile Price Prediction (Basic) - Train Model"


def test_a_draft_is_trained_converted_deployed_updated_and_cleaned_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = command(tmp_path / "home", capsys)
    file = tmp_path / "cars.yaml"
    file.write_text(write(tutorial()), encoding="utf-8")
    training = call("draft", "create", file).out.strip()
    assert call("draft", "run", training, "--json").json["status"] == "completed"
    made = call("draft", "convert", "latest", "--json").json
    inference = made["id"]
    assert made["parity"]["verdict"] == "equal"
    assert "58 rows score as in the training run" in call("draft", "parity", inference).out
    assert {d["id"] for d in call("draft", "list", "--json").json} == {training, inference}
    try:
        done = call("draft", "deploy", inference, "--name", "cars", "--json")
        deployed = done.json
        assert deployed["state"] == "healthy"
        steps = [line.split()[0] for line in done.err.splitlines() if line.endswith("...")]
        assert steps == ["Comparing", "Packaging", "Test", "Starting"]
        program = call("endpoint", "snippet", "cars", "--language", "python").out
        assert "YOUR_KEY" in program
        assert deployed["scoring_url"] in program
        assert call("endpoint", "snippet", "cars", "--language", "cobol").status == 2
        assert call("endpoint", "training", "cars", "--json").json["newer_run"] is None
        assert call("draft", "update", inference).status == 2

        changed = set_parameter(tutorial().graph, CLEAN, "mode", "Replace with mode")
        file.write_text(write(Document(changed)), encoding="utf-8")
        other = call("draft", "create", file).out.strip()
        second = call("draft", "run", other, "--json").json["id"]
        _give(tmp_path / "home", second, training)
        assert second in call("endpoint", "training", "cars").out
        seen = call("draft", "update", inference, "--json").json
        assert not seen["taken"]
        assert {f["change"] for f in seen["frozen"]} == {"changed", "same"}
        assert "up to date" in call("draft", "update", inference, "--take").out
        assert "has been updated since" in call("endpoint", "training", "cars").out
        assert "as it was converted" in call("draft", "reset", inference).out
        assert call("draft", "deploy", inference, "--name", "cars").status == 0
        assert call("endpoint", "training", "cars", "--json").json["draft_is_ahead"] is False

        look_after_the_model(call, second)

        kinds = {s["kind"] for s in call("clean", "space", "--json").json}
        assert {"table", "model", "database"} <= kinds
        plan = call("clean", "plan", "--older-than-days", "0", "--json").json
        assert plan["runs"] == []
        assert plan["kept"]
        assert call("clean", "plan").status == 2
        assert call("clean", "up", "--older-than-days", "1").status == 0
    finally:
        call("endpoint", "delete", "cars")


def look_after_the_model(call: Command, run: str) -> None:
    """A model that serves is deleted by force only, and comes back; ports of a run get names."""
    shown = call("model", "show", MODEL, "--json").json
    assert [v["version"] for v in shown["versions"]] == [2, 1]
    assert {(u["kind"], u["active"]) for u in shown["uses"]} >= {
        ("draft", True),
        ("endpoint", True),
    }
    assert "NEEDS IT NOW" in call("model", "show", MODEL).out
    assert call("model", "delete", MODEL).err.startswith("error [in-use]")
    assert call("model", "delete", MODEL, "--force").status == 0
    assert call("model", "list", "--search", "Train", "--json").json == []
    assert call("model", "restore", MODEL).out == f"{MODEL} is back.\n"
    done = call("run", "register", run, "train-model.trained_model", "--name", "Kept")
    assert done.out == "Kept, version 1, is registered.\n"
    assert call("run", "register", run, "no-pin", "--name", "Kept").status == 2
    assert call("run", "delete", run).err.startswith("error [in-use]")
    assert call("run", "delete", run, "--force").out == f"{run} is deleted.\n"
    assert call("run", "show", run).status == 2


def _give(home: Path, run_id: str, draft_id: str) -> None:
    """Have a run be one of another draft, as if that had been changed in the studio."""
    from sqlalchemy import update

    from modelwright.workspace import Workspace, tables

    with Workspace.open(home) as workspace, workspace.transaction() as connection:
        connection.execute(
            update(tables.runs).where(tables.runs.c.id == run_id).values(draft_id=draft_id)
        )
