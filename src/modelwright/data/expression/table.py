"""The Table form: Polars expressions over a whole frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from modelwright.data.column_names import named as named
from modelwright.data.expression import kernels
from modelwright.data.expression.constants import constant
from modelwright.data.expression.errors import MissingNative
from modelwright.data.expression.gaps import filled
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
    Literal,
    Lookup,
    NativeCall,
    Not,
    When,
)
from modelwright.data.expression.scalars import converted
from modelwright.data.expression.sums import arithmetic_sum
from modelwright.data.expression.typing_rules import Types
from modelwright.data.native import Native
from modelwright.data.schema import ColumnType
from modelwright.data.table import column_type

if TYPE_CHECKING:
    from modelwright.data.expression.functions.form import Vector

DOUBLE = ColumnType.DOUBLE
BOOLEAN = ColumnType.BOOLEAN
_NUMBERS = (ColumnType.INTEGER, DOUBLE)


class Kernel(NamedTuple):
    """Work over whole columns that Polars has no expression for, or a slower one.

    inputs: what the columns hold, and the types they are wanted in.
    """

    inputs: Sequence[tuple[Expression, ColumnType]]
    work: Callable[[list[pl.Series]], pl.Series]
    gives: pl.DataType


class TableForm:
    """Turns expressions over the columns of one frame into Polars expressions.

    dtypes: the frame's columns with their Polars types.
    """

    def __init__(self, dtypes: Mapping[str, pl.DataType]) -> None:
        self.types = Types({name: column_type(dtype) for name, dtype in dtypes.items()})
        self._dtypes = dtypes
        self._known: dict[Expression, pl.Expr] = {}
        self._native_columns: dict[tuple[str, tuple[Expression, ...]], str] = {}

    def of(self, expression: Expression, wanted: ColumnType | None = None) -> pl.Expr:
        """The Polars expression, in its own type or in one that it fits."""
        given = self.types.of(expression)
        if expression not in self._known:
            self._known[expression] = (
                pl.lit(constant(expression), dtype=_dtype(given))
                if expression.is_constant
                else self._build(expression)
            )
        built = self._known[expression]
        return built if wanted is None or given is wanted else built.cast(_dtype(wanted))

    def condition(self, expression: Expression) -> pl.Expr:
        """The Polars expression of a filter's condition.  Raises ExpressionTypeMismatch."""
        self.types.condition(expression, "A filter")
        return self.of(expression, BOOLEAN)

    def result_dtype(self, expression: Expression, column: str) -> pl.DataType:
        """The Polars type of a column computed by the expression."""
        kind = self.types.result(expression, column)
        if kind is ColumnType.OTHER and isinstance(expression, Column):
            return self._dtypes[expression.name]
        return kind.dtype

    def native_columns(
        self,
        expressions: Iterable[Expression],
        natives: Mapping[str, Native],
        taken: Iterable[str] = (),
    ) -> dict[str, pl.Expr]:
        """Columns for what native values give, each called once; they must be there for `of`.

        taken: names that they cannot have, beside those of the frame.  Raises MissingNative.
        """
        calls: dict[tuple[str, tuple[Expression, ...]], set[int]] = {}
        for expression in expressions:
            for node in expression.walk():
                if isinstance(node, NativeCall):
                    self.types.of(node)
                    calls.setdefault((node.name, node.inputs), set()).add(node.output)
        columns: dict[str, pl.Expr] = {}
        for (name, inputs), outputs in calls.items():
            if name not in natives:
                raise MissingNative(name, natives)
            column = free_name(f"native {name}", (*self._dtypes, *taken, *columns))
            columns[column] = self._native(natives[name], inputs, sorted(outputs))
            self._native_columns[name, inputs] = column
        return columns

    def _native(
        self, native: Native, inputs: tuple[Expression, ...], outputs: Sequence[int]
    ) -> pl.Expr:
        evaluator = native.evaluator
        return self._over(
            [(i, DOUBLE) for i in inputs],
            lambda columns: kernels.native_outputs(columns, evaluator, outputs),
            pl.Struct({str(o): pl.Float64() for o in outputs}),
        )

    def _over(
        self,
        inputs: Sequence[tuple[Expression, ColumnType]],
        kernel: Callable[[list[pl.Series]], pl.Series],
        gives: pl.DataType,
    ) -> pl.Expr:
        """A kernel over expressions, brought to the given types and to full length."""
        anchor = min(name for e, _ in inputs for name in e.columns())

        def work(columns: Sequence[pl.Series]) -> pl.Series:
            rows = len(columns[-1])
            # Renamed, because methods of a series named like a pattern find no column.
            even = (c if len(c) == rows else c.new_from_index(0, rows) for c in columns[:-1])
            return kernel([c.alias("value") for c in even])

        # Polars may fold an expression to a single value, so one real column tells how many rows.
        columns = [*(self.of(e, wanted) for e, wanted in inputs), named(anchor)]
        return pl.map_batches(columns, work, return_dtype=gives, is_elementwise=True)

    def _build(self, expression: Expression) -> pl.Expr:
        kind = self.types.of(expression)
        match expression:
            case Column(name):
                return self._read(name)
            case Call():
                return self._call(expression)
            case Not(term):
                return ~self.of(term, BOOLEAN)
            case AllOf(terms):
                return pl.all_horizontal([self.of(t, BOOLEAN) for t in terms])
            case AnyOf(terms):
                return pl.any_horizontal([self.of(t, BOOLEAN) for t in terms])
            case IsMissing(term):
                return self._missing(term)
            case FillMissing(term, value):
                return self._filled(term, value, kind)
            case When(IsMissing(term), Literal(None), otherwise) if kind and term.columns():
                given = self.types.of(term) or DOUBLE
                return self._over(
                    [(term, given), (otherwise, kind)],
                    lambda columns: kernels.nothing_where_missing(*columns),
                    kind.dtype,
                )
            case When(condition, Literal(yes), Literal(no)) if (
                isinstance(yes, int | float)
                and isinstance(no, int | float)
                and kind in _NUMBERS
                and condition.columns()
            ):
                gives = _dtype(kind)
                numbers = yes, no
                return self._over(
                    [(condition, BOOLEAN)],
                    lambda columns: kernels.chosen(columns[0], *numbers, gives),
                    gives,
                )
            case When(condition, then, otherwise):
                chosen = pl.when(self.of(condition, BOOLEAN)).then(self.of(then, kind))
                return chosen.otherwise(self.of(otherwise, kind))
            case Lookup():
                return self._lookup(expression)
            case Bucket() | Dot():
                return self._over(*self._numeric(expression))
            case NativeCall(name, inputs, output):
                column = self._native_columns[name, inputs]
                return named(column).struct.field(str(output))
        raise TypeError(f"no Table form for {type(expression).__name__}")

    def kernel(self, expression: Expression) -> Kernel | None:
        """A number for each row as one kernel over others or columns, where there is one."""
        match expression:
            case Bucket() | Dot() if not expression.is_constant:
                return self._numeric(expression)
            case Call() if not expression.is_constant and self._is_vector(expression):
                return self._vectors(expression)
            case FillMissing(term, Literal(value)) if (
                isinstance(value, int | float)
                and not isinstance(value, bool)
                and self.types.of(term) is DOUBLE
                and not term.is_constant
            ):
                number = float(value)
                return Kernel(
                    [(term, DOUBLE)], lambda columns: filled(columns[0], number), pl.Float64()
                )
            case When(IsMissing(term), Literal(None), otherwise) if (
                self.types.of(term) in _NUMBERS
                and self.types.of(otherwise) in _NUMBERS
                and term.columns()
                and otherwise.columns()
            ):
                return self._missing_kept(term, otherwise)
        return None

    def _missing_kept(self, term: Expression, otherwise: Expression) -> Kernel:
        kind = self.types.of(otherwise) or DOUBLE
        inputs = [(term, self.types.of(term) or DOUBLE), (otherwise, kind)]
        return Kernel(inputs, lambda both: kernels.nothing_where_missing(*both), kind.dtype)

    def _numeric(self, expression: Bucket | Dot) -> Kernel:
        if isinstance(expression, Bucket):
            kind = self.types.of(expression)
            labels = [converted(v, kind) for v in expression.labels]
            values = pl.Series(labels, dtype=_dtype(kind)) if labels else None
            edges, closed = expression.edges, expression.closed
            return Kernel(
                [(expression.term, DOUBLE)],
                lambda columns: kernels.buckets(columns[0], edges, closed, values),
                _dtype(kind),
            )
        if summed := arithmetic_sum(expression, self.types):
            doubles = [(leaf, DOUBLE) for leaf in summed.leaves]
            return Kernel(doubles, partial(summed.of, dot=expression), pl.Float64())
        weights, intercept = [w for _, w in expression.terms], expression.intercept
        return Kernel(
            [(e, DOUBLE) for e, _ in expression.terms],
            lambda columns: kernels.weighted_sum(columns, weights, intercept),
            pl.Float64(),
        )

    def _read(self, name: str) -> pl.Expr:
        dtype, kind = self._dtypes[name], self.types.columns[name]
        read = named(name)
        if kind is ColumnType.OTHER or dtype == kind.dtype:
            return read
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
            read = read.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return read.cast(kind.dtype, strict=False)

    def _filled(self, term: Expression, value: Expression, kind: ColumnType | None) -> pl.Expr:
        if self.types.of(term) is not DOUBLE and kind is not DOUBLE:
            return self.of(term, kind).fill_null(self.of(value, kind))
        missing = self._missing(term)
        return pl.when(missing).then(self.of(value, kind)).otherwise(self.of(term, kind))

    def _missing(self, term: Expression) -> pl.Expr:
        value = self.of(term)
        if self.types.of(term) is DOUBLE:
            return value.is_nan().fill_null(value=True)
        return value.is_null()

    def _call(self, call: Call) -> pl.Expr:
        form = self.types.form(call)
        wanted = (*form.takes, *(form.takes[-1:] * len(call.arguments)))
        options = dict(call.options)
        if form.beside is not None and any(a.is_constant and constant(a) for a in call.arguments):
            return form.beside(*map(self.of, call.arguments, wanted))
        if form.table is not None:
            arguments = [self.of(a, w) for a, w in zip(call.arguments, wanted, strict=False)]
            built = form.table(*arguments, **options)
            if built is not None:
                return built
        gives = form.gives.dtype
        if self._is_vector(call):
            return self._over(*self._vectors(call))
        fixed = {
            at: converted(constant(argument), wanted[at])
            for at, argument in enumerate(call.arguments)
            if argument.is_constant
        }
        moving = [(a, w) for a, w in zip(call.arguments, wanted, strict=False) if not a.is_constant]

        def work(columns: list[pl.Series]) -> pl.Series:
            rest = iter(columns)
            arguments = [fixed[a] if a in fixed else next(rest) for a in range(len(call.arguments))]
            return kernels.each(arguments, partial(form.row, **options), gives)

        return self._over(moving, work, gives)

    def _is_vector(self, call: Expression) -> bool:
        """Whether NumPy does a call, whose constants are all there."""
        if not isinstance(call, Call):
            return False
        form = self.types.form(call)
        if form.vector is None and form.ufunc is None:
            return False
        return not any(a.is_constant and constant(a) is None for a in call.arguments)

    def _vectors(self, call: Call) -> Kernel:
        gives = self.types.form(call).gives.dtype
        leaves: list[tuple[Expression, ColumnType]] = []
        vector = self._vector(call, leaves)
        plain = self.types.form(call).ufunc is not None and not any(
            isinstance(a, Call) and self._is_vector(a) for a in call.arguments
        )
        return Kernel(
            leaves, lambda columns: kernels.fused(columns, vector, gives, plain=plain), gives
        )

    def _vector(
        self, call: Call, leaves: list[tuple[Expression, ColumnType]]
    ) -> Callable[[Sequence[Vector], Vector | None], Vector]:
        """A call and those within it that NumPy does too, as one function of the leaves, which it adds.

        The function may write its result into its second argument.
        """
        form = self.types.form(call)
        wanted = (*form.takes, *(form.takes[-1:] * len(call.arguments)))
        parts: list[Callable[[Sequence[Vector], Vector | None], Any]] = []
        first: int | None = None
        for at, (argument, kind) in enumerate(zip(call.arguments, wanted, strict=False)):
            if argument.is_constant:
                value = converted(constant(argument), kind)
                parts.append(partial(_always, value))
            elif kind is DOUBLE and isinstance(argument, Call) and self._is_vector(argument):
                parts.append(self._vector(argument, leaves))
                first = at if first is None else first
            else:
                if (argument, kind) not in leaves:
                    leaves.append((argument, kind))
                parts.append(partial(_leaf, leaves.index((argument, kind))))
        placed = form.places or form.ufunc is not None
        function = getattr(np, form.ufunc) if form.ufunc else form.vector
        if function is None:
            raise TypeError(f"no vector form for {call.function}")

        def work(vectors: Sequence[Vector], place: Vector | None) -> Vector:
            # What one call gives may stand where the result will, as it is read before that is written.
            given = [p(vectors, place if at == first else None) for at, p in enumerate(parts)]
            found: Vector = function(*given, out=place) if placed else function(*given)
            return found

        return work

    def _lookup(self, lookup: Lookup) -> pl.Expr:
        kind = self.types.of(lookup)
        given = self.types.of(lookup.term)
        default = pl.lit(converted(lookup.default, kind), dtype=_dtype(kind))
        if not lookup.entries or kind is None:
            return default
        found = {converted(k, given): converted(v, kind) for k, v in lookup.entries}
        term = self.of(lookup.term)
        if given is DOUBLE:
            term = term.fill_nan(None)
        return term.replace_strict(
            pl.Series(list(found), dtype=_dtype(given)),
            pl.Series(list(found.values()), dtype=_dtype(kind)),
            default=default,
            return_dtype=_dtype(kind),
        )


def free_name(wish: str, taken: Iterable[str]) -> str:
    """A name for a passing column that no other column has."""
    names = set(taken)
    while wish in names:
        wish += "'"
    return wish


def _always(value: Any, _: Sequence[Vector], __: Vector | None) -> Any:
    return value


def _leaf(at: int, vectors: Sequence[Vector], _: Vector | None) -> Any:
    return vectors[at]


def _dtype(kind: ColumnType | None) -> pl.DataType:
    return kind.dtype if kind is not None else pl.Null()
