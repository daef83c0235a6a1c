from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modelwright.api.app import describe_api

KEPT = Path(__file__).parents[2] / "studio" / "openapi.json"


def test_the_document_from_which_the_studio_s_types_are_made_is_up_to_date() -> None:
    assert json.loads(KEPT.read_text(encoding="utf-8")) == describe_api(), "run scripts/openapi"


def test_every_operation_has_a_plain_name_a_summary_and_the_shape_of_errors() -> None:
    document = describe_api()
    seen = set()
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            name = operation["operationId"]
            assert name.isidentifier(), (verb, path)
            assert name not in seen
            seen.add(name)
            assert operation["description"].strip()
            error = operation["responses"]["default"]["content"]["application/json"]["schema"]
            assert error == {"$ref": "#/components/schemas/ErrorReply"}
    assert not any("__" in name for name in document["components"]["schemas"])


def test_every_success_has_a_shape_of_its_own() -> None:
    streams = {
        "stream_events",
        "stream_log",
        "stream_endpoint_log",
        "stream_measurements",
        "stream_deploying",
        "download_artifact",
        "download_collected",
        "export_model",
        "export_endpoint",
        "get_artifact_file",
    }
    for verbs in describe_api()["paths"].values():
        for operation in verbs.values():
            if operation["operationId"] in streams:
                continue
            (success,) = [r for s, r in operation["responses"].items() if s.startswith("2")]
            schema: dict[str, Any] = success["content"]["application/json"]["schema"]
            assert "$ref" in schema, operation["operationId"]
