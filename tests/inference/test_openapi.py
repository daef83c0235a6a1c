from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from jsonschema_rs import Draft202012Validator, ValidationError

from modelwright.data.schema import ColumnType
from modelwright.graph.graph import NodeId
from modelwright.inference.openapi import example_request, openapi, swagger
from modelwright.inference.scorer import Scorer
from modelwright.inference.serving import RequestColumn, RequestInput, Use
from tests.inference.cars import car_prices, car_request, car_rows

SERVING = car_prices()


def validator(document: dict[str, Any], name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return Draft202012Validator(schema)


def document() -> dict[str, Any]:
    from modelwright.data.schema import Column

    columns = Scorer(SERVING).try_samples().columns["WebServiceOutput0"]
    outputs = tuple(
        replace(o, columns=tuple(Column(n, k) for n, k in columns)) for o in SERVING.outputs
    )
    return openapi("cars", SERVING.inputs, outputs)


def test_the_example_is_valid_and_is_answered_with_a_valid_reply() -> None:
    example = example_request(SERVING.inputs)
    validator(document(), "Request").validate(example)
    reply = json.loads(Scorer(SERVING).answer(json.dumps(example).encode()))
    validator(document(), "Reply").validate(reply)
    assert len(reply["Results"]["WebServiceOutput0"]) == 3


def test_every_car_makes_a_valid_request_and_a_valid_reply() -> None:
    body = car_request(*car_rows())
    validator(document(), "Request").validate(json.loads(body))
    validator(document(), "Reply").validate(json.loads(Scorer(SERVING).answer(body)))


def test_the_label_is_not_in_the_example_and_is_not_required() -> None:
    (row, *_) = example_request(SERVING.inputs)["Inputs"]["WebServiceInput0"]
    assert "price" not in row
    rows = document()["components"]["schemas"]["Request"]["properties"]["Inputs"]["properties"]
    schema = rows["WebServiceInput0"]["items"]
    assert "price" not in schema["required"]
    assert "price" in schema["properties"]


def test_both_documents_serialize_and_name_the_service_path() -> None:
    for found in (document(), swagger("cars", SERVING.inputs, SERVING.outputs)):
        assert "/api/v1/service/cars/score" in json.loads(json.dumps(found))["paths"]


@pytest.mark.parametrize("keys", [True, False])
def test_both_documents_are_valid_by_the_schemas_of_their_versions(keys: bool) -> None:
    for make, version in ((openapi, ("openapi", "3.1.0")), (swagger, ("swagger", "2.0"))):
        found = json.loads(json.dumps(make("cars", SERVING.inputs, SERVING.outputs, keys=keys)))
        assert version in found.items()
        schemathesis.openapi.from_dict(found).validate()
        # What validates it knows what is wrong.
        wrongs: list[dict[str, Any]] = [
            {"info": {}},
            {"paths": {"/score": {"post": {"responses": 200}}}},
        ]
        for wrong in wrongs:
            with pytest.raises(ValidationError):
                schemathesis.openapi.from_dict({**found, **wrong}).validate()


def test_the_paths_of_the_open_protocol_are_described_with_the_tensors_of_the_model() -> None:
    found = document()
    assert {p for p in found["paths"] if p.startswith("/v2")} == {
        *("/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/cars"),
        *("/v2/models/cars/ready", "/v2/models/cars/infer"),
        "/v2/models/cars/versions/{version}",
        "/v2/models/cars/versions/{version}/ready",
        "/v2/models/cars/versions/{version}/infer",
    }
    text = found["components"]["schemas"]["TensorRequest"]["properties"]["inputs"]["description"]
    assert "make (BYTES)" in text
    assert "horsepower (INT64)" in text
    operations = [
        o for path in found["paths"].values() for v, o in path.items() if v != "parameters"
    ]
    ids = [o["operationId"] for o in operations]
    assert len(ids) == len({*ids})
    # Health is told to everybody, the model only to those who have a key.
    assert found["paths"]["/v2/health/ready"]["get"]["security"] == []
    assert "security" not in found["paths"]["/v2/models/cars"]["get"]


def test_without_keys_no_security_is_asked_for() -> None:
    assert "security" not in openapi("cars", SERVING.inputs, (), keys=False)
    assert "security" not in swagger("cars", SERVING.inputs, (), keys=False)


COLUMNS = (
    RequestColumn("n", ColumnType.INTEGER),
    RequestColumn("x", ColumnType.DOUBLE, missing=False),
    RequestColumn("t", ColumnType.STRING, Use.OPTIONAL, default="a"),
)


@pytest.mark.parametrize(
    ("row", "fits"),
    [
        ({"n": 1, "x": 1.5, "t": "b"}, True),
        ({"n": 1.0, "x": 1}, True),
        ({"n": None, "x": {"isInfinite": -1}, "t": None}, True),
        ({"n": {"isNan": True}, "x": 1, "more": "ignored"}, True),
        ({"n": 1, "x": None}, False),
        ({"n": 1, "x": {"isNan": True}}, False),
        ({"n": 1.5, "x": 1}, False),
        ({"n": "1", "x": 1}, False),
        ({"n": 2**63, "x": 1}, False),
        ({"x": 1}, False),
        ({"n": 1, "x": 1, "t": 3}, False),
    ],
)
def test_the_schema_of_a_row_accepts_what_the_reader_does(row: dict[str, Any], fits: bool) -> None:
    from modelwright.inference.errors import InputDataError
    from modelwright.inference.request import RequestReader

    request_input = RequestInput("input1", COLUMNS, NodeId("in"))
    value = {"Inputs": {"input1": [row]}}
    found = openapi("s", [request_input], ())
    assert validator(found, "Request").is_valid(value) is fits
    if fits:
        RequestReader([request_input]).read_values(value)
    else:
        with pytest.raises(InputDataError):
            RequestReader([request_input]).read_values(value)
