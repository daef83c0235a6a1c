"""Apply Math Operation: one mathematical function over numeric columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeGuard

import numpy as np
import polars as pl
from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Component, Titled
from modelwright.components.errors import ColumnTypeError, ComponentError, InvalidParameter
from modelwright.components.outline import Outline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.palette.data_transformation.math_operations import (
    DIVISORS,
    FAMILIES,
    GROWING,
    Operation,
    may_overflow,
)
from modelwright.components.parameters import ColumnName, Columns, Shown
from modelwright.data.expression import (
    Compute,
    DuplicateColumn,
    Expression,
    Formula,
    Keep,
    call,
    column,
    literal,
    when,
)
from modelwright.data.memory import in_parts
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.data.table import Table

_NUMBERS = (ColumnType.INTEGER, ColumnType.DOUBLE)
# Beyond it a float stands for many whole numbers, and so for none in particular.
_EXACT = 1 << 53
# Categories and functions with a second argument.
_PAIRED: tuple[dict[str, Any], ...] = (
    {"category": ("Compare", "Operations")},
    *(
        {
            "category": kind,
            kind.lower(): tuple(n for n, f in FAMILIES[kind].items() if f.arguments == 2),
        }
        for kind in ("Basic", "Special")
    ),
)
_PRECISE = (
    "Floor",
    "Mod",
    "Quotient",
    "Remainder",
    "RoundDigits",
    "RoundDown",
    "RoundUp",
    "Truncate",
)


@dataclass(frozen=True)
class _Work:
    """A result, and what it is computed from: names of columns, and numbers."""

    result: str
    operands: tuple[str | float, ...]

    def is_whole(self, schema: Schema) -> bool:
        """Whether it is computed from whole numbers only."""
        whole = (schema.column(o).type is ColumnType.INTEGER for o in self.operands if _named(o))
        return all(whole) and not any(isinstance(o, float) for o in self.operands)


class UnequalColumnCounts(ComponentError):
    """Two selections whose columns are to be paired have different numbers of columns."""

    code = "unequal-column-counts"

    def __init__(self, first: Sequence[str], second: Sequence[str]) -> None:
        super().__init__(
            f"{len(first)} columns are selected and {len(second)} as the second argument.",
            remedy="Select as many on both sides, or just one as the second argument.",
            first=list(first),
            second=list(second),
        )


class ApplyMathOperation(Component, category="Data Transformation"):
    """Compute a mathematical function of numeric columns.

    Each selected column is taken by itself.  The second argument, of functions that take two, is a
    number or other columns: one for all, or as many, paired in their order.  Subtract is first minus
    second, Divide first by second; the order is that of the new name, OPERATION(FIRST_SECOND), in which
    a number has a dollar sign and functions of one argument read OPERATION(FIRST).

    A missing value has a missing result.  Outside its domain a function gives no number, which counts
    as missing; x / 0 is infinite.  Whole numbers stay whole where the function keeps them so; one that
    64 bits do not hold is missing, so convert to Double first where results may be larger.

    Where name and common description of a function differ, the name counts: ExpMinus1 is exp(x) - 1,
    LnPlus1 is ln(1 + x), CeilingPower2 the smallest power of two that is not below x, and
    ExponentialIntegralEin the entire integral of (1 - exp(-t)) / t.  Exp2 is the second argument times
    2 to the power of x.  Where a function has a parameter (a base, degree, order or shape), that is the
    second argument: Log, NthRoot, PolyGamma and GammaRegularized….  Beta takes two arguments.  The
    elliptic integrals are complete and go by the parameter m = k².  ErfScaled is exp(x²) erfc(x), Sinc
    is sin(x) / x, and an arccotangent is the arctangent of 1 / x.

    Rounding goes by a number of digits after the point (before it, when below 0): Floor down,
    RoundDown and Truncate towards 0, RoundUp away from 0, RoundDigits to the nearest, halves away from
    0.  A number counts as the decimal fraction that it stands for, so that 1.005 rounds to 1.01; one
    that would keep more than 14 digits stays as it is.  For Mod, Quotient and Remainder the precision is
    the divisor; Mod has its sign, Remainder that of x.  Ceiling, ToEven and ToOdd round to whole
    numbers, ties away from 0.
    """

    category: Annotated[
        Literal["Basic", "Compare", "Operations", "Rounding", "Special", "Trigonometric"],
        Field(title="Category"),
    ] = "Basic"
    """The kind of function."""

    basic: Annotated[
        Literal[
            "Abs",
            "Atan2",
            "Conj",
            "CubeRoot",
            "DoubleFactorial",
            "Eps",
            "Exp",
            "Exp2",
            "ExpMinus1",
            "Factorial",
            "Hypotenuse",
            "Ln",
            "LnPlus1",
            "Log",
            "Log10",
            "Log2",
            "NthRoot",
            "Pow",
            "Sqrt",
            "SqrtPi",
            "Square",
        ],
        Field(title="Operation"),
        Shown(category="Basic"),
    ] = "Abs"
    """The function, of the category Basic."""

    compare: Annotated[
        Literal[
            "EqualTo",
            "GreaterThan",
            "GreaterThanOrEqualTo",
            "LessThan",
            "LessThanOrEqualTo",
            "NotEqualTo",
            "PairMax",
            "PairMin",
        ],
        Field(title="Operation"),
        Shown(category="Compare"),
    ] = "EqualTo"
    """The comparison."""

    operations: Annotated[
        Literal["Add", "Divide", "Multiply", "Subtract"],
        Field(title="Operation"),
        Shown(category="Operations"),
    ] = "Add"
    """The arithmetic operation."""

    rounding: Annotated[
        Literal[
            "Ceiling",
            "CeilingPower2",
            "Floor",
            "Mod",
            "Quotient",
            "Remainder",
            "RoundDigits",
            "RoundDown",
            "RoundUp",
            "ToEven",
            "ToOdd",
            "Truncate",
        ],
        Field(title="Operation"),
        Shown(category="Rounding"),
    ] = "RoundDigits"
    """The way of rounding."""

    special: Annotated[
        Literal[
            "Beta",
            "EllipticIntegralE",
            "EllipticIntegralK",
            "Erf",
            "Erfc",
            "ErfScaled",
            "ErfInverse",
            "ExponentialIntegralEin",
            "Gamma",
            "GammaLn",
            "GammaRegularizedP",
            "GammaRegularizedPInverse",
            "GammaRegularizedQ",
            "GammaRegularizedQInverse",
            "PolyGamma",
        ],
        Field(title="Operation"),
        Shown(category="Special"),
    ] = "Gamma"
    """The function, of the category Special."""

    trigonometric: Annotated[
        Literal[
            "Acos",
            "AcosDegree",
            "Acosh",
            "Acot",
            "AcotDegrees",
            "Acoth",
            "Acsc",
            "AcscDegrees",
            "Asec",
            "AsecDegrees",
            "Asech",
            "Asin",
            "AsinDegrees",
            "Asinh",
            "Atan",
            "AtanDegrees",
            "Atanh",
            "Cos",
            "CosDegrees",
            "Cosh",
            "Cot",
            "CotDegrees",
            "Coth",
            "Csc",
            "CscDegrees",
            "Csch",
            "DegreesToRadians",
            "Sec",
            "SecDegrees",
            "Sech",
            "Sign",
            "Sin",
            "Sinc",
            "SinDegrees",
            "Sinh",
            "Tan",
            "TanDegrees",
            "Tanh",
        ],
        Field(title="Operation"),
        Shown(category="Trigonometric"),
    ] = "Sin"
    """The function, of the category Trigonometric."""

    second_type: Annotated[
        Literal["Constant", "ColumnSet"],
        Field(title="Second argument type"),
        *(Shown(**when) for when in _PAIRED),
    ] = "Constant"
    """Whether the second argument is a number or columns; only for functions that take two."""

    second: Annotated[
        float,
        Field(title="Second argument", allow_inf_nan=False),
        *(Shown(**when, second_type="Constant") for when in _PAIRED),
    ] = 1.0
    """The number that is the second argument for every row."""

    second_columns: Annotated[
        ColumnSelection,
        Columns("dataset"),
        Field(title="Second argument columns"),
        *(Shown(**when, second_type="ColumnSet") for when in _PAIRED),
    ] = ColumnSelection()
    """The columns whose values are the second argument, row by row."""

    precision_type: Annotated[
        Literal["Constant", "ColumnSet"],
        Field(title="Precision Type"),
        Shown(category="Rounding", rounding=_PRECISE),
    ] = "Constant"
    """Whether the precision is the same for all rows or comes from a column."""

    constant_precision: Annotated[
        int | None,
        Field(title="Constant Precision"),
        Shown(category="Rounding", rounding=_PRECISE, precision_type="Constant"),
    ] = None
    """Digits after the point, or the divisor; 0 digits and the divisor 1 when empty."""

    precision_column: Annotated[
        ColumnName,
        Field(title="Precision column"),
        Shown(category="Rounding", rounding=_PRECISE, precision_type="ColumnSet"),
    ] = ""
    """The column that holds the digits or the divisor for each row."""

    columns: Annotated[ColumnSelection, Columns("dataset"), Field(title="Column set")] = (
        ColumnSelection.typed("Numeric")
    )
    """The numeric columns that the function is applied to."""

    output_mode: Annotated[
        Literal["Append", "Inplace", "ResultOnly"], Field(title="Output mode")
    ] = "Append"
    """Whether results are added, replace the values they come from, or stand alone."""

    def run(self, dataset: Table) -> Annotated[Table, Titled("Results dataset")]:
        works = self._works(dataset.schema)
        formula = self._formula(
            dataset.schema, [w for w in works if _overflows(self._name, w, dataset)]
        )
        if formula is not None:
            return dataset.of(formula.apply(dataset.frame))

        def worked(rows: pl.DataFrame) -> pl.DataFrame:
            results = [self._over_arrays(work, rows).alias(work.result) for work in works]
            return pl.DataFrame(results) if alone else rows.with_columns(results)

        alone = self.output_mode == "ResultOnly"
        frame = in_parts(dataset.frame, worked)
        return Table(frame) if alone else dataset.of(frame)

    def formula(self, schema: Schema) -> Formula | None:
        works = self._works(schema)
        whole = [w for w in works if self._name in GROWING and w.is_whole(schema)]
        return self._formula(schema, whole)

    def _formula(self, schema: Schema, guarded: Sequence[_Work]) -> Formula | None:
        """The formula of all results; `guarded` ones may be of more than 64 bits."""
        of = self._operation.expression
        if of is None:
            return None
        computed = {}
        for work in self._works(schema):
            operands = [_operand(o) for o in work.operands]
            computed[work.result] = found = of(*operands)
            if work in guarded:
                about = of(*(one.cast(ColumnType.DOUBLE) for one in operands))
                # What wrapped around is off by all that 64 bits count, however rough the estimate.
                near = call("abs", about - found.cast(ColumnType.DOUBLE)) < 2.0**63
                computed[work.result] = when(near, found, None)
        kept = [Keep(list(computed))] if self.output_mode == "ResultOnly" else []
        return Formula(Compute(computed), *kept)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        selections = [self.columns, self.second_columns]
        return {"results_dataset": flow(table_outline(inputs), self._after, *selections)}

    @property
    def _name(self) -> str:
        name: str = getattr(self, self.category.lower())
        return name

    @property
    def _operation(self) -> Operation:
        return FAMILIES[self.category][self._name]

    def _after(self, schema: Schema) -> Schema:
        formula = self.formula(schema)
        if formula is not None:
            return formula.outputs(schema)
        results = [Column(work.result, ColumnType.DOUBLE) for work in self._works(schema)]
        if self.output_mode == "ResultOnly":
            return Schema(tuple(results))
        kept = {c.name: replace(c, type=ColumnType.DOUBLE) for c in schema}
        return schema.put(*(kept.get(c.name, c) for c in results))

    def _works(self, schema: Schema) -> list[_Work]:
        """What is computed from what; refuses what cannot be."""
        chosen = self.columns.resolve_typed(schema, parameter="Column set", wanted=_NUMBERS)
        works = []
        for name, second in zip(chosen, self._seconds(schema, chosen), strict=True):
            label = "" if second is None else f"_${second}"
            if isinstance(second, str):
                label = f"_{second}"
            result = name if self.output_mode == "Inplace" else f"{self._name}({name}{label})"
            works.append(_Work(result, (name,) if second is None else (name, second)))
        if self.output_mode == "Append":
            for work in works:
                if work.result in schema:
                    raise DuplicateColumn(work.result)
        return works

    def _seconds(self, schema: Schema, chosen: Sequence[str]) -> Sequence[str | float | None]:
        """The second argument for each chosen column: another column, a number, or none."""
        if self._operation.arguments == 1:
            return [None] * len(chosen)
        if self.category == "Rounding":
            return [self._precision(schema)] * len(chosen)
        if self.second_type == "Constant":
            # A whole number keeps whole columns whole.
            whole = self.second.is_integer() and abs(self.second) <= _EXACT
            number = int(self.second) if whole else self.second
            return [number] * len(chosen)
        parameter = "Second argument columns"
        others = self.second_columns.resolve_typed(schema, parameter=parameter, wanted=_NUMBERS)
        if len(others) == 1:
            return list(others) * len(chosen)
        if len(others) != len(chosen):
            raise UnequalColumnCounts(chosen, others)
        return others

    def _precision(self, schema: Schema) -> str | int:
        if self.precision_type == "Constant":
            neutral = 1 if self._name in DIVISORS else 0
            return neutral if self.constant_precision is None else self.constant_precision
        if not self.precision_column:
            raise InvalidParameter("Precision column", "", "no column is chosen")
        found = schema.column(self.precision_column, port="dataset")
        if found.type not in _NUMBERS:
            raise ColumnTypeError(found.name, found.type.value, "Integer or Double", port="dataset")
        return found.name

    def _over_arrays(self, work: _Work, frame: pl.DataFrame) -> pl.Series:
        """The result of a function that no expression says."""
        arrays = self._operation.arrays
        if arrays is None:
            raise TypeError(f"{self._name} has no form")
        columns = [frame.get_column(o) for o in work.operands if isinstance(o, str)]
        given = [
            frame.get_column(o).cast(pl.Float64).to_numpy()
            if isinstance(o, str)
            else np.full(frame.height, float(o))
            for o in work.operands
        ]
        with np.errstate(all="ignore"):
            found = pl.Series(arrays(*given), dtype=pl.Float64)
        for one in columns:
            if one.null_count():
                found = found.set(one.is_null(), None)
        return found


def _operand(operand: str | float) -> Expression:
    return column(operand) if isinstance(operand, str) else literal(operand)


def _named(operand: str | float) -> TypeGuard[str]:
    return isinstance(operand, str)


def _overflows(name: str, work: _Work, table: Table) -> bool:
    """Whether whole numbers may give one that 64 bits do not hold."""
    if name not in GROWING or not work.is_whole(table.schema):
        return False
    bounds = []
    for operand in work.operands:
        ends: Sequence[Any] = (operand, operand)
        if isinstance(operand, str):
            column = table.frame.get_column(operand)
            ends = (column.min() or 0, column.max() or 0)
        bounds.append((int(ends[0]), int(ends[1])))
    return may_overflow(name, bounds)
