"""Functions of one or two doubles, as NumPy or the C library has them; not a number outside their domain.

Both forms of a function call the same, so that they give the same bits: NumPy, which is quicker over a
column, or the C library, which is there without loading NumPy, for what models score a row with.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import methodcaller
from typing import TYPE_CHECKING

from modelwright.data.expression.functions.form import BOOLEAN, DOUBLE, Form, Function
from modelwright.data.expression.functions.later import np, pl, quietly, ufunc
from modelwright.data.expression.functions.normal import normal_cdf, normal_cdfs

if TYPE_CHECKING:
    from modelwright.data.expression.functions.form import Vector


# The exponential of less is finite, with some to spare.
_EXPONENT = 700.0


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


def _sqrt(a: float) -> float:
    return math.sqrt(a) if a >= 0.0 else math.nan


def logistic(a: float) -> float:
    """The logistic function by NumPy's exponential."""
    return 1.0 / (1.0 + (ufunc("exp")(-a).item() if a > -_EXPONENT else quietly("exp", -a)))


def _logistics(a: Vector) -> Vector:
    found = np.negative(a)
    np.exp(found, out=found)
    found += 1.0
    found_as: Vector = np.divide(1.0, found, out=found)
    return found_as


def _log(a: float, base: float) -> float:
    """Logarithm to a base: ln a / ln base, both as doubles."""
    above, below = ln(a), ln(base)
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


def _by_numpy(name: str, above: float = -math.inf, below: float = math.inf) -> Form:
    """A function of NumPy's in both forms.

    above, below: between them, both excluded, it warns of nothing.
    """

    def row(a: float) -> float:
        if above < a < below:
            found: float = ufunc(name)(a).item()
            return found
        return quietly(name, a)

    return Form(takes=(DOUBLE,), gives=DOUBLE, row=row, ufunc=name)


def _numpy(name: str, theirs: str, above: float = -math.inf, below: float = math.inf) -> Function:
    return Function(name, (_by_numpy(theirs, above, below),))


ln: Callable[..., float] = _by_numpy("log", 0.0).row  # type: ignore[assignment]

FUNCTIONS = (
    _one("exp", exp, methodcaller("exp")),
    _numpy("exp2", "exp2", below=1000.0),
    _numpy("expm1", "expm1", below=_EXPONENT),
    _numpy("ln", "log", 0.0),
    _numpy("log1p", "log1p", -1.0),
    _numpy("log2", "log2", 0.0),
    _numpy("log10", "log10", 0.0),
    Function(
        "log",
        (
            Form(
                takes=(DOUBLE, DOUBLE),
                gives=DOUBLE,
                row=_log,
                vector=lambda a, base: np.divide(np.log(a), np.log(base)),
            ),
        ),
    ),
    Function("sqrt", (Form(takes=(DOUBLE,), gives=DOUBLE, row=_sqrt, ufunc="sqrt"),)),
    _numpy("cbrt", "cbrt"),
    _one("sigmoid", sigmoid, lambda a: 1.0 / (1.0 + (-a).exp())),
    _one("logistic", logistic, vector=_logistics),
    _one("normal_cdf", normal_cdf, vector=normal_cdfs),
    _one("erf", math.erf, vector=_each(math.erf)),
    _one("erfc", math.erfc, vector=_each(math.erfc)),
    _numpy("sin", "sin"),
    _numpy("cos", "cos"),
    _numpy("tan", "tan"),
    _numpy("asin", "arcsin", -1.0, 1.0),
    _numpy("acos", "arccos", -1.0, 1.0),
    _numpy("atan", "arctan"),
    _numpy("sinh", "sinh", -_EXPONENT, _EXPONENT),
    _numpy("cosh", "cosh", -_EXPONENT, _EXPONENT),
    _numpy("tanh", "tanh"),
    _numpy("asinh", "arcsinh"),
    _numpy("acosh", "arccosh", 1.0),
    _numpy("atanh", "arctanh", -1.0, 1.0),
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
