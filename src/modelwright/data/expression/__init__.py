"""Columns computed from columns, as data: one truth with a Table form and a row form.

    from modelwright.data.expression import Compute, Filter, Formula, any_missing, column, dot, lookup

    fitted = Formula(
        Filter(~any_missing(["make", "width"]), "a value is missing"),
        Compute({"Scored Labels": dot([(lookup(column("make"), {"bmw": 9e3}, 0.0), 1.0),
                                       ((column("width") - 65.9) / 2.1, 740.0)], 13_000.0)}),
    )
    fitted.apply(frame)                       # training and batch: Polars over the whole frame
    fitted.compile_rows(schema).score(row)    # a request: straight-line Python

Both forms give the same values, bit for bit, because both follow these rules:

- **Types** are those of `ColumnType` and known before there are rows.  In arithmetic, sums and choices
  true and false count as 1 and 0, and a whole number stands where a fractional one is wanted.  Nothing
  else is converted silently: text never becomes a number without `cast`.  A computed column always has
  the plain Polars type of its column type; a column that is not computed passes through untouched.
- **Null** makes the result null, in functions, comparisons and sums.  Exceptions: `is_missing`,
  `fill_missing`, `when` (a null condition counts as false), `lookup` (the key None, else the default),
  native calls (null is handed over as not a number) and logic, which is Kleene's: false and null is
  false, true or null is true.
- **Not a number** follows IEEE 754 in arithmetic and comparisons: it equals nothing, not even itself,
  and is neither less nor greater.  For `is_missing`, `fill_missing`, `lookup`, `bucket` and `cast` it is
  missing, as null is.
- **No value raises.**  Doubles: x / 0 is an infinity, 0 / 0 not a number, overflow an infinity, a value
  outside a function's domain not a number.  Whole numbers have 64 bits and wrap around; `/` and `power`
  of whole numbers give doubles; `//` and `%` round down, and by zero give null for whole numbers.
  `cast` gives null for what has no counterpart.
- **Filter** keeps the rows for which its condition is true, not those for which it is null.
- **Text** is compared and counted by code points.  **Date-times** are in UTC and carry no zone; columns
  with a zone are brought to UTC where an expression reads them.
- **Order**: `dot` adds its terms from left to right, so that both forms round alike.

Functions such as `exp` and `sin` come from the platform's C library in both forms: Polars' own are used
only where they call it too, which the property tests check.  What row form and Table form expect of
their caller is that values have the types of their columns.
"""

from __future__ import annotations

from modelwright.data.expression.build import (
    all_of,
    any_missing,
    any_of,
    bucket,
    call,
    column,
    concat,
    dot,
    literal,
    lookup,
    native,
    when,
)
from modelwright.data.expression.errors import (
    DuplicateColumn,
    ExpressionTypeMismatch,
    InvalidExpression,
    MalformedFormula,
    MissingNative,
    UnknownFunction,
)
from modelwright.data.expression.formula import Formula
from modelwright.data.expression.nodes import Expression
from modelwright.data.expression.rows import Dropped, RecordReply, Records, RowProgram
from modelwright.data.expression.scalars import Scalar
from modelwright.data.expression.steps import Compute, Drop, Filter, Keep, Rename, Step
from modelwright.data.expression.tracking import Tracked

__all__ = [
    "Compute",
    "Drop",
    "Dropped",
    "DuplicateColumn",
    "Expression",
    "ExpressionTypeMismatch",
    "Filter",
    "Formula",
    "InvalidExpression",
    "Keep",
    "MalformedFormula",
    "MissingNative",
    "RecordReply",
    "Records",
    "Rename",
    "RowProgram",
    "Scalar",
    "Step",
    "Tracked",
    "UnknownFunction",
    "all_of",
    "any_missing",
    "any_of",
    "bucket",
    "call",
    "column",
    "concat",
    "dot",
    "literal",
    "lookup",
    "native",
    "when",
]
