"""The page from training to an endpoint: its code runs, and its commands are there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from modelwright.actions.endpoints import delete_endpoint, list_endpoints
from modelwright.cli.main import app
from modelwright.client.client import Client
from modelwright.data.errors import ModelwrightError
from modelwright.inference.package import Package
from tests.api.servers import running

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "from-training-to-endpoint.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_s_code_runs_from_top_to_bottom(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    with running(tmp_path) as server:
        token, _ = server.home.workspace.people.create_api_token("page")
        world: dict[str, Any] = {"SERVER": server.address, "TOKEN": token}
        try:
            exec(compile(block, str(PAGE), "exec"), world)
            with Client(server.address, token) as client:
                kinds = {one["kind"] for one in client.cleaning.space()["items"]}
                assert {"table", "model", "transform", "database"} <= kinds
                plan = client.cleaning.plan(older_than_days=0)
                assert plan["runs"] == []
                assert len(plan["kept"]) == 2
                assert client.cleaning.clean_up(older_than_days=1)["values"] == 0
                (draft,) = [d for d in client.drafts.list() if d["kind"] != "training"]
                back = client.inference.reset(draft["id"], revision=draft["revision"])
                assert back == draft["revision"]
                look_after(client, tmp_path, world["run"].id)
        finally:
            for report in list_endpoints(server.home):
                delete_endpoint(server.home, report.record.name)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "equal"
    assert printed[-2:] == ["['MD - Train Model', 'TD - Clean Missing Data']", "None"]


def look_after(client: Client, folder: Path, run: str) -> None:
    """What a run left is registered; what serves is deleted by force only, and comes back."""
    assert client.runs.register(run, "train-model.trained_model", name="Kept") == 1
    exported = client.models.export("Kept", folder / "kept.zip")
    assert Package.open(exported).plan.steps
    (model,) = [m for m in client.models.list() if m.name.startswith("MD - ")]
    assert [m.version for m in client.models.versions(model.name)] == [2, 1]
    active = {use["kind"] for use in client.models.uses(model.name) if use["active"]}
    assert active == {"draft", "endpoint"}
    with pytest.raises(ModelwrightError) as refused:
        client.models.delete(model.name)
    assert refused.value.code == "in-use"
    client.models.delete(model.name, force=True)
    assert client.models.restore(model.name).version == 2
    with pytest.raises(ModelwrightError) as refused:
        client.runs.delete(run)
    assert refused.value.code == "in-use"
    client.runs.delete(run, force=True)
    assert run not in {one["id"] for one in client.runs.list()}


@pytest.mark.parametrize("line", re.findall(r"^ {4}modelwright ([^#\n]+)", TEXT, re.MULTILINE))
def test_a_command_of_the_page_is_there_with_its_options(line: str) -> None:
    command = typer.main.get_command(app)
    words = shlex.split(line)
    while words and (inner := getattr(command, "commands", {}).get(words[0])):
        command, words = inner, words[1:]
    assert not hasattr(command, "commands"), line
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= options
