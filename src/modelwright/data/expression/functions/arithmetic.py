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
from modelwright.data.expression.functions.later import np, pl, quietly


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
    """Power as NumPy has it: an infinity on overflow, not a number outside the domain."""
    if b == 2.0:
        return a * a
    if b == -1.0:
        return divide(1.0, a)
    if b == 0.5:
        return math.inf if a == -math.inf else math.sqrt(a) + 0.0 if a >= 0.0 else math.nan
    return quietly("power", a, b)


def _powers(a: Any, b: Any, out: Any = None) -> Any:
    """The same over arrays; NumPy has other ways of its own for these exponents, but only some times."""
    if not isinstance(b, float):
        found = np.power(a, b)
        for exponent in (2.0, -1.0, 0.5):
            here = np.broadcast_to(b == exponent, found.shape)
            if here.any():
                found[here] = _powers(np.broadcast_to(a, found.shape)[here], exponent)
        return found
    if b == 2.0:
        return np.multiply(a, a)
    if b == -1.0:
        return np.divide(1.0, a)
    if b == 0.5:
        found = np.sqrt(a)
        found += 0.0
        found[a == -math.inf] = math.inf
        return found
    return np.power(a, b, out=out)


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


def _minima(a: Any, b: Any) -> Any:
    # Of two zeros NumPy may take either.
    return np.minimum(a, b) if _no_zero(b) else np.where((b < a) | (b != b), b, a)


def _maxima(a: Any, b: Any) -> Any:
    return np.maximum(a, b) if _no_zero(b) else np.where((b > a) | (b != b), b, a)


def _clips(a: Any, low: Any, high: Any) -> Any:
    if _no_zero(low) and _no_zero(high) and low <= high:
        return np.clip(a, low, high)
    return np.where(a < low, low, np.where(a > high, high, a))


def _no_zero(bound: Any) -> bool:
    return isinstance(bound, float) and bound != 0.0 and bound == bound


def _pair(
    name: str,
    sign: str,
    whole: Callable[[int, int], int],
    plain: Callable[[Any, Any], Any],
    ufunc: str,
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
                ufunc=ufunc,
            ),
        ),
    )


FUNCTIONS = (
    _pair("add", "+", lambda a, b: wrapped(a + b), operator.add, "add"),
    _pair("subtract", "-", lambda a, b: wrapped(a - b), operator.sub, "subtract"),
    _pair("multiply", "*", lambda a, b: wrapped(a * b), operator.mul, "multiply"),
    Function(
        "divide",
        (
            Form(
                takes=(DOUBLE, DOUBLE),
                gives=DOUBLE,
                row=divide,
                inline="({0} / {1} if {1} else {f}({0}, {1}))",
                # Polars multiplies by the reciprocal of a constant, which is not the same number.
                ufunc="divide",
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
    Function(
        "power",
        (Form(takes=(DOUBLE, DOUBLE), gives=DOUBLE, row=power, vector=_powers, places=True),),
    ),
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
                vector=_minima,
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
                vector=_maxima,
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
                vector=_clips,
            ),
        ),
    ),
)
