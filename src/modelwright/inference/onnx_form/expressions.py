"""The ONNX form of each kind of expression; null is a second tensor that goes along with the values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from modelwright.data.expression.constants import constant
from modelwright.data.expression.nodes import (
    AllOf,
    AnyOf,
    Bucket,
    Call,
    Column,
    Dot,
    Expression,
    FillMissing,
    IsMissing,
    Lookup,
    NativeCall,
    Not,
    When,
)
from modelwright.data.expression.scalars import Scalar, converted
from modelwright.data.expression.typing_rules import Types
from modelwright.data.native import Native
from modelwright.data.schema import ColumnType
from modelwright.inference.onnx_form.calls import called
from modelwright.inference.onnx_form.errors import NotInOnnxError
from modelwright.inference.onnx_form.natives import native_outputs
from modelwright.inference.onnx_form.writer import Cell, GraphWriter

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # naive by definition: all are in UTC
_BOOLEAN, _INTEGER = ColumnType.BOOLEAN, ColumnType.INTEGER
_DOUBLE, _STRING = ColumnType.DOUBLE, ColumnType.STRING
_DATETIME = ColumnType.DATETIME
_TYPES: dict[ColumnType, Any] = {
    _BOOLEAN: np.bool_,
    _INTEGER: np.int64,
    _DOUBLE: np.float64,
    _STRING: str,
    _DATETIME: np.int64,
}


def micros(moment: datetime) -> int:
    """Microseconds since 1970, which is what a date-time is in a graph."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


class OnnxForm:
    """Writes expressions over columns into a graph."""

    def __init__(self, writer: GraphWriter, natives: Mapping[str, Native]) -> None:
        self.writer = writer
        self._natives = natives
        self._columns: Mapping[str, Cell] = {}
        self._types = Types({})
        self._known: dict[Expression, Cell] = {}
        self._outputs: dict[tuple[str, tuple[Expression, ...]], str] = {}

    def begin(self, columns: Mapping[str, Cell]) -> None:
        """Start a step: the columns as they are before it."""
        self._columns = columns
        self._types = Types({n: c.kind or ColumnType.OTHER for n, c in columns.items()})
        self._known = {}
        self._outputs = {}

    def column(self, expression: Expression, name: str) -> Cell:
        """The cell of a column computed by an expression, of a known type.  Raises NotInOnnxError."""
        return self.writer.cast(self.of(expression), self._types.result(expression, name))

    def of(self, expression: Expression, wanted: ColumnType | None = None) -> Cell:
        """The cell of an expression, in its own type or in one that it fits.  Raises NotInOnnxError."""
        found = self._known.get(expression)
        if found is None:
            kind = self._types.of(expression)
            if isinstance(expression, Column):
                found = self._columns[expression.name]
            elif expression.is_constant:
                found = self.constant(constant(expression), kind)
            else:
                found = self._build(expression, kind)
            self._known[expression] = found
        return self.writer.cast(found, wanted)

    def condition(self, expression: Expression) -> str:
        """A tensor that is true just where the condition is true, and not where it is null."""
        cell = self.of(expression, _BOOLEAN)
        if cell.missing is None:
            return cell.name
        return self.writer.op("And", cell.name, self.writer.no(cell.missing))

    def constant(self, value: Scalar, kind: ColumnType | None) -> Cell:
        """The same value in every row."""
        value = converted(value, kind)
        if value is None:
            yes = self.writer.const(True, np.bool_)
            return Cell(self.writer.nothing(kind), kind, yes, fixed=True)
        if kind is None or kind is ColumnType.OTHER:
            raise NotInOnnxError("it holds a value of no plain type")
        held = micros(value) if isinstance(value, datetime) else value
        return Cell(self.writer.const(held, _TYPES[kind]), kind, fixed=True)

    def full(self, cell: Cell) -> Cell:
        """The cell with a value for each row, also where it is the same in all of them."""
        if not cell.fixed:
            return cell
        writer = self.writer
        anchor = next((c for c in self._columns.values() if not c.fixed), None)
        if anchor is None:
            raise NotInOnnxError("no column is left that tells how many rows there are")
        rows = writer.op("Shape", anchor.name)
        missing = None if cell.missing is None else writer.op("Expand", cell.missing, rows)
        return Cell(writer.op("Expand", cell.name, rows), cell.kind, missing)

    def missing(self, cell: Cell) -> str | None:
        """A tensor that is true where the value is null or not a number; None when it never is."""
        if cell.kind is not _DOUBLE:
            return cell.missing
        return self.writer.either(cell.missing, self.writer.op("IsNaN", cell.name))

    def with_nan(self, cell: Cell) -> str:
        """Numbers with not a number in the place of null, a value for each row."""
        number = self.full(self.writer.cast(cell, _DOUBLE))
        if number.missing is None:
            return number.name
        nan = self.writer.double(math.nan)
        return self.writer.op("Where", number.missing, nan, number.name)

    def _build(self, expression: Expression, kind: ColumnType | None) -> Cell:
        writer = self.writer
        match expression:
            case Call():
                form = self._types.form(expression)
                wanted = (*form.takes, *(form.takes[-1:] * len(expression.arguments)))
                cells = [self.of(a, w) for a, w in zip(expression.arguments, wanted, strict=False)]
                made, lost = called(writer, expression, cells, form.gives)
                missing = writer.either(*(c.missing for c in cells), lost)
                return Cell(made, form.gives, missing, fixed=all(c.fixed for c in cells))
            case Not(term):
                cell = self.of(term, _BOOLEAN)
                return replace(cell, name=writer.no(cell.name))
            case AllOf(terms):
                return self._kleene(terms, decisive=False)
            case AnyOf(terms):
                return self._kleene(terms, decisive=True)
            case IsMissing(term):
                cell = self.of(term)
                found = self.missing(cell)
                name = writer.const(False, np.bool_) if found is None else found
                return Cell(name, _BOOLEAN, fixed=cell.fixed or found is None)
            case FillMissing(term, value):
                return self._filled(self.of(term, kind), self.of(value, kind), kind)
            case When(condition, then, otherwise):
                return self._when(condition, self.of(then, kind), self.of(otherwise, kind), kind)
            case Lookup():
                return self._lookup(expression, kind)
            case Bucket():
                return self._bucket(expression, kind)
            case Dot(terms, intercept):
                return self._dot([(self.of(e, _DOUBLE), w) for e, w in terms], intercept)
            case NativeCall(name, inputs, output):
                return self._native(name, inputs, output)
        raise NotInOnnxError(f'it uses "{expression.tag}", which has no form there')

    def _kleene(self, terms: Sequence[Expression], *, decisive: bool) -> Cell:
        """Logical and (decisive: false) or or (decisive: true) of three values."""
        writer = self.writer
        cells = [self.of(t, _BOOLEAN) for t in terms]
        fixed = all(c.fixed for c in cells)
        deciding = []
        for cell in cells:
            name = cell.name if decisive else writer.no(cell.name)
            if cell.missing is not None:
                name = writer.op("And", name, writer.no(cell.missing))
            deciding.append(name)
        decided = writer.either(*deciding) or writer.const(False, np.bool_)
        unknown = writer.either(*(c.missing for c in cells))
        if unknown is not None:
            unknown = writer.op("And", unknown, writer.no(decided))
        return Cell(decided if decisive else writer.no(decided), _BOOLEAN, unknown, fixed=fixed)

    def _filled(self, cell: Cell, value: Cell, kind: ColumnType | None) -> Cell:
        gap = self.missing(cell)
        if gap is None:
            return cell
        name = self.writer.choose(gap, value.name, cell.name, kind)
        missing = None if value.missing is None else self.writer.both(gap, value.missing)
        return Cell(name, kind, missing, fixed=cell.fixed and value.fixed)

    def _when(self, condition: Expression, then: Cell, no: Cell, kind: ColumnType | None) -> Cell:
        writer = self.writer
        given = self.of(condition, _BOOLEAN)
        test = self.condition(condition)
        missing = writer.either(
            None if then.missing is None else writer.op("And", test, then.missing),
            None if no.missing is None else writer.op("And", writer.no(test), no.missing),
        )
        fixed = given.fixed and then.fixed and no.fixed
        return Cell(writer.choose(test, then.name, no.name, kind), kind, missing, fixed=fixed)

    def _lookup(self, lookup: Lookup, kind: ColumnType | None) -> Cell:
        writer = self.writer
        cell = self.of(lookup.term)
        given = cell.kind
        entries = [(converted(k, given), converted(v, kind)) for k, v in lookup.entries]
        keys = [k for k, _ in entries if k is not None]
        default = converted(lookup.default, kind)
        values = [v for k, v in entries if k is not None] + [default]
        at = self._position(cell, keys)
        gap = self.missing(cell)
        if gap is not None:
            of_gap = next((v for k, v in entries if k is None), default)
            values.append(of_gap)
            at = writer.op("Where", gap, writer.whole(len(values) - 1), at)
        return self._gathered(values, at, kind, fixed=cell.fixed)

    def _position(self, cell: Cell, keys: Sequence[Scalar]) -> str:
        """Which of the keys each value is; their number for none of them."""
        writer = self.writer
        none = len(keys)
        if not keys:
            zeros = writer.op("Cast", self._same(cell), to=7)
            return writer.op("Mul", zeros, writer.whole(0))
        if cell.kind is _STRING:
            return writer.op(
                "LabelEncoder",
                cell.name,
                domain="ai.onnx.ml",
                keys_strings=[str(k) for k in keys],
                values_int64s=list(range(none)),
                default_int64=none,
            )
        if cell.kind is _DOUBLE:
            return self._nearest(cell.name, [float(k) for k in keys if isinstance(k, float)])
        name = cell.name
        whole = [micros(k) if isinstance(k, datetime) else int(k or 0) for k in keys]
        if cell.kind is _BOOLEAN:
            name = writer.as_whole(name)
        return writer.op(
            "LabelEncoder",
            name,
            domain="ai.onnx.ml",
            keys_int64s=whole,
            values_int64s=list(range(none)),
            default_int64=none,
        )

    def _same(self, cell: Cell) -> str:
        """Truth values of the shape of a cell."""
        if cell.kind is _BOOLEAN:
            return cell.name
        return self.writer.op("Equal", cell.name, cell.name)

    def _nearest(self, name: str, keys: list[float]) -> str:
        """The place of fractional numbers among keys, compared as they are."""
        writer = self.writer
        # A key of -0.0 is 0.0 to a comparison, as it is to a dictionary.
        hits = writer.op(
            "Equal", writer.op("Unsqueeze", name, writer.wholes(-1)), writer.const(keys, np.float64)
        )
        places = writer.const(np.arange(len(keys)) - len(keys), np.int64)
        found = writer.op("Mul", writer.as_whole(hits), places)
        summed = writer.op("ReduceSum", found, writer.wholes(-1), keepdims=0)
        return writer.op("Add", summed, writer.whole(len(keys)))

    def _gathered(
        self, values: Sequence[Scalar], at: str, kind: ColumnType | None, *, fixed: bool = False
    ) -> Cell:
        """The value at each place of a list."""
        writer = self.writer
        if kind is None:
            return self.constant(None, None)
        if kind is ColumnType.OTHER:
            raise NotInOnnxError("it holds values of no plain type")
        plain: dict[ColumnType, Any] = {_STRING: "", _BOOLEAN: False, _DOUBLE: 0.0}
        held = [
            plain.get(kind, 0) if v is None else micros(v) if isinstance(v, datetime) else v
            for v in values
        ]
        name = writer.op("Gather", writer.const(held, _TYPES[kind]), at)
        missing = None
        if any(v is None for v in values):
            missing = writer.op("Gather", writer.const([v is None for v in values], np.bool_), at)
        return Cell(name, kind, missing, fixed=fixed)

    def _bucket(self, bucket: Bucket, kind: ColumnType | None) -> Cell:
        writer = self.writer
        cell = self.of(bucket.term, _DOUBLE)
        edges = writer.const(bucket.edges, np.float64)
        over = "GreaterOrEqual" if bucket.closed == "left" else "Greater"
        passed = writer.op(over, writer.op("Unsqueeze", cell.name, writer.wholes(-1)), edges)
        at = writer.op("ReduceSum", writer.as_whole(passed), writer.wholes(-1), keepdims=0)
        lost = self.missing(cell)
        if not bucket.labels:
            return Cell(at, _INTEGER, lost, fixed=cell.fixed)
        labels = [converted(v, kind) for v in bucket.labels]
        found = self._gathered(labels, at, kind, fixed=cell.fixed)
        return replace(found, missing=writer.either(found.missing, lost))

    def _dot(self, terms: Sequence[tuple[Cell, float]], intercept: float) -> Cell:
        writer = self.writer
        start = writer.double(intercept)
        if not terms:
            return Cell(start, _DOUBLE, fixed=True)
        missing = writer.either(*(c.missing for c, _ in terms))
        matrix = writer.side_by_side(*(self.full(c).name for c, _ in terms))
        weights = writer.const([[w] for _, w in terms], np.float64)
        summed = writer.flat(writer.op("MatMul", matrix, weights))
        return Cell(writer.op("Add", summed, start), _DOUBLE, missing)

    def _native(self, name: str, inputs: tuple[Expression, ...], output: int) -> Cell:
        if (name, inputs) not in self._outputs:
            numbers = [self.with_nan(self.of(i)) for i in inputs]
            self._outputs[name, inputs] = native_outputs(
                self.writer, self._natives[name], self.writer.side_by_side(*numbers)
            )
        return Cell(self.writer.picked(self._outputs[name, inputs], output), _DOUBLE)
