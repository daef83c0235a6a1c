"""The paths of the Open Inference Protocol in an endpoint's OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelwright.inference.serving import ReplyOutput, RequestInput
from modelwright.inference.tensors import metadata

_TAG = "Open Inference Protocol"
_READY = {"type": "object", "required": ["ready"], "properties": {"ready": {"type": "boolean"}}}
_NAMED = {
    "type": "object",
    "required": ["name", "ready"],
    "properties": {"name": {"type": "string"}, "ready": {"type": "boolean"}},
}


def tensor_paths(name: str, statuses: Mapping[str, str]) -> dict[str, Any]:
    """The paths under /v2.  statuses: what each status other than 200 means."""
    model = f"/v2/models/{name}"
    version = {
        "name": "version",
        "in": "path",
        "required": True,
        "description": "One of the versions that the model tells.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
    }
    told = {"404": statuses["404"], "405": statuses["405"], "500": statuses["500"]}
    guarded = {"401": statuses["401"], **told, "503": statuses["503"]}
    starting = "It does not answer yet, or not any more."
    server = _get("v2_server", "About the server", _ref("Server"), told, is_open=True)
    live = _get("v2_live", "Whether the server is there", _LIVE, told, is_open=True)
    ready = _get("v2_ready", "Whether the server answers", _READY, told, is_open=True)
    ready["responses"]["503"] = _answer(starting, _READY)
    paths: dict[str, Any] = {
        "/v2": {"get": server},
        "/v2/health/live": {"get": live},
        "/v2/health/ready": {"get": ready},
    }
    for path, end in ((model, ""), (f"{model}/versions/{{version}}", "_version")):
        parameters = {"parameters": [version]} if end else {}
        about = _get(f"v2_model{end}", "The tensors of the model", _ref("Model"), guarded)
        state = _get(
            f"v2_model_ready{end}", "Whether the model answers", _NAMED, told, is_open=True
        )
        # One that is not there at all has no name of its own.
        state["responses"]["503"] = _answer(starting, {"anyOf": [_NAMED, _ref("TensorError")]})
        paths[path] = {**parameters, "get": about}
        paths[f"{path}/ready"] = {**parameters, "get": state}
        paths[f"{path}/infer"] = {**parameters, "post": _infer(f"v2_infer{end}", statuses)}
    return paths


def tensor_schemas(
    name: str, inputs: Sequence[RequestInput], outputs: Sequence[ReplyOutput]
) -> dict[str, Any]:
    """The schemas that the paths refer to."""
    known = metadata(name, "", inputs, outputs)
    taken = ", ".join(f"{t['name']} ({t['datatype']})" for t in known["inputs"])
    return {
        "Server": _object({"name": _TEXT, "version": _TEXT, "extensions": _list(_TEXT)}),
        "Model": _object(
            {
                "name": {"const": name},
                "versions": _list(_TEXT),
                "platform": _TEXT,
                "inputs": _list(_ref("TensorMetadata")),
                "outputs": _list(_ref("TensorMetadata")),
            }
        ),
        "TensorMetadata": _object(
            {"name": _TEXT, "datatype": _TEXT, "shape": _list({"type": "integer"})}
        ),
        "TensorRequest": _object(
            {
                "inputs": {
                    **_list(_ref("Tensor")),
                    "description": f"One for each column: {taken}.",
                },
                "id": {"type": ["string", "null"], "description": "Comes back in the reply."},
                "parameters": _PARAMETERS,
                "outputs": {
                    "type": ["array", "null"],
                    "description": "The tensors wanted, in this order; all where it is left out.",
                    "items": _object({"name": _TEXT, "parameters": _PARAMETERS}, ("name",)),
                },
            },
            ("inputs",),
        ),
        "TensorReply": _object(
            {
                "model_name": {"const": name},
                "model_version": _TEXT,
                "id": _TEXT,
                "parameters": {"type": "object"},
                "outputs": _list(_ref("Tensor")),
            },
            ("model_name", "model_version", "outputs"),
        ),
        "Tensor": _object(
            {
                "name": _TEXT,
                "datatype": _TEXT,
                "shape": {
                    **_list({"type": "integer", "minimum": 0}),
                    "description": "[rows] or [rows, 1].",
                    "minItems": 1,
                    "maxItems": 2,
                },
                "parameters": _PARAMETERS,
                "data": {**_list({}), "description": "Left out where bytes follow the JSON."},
            },
            ("name", "datatype", "shape"),
        ),
        "TensorError": _object({"error": _TEXT}),
    }


def _infer(operation: str, statuses: Mapping[str, str]) -> dict[str, Any]:
    return {
        "tags": [_TAG],
        "summary": "Score tensors",
        "operationId": operation,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("TensorRequest")}},
        },
        "responses": {
            "200": {
                "description": "The scores, a tensor for each column.",
                "content": {
                    "application/json": {"schema": _ref("TensorReply")},
                    # JSON, then tensors as bytes, where the request asks for them.
                    "application/octet-stream": {},
                },
            },
            "415": _answer("The body is compressed in a way that is not taken.", _ERROR),
            **{status: _answer(text, _ERROR) for status, text in statuses.items()},
        },
    }


def _get(
    operation: str,
    summary: str,
    schema: Mapping[str, Any],
    statuses: Mapping[str, str],
    *,
    is_open: bool = False,
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "tags": [_TAG],
        "summary": summary,
        "operationId": operation,
        "responses": {
            "200": _answer("As asked.", schema),
            **{status: _answer(text, _ERROR) for status, text in statuses.items()},
        },
    }
    return {**found, "security": []} if is_open else found


def _answer(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": dict(schema)}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(
    properties: dict[str, dict[str, Any]], required: tuple[str, ...] | None = None
) -> dict[str, Any]:
    needed = [*properties] if required is None else [*required]
    return {"type": "object", "required": needed, "properties": properties}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_TEXT: dict[str, Any] = {"type": "string"}
_PARAMETERS: dict[str, Any] = {"type": ["object", "null"]}
_ERROR = _ref("TensorError")
_LIVE = _object({"live": {"type": "boolean"}})
