from __future__ import annotations

from collections.abc import Iterator

import pytest

from modelwright import samples
from modelwright.components.library import library
from tests.api.servers import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home")) as server:
        yield server


def test_every_installed_component_is_described_as_it_describes_itself(server: Running) -> None:
    items = {c["id"]: c for c in server.get("/api/library")["items"]}
    for component in library():
        told = component.__component__.to_json()
        shown = items.pop(told["id"])
        for key in ("title", "category", "version", "summary", "hidden", "at_inference"):
            assert shown[key] == told[key]
        for ports in ("inputs", "outputs"):
            assert [p["name"] for p in shown[ports]] == [p["name"] for p in told[ports]]
        for line, own in zip(shown["parameters"], told["parameters"], strict=True):
            # What does not apply is left out there, and told here as null, empty or false.
            assert {k: v for k, v in line.items() if k in own} == own
            assert not any(v for k, v in line.items() if k not in own)
    assert items == {}


def test_an_input_names_the_kinds_it_takes(server: Running) -> None:
    score = server.get("/api/library/score-model")
    takes = {p["name"]: p["accepts"] for p in score["inputs"]}
    assert "model" in takes["trained_model"]
    assert "table" in takes["dataset"]
    assert "table" not in takes["trained_model"]


def test_the_palette_leaves_out_what_is_hidden(server: Running) -> None:
    shown = {c["id"] for c in server.get("/api/library", hidden=False)["items"]}
    assert "dataset" not in shown
    assert "split-data" in shown
    of_category = server.get("/api/library", category="regression")["items"]
    assert {c["category"] for c in of_category} == {"Machine Learning Algorithms / Regression"}


def test_samples_come_with_what_draws_their_thumbnail(server: Running) -> None:
    cars = server.get("/api/samples/datasets")["items"][0]
    assert cars["licence"] == "CC BY 4.0"
    listed = server.get("/api/samples/pipelines")["items"]
    assert [p["id"] for p in listed] == [p.id for p in samples.PIPELINES]
    one = server.get(f"/api/samples/pipelines/{listed[0]['id']}")
    assert one == listed[0]
    assert one["layout"]["positions"].keys() == {n["id"] for n in one["graph"]["nodes"]}
