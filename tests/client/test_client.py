from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwright import Client, Pipeline, samples
from modelwright.actions.endpoints import delete_endpoint, list_endpoints
from modelwright.client.connection import ForeignAnswer, ServerUnreachable
from modelwright.components.columns import ColumnSelection
from modelwright.components.palette.data_input_and_output.enter_data_manually import (
    EnterDataManually,
)
from modelwright.components.palette.data_transformation.select_columns_in_dataset import (
    SelectColumnsInDataset,
)
from modelwright.data.files.errors import RaggedRows
from modelwright.data.files.options import ReadOptions
from modelwright.graph.problems import PipelineProblems
from modelwright.workspace.errors import Conflict, InUse, NotFound, TokenRejected
from tests.actions.homes import SWEEP
from tests.api.servers import Running, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "home") as server:
        yield server
        for report in list_endpoints(server.home):
            delete_endpoint(server.home, report.record.name)


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    token, _ = server.home.workspace.people.create_api_token("client")
    with Client(server.address, token) as client:
        yield client


def typed(column: str = "a") -> Pipeline:
    """Three typed rows of which one column is kept."""
    p = Pipeline("Typed")
    data = p.add(EnterDataManually(data="a,b\n1,x\n2,y\n3,z\n"), node_id="typed")
    chosen = SelectColumnsInDataset(columns=ColumnSelection.of(column))
    p.add(chosen, dataset=data, node_id="chosen")
    return p


def test_what_a_run_tried_is_asked_of_the_server(client: Client) -> None:
    run = client.runs.run(Pipeline.from_yaml(SWEEP))
    (sweep,) = client.runs.sweeps(run.id)
    assert (sweep["node"], sweep["run"]) == ("tune", run.id)
    assert [t["settled"] for t in sweep["tries"]] == [1, 2, 3]
    assert client.runs.sweeps(client.runs.run(typed()).id) == []


def test_a_run_on_a_server_comes_back_as_one_without(client: Client, tmp_path: Path) -> None:
    kinds: list[str] = []
    there = client.runs.run(typed(), on_event=lambda event: kinds.append(event["kind"]))
    here = typed().run(home=tmp_path / "other")
    assert there.require_completed().status == "completed"
    assert (kinds[0], kinds[-1]) == ("run-started", "run-finished")
    assert there.outputs == here.outputs
    assert [(s.node, s.status) for s in there.steps] == [(s.node, s.status) for s in here.steps]
    assert there.frame("chosen.results_dataset").equals(here.frame("chosen.results_dataset"))
    again = client.runs.run(typed(), experiment="Again")
    assert again.counts == {"reused": 2}
    assert [r["experiment"] for r in client.runs.list()] == ["Again", "Typed"]
    assert client.runs.get("latest").id == again.id
    assert list(client.runs.events(there.id))[-1]["kind"] == "run-finished"
    assert client.runs.plan(typed())["counts"]["reuse"] == 2


def test_the_tutorial_is_done_with_a_server(client: Client) -> None:
    cars = Pipeline.open(samples.PIPELINES[0].path)
    run = client.runs.run(cars).require_completed()
    figures = run.metrics["evaluate-model"]["scored_dataset"]
    assert 0.8 < (figures["Coefficient_of_Determination"] or 0) < 0.97
    assert run.learnt("train-model.trained_model")
    assert "135 rows" in client.runs.log(run.id, "train-model")
    conversion = client.runs.convert(run.id)
    assert conversion.parity is not None
    assert conversion.parity["verdict"] == "equal"
    draft = client.drafts.get(conversion.draft_id or "")
    assert draft.pipeline.graph.nodes == conversion.pipeline.graph.nodes
    endpoint = client.endpoints.deploy(
        conversion.pipeline, "cars", deployment_tags={"model": "linear"}
    )
    assert endpoint.state == "healthy"
    assert [d["tags"] for d in endpoint.deployments] == [{"model": "linear"}]
    (request,) = client.endpoints.schema("cars")["inputs"]
    (reply,) = endpoint.score({request["name"]: request["samples"][:2]}).values()
    assert len(reply) == 2
    assert client.endpoints.keys("cars").keys() == {"primary", "secondary"}
    assert client.endpoints.regenerate_key("cars", "primary")["primary"]
    assert client.endpoints.change("cars", {"max_replicas": 3}).settings["max_replicas"] == 3
    client.endpoints.change("cars", tags={"team": "sales"}, access={"max_body_mb": 7})
    found = client.endpoints.change("cars", description="Used cars")
    assert (found.tags, found.access["max_body_mb"]) == ({"team": "sales"}, 7)
    found = client.endpoints.change_deployment("cars", 1, tags={"model": "forest"})
    assert ([d["tags"] for d in found.deployments], found.tags) == (
        [{"model": "forest"}],
        {"team": "sales"},
    )
    for tags, names in (
        ({"team": "sales", "model": "forest"}, ["cars"]),
        ({"model": "linear"}, []),
    ):
        assert [e.name for e in client.endpoints.list(tags=tags)] == names
    assert client.endpoints.stop("cars").state == "stopped"
    assert client.endpoints.start("cars").state == "healthy"
    assert client.endpoints.log("cars")
    assert [e.name for e in client.endpoints.list()] == ["cars"]
    client.endpoints.delete("cars")
    with pytest.raises(NotFound):
        client.endpoints.get("cars")


def test_a_draft_is_made_changed_and_lost_to_nobody(client: Client) -> None:
    draft = client.drafts.create(typed(), name="Mine")
    assert (draft.name, draft.revision, draft.kind) == ("Mine", 1, "training")
    changed = typed("b")
    saved = client.drafts.save(draft, changed)
    assert saved.revision == 2
    with pytest.raises(Conflict) as conflict:
        client.drafts.save(draft, typed("a"))
    assert conflict.value.revision == 2
    assert client.drafts.get(draft.id).pipeline.graph.nodes == changed.graph.nodes
    copy = client.drafts.duplicate(draft.id)
    client.drafts.delete(draft.id)
    assert [d["id"] for d in client.drafts.list()] == [copy.id]
    assert client.drafts.restore(draft.id).revision == 2
    assert client.drafts.of_sample("automobile-price").pipeline.nodes[0] == "automobile-data"
    run = client.runs.run(typed())
    assert client.drafts.of_run(run.id).pipeline.graph.wires == typed().graph.wires


def test_a_dataset_is_added_from_a_file(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("day;amount\n1;2,5\n2;3,5\n", encoding="utf-8")
    added = client.datasets.add(file, name="Sales / North", description="By day")
    assert (added.version, added.rows, added.columns) == (
        1,
        2,
        {"day": "Integer", "amount": "Double"},
    )
    assert added.frame().rows() == [(1, 2.5), (2, 3.5)]
    assert client.datasets.get("Sales / North") == added
    assert client.datasets.profile("Sales / North")["rows"] == 2
    user = Pipeline("User")
    user.dataset("Sales / North")
    client.drafts.create(user)
    with pytest.raises(InUse):
        client.datasets.delete("Sales / North")
    client.datasets.delete("Sales / North", force=True)
    assert client.datasets.restore("Sales / North").version == 1
    assert len(client.datasets.list(search="sales")) == 1

    ragged = tmp_path / "ragged.csv"
    ragged.write_text("a,b\n1,2\n3\n", encoding="utf-8")
    with pytest.raises(RaggedRows):
        client.datasets.add(ragged, name="Ragged")
    told = client.datasets.add(ragged, name="Ragged", options=ReadOptions(ragged="skip"))
    assert told.rows == 1
    assert told.notes


def test_errors_of_the_server_are_raised_as_what_they_are(
    client: Client, server: Running, tmp_path: Path
) -> None:
    with pytest.raises(PipelineProblems) as problems:
        client.runs.run(typed("nope"))
    assert problems.value.fields["problems"][0]["column"] == "nope"
    with pytest.raises(NotFound, match="run-0"):
        client.runs.get("run-0")
    with Client(server.address, "mwa_wrong") as stranger, pytest.raises(TokenRejected):
        stranger.session()
    with Client(server.address + "/designer", "x") as lost, pytest.raises(ForeignAnswer):
        lost.session()


def test_a_server_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with Client("http://127.0.0.1:9", "x") as client:
        with pytest.raises(ServerUnreachable, match="modelwright up"):
            client.session()
        with pytest.raises(ServerUnreachable):
            list(client.runs.events("run-0"))


def test_the_client_sees_who_it_is_and_what_the_server_has(client: Client) -> None:
    assert client.session()["person"] == "owner"
    assert "split-data" in {c["id"] for c in client.components()}


def test_clusters_and_plans_are_asked_for_over_a_server(client: Client) -> None:
    assert [c["name"] for c in client.clusters.list()] == ["default"]
    made = client.clusters.create("side", cpu_cores=0.25, memory_gb=4)
    assert made["free"] == {"cpu_cores": 0.25, "memory_gb": 4}
    plan = client.endpoints.plan(cluster="side", settings={"min_replicas": 4})
    assert (plan["fits"], plan["fit"]) == (False, 2)
    assert client.clusters.resize("side", cpu_cores=0.5, memory_gb=4)["cpu_cores"] == 0.5
    assert client.endpoints.plan(cluster="side", settings={"min_replicas": 4})["fits"]
    client.clusters.delete("side")
    with pytest.raises(NotFound):
        client.clusters.get("side")


def test_a_connection_is_kept_listed_and_forgotten(client: Client, server: Running) -> None:
    made = client.connections.put(
        "team/cars", "postgresql://reader@db.example/cars", values={"password": "hush"}
    )
    assert (made["name"], made["kind"], made["keys"]) == ("team/cars", "database", ["password"])
    assert client.connections.all() == [made]
    assert "hush" not in str(made)
    client.connections.delete("team/cars")
    assert client.connections.all() == []
    with pytest.raises(NotFound):
        client.connections.delete("team/cars")
