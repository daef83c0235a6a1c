from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.servers import Running, fault, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as server:
        yield server


def test_settings_are_kept_by_name_and_apart_from_those_of_other_parts(server: Running) -> None:
    assert server.get("/api/settings") == {"values": {}}
    change = {"values": {"language": "fr", "palette.open": ["a", 1]}}
    assert server.client.patch("/api/settings", json=change).json() == change
    gone = {"values": {"language": None}}
    left = server.client.patch("/api/settings", json=gone).json()
    assert left == {"values": {"palette.open": ["a", 1]}}
    # The home notes here which samples it has.
    assert server.home.workspace.settings.get("samples") is not None
    bad = {"values": {"no spaces": 1}}
    assert fault(server.client.patch("/api/settings", json=bad), 422)


def test_a_token_of_a_program_is_shown_once_and_can_be_revoked(server: Running) -> None:
    made = server.post("/api/tokens", {"name": "nightly", "days": 30})
    headers = {"authorization": f"Bearer {made['secret']}"}
    with server.anyone(**headers) as program:
        assert program.get("/api/session").json()["person"] == "owner"
        listed = {t["name"]: t for t in server.get("/api/tokens")["items"]}
        assert listed["nightly"]["expires_at"] is not None
        assert made["secret"] not in str(listed)
        assert server.client.delete(f"/api/tokens/{made['token']['id']}").is_success
        assert fault(program.get("/api/session"), 401)["code"] == "token-rejected"
    assert fault(server.client.delete("/api/tokens/999"), 404)


def test_a_connection_never_shows_its_values_again(server: Running) -> None:
    new = {"values": {"password": "hunter2"}, "kind": "postgres", "public": {"host": "db"}}
    stored = server.client.put("/api/secrets/Warehouse / east", json=new).json()
    assert stored["keys"] == ["password"]
    assert "hunter2" not in str(stored)
    assert server.get("/api/secrets")["items"] == [stored]
    assert server.home.reveal_secret("Warehouse / east") == "hunter2"
    assert server.client.delete("/api/secrets/Warehouse / east").is_success
    assert server.get("/api/secrets")["items"] == []


def test_compute_and_storage_tell_what_is_used(server: Running) -> None:
    (target,) = server.get("/api/compute")["targets"]
    assert target["cores"] >= 1
    assert 0 < target["memory_free"] <= target["memory"]
    storage = server.get("/api/storage")
    tables = next(k for k in storage["kinds"] if k["kind"] == "table")
    assert (tables["count"], tables["size"] > 10_000) == (1, True)
    assert storage["free"] > 0


def test_a_connection_of_import_data_is_kept_listed_and_forgotten(server: Running) -> None:
    new = {"url": "postgresql://me:hunter2@db/x", "description": "Sales"}
    kept = server.client.put("/api/connections/sales", json=new).json()
    assert (kept["kind"], kept["url"], kept["keys"]) == (
        "database",
        "postgresql://me@db/x",
        ["password"],
    )
    assert server.get("/api/connections")["items"] == [kept]
    wrong = server.client.put("/api/connections/web", json={"url": "https://example.org"})
    assert fault(wrong, 422)["code"] == "invalid-connection"
    assert server.client.delete("/api/connections/sales").is_success
    assert fault(server.client.delete("/api/connections/sales"), 404)
    assert server.get("/api/reach")["hosts"] == []
