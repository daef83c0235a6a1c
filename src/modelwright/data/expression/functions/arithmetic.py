"""Arithmetic: 64-bit whole numbers that wrap around, IEEE doubles that never raise."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from modelwright.data.expression.functions.form import (
    DOUBLE,
    INTEGER,
    Form,
    Function,
    where_given,
)
from modelwright.data.expression.functions.later import np, pl


def wrapped(value: int) -> int:
    """The whole number as 64 bits hold it."""
    if -(2**63) <= value < 2**63:
        return value
    return (value + 2**63) % 2**64 - 2**63


def divide(a: float, b: float) -> float:
    """Quotient, with an infinity or not a number where b is zero."""
    if b:
        return a / b
    if a == 0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def power(a: float, b: float) -> float:
    """Power as C has it: an infinity on overflow, not a number outside the domain."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        if a != 0:
            return math.nan
        return math.copysign(math.inf, a) if b % 2 == 1 else math.inf


def _powers(a: Any, b: Any) -> Any:
    """The same over arrays, by Polars, which asks the C library where both are columns."""
    bases, exponents = np.broadcast_arrays(a, b)
    if len(bases) == 1:
        # A single exponent is a constant to Polars, which has ways of its own for some of them.
        return np.array([power(float(bases[0]), float(exponents[0]))])
    found = pl.Series(np.array(bases)).pow(pl.Series(np.array(exponents)))
    return found.to_numpy()


def _floor_divide(a: float, b: float) -> float:
    found = divide(a, b)
    if not math.isfinite(found):
        return found
    return math.copysign(float(math.floor(found)), found)


def _modulo(a: float, b: float) -> float:
    return a % b if b else math.nan


def _sign(a: float) -> float:
    return 1.0 if a > 0 else -1.0 if a < 0 else a


def _minimum(a: float, b: float) -> float:
    return b if b < a or b != b else a


def _maximum(a: float, b: float) -> float:
    return b if b > a or b != b else a


def _clip(a: float, low: float, high: float) -> float:
    return low if a < low else high if a > high else a


def _table_minimum(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    chosen = pl.when(b.is_nan() | ((b < a) & a.is_not_nan())).then(b).otherwise(a)
    return where_given(chosen, a, b)


def _table_maximum(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    chosen = pl.when(b.is_nan() | ((b > a) & a.is_not_nan())).then(b).otherwise(a)
    return where_given(chosen, a, b)


def _table_clip(a: pl.Expr, low: pl.Expr, high: pl.Expr) -> pl.Expr:
    below = (a < low) & low.is_not_nan()
    above = (a > high) & a.is_not_nan()
    return where_given(pl.when(below).then(low).when(above).then(high).otherwise(a), a, low, high)


def _pair(
    name: str,
    sign: str,
    whole: Callable[[int, int], int],
    plain: Callable[[Any, Any], Any],
    vector: Callable[..., Any],
) -> Function:
    return Function(
        name,
        (
            Form(takes=(INTEGER, INTEGER), gives=INTEGER, row=whole, table=plain),
            Form(
                takes=(DOUBLE, DOUBLE),
                gives=DOUBLE,
                row=plain,
                inline=f"({{0}} {sign} {{1}})",
                atoms=False,
                promotes=True,
                # Polars takes x + 0.0 for x and 0.0 - x for -x, which have other signs of zero.
                beside=plain,
                vector=vector,
            ),
        ),
    )


FUNCTIONS = (
    _pair("add", "+", lambda a, b: wrapped(a + b), operator.add, lambda a, b: np.add(a, b)),
    _pair(
        "subtract", "-", lambda a, b: wrapped(a - b), operator.sub, lambda a, b: np.subtract(a, b)
    ),
    _pair(
        "multiply", "*", lambda a, b: wrapped(a * b), operator.mul, lambda a, b: np.multiply(a, b)
    ),
    Function(
        "divide",
        (
            Form(
                takes=(DOUBLE, DOUBLE),
                gives=DOUBLE,
                row=divide,
                inline="({0} / {1} if {1} else {f}({0}, {1}))",
                # Polars multiplies by the reciprocal of a constant, which is not the same number.
                vector=lambda a, b: np.divide(a, b),
            ),
        ),
    ),
    Function(
        "floor_divide",
        (
            Form(
                takes=(INTEGER, INTEGER),
                gives=INTEGER,
                row=lambda a, b: wrapped(a // b) if b else None,
                partial=True,
                table=operator.floordiv,
            ),
            Form(
                takes=(DOUBLE, DOUBLE),
                gives=DOUBLE,
                row=_floor_divide,
                vector=lambda a, b: np.floor(np.divide(a, b)),
            ),
        ),
    ),
    Function(
        "modulo",
        (
            Form(
                takes=(INTEGER, INTEGER),
                gives=INTEGER,
                row=lambda a, b: a % b if b else None,
                partial=True,
                table=operator.mod,
            ),
            Form(takes=(DOUBLE, DOUBLE), gives=DOUBLE, row=_modulo),
        ),
    ),
    Function("power", (Form(takes=(DOUBLE, DOUBLE), gives=DOUBLE, row=power, vector=_powers),)),
    Function(
        "negate",
        (
            Form(takes=(INTEGER,), gives=INTEGER, row=lambda a: wrapped(-a), table=operator.neg),
            Form(
                takes=(DOUBLE,),
                gives=DOUBLE,
                row=operator.neg,
                inline="(-{0})",
                atoms=False,
                table=operator.neg,
            ),
        ),
    ),
    Function(
        "abs",
        (
            Form(
                takes=(INTEGER,),
                gives=INTEGER,
                row=lambda a: wrapped(abs(a)),
                table=operator.methodcaller("abs"),
            ),
            Form(takes=(DOUBLE,), gives=DOUBLE, row=abs, table=operator.methodcaller("abs")),
        ),
    ),
    Function(
        "sign",
        (
            Form(
                takes=(INTEGER,),
                gives=INTEGER,
                row=lambda a: (a > 0) - (a < 0),
                table=operator.methodcaller("sign"),
            ),
            Form(takes=(DOUBLE,), gives=DOUBLE, row=_sign, table=operator.methodcaller("sign")),
        ),
    ),
    Function(
        "minimum",
        (
            Form(
                takes=(INTEGER, INTEGER),
                gives=INTEGER,
                row=min,
                table=lambda a, b: where_given(pl.min_horizontal(a, b), a, b),
            ),
            Form(
                takes=(DOUBLE, DOUBLE),
                gives=DOUBLE,
                row=_minimum,
                inline="({1} if {1} < {0} or {1} != {1} else {0})",
                table=_table_minimum,
            ),
        ),
    ),
    Function(
        "maximum",
        (
            Form(
                takes=(INTEGER, INTEGER),
                gives=INTEGER,
                row=max,
                table=lambda a, b: where_given(pl.max_horizontal(a, b), a, b),
            ),
            Form(
                takes=(DOUBLE, DOUBLE),
                gives=DOUBLE,
                row=_maximum,
                inline="({1} if {1} > {0} or {1} != {1} else {0})",
                table=_table_maximum,
            ),
        ),
    ),
    Function(
        "clip",
        (
            Form(
                takes=(INTEGER, INTEGER, INTEGER),
                gives=INTEGER,
                row=_clip,
                inline="({1} if {0} < {1} else {2} if {0} > {2} else {0})",
                table=lambda a, low, high: where_given(
                    pl.when(a < low).then(low).when(a > high).then(high).otherwise(a), a, low, high
                ),
            ),
            Form(
                takes=(DOUBLE, DOUBLE, DOUBLE),
                gives=DOUBLE,
                row=_clip,
                inline="({1} if {0} < {1} else {2} if {0} > {2} else {0})",
                table=_table_clip,
            ),
        ),
    ),
)
