from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from modelwright import samples
from modelwright.graph.codec import read
from tests.api.pipelines import typed
from tests.api.servers import Running, fault, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as server:
        yield server


def test_a_draft_is_saved_with_its_layout_and_comes_back_as_it_was(server: Running) -> None:
    draft = server.post("/api/drafts", {"name": "Mine"})
    assert (draft["revision"], draft["kind"], draft["graph"]["nodes"]) == (1, "training", [])
    layout = {
        "positions": {"typed": [10, 20.5]},
        "notes": [{"text": "Look here"}],
        "groups": [],
    }
    change = {"revision": 1, "graph": typed(), "layout": layout, "history": {"undo": [1, 2]}}
    saved = server.client.put(f"/api/drafts/{draft['id']}", json=change).json()
    assert saved["revision"] == 2
    again = server.get(f"/api/drafts/{draft['id']}")
    assert again == saved
    assert again["name"] == again["graph"]["name"] == "Mine"
    assert again["layout"] == layout
    assert again["graph"]["nodes"][1]["parameters"] == {"columns": ["a"]}
    assert again["graph"]["wires"] == typed()["wires"]
    assert server.get(f"/api/drafts/{draft['id']}/history") == {"history": {"undo": [1, 2]}}


def test_a_save_over_a_newer_revision_is_refused_and_shows_what_is_current(
    server: Running,
) -> None:
    draft = server.post("/api/drafts", {})
    address = f"/api/drafts/{draft['id']}"
    mine = {"revision": 1, "graph": typed(columns=("a",))}
    theirs = {"revision": 1, "graph": typed(columns=("b",))}
    assert server.client.put(address, json=theirs).status_code == 200
    error = fault(server.client.put(address, json=mine), 409)
    assert error["code"] == "edit-conflict"
    assert (error["fields"]["expected"], error["fields"]["revision"]) == (1, 2)
    current = error["fields"]["current"]
    assert current == server.get(address)
    assert current["graph"]["nodes"][1]["parameters"] == {"columns": ["b"]}


def test_a_save_that_changes_nothing_makes_no_revision(server: Running) -> None:
    draft = server.post("/api/drafts", {"graph": typed()})
    same = {"revision": 1, "graph": draft["graph"], "layout": draft["layout"]}
    saved = server.client.put(f"/api/drafts/{draft['id']}", json=same)
    assert saved.json()["revision"] == 1


def test_a_draft_begins_with_a_sample(server: Running) -> None:
    draft = server.post("/api/drafts", {"sample": "automobile-price"})
    expected = read(samples.PIPELINES[0].text)
    assert draft["name"] == expected.graph.name
    assert [n["id"] for n in draft["graph"]["nodes"]] == list(expected.graph.nodes)
    assert draft["layout"]["positions"]["score-model"] == [440.0, 740.0]
    error = fault(server.client.post("/api/drafts", json={"sample": "automobile"}), 404)
    assert "automobile-price" in error["remedy"]


def test_a_draft_travels_as_a_pipeline_file(server: Running) -> None:
    draft = server.post("/api/drafts", {"sample": "automobile-price", "name": "Über / cars"})
    file = server.get(f"/api/drafts/{draft['id']}/file")
    assert file["name"] == "Über-cars.yaml"
    document = read(file["text"])
    sample = read(samples.PIPELINES[0].text)
    assert document == replace(sample, graph=replace(sample.graph, name="Über / cars"))
    back = server.post("/api/drafts", {"text": file["text"]})
    assert back["name"] == "Über / cars"
    assert (back["graph"], back["layout"]) == (draft["graph"], draft["layout"])


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("modelwright: 1\nnodes:\n  a:\n    componnent: x\n", "pipeline-file-error", "Line 4"),
        ("modelwright: 1\nnodes: [\n", "pipeline-file-error", "Line 3"),
        ("modelwright: 99\n", "newer-file-format", "format 99"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(
    server: Running, text: str, code: str, where: str
) -> None:
    error = fault(server.client.post("/api/drafts", json={"text": text}), 422)
    assert error["code"] == code
    assert where in error["message"]
    assert server.get("/api/drafts")["total"] == 0


def test_a_draft_begins_with_one_source_at_most(server: Running) -> None:
    both = {"text": "modelwright: 1\n", "sample": "automobile-price"}
    assert fault(server.client.post("/api/drafts", json=both), 422)["code"] == "invalid-request"


def test_a_draft_whose_text_is_of_a_newer_version_is_shown_and_not_lost(server: Running) -> None:
    text = "modelwright: 99\nnodes: {}\n"
    record = server.home.workspace.drafts.create("From the future", document=text)
    draft = server.get(f"/api/drafts/{record.id}")
    assert draft["graph"] is None
    assert draft["fault"]["code"] == "newer-file-format"
    assert draft["text"] == text
    assert server.get(f"/api/drafts/{record.id}/file")["text"] == text
    planned = server.client.post("/api/plan", json={"draft_id": record.id})
    assert fault(planned, 422)["code"] == "newer-file-format"


def test_drafts_are_listed_by_last_change_and_found_by_words(server: Running) -> None:
    for name in ("Cars", "Café prices", "Cars again"):
        server.post("/api/drafts", {"name": name})
    page = server.get("/api/drafts", limit=2)
    assert [d["name"] for d in page["items"]] == ["Cars again", "Café prices"]
    rest = server.get("/api/drafts", limit=2, after=page["after"])
    assert ([d["name"] for d in rest["items"]], rest["after"]) == (["Cars"], None)
    found = server.get("/api/drafts", search="cafe")
    assert [d["name"] for d in found["items"]] == ["Café prices"]
    assert fault(server.client.get("/api/drafts", params={"after": "x"}), 400)


def test_a_deleted_draft_can_be_brought_back_until_it_is_forgotten(server: Running) -> None:
    draft = server.post("/api/drafts", {"graph": typed()})
    address = f"/api/drafts/{draft['id']}"
    server.client.delete(address)
    assert server.get("/api/drafts")["items"] == []
    (deleted,) = server.get("/api/drafts", deleted=True)["items"]
    assert deleted["id"] == draft["id"]
    assert server.post(f"{address}/restore")["graph"] == draft["graph"]
    server.client.delete(address, params={"forever": True})
    assert fault(server.client.get(address), 404)["code"] == "not-found"


def test_a_copy_and_another_name_leave_the_pipeline_as_it_is(server: Running) -> None:
    draft = server.post("/api/drafts", {"graph": typed(), "name": "One"})
    address = f"/api/drafts/{draft['id']}"
    copy = server.post(f"{address}/duplicate")
    assert copy["name"] == "One (copy)"
    assert copy["graph"]["nodes"] == draft["graph"]["nodes"]
    assert server.post(f"{address}/duplicate", {"name": "Two"})["name"] == "Two"
    renamed = server.client.patch(address, json={"name": "First"}).json()
    assert (renamed["name"], renamed["revision"]) == ("First", 1)
    assert fault(server.client.patch(address, json={"name": "a\nb"}), 422)["code"] == "invalid-name"


def test_an_earlier_state_can_be_looked_at_and_made_the_newest(server: Running) -> None:
    draft = server.post("/api/drafts", {"graph": typed(columns=("a",))})
    address = f"/api/drafts/{draft['id']}"
    server.client.put(address, json={"revision": 1, "graph": typed(columns=("b",))})
    kept = server.get(f"{address}/revisions")["items"]
    assert [(r["revision"], r["nodes"]) for r in kept] == [(2, 2), (1, 2)]
    first = server.get(f"{address}/revisions/1")
    assert first["graph"]["nodes"] == draft["graph"]["nodes"]
    back = server.post(f"{address}/revisions/restore", {"revision": 1, "current": 2})
    assert back["revision"] == 3
    assert back["graph"] == draft["graph"]
    stale = {"revision": 2, "current": 2}
    refused = server.client.post(f"{address}/revisions/restore", json=stale)
    assert fault(refused, 409)["code"] == "edit-conflict"


def test_a_draft_uses_the_datasets_that_it_names(server: Running) -> None:
    name = "Automobile price data (Raw)"
    draft = server.post("/api/drafts", {"sample": "automobile-price"})
    (use,) = server.get(f"/api/datasets/{name}/uses")["items"]
    assert (use["kind"], use["id"], use["active"]) == ("draft", draft["id"], True)
    error = fault(server.client.delete(f"/api/datasets/{name}"), 409)
    assert error["code"] == "in-use"
    assert error["fields"]["uses"][0]["title"] == draft["name"]


def test_ids_that_stand_twice_are_refused(server: Running) -> None:
    graph = typed()
    graph["nodes"].append(graph["nodes"][0])
    assert fault(server.client.post("/api/drafts", json={"graph": graph}), 422)["fields"] == {
        "at": "typed"
    }
