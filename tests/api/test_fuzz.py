"""Whatever is sent, the answer is one that the OpenAPI document promises, and no fault of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from modelwright.api.app import describe_api
from tests.api.servers import Running, running

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]
# The fuzzer would find the number of the token it calls with, and revoke it; and it would wait for
# deployments that nobody begins.
LEFT_OUT = {"revoke_token", "stream_deploying"}


def operations() -> list[Any]:
    """Every operation of the API but those left out."""
    schema = schemathesis.openapi.from_dict(describe_api())
    found = [r.ok() for r in schema.get_all_operations() if isinstance(r, Ok)]
    assert len(found) == sum(map(len, describe_api()["paths"].values()))
    return [o for o in found if o.definition.raw["operationId"] not in LEFT_OUT]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home")) as server:
        server.post("/api/drafts", {"sample": "automobile-price"})
        yield server


@pytest.mark.parametrize("operation", operations(), ids=lambda o: o.label)
def test_nothing_that_is_sent_breaks_the_server(operation: Any, server: Running) -> None:
    headers = {"Authorization": server.client.headers["authorization"]}

    @given(case=operation.as_strategy())
    @settings(
        max_examples=8,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: schemathesis.Case[Any]) -> None:
        response = case.call(base_url=server.address, headers=headers, timeout=60)
        case.validate_response(response, checks=CHECKS)

    send()
