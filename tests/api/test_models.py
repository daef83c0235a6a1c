from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from modelwright.client.client import Client
from modelwright.components.foreign.errors import PickledModel
from tests.api.servers import Running, fault, running

CHANCE = np.random.default_rng(3)
MATRIX = CHANCE.normal(size=(60, 2))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "home") as server:
        yield server


def booster(folder: Path) -> Path:
    made = lightgbm.train(
        {"verbosity": -1, "num_threads": 1}, lightgbm.Dataset(MATRIX, MATRIX[:, 0] * 2), 4
    )
    made.save_model(folder / "model.lgb")
    return folder / "model.lgb"


def test_an_uploaded_model_is_registered_and_taken_away(server: Running, tmp_path: Path) -> None:
    content = booster(tmp_path).read_bytes()
    upload = server.post("/api/uploads", {"name": "mine.txt", "size": len(content)})["id"]
    server.client.put(f"/api/uploads/{upload}/content", files={"file": content})
    body = {"name": "Mine", "upload": upload, "label": "y", "features": ["a", "b"]}
    made = server.post("/api/models", body)
    assert (made["name"], made["version"], made["kind"]) == ("Mine", 1, "model")
    held = server.get(f"/api/artifacts/{made['digest']}")
    assert held["content"]["learnt"]["imported"] == {"format": "LightGBM", "file": "mine.txt"}
    reply = server.client.get("/api/models/Mine/export")
    assert reply.status_code == 200
    names = zipfile.ZipFile(io.BytesIO(reply.content)).namelist()
    assert any(name.endswith("serving.json") for name in names)


def test_a_pickle_is_refused_with_what_to_do(server: Running) -> None:
    content = b"\x80\x04N."
    upload = server.post("/api/uploads", {"name": "model.pkl", "size": len(content)})["id"]
    server.client.put(f"/api/uploads/{upload}/content", files={"file": content})
    error = fault(server.client.post("/api/models", json={"name": "Mine", "upload": upload}), 422)
    assert error["code"] == PickledModel.code
    assert "model.pkl" in error["message"]


def test_the_client_uploads_files_and_folders(server: Running, tmp_path: Path) -> None:
    folder = tmp_path / "flow"
    folder.mkdir()
    shutil.move(booster(tmp_path), folder / "model.lgb")
    (folder / "MLmodel").write_text("flavors:\n  lightgbm:\n    data: model.lgb\n")
    token, _ = server.home.workspace.people.create_api_token("client")
    with Client(server.address, token) as client:
        made = client.models.add(folder, name="Flow", label="y", features=("a", "b"))
        assert made == client.models.get("Flow")
        assert [m.name for m in client.models.list()] == ["Flow"]
        assert client.models.learnt("Flow")["imported"]["format"] == "LightGBM"
