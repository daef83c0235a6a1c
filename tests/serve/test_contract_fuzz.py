"""The scoring contract, fuzzed: whatever comes, there is no 500 and every answer is as documented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS

from tests.inference.cars import car_request, car_rows, cars
from tests.serve.replicas import AUTHORIZED, Running, package, running

CAR = car_rows(cars()[2:3])[0]
QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(package(tmp_path_factory.mktemp("fuzz"))) as found:
        yield found


@pytest.fixture(scope="module")
def schema(replica: Running) -> Any:
    return schemathesis.openapi.from_url(f"{replica.url}/openapi.json", headers=AUTHORIZED)


MODEL = "/v2/models/cars"


@pytest.mark.parametrize(
    ("path", "verb"),
    [
        ("/score", "POST"),
        (f"{MODEL}/infer", "POST"),
        (f"{MODEL}/versions/{{version}}/infer", "POST"),
        (MODEL, "GET"),
        (f"{MODEL}/ready", "GET"),
        (f"{MODEL}/versions/{{version}}", "GET"),
        (f"{MODEL}/versions/{{version}}/ready", "GET"),
        ("/v2", "GET"),
        ("/v2/health/live", "GET"),
        ("/v2/health/ready", "GET"),
    ],
)
def test_requests_made_from_the_document_are_answered_as_documented(
    replica: Running, schema: Any, path: str, verb: str
) -> None:
    operation = schema[path][verb]
    checks = [
        CHECKS.get_one(name)
        for name in (
            "not_a_server_error",
            "status_code_conformance",
            "content_type_conformance",
            "response_schema_conformance",
        )
    ]

    @(QUICK if verb == "POST" else settings(QUICK, max_examples=5))
    @given(case=operation.as_strategy())
    def fuzz(case: Any) -> None:
        response = case.call(base_url=replica.url, headers=AUTHORIZED)
        case.validate_response(response, checks=checks)

    fuzz()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Inputs", "input1", "make", "isNan", "bore"]), inner)
    ),
    max_leaves=8,
)


@QUICK
@given(changes=st.dictionaries(st.sampled_from([*CAR]), JSON, max_size=3))
def test_a_car_with_anything_in_its_columns_gets_200_or_400(
    replica: Running, changes: dict[str, Any]
) -> None:
    response = replica.score(car_request({**CAR, **changes}))
    assert response.status_code in (200, 400)
    if response.status_code == 400:
        assert response.json()["error"]["details"]["remedy"]


@QUICK
@given(value=JSON)
def test_any_json_gets_200_or_400(replica: Running, value: Any) -> None:
    assert replica.score(json.dumps(value).encode()).status_code in (200, 400)


@QUICK
@given(body=st.binary(max_size=200), cut=st.integers(0, 600))
def test_any_bytes_get_200_or_400(replica: Running, body: bytes, cut: int) -> None:
    for sent in (body, car_request()[:cut] + body):
        assert replica.score(sent).status_code in (200, 400)


@QUICK
@given(
    key=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    query=st.dictionaries(st.sampled_from(["format", "details", "verbose"]), st.text(max_size=5)),
)
def test_no_guessed_key_opens_and_no_query_breaks(
    replica: Running, key: str, query: dict[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {key}".strip()}
    refused = replica.client.post("/score", content=car_request(), headers=headers, params=query)
    assert refused.status_code == 401
    assert replica.score(car_request(), **query).status_code in (200, 400)
