"""What an endpoint does and writes, told over HTTP as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelwright import Client
from modelwright.actions.conversions import convert_pipeline
from modelwright.actions.endpoints import delete_endpoint, deploy_endpoint
from modelwright.actions.run_pipeline import run_pipeline
from tests.actions.homes import tutorial
from tests.api.servers import Running, fault, messages, running
from tests.serve.test_tls import certificate


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home")) as server:
        report = run_pipeline(server.home, tutorial().graph)
        graph = convert_pipeline(server.home, report.run.id).document.graph
        deploy_endpoint(server.home, graph, name="cars", deployment={"diagnostics": True})
        yield server
        delete_endpoint(server.home, "cars")


@pytest.fixture(scope="module")
def body(server: Running) -> str:
    (request,) = server.get("/api/endpoints/cars/schema")["inputs"]
    return json.dumps({"Inputs": {request["name"]: request["samples"][:1]}})


def call(server: Running, body: str, times: int) -> None:
    key = server.get("/api/endpoints/cars/keys")["primary"]
    url = server.get("/api/endpoints/cars")["scoring_url"]
    with httpx.Client(headers={"Authorization": f"Bearer {key}"}) as client:
        for _ in range(times):
            assert client.post(url, content=body).status_code == 200
        assert client.post(url, content="{}").status_code == 400


def test_every_second_tells_of_requests_errors_and_times(server: Running, body: str) -> None:
    call(server, body, 20)
    deadline = time.monotonic() + 10
    while True:
        seconds = server.get("/api/endpoints/cars/metrics")["items"]
        if sum(s["requests"] for s in seconds) == 21:
            break
        assert time.monotonic() < deadline, seconds
        time.sleep(0.1)
    assert sum(s["refused"] for s in seconds) == 1
    assert sum(s["failed"] for s in seconds) == 0
    busy = [s for s in seconds if s["requests"]]
    assert all(0 < s["p50_ms"] <= s["p99_ms"] < 5000 for s in busy)
    assert {s["replicas"] for s in seconds} == {1}
    endpoint = server.get("/api/endpoints/cars")
    assert endpoint["recent"]["requests_per_s"] > 0
    assert endpoint["replicas"] == 1


def test_an_endpoint_tells_prometheus_what_it_did(server: Running, body: str) -> None:
    call(server, body, 5)
    key = server.get("/api/endpoints/cars/keys")["primary"]
    base = server.get("/api/endpoints/cars")["swagger_url"].removesuffix(
        "/api/v1/service/cars/swagger.json"
    )
    assert httpx.get(f"{base}/metrics").status_code == 401

    def read() -> dict[str, float]:
        found = httpx.get(f"{base}/metrics", headers={"Authorization": f"Bearer {key}"})
        assert found.headers["content-type"].startswith("text/plain; version=0.0.4")
        lines = [line for line in found.text.splitlines() if not line.startswith("#")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    good = 'modelwright_requests_total{endpoint="cars",status="2xx"}'
    deadline = time.monotonic() + 10
    while read()[good] < 5:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    told = read()
    assert told['modelwright_requests_total{endpoint="cars",status="4xx"}'] >= 1
    assert told['modelwright_replicas{endpoint="cars"}'] == 1
    count = told['modelwright_request_seconds_count{endpoint="cars"}']
    assert told['modelwright_request_seconds_bucket{endpoint="cars",le="+Inf"}'] == count
    buckets = [v for name, v in told.items() if "_bucket" in name]
    assert buckets == sorted(buckets)


def test_seconds_are_streamed_as_they_pass(server: Running) -> None:
    with server.client.stream("GET", "/api/endpoints/cars/metrics/stream") as response:
        told = messages(response)
        found = [next(told)[1] for _ in range(3)]
    assert {m["kind"] for m in found} == {"second"}
    assert found[0]["at"] < found[1]["at"] < found[2]["at"]
    unknown = server.client.get("/api/endpoints/nobody/metrics/stream")
    assert fault(unknown, 404)["code"] == "not-found"


def test_the_log_is_streamed_as_it_is_written(server: Running, body: str) -> None:
    with server.client.stream("GET", "/api/endpoints/cars/log/stream") as response:
        told = messages(response)
        assert "answering on" in next(told)[1]["text"]
        call(server, body, 1)
        assert "POST /api/v1/service/cars/score 200" in next(told)[1]["text"]
    token, _ = server.home.workspace.people.create_api_token("client")
    with Client(server.address, token) as client:
        lines = client.endpoints.follow_log("cars", lines=1)
        assert "score 400" in next(lines)


def test_a_token_opens_the_endpoint_until_tokens_are_revoked_or_not_taken(
    server: Running, body: str
) -> None:
    url = server.get("/api/endpoints/cars")["scoring_url"]
    token = server.post("/api/endpoints/cars/tokens", {"seconds": 60})["token"]

    def status(secret: str) -> int:
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx.post(url, content=body, headers=headers).status_code

    assert status(token) == 200
    server.client.delete("/api/endpoints/cars/tokens")
    assert status(token) == 401
    key = server.get("/api/endpoints/cars/keys")["primary"]
    assert status(key) == 200
    server.client.patch("/api/endpoints/cars", json={"access": {"auth": "tokens"}})
    fresh = server.post("/api/endpoints/cars/tokens", {})["token"]
    assert (status(fresh), status(key)) == (200, 401)
    server.client.patch("/api/endpoints/cars", json={"access": {"auth": "keys"}})
    assert (status(fresh), status(key)) == (401, 200)
    refused = server.client.post("/api/endpoints/cars/tokens", json={})
    assert fault(refused, 409)["code"] == "wrong-state"
    server.client.patch("/api/endpoints/cars", json={"access": {"auth": "both"}})


def test_requests_and_replies_are_kept_when_that_is_wanted(server: Running, body: str) -> None:
    change = {"settings": {"data_collection": True}}
    server.client.patch("/api/endpoints/cars", json=change).raise_for_status()
    deadline = time.monotonic() + 10
    while not (files := server.get("/api/endpoints/cars/collected")["items"]):
        assert time.monotonic() < deadline
        call(server, body, 1)
    (file,) = files
    assert file["deployment"] == 1
    content = server.client.get(f"/api/endpoints/cars/collected/1/{file['name']}").text
    record = json.loads(content.splitlines()[0])
    assert record["request"] == json.loads(body)
    unknown = server.client.get("/api/endpoints/cars/collected/1/keys.json")
    assert fault(unknown, 404)["code"] == "not-found"
    (deployment,) = server.get("/api/endpoints/cars")["deployments"]
    assert deployment["live"] is True
    assert deployment["settings"]["data_collection"] is True


def scored_in_time(server: Running, asked: object) -> dict[str, Any]:
    """The reply, once the replicas that still speak as before have been relieved of their work."""
    deadline = time.monotonic() + 60
    while True:
        reply = server.client.post("/api/endpoints/cars/score", json=asked)
        if reply.is_success:
            found: dict[str, Any] = reply.json()
            return found
        assert reply.json()["error"]["code"] == "endpoint-unreachable", reply.text
        assert time.monotonic() < deadline, reply.text
        time.sleep(0.1)


def test_the_test_tab_calls_an_endpoint_with_a_certificate_of_its_own_and_tokens_only(
    server: Running, tmp_path: Path
) -> None:
    (request,) = server.get("/api/endpoints/cars/schema")["inputs"]
    asked = {"inputs": {request["name"]: request["samples"][:1]}}
    access = {**certificate(tmp_path / "tls", "cars"), "auth": "tokens"}
    changed = server.client.patch("/api/endpoints/cars", json={"access": access}).json()
    assert changed["scoring_url"].startswith("https://")
    scored = scored_in_time(server, asked)
    assert len(next(iter(scored["results"].values()))) == 1
    plain = {"tls_certificate": "", "tls_key": "", "auth": "both"}
    changed = server.client.patch("/api/endpoints/cars", json={"access": plain}).json()
    assert changed["scoring_url"].startswith("http://")
    scored_in_time(server, asked)
