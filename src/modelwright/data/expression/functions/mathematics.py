"""Functions of one or two doubles, as the C library has them; not a number outside their domain.

The table forms that Polars has are kept only where they call the same C library, so that both forms
give the same bits; elsewhere the row form runs over the column.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import methodcaller
from typing import TYPE_CHECKING

from modelwright.data.expression.functions.form import BOOLEAN, DOUBLE, Form, Function
from modelwright.data.expression.functions.later import np, pl
from modelwright.data.expression.functions.normal import normal_cdf, normal_cdfs

if TYPE_CHECKING:
    from modelwright.data.expression.functions.form import Vector


def _safe(
    f: Callable[[float], float], *, overflow: float = math.inf, pole: float = math.nan
) -> Callable[[float], float]:
    """The function with an infinity for overflow, `pole` at zero, not a number outside its domain.

    overflow: for positive arguments; an odd function gives the other infinity for negative ones.
    """

    def total(a: float) -> float:
        try:
            return f(a)
        except ValueError:
            return pole if a == 0 else math.nan
        except OverflowError:
            return overflow

    return total


def exp(a: float) -> float:
    """Exponential, an infinity on overflow."""
    try:
        return math.exp(a)
    except OverflowError:
        return math.inf


def sigmoid(a: float) -> float:
    """Logistic function, 1 / (1 + exp(-a))."""
    try:
        return 1.0 / (1.0 + math.exp(-a))
    except OverflowError:
        return 0.0


def _log1p(a: float) -> float:
    if a > -1.0:
        return math.log1p(a)
    return -math.inf if a == -1.0 else math.nan


def _sinh(a: float) -> float:
    try:
        return math.sinh(a)
    except OverflowError:
        return math.copysign(math.inf, a)


def _atanh(a: float) -> float:
    if -1.0 < a < 1.0:
        return math.atanh(a)
    return math.copysign(math.inf, a) if abs(a) == 1.0 else math.nan


def _log(a: float, base: float) -> float:
    """Logarithm to a base: ln a / ln base, both as doubles."""
    above, below = _ln(a), _ln(base)
    if below:
        return above / below
    if above == 0 or above != above:
        return math.nan
    return math.copysign(math.inf, above)


def _one(
    name: str,
    row: Callable[[float], float],
    table: Callable[[pl.Expr], pl.Expr] | None = None,
    vector: Callable[[Vector], Vector] | None = None,
) -> Function:
    form = Form(takes=(DOUBLE,), gives=DOUBLE, row=row, table=table, vector=vector)
    return Function(name, (form,))


def _each(f: Callable[[float], float]) -> Callable[[Vector], Vector]:
    """A function of the C library that never raises, over an array: the loop is in C, too."""
    return lambda a: np.fromiter(map(f, a.tolist()), np.float64, len(a))


_ln = _safe(math.log, pole=-math.inf)

FUNCTIONS = (
    _one("exp", exp, methodcaller("exp")),
    _one("exp2", _safe(math.exp2)),
    _one("expm1", _safe(math.expm1)),
    _one("ln", _ln, methodcaller("log")),
    _one("log1p", _log1p, methodcaller("log1p")),
    _one("log2", _safe(math.log2, pole=-math.inf)),
    _one("log10", _safe(math.log10, pole=-math.inf)),
    Function("log", (Form(takes=(DOUBLE, DOUBLE), gives=DOUBLE, row=_log),)),
    _one("sqrt", _safe(math.sqrt), methodcaller("sqrt")),
    _one("cbrt", math.cbrt, vector=_each(math.cbrt)),
    _one("sigmoid", sigmoid, lambda a: 1.0 / (1.0 + (-a).exp())),
    _one("normal_cdf", normal_cdf, vector=normal_cdfs),
    _one("erf", math.erf, vector=_each(math.erf)),
    _one("erfc", math.erfc, vector=_each(math.erfc)),
    _one("sin", _safe(math.sin), methodcaller("sin")),
    _one("cos", _safe(math.cos), methodcaller("cos")),
    _one("tan", _safe(math.tan), methodcaller("tan")),
    _one("asin", _safe(math.asin), methodcaller("arcsin")),
    _one("acos", _safe(math.acos), methodcaller("arccos")),
    _one("atan", math.atan, methodcaller("arctan")),
    _one("sinh", _sinh, methodcaller("sinh")),
    _one("cosh", _safe(math.cosh), methodcaller("cosh")),
    _one("tanh", math.tanh, methodcaller("tanh")),
    _one("asinh", math.asinh, vector=_each(math.asinh)),
    _one("acosh", _safe(math.acosh)),
    _one("atanh", _atanh),
    _one("degrees", math.degrees, methodcaller("degrees")),
    _one("radians", math.radians, methodcaller("radians")),
    Function(
        "atan2",
        (
            Form(
                takes=(DOUBLE, DOUBLE),
                gives=DOUBLE,
                row=math.atan2,
                table=lambda a, b: pl.arctan2(a, b),
            ),
        ),
    ),
    Function("hypot", (Form(takes=(DOUBLE, DOUBLE), gives=DOUBLE, row=math.hypot),)),
    Function(
        "is_finite",
        (Form(takes=(DOUBLE,), gives=BOOLEAN, row=math.isfinite, table=methodcaller("is_finite")),),
    ),
    Function(
        "is_nan",
        (
            Form(
                takes=(DOUBLE,),
                gives=BOOLEAN,
                row=math.isnan,
                inline="({0} != {0})",
                table=methodcaller("is_nan"),
            ),
        ),
    ),
)
