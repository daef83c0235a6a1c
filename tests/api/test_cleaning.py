from __future__ import annotations

from pathlib import Path

from tests.api.servers import fault, running

TYPED = {
    "nodes": [
        {"id": "typed", "component": "enter-data-manually", "parameters": {"data": "a,b\n1,x\n"}}
    ]
}


def test_what_may_go_is_told_before_it_goes(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        run = server.finished(server.post("/api/runs", {"graph": TYPED})["id"])
        space = server.get("/api/clean-up/space")
        assert space["free"] > 0
        assert {"table", "database"} <= {one["kind"] for one in space["items"]}
        none = server.client.post("/api/clean-up/plan", json={})
        assert fault(none, 422)["code"] == "no-retention"
        plan = server.post("/api/clean-up/plan", {"older_than_days": 0})
        assert [one["id"] for one in plan["runs"]] == [run["id"]]
        assert server.get(f"/api/runs/{run['id']}")["status"] == "completed"
        done = server.post("/api/clean-up", {"older_than_days": 0})
        assert [one["id"] for one in done["runs"]] == [run["id"]]
        gone = server.client.get(f"/api/runs/{run['id']}")
        assert fault(gone, 404)["code"] == "not-found"
