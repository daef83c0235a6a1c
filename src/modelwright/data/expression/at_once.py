"""Steps of a formula carried out on a frame that is there, without a plan, where each column has a kernel.

A plan takes longer than the work on a short table, and its engine hands kernels over one by one.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from modelwright.data.expression.nodes import Call, Column, Expression
from modelwright.data.expression.steps import Compute
from modelwright.data.expression.table import TableForm
from modelwright.data.schema import ColumnType
from modelwright.data.side_by_side import side_by_side

Made = Callable[[], pl.Series]

_DOUBLES = (ColumnType.DOUBLE, ColumnType.INTEGER)


def computed(frame: pl.DataFrame, step: Compute) -> pl.DataFrame | None:
    """The frame after the step; None where a column of it wants an expression of Polars.

    Raises as `Formula.outputs`.
    """
    if not frame.height:
        return None
    form = TableForm(frame.schema)
    works: dict[str, Made] = {}
    for name, expression in step.columns.items():
        work = _column(frame, form, expression, form.types.result(expression, name))
        if work is None:
            return None
        works[name] = work
    names = list(works)
    made = side_by_side(lambda n: works[n](), names, values=frame.height * len(names))
    found = dict(zip(names, made, strict=True))
    return pl.DataFrame({column.name: column for column in frame.get_columns()} | found)


def _column(
    frame: pl.DataFrame, form: TableForm, expression: Expression, wanted: ColumnType
) -> Made | None:
    """How a column of the expression's values is made, in the type wanted; None where it is not so."""
    given = form.types.of(expression)
    if given is not wanted and not (given in _DOUBLES and wanted is ColumnType.DOUBLE):
        return None
    dtype = wanted.dtype
    if isinstance(expression, Column):
        column = frame.get_column(expression.name)
        return (lambda: column.cast(dtype)) if given and column.dtype == given.dtype else None
    if isinstance(expression, Call) and expression.function == "to_double" and given in _DOUBLES:
        (term,) = expression.arguments
        if form.types.of(term) in _DOUBLES:
            return _column(frame, form, term, wanted)
    kernel = form.kernel(expression)
    if kernel is None:
        return None
    inputs = [_column(frame, form, e, kind) for e, kind in kernel.inputs]
    there = [one for one in inputs if one is not None]
    if not inputs or len(there) < len(inputs):
        return None
    work = kernel.work
    # Renamed, because methods of a series named like a pattern find no column.
    return lambda: work([one().alias("value") for one in there]).cast(dtype)
