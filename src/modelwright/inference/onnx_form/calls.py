"""The ONNX form of the named functions; those that ONNX runtimes have for 64-bit numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelwright.data.expression.nodes import Call
from modelwright.data.schema import ColumnType
from modelwright.inference.onnx_form.errors import NotInOnnxError
from modelwright.inference.onnx_form.writer import Cell, GraphWriter

_BOOLEAN, _INTEGER = ColumnType.BOOLEAN, ColumnType.INTEGER
_DOUBLE, _STRING = ColumnType.DOUBLE, ColumnType.STRING
_DATETIME = ColumnType.DATETIME

Made = tuple[str, str | None]
"""The name of the result, and of where the function itself gives null."""

_PLAIN = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "negate": "Neg",
    "abs": "Abs",
    "exp": "Exp",
    "ln": "Log",
    "sqrt": "Sqrt",
    "sigmoid": "Sigmoid",
    "logistic": "Sigmoid",
    "sin": "Sin",
    "cos": "Cos",
    "tanh": "Tanh",
    "less": "Less",
    "less_or_equal": "LessOrEqual",
    "greater": "Greater",
    "greater_or_equal": "GreaterOrEqual",
    "equal": "Equal",
}
_IN_32_BITS = frozenset(
    [
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "asinh",
        "acosh",
        "atanh",
        "erf",
        "erfc",
        "normal_cdf",
        "atan2",
        "hypot",
        "cbrt",
    ]
)
_DAY = 86_400_000_000


def called(
    writer: GraphWriter, call: Call, cells: Sequence[Cell], gives: ColumnType
) -> tuple[str, str | None]:
    """The result of a function, and where it is null though no argument is.  Raises NotInOnnxError."""
    name = call.function
    kinds = [c.kind for c in cells]
    if name in _IN_32_BITS:
        raise NotInOnnxError(f'ONNX runtimes compute "{name}" in 32 bits only')
    if name in ("less", "less_or_equal", "greater", "greater_or_equal"):
        if _STRING in kinds:
            raise NotInOnnxError("ONNX cannot put texts in order")
        if _BOOLEAN in kinds:
            numbers = [writer.as_whole(c.name) for c in cells]
            return writer.op(_PLAIN[name], *numbers), None
    form = _FORMS.get(name)
    if form is not None:
        return form(writer, cells, dict(call.options), gives)
    if name in _PLAIN:
        return writer.op(_PLAIN[name], *(c.name for c in cells)), None
    raise NotInOnnxError(f'it uses "{name}", which has no form there')


Form = Callable[[GraphWriter, Sequence[Cell], Mapping[str, Any], ColumnType], Made]


def _not_equal(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    return writer.no(writer.op("Equal", *(c.name for c in cells))), None


def _divide(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    return writer.op("Div", *(c.name for c in cells)), None


def _whole_divisor(writer: GraphWriter, b: str) -> tuple[str, str, str]:
    """A divisor that a processor can divide by, where it was 0, and where it was -1."""
    zero = writer.op("Equal", b, writer.whole(0))
    minus = writer.op("Equal", b, writer.whole(-1))
    unfit = writer.op("Or", zero, minus)
    return writer.op("Where", unfit, writer.whole(1), b), zero, minus


def _floor_divide(writer: GraphWriter, cells: Sequence[Cell], _: object, gives: ColumnType) -> Made:
    a, b = (c.name for c in cells)
    if gives is _DOUBLE:
        return writer.op("Floor", writer.op("Div", a, b)), None
    safe, zero, minus = _whole_divisor(writer, b)
    # Towards zero; of a quotient below zero that leaves a rest, the next lower one is wanted.
    found = writer.op("Div", a, safe)
    rest = writer.no(writer.op("Equal", writer.op("Mul", found, safe), a))
    below = writer.op("Xor", *(writer.op("Less", n, writer.whole(0)) for n in (a, safe)))
    lower = writer.op("Where", writer.op("And", rest, below), writer.whole(1), writer.whole(0))
    found = writer.op("Sub", found, lower)
    return writer.op("Where", minus, writer.op("Neg", a), found), zero


def _modulo(writer: GraphWriter, cells: Sequence[Cell], _: object, gives: ColumnType) -> Made:
    a, b = (c.name for c in cells)
    if gives is _INTEGER:
        safe, zero, _minus = _whole_divisor(writer, b)
        return writer.op("Mod", a, safe), zero
    rest = writer.op("Mod", a, b, fmod=1)
    # The remainder has the sign of the divisor.
    other = writer.op(
        "Less", writer.op("Mul", writer.op("Sign", rest), writer.op("Sign", b)), writer.double(0.0)
    )
    return writer.op("Where", other, writer.op("Add", rest, b), rest), None


def _power(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    return writer.op("Pow", *(c.name for c in cells)), None


def _sign(writer: GraphWriter, cells: Sequence[Cell], _: object, gives: ColumnType) -> Made:
    a = cells[0].name
    found = writer.op("Sign", a)
    if gives is _DOUBLE:
        # Not a number has no sign, and stays what it is.
        found = writer.op("Where", writer.op("IsNaN", a), a, found)
    return found, None


def _least(over: str) -> Form:
    def form(writer: GraphWriter, cells: Sequence[Cell], _: object, gives: ColumnType) -> Made:
        a, b = (c.name for c in cells)
        takes_b = writer.op(over, b, a)
        if gives is _DOUBLE:
            takes_b = writer.op("Or", takes_b, writer.op("IsNaN", b))
        return writer.op("Where", takes_b, b, a), None

    return form


def _clip(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    a, low, high = (c.name for c in cells)
    above = writer.op("Where", writer.op("Greater", a, high), high, a)
    return writer.op("Where", writer.op("Less", a, low), low, above), None


def _rounded(kind: str) -> Form:
    def form(writer: GraphWriter, cells: Sequence[Cell], _: object, gives: ColumnType) -> Made:
        name = cells[0].name
        return (writer.op(kind, name) if gives is _DOUBLE else name), None

    return form


def _truncate(writer: GraphWriter, cells: Sequence[Cell], _: object, gives: ColumnType) -> Made:
    a = cells[0].name
    if gives is not _DOUBLE:
        return a, None
    below = writer.op("Less", a, writer.double(0.0))
    return writer.op("Where", below, writer.op("Ceil", a), writer.op("Floor", a)), None


def _half_up(
    writer: GraphWriter, cells: Sequence[Cell], options: Mapping[str, Any], _: object
) -> Made:
    a, digits = cells[0].name, int(options["digits"])
    scale = writer.double(10.0 ** abs(digits))
    there, back = ("Mul", "Div") if digits >= 0 else ("Div", "Mul")
    scaled = writer.op(there, a, scale)
    size = writer.op("Abs", scaled)
    whole = writer.op("Floor", size)
    half = writer.op("GreaterOrEqual", writer.op("Sub", size, whole), writer.double(0.5))
    whole = writer.op("Add", whole, writer.as_double(half))
    found = writer.op("Mul", writer.op(back, whole, scale), writer.op("Sign", a))
    finite = writer.op("Less", size, writer.double(math.inf))
    return writer.op("Where", finite, found, a), None


def _logarithm(base: float) -> Form:
    def form(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
        ln = writer.op("Log", cells[0].name)
        return writer.op("Div", ln, writer.double(math.log(base))), None

    return form


def _log(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    above, below = (writer.op("Log", c.name) for c in cells)
    return writer.op("Div", above, below), None


def _log1p(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    # ln(1 + a) loses digits where a is small; a · ln(u) / (u - 1) with u = 1 + a does not (Goldberg).
    a = cells[0].name
    u = writer.op("Add", a, writer.double(1.0))
    less = writer.op("Sub", u, writer.double(1.0))
    exact = writer.op("Div", writer.op("Mul", writer.op("Log", u), a), less)
    tiny = writer.op("Equal", less, writer.double(0.0))
    endless = writer.op("Equal", u, writer.double(math.inf))
    found = writer.op("Where", tiny, a, exact)
    return writer.op("Where", endless, u, found), None


def _exp2(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    return writer.op("Pow", writer.double(2.0), cells[0].name), None


def _scaled(factor: float) -> Form:
    def form(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
        return writer.op("Mul", cells[0].name, writer.double(factor)), None

    return form


def _is_nan(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    return writer.op("IsNaN", cells[0].name), None


def _is_finite(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    return writer.op("Less", writer.op("Abs", cells[0].name), writer.double(math.inf)), None


def _concat(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    found = cells[0].name
    for cell in cells[1:]:
        found = writer.op("StringConcat", found, cell.name)
    return found, None


def _to_boolean(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    cell = cells[0]
    if cell.kind is _BOOLEAN:
        return cell.name, None
    if cell.kind is _INTEGER:
        return writer.no(writer.op("Equal", cell.name, writer.whole(0))), None
    if cell.kind is _DOUBLE:
        zero = writer.op("Equal", cell.name, writer.double(0.0))
        return writer.no(zero), writer.op("IsNaN", cell.name)
    raise NotInOnnxError("ONNX cannot read truth values in text")


def _to_integer(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    cell = cells[0]
    if cell.kind is _INTEGER:
        return cell.name, None
    if cell.kind is _BOOLEAN:
        return writer.as_whole(cell.name), None
    if cell.kind is _DOUBLE:
        low = writer.op("GreaterOrEqual", cell.name, writer.double(-(2.0**63)))
        fits = writer.op("And", low, writer.op("Less", cell.name, writer.double(2.0**63)))
        held = writer.op("Where", fits, cell.name, writer.double(0.0))
        return writer.as_whole(held), writer.no(fits)
    raise NotInOnnxError("ONNX cannot read numbers in text as they are read here")


def _to_double(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    cell = cells[0]
    if cell.kind is _STRING:
        raise NotInOnnxError("ONNX cannot read numbers in text as they are read here")
    if cell.kind is _DATETIME:
        return writer.op("Div", writer.as_double(cell.name), writer.double(1e6)), None
    return cell.name, None


def _to_string(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    from onnx import TensorProto

    cell = cells[0]
    if cell.kind is _STRING:
        return cell.name, None
    if cell.kind is _BOOLEAN:
        words = writer.const(["false", "true"], str)
        return writer.op("Gather", words, writer.as_whole(cell.name)), None
    if cell.kind is _INTEGER:
        return writer.op("Cast", cell.name, to=int(TensorProto.STRING)), None
    raise NotInOnnxError("ONNX writes such values as other texts than they are here")


def _to_datetime(_: GraphWriter, cells: Sequence[Cell], *__: object) -> Made:
    if cells[0].kind is _DATETIME:
        return cells[0].name, None
    raise NotInOnnxError("ONNX cannot read dates in text")


def _floored(writer: GraphWriter, a: str, by: int) -> str:
    """Whole division by a positive number, towards below."""
    divisor = writer.whole(by)
    return writer.op("Div", writer.op("Sub", a, writer.op("Mod", a, divisor)), divisor)


def _of_day(divisor: int, modulus: int) -> Form:
    def form(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
        found = _floored(writer, cells[0].name, divisor)
        return writer.op("Mod", found, writer.whole(modulus)), None

    return form


def _weekday(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
    days = _floored(writer, cells[0].name, _DAY)
    # The first of January 1970 was a Thursday.
    shifted = writer.op("Mod", writer.op("Add", days, writer.whole(3)), writer.whole(7))
    return writer.op("Add", shifted, writer.whole(1)), None


def _civil(part: str) -> Form:
    """Year, month or day of the proleptic Gregorian calendar.

    Source: the arithmetic of eras of 400 years that begin in March, by H. Hinnant.
    """

    def form(writer: GraphWriter, cells: Sequence[Cell], *_: object) -> Made:
        def plus(a: str, value: int) -> str:
            return writer.op("Add", a, writer.whole(value))

        days = plus(_floored(writer, cells[0].name, _DAY), 719_468)
        era = _floored(writer, days, 146_097)
        of_era = writer.op("Mod", days, writer.whole(146_097))
        years = writer.op("Sub", of_era, _floored(writer, of_era, 1_460))
        years = writer.op("Add", years, _floored(writer, of_era, 36_524))
        years = _floored(writer, writer.op("Sub", years, _floored(writer, of_era, 146_096)), 365)
        year = writer.op("Add", years, writer.op("Mul", era, writer.whole(400)))
        spent = writer.op("Mul", years, writer.whole(365))
        spent = writer.op("Add", spent, _floored(writer, years, 4))
        spent = writer.op("Sub", spent, _floored(writer, years, 100))
        of_year = writer.op("Sub", of_era, spent)
        from_march = _floored(writer, plus(writer.op("Mul", of_year, writer.whole(5)), 2), 153)
        month = writer.op("Mod", plus(from_march, 2), writer.whole(12))
        month = plus(month, 1)
        if part == "month":
            return month, None
        if part == "year":
            early = writer.op("LessOrEqual", month, writer.whole(2))
            return writer.op("Add", year, writer.as_whole(early)), None
        before = _floored(writer, plus(writer.op("Mul", from_march, writer.whole(153)), 2), 5)
        return plus(writer.op("Sub", of_year, before), 1), None

    return form


_FORMS: dict[str, Form] = {
    "not_equal": _not_equal,
    "divide": _divide,
    "floor_divide": _floor_divide,
    "modulo": _modulo,
    "power": _power,
    "sign": _sign,
    "minimum": _least("Less"),
    "maximum": _least("Greater"),
    "clip": _clip,
    "floor": _rounded("Floor"),
    "ceiling": _rounded("Ceil"),
    "truncate": _truncate,
    "round": _half_up,
    "log2": _logarithm(2.0),
    "log10": _logarithm(10.0),
    "log": _log,
    "log1p": _log1p,
    "exp2": _exp2,
    "degrees": _scaled(180.0 / math.pi),
    "radians": _scaled(math.pi / 180.0),
    "is_nan": _is_nan,
    "is_finite": _is_finite,
    "concat": _concat,
    "to_boolean": _to_boolean,
    "to_integer": _to_integer,
    "to_double": _to_double,
    "to_string": _to_string,
    "to_datetime": _to_datetime,
    "hour": _of_day(3_600_000_000, 24),
    "minute": _of_day(60_000_000, 60),
    "second": _of_day(1_000_000, 60),
    "weekday": _weekday,
    "year": _civil("year"),
    "month": _civil("month"),
    "day": _civil("day"),
}
