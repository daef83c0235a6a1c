from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from http import HTTPStatus

import pytest

import modelwright
from modelwright.api.errors import STATUSES, status_of
from modelwright.data.errors import ModelwrightError
from tests.api.servers import Running, fault, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home")) as server:
        yield server


def test_no_code_has_two_statuses() -> None:
    codes = [code for codes in STATUSES.values() for code in codes]
    assert len(codes) == len(set(codes))


def test_every_code_that_has_a_status_is_one_that_is_raised() -> None:
    for module in pkgutil.walk_packages(modelwright.__path__, "modelwright."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    known = {*ModelwrightError.known, "internal-error"}
    assert {code for codes in STATUSES.values() for code in codes} - known == set()


def test_a_code_without_a_status_of_its_own_is_the_sender_s_mistake() -> None:
    error = ModelwrightError("It is so.", remedy="Do this.")
    assert status_of(error) is HTTPStatus.UNPROCESSABLE_ENTITY


def test_json_that_cannot_be_read_names_line_and_column(server: Running) -> None:
    kind = {"content-type": "application/json"}
    broken = server.client.post("/api/check", content='{\n  "graph": {,}\n}', headers=kind)
    error = fault(broken, 422)
    assert error["code"] == "invalid-request"
    (found,) = error["fields"]["faults"]
    assert (found["at"], found["line"], found["column"]) == ("body", 2, 13)
    assert "line 2, column 13" in error["message"]


def test_a_body_that_is_no_text_at_all_is_refused(server: Running) -> None:
    kind = {"content-type": "application/json"}
    assert fault(server.client.post("/api/check", content=b"\xff\xfe\x00", headers=kind), 422)


def test_every_fault_of_a_body_is_named_by_its_field(server: Running) -> None:
    body = {"graph": {"nodes": [{"id": "a b", "component": 7}], "wirse": []}}
    error = fault(server.client.post("/api/check", json=body), 422)
    assert {f["at"] for f in error["fields"]["faults"]} == {
        "body.graph.nodes.0.id",
        "body.graph.nodes.0.component",
        "body.graph.wirse",
    }


def test_an_address_or_a_verb_that_is_not_served_is_told_in_the_same_shape(
    server: Running,
) -> None:
    assert fault(server.client.get("/api/nothing"), 404)["code"] == "unknown-path"
    refused = server.client.delete("/api/health")
    assert fault(refused, 405)["fields"]["allowed"] == "GET"
    assert refused.headers["allow"] == "GET"


def test_a_thing_that_is_not_there_is_told_with_what_is_near(server: Running) -> None:
    error = fault(server.client.get("/api/library/split-dat"), 404)
    assert error["code"] == "unknown-component"
    assert "split-data" in error["fields"]["near"]
    assert fault(server.client.get("/api/drafts/draft-0"), 404)["code"] == "not-found"
