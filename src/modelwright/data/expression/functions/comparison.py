"""Comparisons: numbers by IEEE 754, text by code point, false before true."""

from __future__ import annotations

import operator
from collections.abc import Callable

from modelwright.data.expression.functions.form import (
    BOOLEAN,
    DATETIME,
    DOUBLE,
    INTEGER,
    STRING,
    Form,
    Function,
)
from modelwright.data.expression.functions.later import pl

# Polars holds not a number for equal to itself and greater than all; each of these takes that back
# and still gives null where either side is null.


def _ahead(
    compare: Callable[[pl.Expr, pl.Expr], pl.Expr], turned: Callable[[pl.Expr, pl.Expr], pl.Expr]
) -> Callable[[pl.Expr, pl.Expr], pl.Expr]:
    """The comparison with the column ahead of a constant.

    The other way round, the engine in memory gives one value for a column that is the same everywhere.
    """

    def ahead(a: pl.Expr, b: pl.Expr) -> pl.Expr:
        # Neither tells a column whose name reads like a pattern; then what is no mere constant goes ahead.
        constant = b.meta.root_names() or a.meta.is_literal()
        return turned(b, a) if constant and not a.meta.root_names() else compare(a, b)

    return ahead


_EQ, _NE = _ahead(operator.eq, operator.eq), _ahead(operator.ne, operator.ne)
_LT, _LE = _ahead(operator.lt, operator.gt), _ahead(operator.le, operator.ge)
_GT, _GE = _ahead(operator.gt, operator.lt), _ahead(operator.ge, operator.le)


def _equal(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _EQ(a, b) & (a.is_not_nan() | b.is_null())


def _not_equal(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _NE(a, b) | (a.is_nan() & b.is_not_null())


def _less(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _LT(a, b) & (b.is_not_nan() | a.is_null())


def _less_or_equal(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return _LE(a, b) & (b.is_not_nan() | a.is_null())


def _compare(
    name: str,
    sign: str,
    row: Callable[..., bool],
    exactly: Callable[[pl.Expr, pl.Expr], pl.Expr],
    doubles: Callable[[pl.Expr, pl.Expr], pl.Expr],
) -> Function:
    return Function(
        name,
        tuple(
            Form(
                takes=(kind, kind),
                gives=BOOLEAN,
                row=row,
                inline=f"({{0}} {sign} {{1}})",
                atoms=False,
                table=doubles if kind is DOUBLE else exactly,
            )
            for kind in (BOOLEAN, INTEGER, DOUBLE, STRING, DATETIME)
        ),
    )


FUNCTIONS = (
    _compare("equal", "==", operator.eq, _EQ, _equal),
    _compare("not_equal", "!=", operator.ne, _NE, _not_equal),
    _compare("less", "<", operator.lt, _LT, _less),
    _compare("less_or_equal", "<=", operator.le, _LE, _less_or_equal),
    _compare("greater", ">", operator.gt, _GT, lambda a, b: _less(b, a)),
    _compare("greater_or_equal", ">=", operator.ge, _GE, lambda a, b: _less_or_equal(b, a)),
)
