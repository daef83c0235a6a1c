"""From the bytes of a request to typed rows.

A request that fits is read by a decoder made for the pipeline's columns.  Anything unusual is read a second
time, value by value, so that a fault is told with its input, row and column.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import msgspec
import orjson

from modelwright.data.errors import nearest
from modelwright.data.schema import ColumnType
from modelwright.inference.errors import (
    DuplicateRequestColumn,
    MalformedBody,
    MalformedRequest,
    MissingInput,
    MissingRequestColumns,
    MissingValue,
    UnexpectedColumn,
    UnknownGlobalParameter,
    UnknownInput,
    WrongValue,
)
from modelwright.inference.serving import RequestColumn, RequestInput, Use

_NOT_A_NUMBER = re.compile(r"-?(NaN|Infinity|Inf|nan|inf)\b")

Row = dict[str, Any]
"""The columns that are read, in their order; None where a value is missing."""


class Request(NamedTuple):
    """The rows of each input.  plain: every value is there, and every number is finite."""

    rows: dict[str, list[Row]]
    plain: bool = False


ALIASES = ("WebServiceInput0", "input1")
"""Keys that clients are known to use; both are taken where a pipeline has one input only."""

_WANTED = {
    ColumnType.STRING: "text",
    ColumnType.INTEGER: "a whole number of 64 bits",
    ColumnType.DOUBLE: 'a number, {"isNan": true} or {"isInfinite": 1}',
    ColumnType.BOOLEAN: "true or false",
    ColumnType.DATETIME: 'a date and time as ISO text, such as "2026-01-31T12:00:00"',
    ColumnType.OTHER: "a value",
}
SMALLEST, LARGEST = -(2**63), 2**63 - 1
_NOTHING = (dict, type(None), str)


class _Special(msgspec.Struct, forbid_unknown_fields=True):
    """What JSON has no number for."""

    isNan: bool = False
    isInfinite: int = 0


class _UnusualError(Exception):
    """The quick reading met something that only the careful one can judge."""


class RequestReader:
    """Reads requests for the given inputs.

    Rows have the columns of `RequestInput.read`, as None, bool, int, float, str, or a naive datetime
    in UTC; a column of another type has what the JSON held.
    """

    def __init__(self, inputs: Sequence[RequestInput]) -> None:
        self._inputs = {i.name: i for i in inputs}
        self._typed = {i.name: _typing(i) for i in inputs}
        names = [n for i in inputs for n in (i.name, *(c.name for c in i.read))]
        self._decoder = (
            msgspec.json.Decoder(_body_type(inputs)) if all(map(is_field_name, names)) else None
        )
        self._alone = inputs[0].name if len(inputs) == 1 else None

    def read(self, body: bytes) -> Request:
        """The rows of each input.  Raises InputDataError."""
        if self._decoder is None:
            return self._careful(_parsed(body), _rows_of_objects)
        try:
            return self._quick(self._decoder.decode(body))
        except (msgspec.MsgspecError, _UnusualError, UnicodeDecodeError, RecursionError):
            return self._careful(_parsed(body), _rows_of_objects)

    def read_tables(self, body: bytes) -> Request:
        """The rows of each input of a classic request, a table each.  Raises InputDataError."""
        return self._careful(_parsed(body), _rows_of_table)

    def read_values(self, value: Any) -> Request:
        """The rows of a request that is parsed already.  Raises InputDataError."""
        return self._careful(value, _rows_of_objects)

    def _quick(self, request: Any) -> Request:
        extra = request.GlobalParameters
        if extra or extra.__class__ not in _NOTHING:
            raise _UnusualError
        given = request.Inputs
        if self._alone is not None:
            if len(given) != 1:
                raise _UnusualError
            ((name, rows),) = given.items()
            if name != self._alone and name not in ALIASES:
                raise _UnusualError
            typed, plain = self._typed[self._alone](rows)
            return Request({self._alone: typed}, plain)
        found, plain = {}, True
        for name, rows in zip(self._inputs, msgspec.structs.astuple(given), strict=True):
            found[name], these = self._typed[name](rows)
            plain &= these
        return Request(found, plain)

    def _careful(
        self, value: Any, rows_of: Callable[[str, Any], list[Mapping[str, Any]]]
    ) -> Request:
        if not isinstance(value, dict):
            raise MalformedRequest("The body", value, "an object")
        _refuse_parameters(value.get("GlobalParameters"))
        if "Inputs" not in value:
            raise MissingInput(next(iter(self._inputs)), ())
        given = value["Inputs"]
        if not isinstance(given, dict):
            raise MalformedRequest('"Inputs"', given, "an object with a key per input")
        named = self._by_input(given)
        return Request(
            {
                name: _read_rows(self._inputs[name], rows_of(key, given[key]))
                for name, key in named.items()
            }
        )

    def _by_input(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Input name → the key under which the request has its rows."""
        named = {name: name for name in self._inputs if name in given}
        if self._alone is not None and not named:
            named.update((self._alone, alias) for alias in reversed(ALIASES) if alias in given)
        for key in given:
            if key not in named.values():
                raise UnknownInput(key, self._inputs)
        for name in self._inputs:
            if name not in named:
                raise MissingInput(name, given)
        return {name: named[name] for name in self._inputs}


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if not body.strip():
            raise MalformedBody("it is empty", position=0) from None
        text = body.decode(errors="replace")
        if bare := _NOT_A_NUMBER.match(text, error.pos):
            raise MalformedBody(
                f"it has a bare {bare.group()} at character {error.pos}",
                position=error.pos,
                remedy='Send {"isNan": true}, {"isInfinite": 1}, {"isInfinite": -1}, or null.',
            ) from None
        raise MalformedBody(str(error), position=error.pos) from None


def _refuse_parameters(value: Any) -> None:
    if value is not None and value != "" and value != {}:
        raise UnknownGlobalParameter(value)


def _rows_of_objects(key: str, value: Any) -> list[Mapping[str, Any]]:
    place = f"$.Inputs.{key}"
    if not isinstance(value, list):
        hint = "a list of rows"
        if isinstance(value, dict) and "ColumnNames" in value:
            hint += ", or ?format=table in the address,"
        raise MalformedRequest(place, value, hint)
    for number, row in enumerate(value):
        if not isinstance(row, dict):
            raise MalformedRequest(f"{place}[{number}]", row, "an object with a key per column")
    return value


def _rows_of_table(key: str, value: Any) -> list[Mapping[str, Any]]:
    place = f"$.Inputs.{key}"
    if not isinstance(value, dict) or not {"ColumnNames", "Values"} <= value.keys():
        raise MalformedRequest(place, value, 'an object with "ColumnNames" and "Values"')
    names, rows = value["ColumnNames"], value["Values"]
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise MalformedRequest(f"{place}.ColumnNames", names, "a list of column names")
    if not isinstance(rows, list):
        raise MalformedRequest(f"{place}.Values", rows, "a list of rows")
    for name in names:
        if names.count(name) > 1:
            raise DuplicateRequestColumn(key, name)
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            raise MalformedRequest(
                f"{place}.Values[{number}]", row, f"a list of {len(names)} values"
            )
    return [dict(zip(names, row, strict=True)) for row in rows]


def _read_rows(request_input: RequestInput, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    known = {c.name for c in request_input.columns}
    read = request_input.read
    return [_read_row(request_input, read, known, n, row) for n, row in enumerate(rows)]


def _read_row(
    request_input: RequestInput,
    read: Sequence[RequestColumn],
    known: set[str],
    number: int,
    row: Mapping[str, Any],
) -> Row:
    absent = [c for c in read if c.name not in row]
    if absent:
        extra = [name for name in row if name not in known]
        if lacking := [c.name for c in absent if c.use is Use.REQUIRED]:
            raise MissingRequestColumns(request_input.name, number, lacking, extra)
        for column in absent:
            if near := nearest(column.name, extra):
                raise UnexpectedColumn(request_input.name, number, near[0], column.name)
    return {
        c.name: _read_value(request_input.name, number, c, row.get(c.name, c.default)) for c in read
    }


def _read_value(name: str, number: int, column: RequestColumn, value: Any) -> Any:
    try:
        typed = typed_value(value, column.type)
    except ValueError:
        raise WrongValue(name, number, column.name, value, _WANTED[column.type]) from None
    # Not a number is what missing is called where JSON is written by NumPy or pandas.
    if not column.missing and (typed is None or typed != typed):
        raise MissingValue(name, number, column.name)
    return typed


def typed_value(value: Any, kind: ColumnType) -> Any:
    """A JSON value as one of a column's type.  Raises ValueError when it is not of that type."""
    if value is None:
        return None
    match kind, value:
        case ColumnType.OTHER, _:
            return value
        case ColumnType.STRING, str():
            return value
        case ColumnType.BOOLEAN, bool():
            return value
        case ColumnType.DATETIME, str():
            return _instant(value)
        case _, bool():
            raise ValueError(value)
        case ColumnType.DOUBLE, int() | float():
            try:
                return float(value)
            except OverflowError:
                raise ValueError(value) from None
        case ColumnType.INTEGER, int() if SMALLEST <= value <= LARGEST:
            return value
        case ColumnType.INTEGER, float():
            return _whole(value)
        case ColumnType.DOUBLE | ColumnType.INTEGER, dict():
            try:
                special = msgspec.convert(value, _Special)
            except msgspec.ValidationError:
                raise ValueError(value) from None
            return _number(special, kind)
    raise ValueError(value)


def _instant(text: str) -> datetime:
    """ISO text as a naive datetime in UTC.  Raises ValueError."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        return found
    try:
        return found.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ValueError(text) from None


def _whole(value: float) -> int:
    # Beyond that a fractional number may stand for several whole ones.
    if value.is_integer() and abs(value) <= 2.0**53:
        return int(value)
    raise ValueError(value)


def _number(special: _Special, kind: ColumnType) -> float | None:
    """Not a number or an infinity; among whole numbers the former is a missing one."""
    if special.isNan and special.isInfinite == 0:
        return math.nan if kind is ColumnType.DOUBLE else None
    if not special.isNan and special.isInfinite in (1, -1) and kind is ColumnType.DOUBLE:
        return math.inf * special.isInfinite
    raise ValueError(special)


_DECODED: dict[ColumnType, Any] = {
    ColumnType.STRING: str | None,
    ColumnType.INTEGER: Annotated[int, msgspec.Meta(ge=SMALLEST, le=LARGEST)]
    | float
    | None
    | _Special,
    ColumnType.DOUBLE: float | None | _Special,
    ColumnType.BOOLEAN: bool | None,
    ColumnType.DATETIME: str | None,
    ColumnType.OTHER: Any,
}
_PLAIN = {
    ColumnType.STRING: "str",
    ColumnType.INTEGER: "int",
    ColumnType.DOUBLE: "float",
    ColumnType.BOOLEAN: "bool",
}


def is_field_name(name: str) -> bool:
    """Whether a decoded record may have a field of this name; those that JSON must escape may not."""
    return not any(c in '\\"' or c < " " for c in name)


def _body_type(inputs: Sequence[RequestInput]) -> Any:
    row_types = [_row_type(i) for i in inputs]
    if len(inputs) == 1:
        rows: Any = dict[str, list[row_types[0]]]  # type: ignore[valid-type]  # made at run time
    else:
        rows = msgspec.defstruct(
            "Inputs",
            [(f"i{n}", list[row]) for n, row in enumerate(row_types)],  # type: ignore[valid-type]
            rename={f"i{n}": i.name for n, i in enumerate(inputs)},
            forbid_unknown_fields=True,
        )
    return msgspec.defstruct("Body", [("Inputs", rows), ("GlobalParameters", Any, None)])


def _row_type(request_input: RequestInput) -> type[msgspec.Struct]:
    fields: list[Any] = []
    for n, column in enumerate(request_input.read):
        kind = _DECODED[column.type]
        if column.use is Use.REQUIRED:
            fields.append((f"c{n}", kind))
        else:
            fields.append((f"c{n}", kind | msgspec.UnsetType, msgspec.UNSET))
    return msgspec.defstruct(
        "Row",
        fields,
        rename={f"c{n}": c.name for n, c in enumerate(request_input.read)},
        kw_only=True,
        gc=False,
    )


def _typing(request_input: RequestInput) -> Callable[[list[Any]], tuple[list[Row], bool]]:
    """A function from decoded rows to typed ones, and whether all of them are plain.

    It raises _UnusualError rather than judge.  It is generated, a line per column, since it runs for
    every value of every request.
    """
    names: dict[str, Any] = {"astuple": msgspec.structs.astuple}
    unpacked, checked, items = [], [], []
    for n, column in enumerate(request_input.read):
        names[f"f{n}"] = _converter(column)
        unpacked.append(f"c{n},")
        # No value is of the class None, so such a column is converted whatever it holds.
        kind = _PLAIN.get(column.type, "None")
        checked.append(f"  if c{n}.__class__ is not {kind}: c{n} = f{n}(c{n}); plain = False")
        # Quoted in ASCII, a name cannot end the text it stands in.
        items.append(f"{column.name!a}: c{n}")
    lines = [
        "def typed(rows):",
        " found = []",
        " plain = True",
        " for row in rows:",
        f"  ({''.join(unpacked)}) = astuple(row)",
        *checked,
        f"  found.append({{{', '.join(items)}}})",
        " return found, plain",
    ]
    exec(compile("\n".join(lines), "<request>", "exec"), names)  # noqa: S102  # names are quoted
    typed: Callable[[list[Any]], tuple[list[Row], bool]] = names["typed"]
    return typed


def _converter(column: RequestColumn) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        try:
            if value is msgspec.UNSET:
                # A default may hide a misspelt name: the careful reading looks for one.
                raise _UnusualError
            if value.__class__ is _Special:
                value = _number(value, column.type)
            elif value is not None:
                value = typed_value(value, column.type)
        except ValueError:
            raise _UnusualError from None
        if not column.missing and (value is None or value != value):
            raise _UnusualError
        return value

    return convert
