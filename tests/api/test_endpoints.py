from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelwright.actions.endpoints import delete_endpoint, list_endpoints
from modelwright.api.streams import CLOSED
from tests.api.servers import Running, fault, messages, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as server:
        yield server
        # What an endpoint started outlives this program unless it is deleted.
        for report in list_endpoints(server.home):
            delete_endpoint(server.home, report.record.name)


def trained(server: Running) -> Any:
    """The run of the tutorial's pipeline, from a draft."""
    draft = server.post("/api/drafts", {"sample": "automobile-price"})
    return server.finished(server.post("/api/runs", {"draft_id": draft["id"]})["id"])


def test_a_run_becomes_an_inference_draft_with_a_reason_for_every_node(server: Running) -> None:
    run = trained(server)
    made = server.post(f"/api/runs/{run['id']}/inference", {})
    draft, conversion = made["draft"], made["conversion"]
    assert (draft["kind"], draft["parent_run_id"]) == ("real-time-inference", run["id"])
    assert draft["parent_draft_id"] == run["draft_id"]
    changes = {c["node"]: c for c in conversion["changes"]}
    assert {n["id"] for n in run["graph"]["nodes"]} <= changes.keys()
    assert changes["evaluate-model"]["action"] == "removed"
    assert all(c["reason"] for c in changes.values())
    assert conversion["parity"]["verdict"] == "equal"
    assert conversion["parity"]["compared"] == 58
    assert conversion["absent"] == ["price"]
    assert draft["graph"]["nodes"] == conversion["graph"]["nodes"]
    # Nodes that stay stand where they stood.
    before, after = run["layout"]["positions"], draft["layout"]["positions"]
    assert after["score-model"] == before["score-model"]
    assert server.post("/api/check", {"graph": draft["graph"]})["problems"] == []
    again = server.get(f"/api/drafts/{draft['id']}/conversion")
    assert (again["graph"], again["changes"]) == (conversion["graph"], conversion["changes"])
    alone = server.post("/api/drafts", {})
    none = server.client.get(f"/api/drafts/{alone['id']}/conversion")
    assert fault(none, 404)["code"] == "not-found"


def test_how_far_a_deployment_has_come_is_streamed_to_who_waits(server: Running) -> None:
    run = trained(server)
    draft = server.post(f"/api/runs/{run['id']}/inference", {})["draft"]["id"]
    with (
        ThreadPoolExecutor(1) as pool,
        server.client.stream("GET", "/api/endpoints/Cars/deploying") as response,
    ):
        body = {"name": "cars", "draft_id": draft}
        made = pool.submit(server.client.post, "/api/endpoints", json=body)
        told = [data for _, data in messages(response)]
        assert made.result().status_code == 201
    assert told.pop() == {"kind": CLOSED}
    steps = [one["step"] for one in told]
    assert steps == ["compare", "package", "score", "start"][: len(steps)]
    assert len(steps) >= 2


def test_a_run_that_cannot_be_converted_says_why(server: Running) -> None:
    draft = server.post("/api/drafts", {"sample": "automobile-price"})
    asked = {"draft_id": draft["id"], "until": "split-data"}
    run = server.finished(server.post("/api/runs", asked)["id"])
    error = fault(server.client.post(f"/api/runs/{run['id']}/inference", json={}), 422)
    assert error["code"] == "step-not-run"
    wrong = {"requests": ["no-such-node"]}
    run = trained(server)
    refused = server.client.post(f"/api/runs/{run['id']}/inference", json=wrong)
    assert fault(refused, 422)["code"] == "unknown-node"


def test_an_endpoint_is_deployed_tried_changed_and_deleted(server: Running) -> None:
    run = trained(server)
    draft = server.post(f"/api/runs/{run['id']}/inference", {})["draft"]
    asked = {"name": "car-prices", "draft_id": draft["id"], "description": "Prices"}
    deployed = server.post("/api/endpoints", asked)
    endpoint = deployed["endpoint"]
    assert deployed["is_new"] is True
    assert (endpoint["state"], endpoint["description"]) == ("healthy", "Prices")
    (deployment,) = endpoint["deployments"]
    assert (deployment["traffic"], deployment["lineage"]["draft_id"]) == (100, draft["id"])
    assert deployment["lineage"]["training_run_id"] == run["id"]
    assert server.post("/api/endpoints", asked)["is_new"] is False

    schema = server.get("/api/endpoints/car-prices/schema")
    (request,) = schema["inputs"]
    columns = {c["name"] for c in request["columns"]}
    assert "price" not in columns
    assert columns == set(request["samples"][0])
    sample = request["samples"][0]
    scored = server.post("/api/endpoints/car-prices/score", {"inputs": {request["name"]: [sample]}})
    (rows,) = scored["results"].values()
    assert 5_000 < rows[0]["Scored Labels"] < 50_000
    lacking = {"inputs": {request["name"]: [{"make": "audi"}]}}
    refused = fault(server.client.post("/api/endpoints/car-prices/score", json=lacking), 422)
    assert refused["code"] == "request-refused"
    assert refused["fields"]["status"] == 400

    # As whoever consumes it does.
    keys = server.get("/api/endpoints/car-prices/keys")
    body = json.dumps({"Inputs": {"input1": [sample]}, "GlobalParameters": {}})

    def call(key: str) -> int:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        return httpx.post(endpoint["scoring_url"], content=body, headers=headers).status_code

    assert (call(keys["primary"]), call(keys["secondary"]), call("wrong" * 8)) == (200, 200, 401)
    fresh = server.post("/api/endpoints/car-prices/keys/primary/regenerate")
    assert fresh["secondary"] == keys["secondary"]
    assert (call(keys["primary"]), call(fresh["primary"])) == (401, 200)

    change = {"settings": {"max_replicas": 3}, "tags": {"team": "cars"}}
    changed = server.client.patch("/api/endpoints/car-prices", json=change).json()
    assert changed["settings"]["max_replicas"] == 3
    assert changed["tags"] == {"team": "cars"}
    assert changed["memory"]["by"] in ("cgroup", "rlimit")
    assert changed["memory"]["gb"] == 0.5
    wrong = {"settings": {"max_replicas": 0}}
    assert fault(server.client.patch("/api/endpoints/car-prices", json=wrong), 422)["code"] == (
        "invalid-setting"
    )
    assert server.post("/api/endpoints/car-prices/stop")["state"] == "stopped"
    away = server.client.post(
        "/api/endpoints/car-prices/score", json={"inputs": {request["name"]: [sample]}}
    )
    assert fault(away, 502)["code"] == "endpoint-unreachable"
    assert server.post("/api/endpoints/car-prices/start")["state"] == "healthy"
    assert server.get("/api/endpoints/car-prices/log")["lines"]
    assert [e["name"] for e in server.get("/api/endpoints")["items"]] == ["car-prices"]
    assert server.client.delete("/api/endpoints/car-prices").is_success
    assert fault(server.client.get("/api/endpoints/car-prices"), 404)["code"] == "not-found"


def test_an_endpoint_goes_back_to_a_former_deployment(server: Running) -> None:
    run = trained(server)
    first = server.post(f"/api/runs/{run['id']}/inference", {})["draft"]
    server.post("/api/endpoints", {"name": "cars", "draft_id": first["id"]})
    asked = {"draft_id": run["draft_id"], "parameters": {"split-data.seed": 5}}
    other = server.finished(server.post("/api/runs", asked)["id"])
    second = server.post(f"/api/runs/{other['id']}/inference", {})["draft"]
    settings = {"max_replicas": 2}
    deploy = {"name": "cars", "draft_id": second["id"], "settings": settings}
    address = server.post("/api/endpoints", deploy)["endpoint"]["scoring_url"]
    (request,) = server.get("/api/endpoints/cars/schema")["inputs"]
    rows = {"inputs": {request["name"]: request["samples"][:1]}}

    def price() -> float:
        (found,) = server.post("/api/endpoints/cars/score", rows)["results"].values()
        return float(found[0]["Scored Labels"])

    newer = price()
    back = server.post("/api/endpoints/cars/deployments/1/activate")
    older = price()
    assert older != newer
    assert {d["number"]: d["traffic"] for d in back["deployments"]} == {1: 100, 2: 0}
    assert (back["scoring_url"], back["settings"]["max_replicas"]) == (address, 10)
    again = server.post("/api/endpoints", deploy)
    assert again["is_new"] is True
    assert price() == newer
    nowhere = server.client.post("/api/endpoints/cars/deployments/9/activate")
    assert fault(nowhere, 404)["code"] == "not-found"


def test_a_pipeline_that_answers_nothing_is_not_deployed(server: Running) -> None:
    draft = server.post("/api/drafts", {"sample": "automobile-price"})
    asked = {"name": "nothing", "draft_id": draft["id"]}
    error = fault(server.client.post("/api/endpoints", json=asked), 422)
    assert error["code"] == "not-an-inference-pipeline"
    assert server.get("/api/endpoints")["items"] == []
    bad_name = {"name": "no spaces please", "graph": draft["graph"]}
    assert fault(server.client.post("/api/endpoints", json=bad_name), 422)
    both = {"name": "x", "graph": draft["graph"], "draft_id": draft["id"]}
    assert fault(server.client.post("/api/endpoints", json=both), 422)["code"] == "invalid-request"


def test_every_setting_of_an_endpoint_is_explained(server: Running) -> None:
    explained = server.get("/api/endpoints/settings")
    names = {s["name"]: s["json_schema"] for s in explained["settings"]}
    assert names["max_replicas"]["default"] == 10
    assert all(schema["description"] for schema in names.values())
    assert "auth" in {s["name"] for s in explained["access"]}


def test_an_inference_draft_is_updated_to_a_later_run_and_put_back(server: Running) -> None:
    run = trained(server)
    draft = server.post(f"/api/runs/{run['id']}/inference", {})["draft"]
    path = f"/api/drafts/{draft['id']}"
    assert server.get(f"{path}/parity")["parity"]["verdict"] == "equal"
    assert server.get(f"{path}/training")["newer"] is None
    none = server.client.post(f"{path}/update/preview", json={})
    assert fault(none, 404)["code"] == "not-found"

    graph = {**run["graph"], "nodes": [dict(n) for n in run["graph"]["nodes"]]}
    cleaning = next(n for n in graph["nodes"] if n["id"] == "clean-missing-data")
    cleaning["parameters"] = {**cleaning["parameters"], "mode": "Replace with mode"}
    asked = {"draft_id": run["draft_id"], "graph": graph}
    later = server.finished(server.post("/api/runs", asked)["id"])
    known = server.get(f"{path}/training")
    assert known["newer"]["id"] == later["id"]
    assert known["draft"]["id"] == run["draft_id"]

    seen = server.post(f"{path}/update/preview", {})
    changes = {f["node"]: f["change"] for f in seen["frozen"]}
    assert changes["md-train-model"] == changes["td-clean-missing-data"] == "changed"
    assert seen["runs"]["nodes"][0]["settings"][0]["right"] == "Replace with mode"
    assert (seen["clashes"], seen["fault"]) == ([], None)
    stale = server.client.post(f"{path}/update", json={"revision": 7})
    assert fault(stale, 409)["code"] == "edit-conflict"
    taken = server.post(f"{path}/update", {"revision": 1})
    assert taken["parent_run_id"] == later["id"]
    assert server.get(f"{path}/parity")["parity"]["verdict"] == "equal"
    models = {m["name"]: m["version"] for m in server.get("/api/models")["items"]}
    assert set(models.values()) == {2}
    assert server.post(f"{path}/reset", {"revision": 2})["graph"] == taken["graph"]
