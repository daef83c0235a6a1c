"""The Open Inference Protocol, version 2: from its tensors to requests, and from replies to its tensors.

A column is a tensor of shape [rows] or [rows, 1].  With several inputs or outputs its name is
"INPUT/COLUMN".  A missing value is null, and among fractional numbers also not a number; in a reply an
infinity is null too, and the tensor's parameter "infinite" says in which rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from modelwright.data.schema import ColumnType
from modelwright.inference.errors import (
    InputDataError,
    MalformedBody,
    MissingRequestColumns,
    shown,
)
from modelwright.inference.serving import ReplyOutput, RequestInput, Use
from modelwright.inference.tensor_bytes import packed, unpacked

_DATATYPES = {
    ColumnType.STRING: "BYTES",
    ColumnType.DATETIME: "BYTES",
    ColumnType.INTEGER: "INT64",
    ColumnType.DOUBLE: "FP64",
    ColumnType.BOOLEAN: "BOOL",
    ColumnType.OTHER: "BYTES",
}
_WHOLE = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")
_NUMBERS = (*_WHOLE, "FP16", "FP32", "FP64")
_KNOWN = ("BOOL", "BYTES", *_NUMBERS)
_FITTING = {
    ColumnType.STRING: ("BYTES",),
    ColumnType.DATETIME: ("BYTES",),
    ColumnType.INTEGER: _NUMBERS,
    ColumnType.DOUBLE: _NUMBERS,
    ColumnType.BOOLEAN: ("BOOL",),
    ColumnType.OTHER: _KNOWN,
}


class InvalidTensor(InputDataError):
    """A tensor of a request does not fit; `tensor` names it, or is the place in the request."""

    code = "invalid-tensor"

    def __init__(self, tensor: str, why: str) -> None:
        super().__init__(
            f'Tensor "{tensor}": {why}.',
            remedy="Send each column as a tensor of shape [rows] or [rows, 1]; "
            "GET /v2/models/NAME lists them.",
            tensor=tensor,
            why=why,
        )


class UnknownTensor(InputDataError):
    """A request asks for an output that the pipeline does not give."""

    code = "unknown-tensor"

    def __init__(self, tensor: str, known: Sequence[str]) -> None:
        listed = ", ".join(f'"{n}"' for n in known[:50])
        super().__init__(
            f'There is no output tensor "{tensor}".',
            remedy=f"The outputs are {listed}.",
            tensor=tensor,
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks of its reply.

    id: to be given back.  outputs: the tensors wanted, in order; None for all.  binary: those that
    are to be sent as bytes after the JSON.  all_binary: the same for all, where none are named.
    """

    id: str | None = None
    outputs: tuple[str, ...] | None = None
    binary: frozenset[str] = field(default_factory=frozenset)
    all_binary: bool = False


@dataclass(frozen=True, slots=True)
class _Tensor:
    datatype: str
    values: list[Any]


def metadata(
    name: str, version: str, inputs: Sequence[RequestInput], outputs: Sequence[ReplyOutput]
) -> dict[str, Any]:
    """What the protocol tells of a model: its tensors with their types; any number of rows."""
    return {
        "name": name,
        "versions": [version],
        "platform": "modelwright",
        "inputs": [
            {"name": tensor, "datatype": _DATATYPES[column.type], "shape": [-1]}
            for request in inputs
            for tensor, column in (
                (_name(request.name, c.name, len(inputs)), c) for c in request.columns
            )
            if column.use is not Use.IGNORED
        ],
        "outputs": [
            {
                "name": _name(reply.name, column.name, len(outputs)),
                "datatype": _DATATYPES[column.type],
                "shape": [-1],
            }
            for reply in outputs
            for column in reply.columns
        ],
    }


def to_request(
    body: bytes, inputs: Sequence[RequestInput], header: int | None = None
) -> tuple[bytes, Wish]:
    """The same request in the endpoint's own form, as classic tables, and what it asks of the reply.

    header: the length of the JSON, where tensors follow it as bytes.  Raises InputDataError.
    """
    if header is not None and not 0 <= header <= len(body):
        raise MalformedBody(f"the JSON is said to be {header} bytes long", position=len(body))
    asked = _parsed(body if header is None else body[:header])
    tensors = dict(_tensors(asked, b"" if header is None else body[header:]))
    _refuse_strangers(tensors, inputs)
    tables = {}
    for request in inputs:
        mine = _of_input(request, tensors, len(inputs))
        rows = _even(mine)
        required = [c.name for c in request.columns if c.use is Use.REQUIRED]
        if lacking := [n for n in required if n not in mine]:
            raise MissingRequestColumns(request.name, 0, lacking, mine)
        for column in request.read:
            if column.name in mine:
                _check(column.name, mine[column.name], column.type)
        tables[request.name] = {
            "ColumnNames": [*mine],
            "Values": [[t.values[row] for t in mine.values()] for row in range(rows)],
        }
    return orjson.dumps({"Inputs": tables, "GlobalParameters": {}}), _wish(asked)


def from_reply(
    reply: bytes, name: str, version: str, wish: Wish
) -> tuple[dict[str, Any], list[bytes]]:
    """An endpoint's own reply, classic tables with types, in the protocol's form.

    The second are tensors to be sent as bytes after the JSON, in its order.  Raises UnknownTensor.
    """
    tables: dict[str, Any] = orjson.loads(reply)
    dropped = tables.pop("Dropped", [])
    columns = dict(_columns(tables))
    wanted = wish.outputs if wish.outputs is not None else tuple(columns)
    outputs: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for tensor in wanted:
        if tensor not in columns:
            raise UnknownTensor(tensor, tuple(columns))
        kind, values = columns[tensor]
        datatype = _DATATYPES[kind]
        described: dict[str, Any] = {"name": tensor, "datatype": datatype, "shape": [len(values)]}
        part = None
        if tensor in wish.binary or (wish.all_binary and wish.outputs is None):
            # Where a value is missing that bytes cannot say, the tensor stays in the JSON.
            part = packed([_plain(v) for v in values], datatype)
        if part is None:
            described["data"] = [_as_data(v) for v in values]
            if infinite := _infinite(values):
                described["parameters"] = {"infinite": orjson.dumps(infinite).decode()}
        else:
            described["parameters"] = {"binary_data_size": len(part)}
            parts.append(part)
        outputs.append(described)
    found: dict[str, Any] = {"model_name": name, "model_version": version}
    if wish.id is not None:
        found["id"] = wish.id
    if dropped:
        lost = sum(d.get("rows", 1) for d in dropped)
        found["parameters"] = {"rows_dropped": lost, "dropped": orjson.dumps(dropped).decode()}
    found["outputs"] = outputs
    return found, parts


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        why = "it is empty" if not body.strip() else str(error)
        raise MalformedBody(why, position=error.pos) from None
    if not isinstance(asked, dict) or not isinstance(asked.get("inputs"), list):
        raise InvalidTensor("inputs", 'a request is an object with a list "inputs"')
    return asked


def _tensors(asked: Mapping[str, Any], rest: bytes) -> Iterator[tuple[str, _Tensor]]:
    at = 0
    seen = set()
    for number, given in enumerate(asked["inputs"]):
        name = given.get("name") if isinstance(given, dict) else None
        if not isinstance(name, str):
            raise InvalidTensor(f"inputs[{number}]", 'it is an object with a "name"')
        if name in seen:
            raise InvalidTensor(name, "it is there twice")
        seen.add(name)
        datatype, shape = given.get("datatype"), given.get("shape")
        if datatype not in _KNOWN:
            raise InvalidTensor(name, f"{shown(datatype)} is no datatype that is taken")
        size = _size(name, shape)
        binary = _parameters(given, name).get("binary_data_size")
        if binary is None:
            values = _flat(given.get("data"))
        else:
            if type(binary) is not int or binary < 0 or at + binary > len(rest):
                raise InvalidTensor(name, f"{shown(binary)} bytes of it do not follow the JSON")
            values = unpacked(rest[at : at + binary], datatype)
            at += binary
        if values is None or len(values) != size:
            raise InvalidTensor(name, f"its data are not the {size} values of its shape")
        yield name, _Tensor(datatype, [_special(v) for v in values])


def _size(name: str, shape: Any) -> int:
    if (
        isinstance(shape, list)
        and len(shape) in (1, 2)
        and all(type(n) is int and n >= 0 for n in shape)
        and (len(shape) == 1 or shape[1] == 1)
    ):
        return int(shape[0])
    raise InvalidTensor(name, f"its shape is {shown(shape)}")


def _flat(data: Any) -> list[Any] | None:
    if not isinstance(data, list):
        return None
    if data and all(isinstance(v, list) for v in data):
        return [v for part in data for v in part]
    return data


def _parameters(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidTensor(name, '"parameters" is an object')
    return found


def _refuse_strangers(tensors: Mapping[str, _Tensor], inputs: Sequence[RequestInput]) -> None:
    """With one input a tensor may be of any name, as any column may be in a request of rows."""
    if len(inputs) > 1:
        known = {f"{i.name}/" for i in inputs}
        for name in tensors:
            if not any(name.startswith(before) for before in known):
                raise InvalidTensor(name, "no input has it; its name begins with INPUT/")


def _of_input(
    request: RequestInput, tensors: Mapping[str, _Tensor], count: int
) -> dict[str, _Tensor]:
    if count == 1:
        return dict(tensors)
    before = f"{request.name}/"
    return {n.removeprefix(before): t for n, t in tensors.items() if n.startswith(before)}


def _even(tensors: Mapping[str, _Tensor]) -> int:
    rows: int | None = None
    for name, tensor in tensors.items():
        if rows is not None and len(tensor.values) != rows:
            raise InvalidTensor(name, f"it has {len(tensor.values)} rows; those before have {rows}")
        rows = len(tensor.values)
    return rows or 0


def _check(name: str, tensor: _Tensor, kind: ColumnType) -> None:
    if tensor.datatype not in _FITTING[kind]:
        wanted = " or ".join(_FITTING[kind])
        raise InvalidTensor(name, f"it is {tensor.datatype}; {wanted} is needed")


def _wish(asked: Mapping[str, Any]) -> Wish:
    number = asked.get("id")
    if number is not None and not isinstance(number, str):
        raise InvalidTensor("id", f"it is {shown(number)}; text is needed")
    every = _parameters(asked, "parameters").get("binary_data_output") is True
    outputs = asked.get("outputs")
    if outputs is None:
        return Wish(number, None, all_binary=every)
    if not isinstance(outputs, list):
        raise InvalidTensor("outputs", "it is a list of objects with a name each")
    names, binary = [], set()
    for at, output in enumerate(outputs):
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(name, str):
            raise InvalidTensor(f"outputs[{at}]", 'it is an object with a "name"')
        names.append(name)
        if _parameters(output, name).get("binary_data", every) is True:
            binary.add(name)
    return Wish(number, tuple(names), frozenset(binary))


def _columns(tables: Mapping[str, Any]) -> Iterator[tuple[str, tuple[ColumnType, list[Any]]]]:
    for output, table in tables.items():
        value = table["value"]
        rows = value["Values"]
        for at, (column, kind) in enumerate(
            zip(value["ColumnNames"], value["ColumnTypes"], strict=True)
        ):
            yield (
                _name(output, column, len(tables)),
                (ColumnType(kind), [row[at] for row in rows]),
            )


def _name(of: str, column: str, count: int) -> str:
    return column if count == 1 else f"{of}/{column}"


def _special(value: Any) -> Any:
    """A number that JSON does not have in the endpoint's own spelling."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"isNan": True} if value != value else {"isInfinite": 1 if value > 0 else -1}
    return value


def _plain(value: Any) -> Any:
    """The number that the endpoint's own spelling stands for."""
    if isinstance(value, dict):
        return math.nan if value.get("isNan") else math.inf * int(value.get("isInfinite", 1))
    return value


def _infinite(values: Sequence[Any]) -> dict[str, int]:
    """Row → 1 or -1 where a value is an infinity, which stands as null among a tensor's data."""
    return {
        str(row): value["isInfinite"]
        for row, value in enumerate(values)
        if isinstance(value, dict) and "isInfinite" in value
    }


def _as_data(value: Any) -> Any:
    """A value among a tensor's data in JSON, which has no infinities and no not-a-number."""
    if isinstance(value, dict) and ("isNan" in value or "isInfinite" in value):
        return None
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    return value
