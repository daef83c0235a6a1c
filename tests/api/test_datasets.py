from __future__ import annotations

import http.client
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import polars as pl
import pytest

from modelwright.api.uploads import NoRoom, Uploads
from tests.api.pipelines import typed
from tests.api.servers import Running, fault, running

RAGGED = b"a,b,c\n1,2,x\n2,3\n3,4,z,more\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as server:
        yield server


def uploaded(server: Running, name: str, content: bytes) -> str:
    """The id of a file that was uploaded as a form's."""
    upload = server.post("/api/uploads", {"name": name, "size": len(content)})
    sent = server.client.put(f"/api/uploads/{upload['id']}/content", files={"file": content})
    assert sent.json()["complete"] is True, sent.text
    return str(upload["id"])


def registered(server: Running, name: str, content: bytes, **more: Any) -> Any:
    """The dataset made of a CSV file."""
    upload = uploaded(server, f"{name}.csv", content)
    return server.post("/api/datasets", {"name": name, "upload": upload, **more})["dataset"]


def test_a_ragged_file_is_shown_refused_and_then_read_as_its_owner_chooses(
    server: Running,
) -> None:
    upload = uploaded(server, "ragged.csv", RAGGED)
    preview = server.post(f"/api/uploads/{upload}/preview", {})
    assert [c["name"] for c in preview["columns"]] == ["a", "b", "c"]
    assert preview["rows"] == [[1, 2, "x"], [2, 3, None], [3, 4, "z"]]
    assert "ragged-rows" in {note["code"] for note in preview["notes"]}
    assert preview["options"]["separator"] == ","

    wanted = {"name": "Ragged", "upload": upload, "options": preview["options"]}
    error = fault(server.client.post("/api/datasets", json=wanted), 422)
    assert error["code"] == "ragged-rows"
    assert error["fields"]["lines"] == [{"line": 3, "fields": 2}, {"line": 4, "fields": 4}]

    wanted["options"] = {**preview["options"], "ragged": "skip"}
    added = server.post("/api/datasets", wanted)
    assert added["dataset"]["rows"] == 1
    assert added["is_new"] is True
    assert [n["code"] for n in added["notes"]] == ["rows-skipped"]
    # What was registered needs its upload no more.
    assert fault(server.client.get(f"/api/uploads/{upload}"), 404)["code"] == "not-found"


def test_the_choices_of_a_preview_change_what_it_shows(server: Running) -> None:
    upload = uploaded(server, "plain.txt", b"1;2,5\n2;?\n")
    options = {"format": "csv", "separator": ";", "header": False, "decimal": ","}
    preview = server.post(f"/api/uploads/{upload}/preview", {"options": options})
    assert [c["type"] for c in preview["columns"]] == ["Integer", "Double"]
    assert preview["rows"] == [[1, 2.5], [2, None]]
    kept = {**options, "missing": [""], "types": {preview["columns"][0]["name"]: "String"}}
    preview = server.post(f"/api/uploads/{upload}/preview", {"options": kept, "rows": 1})
    assert preview["rows"] == [["1", "2,5"]]
    wrong = {"options": {"separator": ";;"}}
    refused = server.client.post(f"/api/uploads/{upload}/preview", json=wrong)
    assert fault(refused, 422)["fields"]["option"] == "separator"


def test_a_body_that_is_the_file_itself_is_taken_as_well(server: Running) -> None:
    content = b"a\n1\n" * 500_000
    upload = server.post("/api/uploads", {"name": "rows.csv", "size": len(content)})
    address = f"/api/uploads/{upload['id']}"
    assert server.client.put(f"{address}/content", content=content).json()["complete"] is True
    assert (server.here.uploads.path(upload["id"])).read_bytes() == content
    again = server.client.put(f"{address}/content", files={"file": content[:-4]})
    assert fault(again, 422)["code"] == "upload-incomplete"
    assert server.get(address)["received"] == len(content) - 4


def test_a_file_that_is_too_large_or_has_no_room_is_refused_before_it_is_sent(
    tmp_path: Path,
) -> None:
    with running(tmp_path, largest_upload=1000) as server:
        assert server.get("/api/session")["largest_upload"] == 1000
        announced = server.client.post(
            "/api/uploads", json={"name": "a.csv", "size": 5_000_000_000}
        )
        error = fault(announced, 413)
        assert error["code"] == "upload-too-large"
        assert "5.00 GB" in error["message"]

        upload = server.post("/api/uploads", {"name": "a.csv"})
        place = httpx.URL(server.address)
        line = http.client.HTTPConnection(place.host, place.port or 0, timeout=30)
        line.putrequest("PUT", f"/api/uploads/{upload['id']}/content")
        line.putheader("Authorization", server.client.headers["authorization"])
        line.putheader("Content-Length", "5000000000")
        line.endheaders()
        answer = line.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["error"]["code"] == "upload-too-large"
        line.close()

        def chunks() -> Iterator[bytes]:
            for _ in range(100):
                yield b"x" * 65_536

        unannounced = server.client.put(f"/api/uploads/{upload['id']}/content", content=chunks())
        assert fault(unannounced, 413)["code"] == "upload-too-large"


def test_room_on_the_disk_is_looked_at_before_a_file_comes(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, largest=2**62)
    with pytest.raises(NoRoom, match="are free"):
        uploads.begin("huge.csv", 2**61)
    assert list(tmp_path.iterdir()) == []


def test_a_form_without_a_file_is_told_so(server: Running) -> None:
    upload = server.post("/api/uploads", {"name": "a.csv"})
    address = f"/api/uploads/{upload['id']}/content"
    no_file = server.client.put(address, files={"note": (None, "just text")})
    assert "no part of it is a file" in fault(no_file, 422)["message"]
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert fault(server.client.put(address, content=b"--y\r\nzzz", headers=broken), 422)
    unbound = {"content-type": "multipart/form-data"}
    assert fault(server.client.put(address, content=b"x", headers=unbound), 422)
    assert fault(server.client.put("/api/uploads/upload-1/content", content=b"x"), 404)
    assert fault(server.client.put("/api/uploads/..%2f..%2fx/content", content=b"x"), 404)
    unread = server.client.post("/api/datasets", json={"name": "x", "upload": upload["id"]})
    assert fault(unread, 409)["code"] == "wrong-state"


def test_a_dataset_has_versions_that_never_change(server: Running) -> None:
    first = registered(server, "Numbers", b"a\n1\n", description="One")
    second = registered(server, "Numbers", b"a\n1\n2\n")
    assert (first["version"], second["version"]) == (1, 2)
    assert server.get("/api/datasets/Numbers")["version"] == 2
    assert server.get("/api/datasets/Numbers", version=1) == first
    versions = server.get("/api/datasets/Numbers/versions")["items"]
    assert [v["version"] for v in versions] == [2, 1]
    same = uploaded(server, "again.csv", b"a\n1\n2\n")
    again = server.post("/api/datasets", {"name": "Numbers", "upload": same})
    assert (again["is_new"], again["dataset"]["version"]) == (False, 2)
    changed = server.client.patch(
        "/api/datasets/Numbers", json={"description": "Two", "tags": {"k": "v"}}
    ).json()
    assert (changed["description"], changed["tags"]) == ("Two", {"k": "v"})
    found = server.get("/api/datasets", search="two")["items"]
    assert [d["name"] for d in found] == ["Numbers"]


def test_a_name_may_hold_anything_that_people_write(server: Running) -> None:
    name = "Sales / 2026 (été) 100 %?"
    registered(server, name, b"a\n1\n")
    address = f"/api/datasets/{quote(name, safe='')}"
    assert server.get(address)["name"] == name
    assert len(server.get(f"{address}/versions")["items"]) == 1
    assert server.client.delete(address).status_code == 200
    assert fault(server.client.get(address), 404)["remedy"].startswith("It was deleted")
    (gone,) = server.get("/api/datasets", deleted=True)["items"]
    assert gone["name"] == name
    assert server.post(f"{address}/restore")["version"] == 1
    assert server.get(address)["deleted_at"] is None


def test_a_dataset_that_a_draft_needs_is_deleted_only_by_force(server: Running) -> None:
    registered(server, "Needed", b"a\n1\n")
    graph = {"nodes": [{"id": "d", "component": "dataset", "parameters": {"name": "Needed"}}]}
    server.post("/api/drafts", {"graph": graph, "name": "User"})
    error = fault(server.client.delete("/api/datasets/Needed"), 409)
    assert error["fields"]["uses"] == [
        {"kind": "draft", "id": error["fields"]["uses"][0]["id"], "title": "User"}
    ]
    assert server.client.delete("/api/datasets/Needed", params={"force": True}).is_success
    (problem,) = server.post("/api/check", {"graph": graph})["problems"]
    assert problem["code"] == "unknown-dataset"


def test_what_a_run_left_is_registered_as_what_it_is(server: Running) -> None:
    draft = server.post("/api/drafts", {"sample": "automobile-price"})
    run = server.finished(server.post("/api/runs", {"draft_id": draft["id"]})["id"])
    steps = f"/api/runs/{run['id']}/steps"
    made = server.post(
        f"{steps}/train-model/outputs/trained_model/register", {"name": "Car prices"}
    )
    model = made["model"]
    assert made["dataset"] is None
    assert (model["kind"], model["version"]) == ("model", 1)
    assert model["lineage"] == {
        "run_id": run["id"],
        "node": "train-model",
        "port": "trained_model",
        "draft_id": draft["id"],
    }
    assert 0.8 < model["metrics"]["Coefficient_of_Determination"] < 0.97
    assert server.get("/api/models", kind="model")["items"] == [model]
    assert server.get("/api/models", kind="transformation")["items"] == []

    table = server.post(f"{steps}/score-model/outputs/scored_dataset/register", {"name": "Scored"})
    assert table["dataset"]["rows"] == 58
    assert table["dataset"]["columns"][-1]["score"]["content"] == "label"
    fitted = server.post(
        f"{steps}/clean-missing-data/outputs/cleaning_transformation/register", {"name": "Clean"}
    )
    assert fitted["model"]["kind"] == "transformation"
    learner = server.client.post(
        f"{steps}/linear-regression/outputs/untrained_model/register", json={"name": "x"}
    )
    assert fault(learner, 422)["code"] == "not-registrable"
    nothing = server.client.post(f"{steps}/split-data/outputs/nope/register", json={"name": "x"})
    assert fault(nothing, 404)["code"] == "no-output"
    taken = server.client.post(
        f"{steps}/clean-missing-data/outputs/cleaning_transformation/register",
        json={"name": "Car prices"},
    )
    assert fault(taken, 409)["code"] == "name-taken"

    saved = {
        "id": "m",
        "component": "saved-model",
        "parameters": {"name": "Car prices", "digest": model["digest"]},
    }
    server.post("/api/drafts", {"graph": {"nodes": [saved]}, "name": "Reuse"})
    (use,) = server.get("/api/models/Car prices/uses")["items"]
    assert (use["title"], use["version"]) == ("Reuse", 1)
    assert fault(server.client.delete("/api/models/Car prices"), 409)["code"] == "in-use"


def test_rows_are_given_as_files_in_every_format(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        dataset = registered(server, "Mixed", "a,b\n1,é\n2,\n".encode())
        address = f"/api/artifacts/{dataset['digest']}/download"
        csv = server.client.get(address, params={"format": "csv", "name": "My / rows"})
        assert csv.text == "a,b\n1,é\n2,\n"
        assert csv.headers["content-disposition"].endswith("My%20-%20rows.csv")
        parquet = server.client.get(address, params={"format": "parquet"}).content
        assert pl.read_parquet(io.BytesIO(parquet)).rows() == [(1, "é"), (2, None)]
        files = server.client.get(address, params={"format": "files"}).content
        with zipfile.ZipFile(io.BytesIO(files)) as archive:
            assert set(archive.namelist()) == {"columns.json", "frame.arrow"}
        assert fault(server.client.get(address, params={"format": "xls"}), 422)
    # What was written to be taken away is gone with its last byte.
    assert list((tmp_path / "uploads").glob("download-*")) == []


def test_a_table_typed_in_a_pipeline_is_looked_at_like_any_other(server: Running) -> None:
    run = server.finished(server.post("/api/runs", {"graph": typed(columns=("b",))})["id"])
    digest = run["steps"][1]["outputs"]["results_dataset"]["digest"]
    found = server.get(f"/api/artifacts/{digest}")
    assert found["content"]["rows"] == 3
    rows = server.post(f"/api/artifacts/{digest}/rows", {})
    assert rows["rows"] == [["x"], ["y"], ["z"]]
