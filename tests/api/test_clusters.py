"""Inference clusters and shares of requests, over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from modelwright.actions.endpoints import delete_endpoint, list_endpoints
from tests.api.servers import Running, fault, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home")) as server:
        yield server
        # What an endpoint started outlives this program unless it is deleted.
        for report in list_endpoints(server.home):
            delete_endpoint(server.home, report.record.name)


@pytest.fixture(scope="module")
def draft(server: Running) -> str:
    """The inference draft of the tutorial's pipeline."""
    draft = server.post("/api/drafts", {"sample": "automobile-price"})
    run = server.finished(server.post("/api/runs", {"draft_id": draft["id"]})["id"])
    made: dict[str, Any] = server.post(f"/api/runs/{run['id']}/inference", {})["draft"]
    return str(made["id"])


def traffic(endpoint: dict[str, Any]) -> dict[int, int]:
    return {d["number"]: d["traffic"] for d in endpoint["deployments"]}


def test_the_default_cluster_is_there_at_once_and_cannot_go(server: Running) -> None:
    (default,) = server.get("/api/clusters")["items"]
    assert (default["name"], default["kind"], default["state"]) == ("default", "local", "ready")
    assert default["capacity"]["cpu_cores"] >= 1
    assert default["capacity"]["memory_gb"] > 0.5
    refused = fault(server.client.delete("/api/clusters/default"), 409)
    assert refused["code"] == "wrong-state"
    kinds = {k["name"] for k in server.get("/api/clusters/kinds")["items"]}
    assert "local" in kinds


def test_a_cluster_is_made_in_under_a_second_resized_and_deleted(server: Running) -> None:
    begun = time.perf_counter()
    made = server.post("/api/clusters", {"name": "small", "cpu_cores": 0.5, "memory_gb": 2})
    assert time.perf_counter() - begun < 1
    assert made["capacity"] == {"cpu_cores": 0.5, "memory_gb": 2}
    taken = server.client.post("/api/clusters", json={"name": "SMALL"})
    assert fault(taken, 409)["code"] == "name-taken"
    for wrong, code in (
        ({"name": "x"}, "invalid-name"),
        ({"name": "other", "kind": "cloud"}, "unknown-cluster-kind"),
        ({"name": "other", "options": {"colour": "red"}}, "invalid-setting"),
    ):
        assert fault(server.client.post("/api/clusters", json=wrong), 422)["code"] == code
    larger = {"cpu_cores": 1.0, "memory_gb": None}
    resized = server.client.patch("/api/clusters/small", json=larger).json()
    assert resized["capacity"]["cpu_cores"] == 1.0
    assert resized["memory_gb"] is None
    assert server.client.delete("/api/clusters/small").json() == {"done": True}
    assert fault(server.client.get("/api/clusters/small"), 404)["code"] == "not-found"


def test_what_a_deployment_would_take_is_known_before(server: Running) -> None:
    server.post("/api/clusters", {"name": "tiny", "cpu_cores": 0.35, "memory_gb": 2})
    plan = server.post("/api/endpoints/plan", {"cluster": "tiny"})
    assert (plan["fits"], plan["fit"], plan["replicas_max"]) == (True, 3, 10)
    assert plan["each"] == {"cpu_cores": 0.1, "memory_gb": 0.5}
    wide = {"cluster": "tiny", "settings": {"min_replicas": 5}}
    plan = server.post("/api/endpoints/plan", wide)
    assert plan["fits"] is False
    assert plan["short"] == [
        {"resource": "cpu_cores", "needed": 0.5, "free": 0.35},
        {"resource": "memory_gb", "needed": 2.5, "free": 2.0},
    ]
    assert "0.5 processor cores are needed and 0.35 are free" in plan["message"]
    wrong = {"settings": {"min_replica": 5}}
    refused = fault(server.client.post("/api/endpoints/plan", json=wrong), 422)
    assert refused["code"] == "unknown-setting"


def test_what_does_not_fit_waits_for_room_and_says_what_is_short(
    server: Running, draft: str
) -> None:
    server.post("/api/clusters", {"name": "narrow", "cpu_cores": 0.2, "memory_gb": 2})
    asked = {
        "name": "wide",
        "draft_id": draft,
        "cluster": "narrow",
        "settings": {"min_replicas": 3},
    }
    refused = fault(server.client.post("/api/endpoints", json=asked), 409)
    assert refused["code"] == "unschedulable"
    assert refused["fields"]["short"] == [{"resource": "cpu_cores", "needed": 0.3, "free": 0.2}]
    waiting = server.get("/api/endpoints/wide")
    assert waiting["state"] == "unschedulable"
    assert "0.3 processor cores" in waiting["message"]
    assert [d["state"] for d in waiting["deployments"]] == ["unschedulable"]
    assert fault(server.client.delete("/api/clusters/narrow"), 409)["code"] == "in-use"

    server.client.patch("/api/clusters/narrow", json={"cpu_cores": 0.4, "memory_gb": 2})
    # Where there is room now, it starts by itself.
    started = server.get("/api/endpoints/wide")
    assert (started["state"], started["cluster"]) == ("healthy", "narrow")
    cluster = server.get("/api/clusters/narrow")
    assert cluster["reserved"] == {"cpu_cores": 0.3, "memory_gb": 1.5}
    assert cluster["endpoints"] == ["wide"]
    smaller = {"cpu_cores": 0.1, "memory_gb": 2}
    refused = fault(server.client.patch("/api/clusters/narrow", json=smaller), 409)
    assert refused["code"] == "wrong-state"
    server.client.delete("/api/endpoints/wide")
    assert server.client.delete("/api/clusters/narrow").json() == {"done": True}


def test_a_canary_gets_its_share_is_promoted_and_rolled_back(server: Running, draft: str) -> None:
    graph = server.get(f"/api/drafts/{draft}")["graph"]
    endpoint = server.post("/api/endpoints", {"name": "cars", "draft_id": draft})["endpoint"]
    (output,) = [n for n in graph["nodes"] if n["component"] == "web-service-output"]
    output["parameters"]["name"] = "second"
    asked = {"name": "cars", "graph": graph, "share": 20}
    canary = server.post("/api/endpoints", asked)["endpoint"]
    assert traffic(canary) == {1: 80, 2: 20}
    assert canary["owner"]
    assert [d["state"] for d in canary["deployments"]] == ["healthy", "healthy"]

    key = server.get("/api/endpoints/cars/keys")["primary"]
    (request,) = server.get("/api/endpoints/cars/schema")["inputs"]
    body = json.dumps({"Inputs": {request["name"]: request["samples"][:1]}})

    def answers(count: int) -> list[str]:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        with httpx.Client(headers=headers) as client:
            return [
                next(iter(client.post(endpoint["scoring_url"], content=body).json()["Results"]))
                for _ in range(count)
            ]

    assert answers(10).count("second") == 2
    asked_share = {"shares": {"1": 50, "2": 50}}
    halves = server.client.put("/api/endpoints/cars/traffic", json=asked_share).json()
    assert traffic(halves) == {1: 50, 2: 50}
    assert answers(10).count("second") == 5
    odd = server.client.put("/api/endpoints/cars/traffic", json={"shares": {"1": 50}})
    assert fault(odd, 422)["code"] == "invalid-traffic"

    promoted = server.post("/api/endpoints/cars/deployments/2/activate")
    assert traffic(promoted) == {1: 0, 2: 100}
    assert {d["number"]: d["state"] for d in promoted["deployments"]} == {
        1: "stopped",
        2: "healthy",
    }
    assert set(answers(4)) == {"second"}
    back = server.post("/api/endpoints/cars/rollback")
    assert traffic(back) == {1: 100, 2: 0}
    assert "second" not in answers(4)
    none = server.client.post("/api/endpoints/cars/rollback")
    assert fault(none, 404)["code"] == "not-found"

    changed = server.client.patch(
        "/api/endpoints/cars/deployments/1", json={"settings": {"scoring_timeout_ms": 900}}
    ).json()
    assert changed["settings"]["scoring_timeout_ms"] == 900
    busy = server.client.delete("/api/endpoints/cars/deployments/1")
    assert fault(busy, 409)["code"] == "wrong-state"
    left = server.client.delete("/api/endpoints/cars/deployments/2").json()
    assert traffic(left) == {1: 100}
