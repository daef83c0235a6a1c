"""What an endpoint takes and gives, as OpenAPI 3.1 and Swagger 2 documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelwright.data.schema import Column, ColumnType
from modelwright.inference.request import ALIASES
from modelwright.inference.serving import ReplyOutput, RequestColumn, RequestInput, Use
from modelwright.inference.tensor_openapi import tensor_paths, tensor_schemas

_VERSION = "1.0"
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_NUMBER_OR = 'A number; not a number is {"isNan": true}, infinity {"isInfinite": 1} or -1.'

_PLAIN: dict[ColumnType, dict[str, Any]] = {
    ColumnType.STRING: {"type": "string"},
    ColumnType.INTEGER: {
        "type": "integer",
        "format": "int64",
        "minimum": _SMALLEST,
        "maximum": _LARGEST,
    },
    ColumnType.DOUBLE: {"type": "number", "format": "double"},
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.DATETIME: {"type": "string", "format": "date-time"},
    ColumnType.OTHER: {},
}
_STATUSES = {
    "400": "The request does not fit, or a step refused its rows.",
    "401": "The key is missing or wrong.",
    "404": "Nothing is served there.",
    "405": "The verb is not supported there.",
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
    "500": "A mistake of the service; the message has a reference to its log.",
    "503": "No replica is free; try again after the time in Retry-After.",
    "504": "Scoring took too long.",
}


_CREDENTIALS = (
    "A key of the endpoint, or a short-lived token of it (a JSON Web Token); which of the two it takes "
    "is a setting of the endpoint."
)


def example_request(inputs: Sequence[RequestInput]) -> dict[str, Any]:
    """A request that the endpoint answers: the sample rows, without the columns that are ignored."""
    return {
        "Inputs": {i.name: [_sent(i, row) for row in i.samples] for i in inputs},
        "GlobalParameters": {},
    }


def openapi(
    name: str,
    inputs: Sequence[RequestInput],
    outputs: Sequence[ReplyOutput],
    *,
    description: str = "",
    keys: bool = True,
) -> dict[str, Any]:
    """The OpenAPI 3.1 document of an endpoint.  keys: whether calls need one."""
    reply = {"$ref": "#/components/schemas/Reply"}
    failure = {"$ref": "#/components/schemas/Error"}
    operation: dict[str, Any] = {
        "summary": "Score rows",
        "operationId": "score",
        "parameters": _query({"type": "string", "default": "swagger"}, {"type": "boolean"}),
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Request"},
                    "example": example_request(inputs),
                }
            },
        },
        "responses": {
            "200": {
                "description": "The scored rows, in the order of the request.",
                "content": {"application/json": {"schema": reply}},
            },
            **{
                status: {
                    "description": text,
                    "content": {"application/json": {"schema": failure}},
                }
                for status, text in _STATUSES.items()
            },
        },
    }
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": name, "version": _VERSION, "description": description},
        "paths": {
            f"/api/v1/service/{name}/score": {"post": operation},
            "/score": {"post": {**operation, "operationId": "score_short"}},
            **tensor_paths(name, _STATUSES),
        },
        "components": {
            "schemas": {
                "Request": _request_schema(inputs),
                "Reply": _reply_schema(outputs),
                "Error": _error_schema(),
                **tensor_schemas(name, inputs, outputs),
            }
        },
    }
    if keys:
        document["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": _CREDENTIALS}
        }
        document["security"] = [{"key": []}]
    return document


def swagger(
    name: str,
    inputs: Sequence[RequestInput],
    outputs: Sequence[ReplyOutput],
    *,
    description: str = "",
    keys: bool = True,
) -> dict[str, Any]:
    """The Swagger 2 document of an endpoint, for client generators that know nothing newer."""
    operation: dict[str, Any] = {
        "summary": "Score rows",
        "operationId": "score",
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "parameters": [
            {
                "name": "request",
                "in": "body",
                "required": True,
                "schema": {"$ref": "#/definitions/Request"},
            },
            *_old_query(),
        ],
        "responses": {
            "200": {
                "description": "The scored rows, in the order of the request.",
                "schema": {"$ref": "#/definitions/Reply"},
            },
            "default": {"description": "An error.", "schema": {"$ref": "#/definitions/Error"}},
        },
    }
    document: dict[str, Any] = {
        "swagger": "2.0",
        "info": {"title": name, "version": _VERSION, "description": description},
        "paths": {f"/api/v1/service/{name}/score": {"post": operation}},
        "definitions": {
            "Request": {
                "type": "object",
                "required": ["Inputs"],
                "properties": {
                    "Inputs": {
                        "type": "object",
                        "required": [i.name for i in inputs],
                        "properties": {
                            i.name: {"type": "array", "items": _old_row(i.columns)} for i in inputs
                        },
                    },
                    "GlobalParameters": {"type": "object"},
                },
                "example": example_request(inputs),
            },
            "Reply": {
                "type": "object",
                "properties": {
                    "Results": {
                        "type": "object",
                        "properties": {
                            o.name: {"type": "array", "items": _old_row(o.columns)} for o in outputs
                        },
                    },
                    "Dropped": {"type": "array", "items": _dropped_schema()},
                },
            },
            "Error": _error_schema(),
        },
    }
    if keys:
        document["securityDefinitions"] = {
            "key": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": f"Bearer, a blank, and {_CREDENTIALS[0].lower()}{_CREDENTIALS[1:]}",
            }
        }
        document["security"] = [{"key": []}]
    return document


def _sent(request_input: RequestInput, row: Mapping[str, Any]) -> dict[str, Any]:
    known = [c.name for c in request_input.read]
    return {name: row[name] for name in known if name in row}


def _query(form: dict[str, Any], details: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": "format",
            "in": "query",
            "description": '"swagger" for rows as objects, anything else for classic tables.',
            "schema": {**form, "enum": ["swagger"]},
        },
        {
            "name": "details",
            "in": "query",
            "description": "Whether classic tables tell the types of their columns.",
            "schema": {**details, "default": False},
        },
    ]


def _old_query() -> list[dict[str, Any]]:
    return [
        {k: v for k, v in p.items() if k != "schema"} | {"type": p["schema"]["type"]}
        for p in _query({"type": "string"}, {"type": "boolean"})
    ]


def _request_schema(inputs: Sequence[RequestInput]) -> dict[str, Any]:
    tables = {i.name: {"type": "array", "items": _row_schema(i)} for i in inputs}
    if len(inputs) == 1:
        # Any of these keys will do, but one of them.
        (rows,) = tables.values()
        names = dict.fromkeys((inputs[0].name, *ALIASES))
        given: dict[str, Any] = {
            "properties": dict.fromkeys(names, rows),
            "minProperties": 1,
            "maxProperties": 1,
        }
    else:
        given = {"properties": tables, "required": [*tables]}
    return {
        "type": "object",
        "required": ["Inputs"],
        "properties": {
            "Inputs": {"type": "object", "additionalProperties": False, **given},
            "GlobalParameters": {
                "description": "Nothing can be set.",
                "anyOf": [
                    {"type": "null"},
                    {"type": "object", "maxProperties": 0},
                    {"type": "string", "maxLength": 0},
                ],
            },
        },
    }


def _row_schema(request_input: RequestInput) -> dict[str, Any]:
    columns = request_input.columns
    return {
        "type": "object",
        "required": [c.name for c in columns if c.use is Use.REQUIRED],
        "properties": {c.name: _value_schema(c) for c in columns},
        "additionalProperties": True,
    }


def _value_schema(column: RequestColumn) -> dict[str, Any]:
    if column.use is Use.IGNORED:
        return {"description": "May be sent; it is not read."}
    schema = _known_schema(column.type, missing=column.missing)
    return schema if column.use is Use.REQUIRED else {**schema, "default": column.default}


def _known_schema(kind: ColumnType, *, missing: bool) -> dict[str, Any]:
    plain = _PLAIN[kind]
    options = [plain]
    if kind is ColumnType.DOUBLE:
        options.append(_special(infinite=True, nan=missing))
    elif kind is ColumnType.INTEGER and missing:
        options.append(_special(infinite=False, nan=True))
    if missing:
        options.append({"type": "null"})
    return {"anyOf": options} if len(options) > 1 and plain else plain


def _special(*, infinite: bool, nan: bool) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    if nan:
        properties["isNan"] = {"const": True}
    if infinite:
        properties["isInfinite"] = {"enum": [1, -1]}
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


def _reply_schema(outputs: Sequence[ReplyOutput]) -> dict[str, Any]:
    tables = {
        o.name: {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {c.name: _given_schema(c) for c in o.columns},
            },
        }
        for o in outputs
    }
    return {
        "type": "object",
        "required": ["Results"],
        "properties": {
            "Results": {"type": "object", "required": [*tables], "properties": tables},
            "Dropped": {
                "description": "Rows that a step took out; only there when there are some.",
                "type": "array",
                "items": _dropped_schema(),
            },
        },
    }


def _given_schema(column: Column) -> dict[str, Any]:
    schema = _known_schema(column.type, missing=True)
    # A time of day without a zone is not RFC 3339's date-time.
    return {"type": ["string", "null"]} if column.type is ColumnType.DATETIME else schema


def _dropped_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["node", "reason"],
        "properties": {
            "input": {"type": "string"},
            "row": {"type": "integer", "description": "Place in the request, from 0."},
            "rows": {"type": "integer", "description": "How many, when it is not known which."},
            "node": {"type": "string"},
            "reason": {"type": "string"},
        },
    }


def _error_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "details"],
                "properties": {
                    "code": {"type": "integer", "description": "The status of the answer."},
                    "message": {"type": "string"},
                    "details": {"type": "object"},
                },
            }
        },
    }


def _old_row(columns: Sequence[RequestColumn | Column]) -> dict[str, Any]:
    required = [c.name for c in columns if isinstance(c, RequestColumn) and c.use is Use.REQUIRED]
    properties = {}
    for column in columns:
        schema = {k: v for k, v in _PLAIN[column.type].items() if k not in ("minimum", "maximum")}
        if column.type is ColumnType.DOUBLE:
            schema["description"] = _NUMBER_OR
        properties[column.name] = {**schema, "x-nullable": True}
    row: dict[str, Any] = {"type": "object", "properties": properties}
    return {**row, "required": required} if required else row
