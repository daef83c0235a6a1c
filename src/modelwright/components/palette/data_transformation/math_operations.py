"""The mathematical functions of Apply Math Operation, each as an expression where one can say it.

An argument is `a`; where there are two, `a` is from the selected column and `b` is the second argument.
What an expression cannot say works on NumPy arrays, with NaN for missing values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelwright.data.expression import Expression, Scalar, call, literal, lookup, when
from modelwright.data.expression.nodes import Literal
from modelwright.data.schema import ColumnType

Vector = np.ndarray[Any, np.dtype[np.float64]]
One = Callable[[Expression], Expression]
Two = Callable[[Expression, Expression], Expression]

_EULER = 0.5772156649015329
# Relative, of a decimal fraction as a double that was multiplied: a few units in its last place.
_ERROR = 2.0**-50
_MOST_STEPS, _MOST_DIGITS = 2.0**48, 308


@dataclass(frozen=True)
class Operation:
    """A function of one or two arguments, as an expression or, else, over arrays."""

    arguments: int
    expression: Callable[..., Expression] | None = None
    arrays: Callable[..., Vector] | None = None


def _one(work: One) -> Operation:
    return Operation(1, work)


def _two(work: Two) -> Operation:
    return Operation(2, work)


def _named(function: str) -> Operation:
    return Operation(1, lambda a: call(function, a))


def _compared(work: Two) -> Operation:
    """A comparison; where a side is missing there is no answer."""
    return Operation(2, lambda a, b: when(a.is_missing() | b.is_missing(), None, work(a, b)))


def _special(name: str) -> Operation:
    """A function of SciPy of one argument."""

    def work(a: Vector) -> Vector:
        from scipy import special

        found: Vector = getattr(special, name)(a)
        return found

    return Operation(1, arrays=work)


def _special_of(name: str) -> Operation:
    """A function of SciPy whose parameter comes first: here it is the second argument."""

    def work(a: Vector, b: Vector) -> Vector:
        from scipy import special

        found: Vector = getattr(special, name)(b, a)
        return found

    return Operation(2, arrays=work)


def _inverse(function: str) -> Operation:
    """A function of 1 / a."""
    return Operation(1, lambda a: call(function, 1.0 / a))


def _over(function: str) -> Operation:
    """1 / a function of a."""
    return Operation(1, lambda a: 1.0 / call(function, a))


def _in_degrees(work: One) -> Operation:
    return Operation(1, lambda a: call("degrees", work(a)))


def _table(values: Mapping[int, float]) -> Operation:
    """A function of whole numbers from 0, infinite beyond the last; not a number for others."""
    entries: dict[Scalar, Scalar] = {float(n): value for n, value in values.items()}
    last = float(max(values))

    def work(a: Expression) -> Expression:
        x = a.cast(ColumnType.DOUBLE)
        beyond = (x > last) & call("floor", x).equals(x)
        found = when(beyond, math.inf, lookup(x, entries, math.nan))
        return when(a.is_missing(), None, found)

    return Operation(1, work)


def _nth_root(a: Expression, n: Expression) -> Expression:
    # Odd roots of negative numbers are real, though no power of them is.
    x = a.cast(ColumnType.DOUBLE)
    odd = call("abs", n.cast(ColumnType.DOUBLE) % 2.0).equals(1.0)
    return when((x < 0.0) & odd, -_root(-x, n), _root(x, n))


def _root(x: Expression, n: Expression) -> Expression:
    # The third root of 64 is 4, though 64 ** (1 / 3) is 3.9999999999999996.
    found = x ** (1.0 / n)
    whole = call("round", found)
    return when((whole**n).equals(x), whole, found)


def _logarithm(a: Expression, base: Expression) -> Expression:
    # Those of their own are exact: by quotients the one of 1000 is 2.9999999999999996.
    match base:
        case Literal(2):
            return call("log2", a)
        case Literal(10):
            return call("log10", a)
    return call("log", a, base)


def _sine(a: Expression) -> Expression:
    return when((a % 180.0).equals(0.0), 0.0, call("sin", call("radians", a)))


def _cosine(a: Expression) -> Expression:
    return when((a % 180.0).equals(90.0), 0.0, call("cos", call("radians", a)))


def _tangent(a: Expression) -> Expression:
    within = a % 180.0
    slope = call("tan", call("radians", a))
    return when(within.equals(0.0), 0.0, when(within.equals(90.0), math.inf, slope))


def _spacing(a: Vector) -> Vector:
    return np.spacing(np.abs(a))


def _entire_exponential_integral(a: Vector) -> Vector:
    """Ein: the integral of (1 - exp(-t)) / t from 0 to a."""
    from scipy import special

    far = np.where(a > 0, special.exp1(np.abs(a)), -special.expi(np.abs(a)))
    far = far + np.log(np.abs(a)) + _EULER
    near, term = np.zeros_like(a), np.ones_like(a)
    small = np.where(np.abs(a) < 1, a, 0.0)
    for k in range(1, 25):
        term = term * -small / k
        near = near - term / k
    return np.where(np.abs(a) < 1, near, far)


def _polygamma(a: Vector, order: Vector) -> Vector:
    from scipy import special

    whole = (order >= 0) & (np.floor(order) == order)
    found: Vector = special.polygamma(np.where(whole, order, 0), a)
    return np.where(whole, found, np.nan)


def _erfcx(a: Vector) -> Vector:
    from scipy import special

    found: Vector = special.erfcx(a)
    return found


def _to_odd(a: Expression) -> Expression:
    size = call("floor", call("abs", a) / 2.0) * 2.0 + 1.0
    return when(a < 0, -size, size)


def _to_even(a: Expression) -> Expression:
    size = call("floor", call("abs", a) / 2.0 + 0.5) * 2.0
    return when(a < 0, -size, size)


def _next_power_of_two(a: Expression) -> Expression:
    return call("exp2", call("ceiling", call("log2", a)))


def _scaled(work: One, nearly: One | None = None) -> Two:
    """The function at a number of digits after the point, or before it when that is below 0.

    nearly: moves what lies within the error of a product past the step that it stands before.
    """

    def finer(a: Expression, scale: Expression | float) -> Expression:
        # 0.29 * 100 is 28.999999999999996, and must not be taken for less than 29.
        x = a.cast(ColumnType.DOUBLE)
        steps = x * scale
        done = work(nearly(steps) if nearly else steps) / scale
        # A double that has so many steps has no digits beyond them.
        return when(call("abs", steps) < _MOST_STEPS, done, x)

    def scaled(a: Expression, digits: Expression) -> Expression:
        match digits:
            case Literal(0):
                return work(a)
            case Literal(int(number)):
                scale = 10.0 ** min(abs(number), _MOST_DIGITS)
                return finer(a, scale) if number > 0 else work(a / scale) * scale
        count = call("minimum", call("abs", digits), float(_MOST_DIGITS))
        size = literal(10.0) ** count
        return when(digits >= 0, finer(a, size), work(a / size) * size)

    return scaled


def _outward(a: Expression) -> Expression:
    return a * (1.0 + _ERROR)


def _inward(a: Expression) -> Expression:
    return a * (1.0 - _ERROR)


def _upward(a: Expression) -> Expression:
    return a + call("abs", a) * _ERROR


def _up(a: Expression) -> Expression:
    return call("sign", a) * call("ceiling", call("abs", a))


BASIC: dict[str, Operation] = {
    "Abs": _named("abs"),
    "Atan2": _two(lambda a, b: call("atan2", a, b)),
    "Conj": _one(lambda a: a),
    "CubeRoot": _named("cbrt"),
    "DoubleFactorial": _table({n: float(math.prod(range(n, 0, -2))) for n in range(301)}),
    "Eps": Operation(1, arrays=_spacing),
    "Exp": _named("exp"),
    "Exp2": _two(lambda a, b: b * call("exp2", a)),
    "ExpMinus1": _named("expm1"),
    "Factorial": _table({n: float(math.factorial(n)) for n in range(171)}),
    "Hypotenuse": _two(lambda a, b: call("hypot", a, b)),
    "Ln": _named("ln"),
    "LnPlus1": _named("log1p"),
    "Log": _two(_logarithm),
    "Log10": _named("log10"),
    "Log2": _named("log2"),
    "NthRoot": _two(_nth_root),
    "Pow": _two(lambda a, b: a**b),
    "Sqrt": _named("sqrt"),
    "SqrtPi": _one(lambda a: call("sqrt", a * math.pi)),
    "Square": _one(lambda a: a * a),
}

COMPARE: dict[str, Operation] = {
    "EqualTo": _compared(lambda a, b: a.equals(b)),
    "GreaterThan": _compared(lambda a, b: a > b),
    "GreaterThanOrEqualTo": _compared(lambda a, b: a >= b),
    "LessThan": _compared(lambda a, b: a < b),
    "LessThanOrEqualTo": _compared(lambda a, b: a <= b),
    "NotEqualTo": _compared(lambda a, b: a.differs(b)),
    "PairMax": _two(lambda a, b: call("maximum", a, b)),
    "PairMin": _two(lambda a, b: call("minimum", a, b)),
}

OPERATIONS: dict[str, Operation] = {
    "Add": _two(lambda a, b: a + b),
    "Divide": _two(lambda a, b: a / b),
    "Multiply": _two(lambda a, b: a * b),
    "Subtract": _two(lambda a, b: a - b),
}

ROUNDING: dict[str, Operation] = {
    "Ceiling": _named("ceiling"),
    "CeilingPower2": _one(_next_power_of_two),
    "Floor": _two(_scaled(lambda a: call("floor", a), _upward)),
    "Mod": _two(lambda a, b: a % b),
    "Quotient": _two(lambda a, b: a // b),
    "Remainder": _two(lambda a, b: a - b * call("truncate", a / b)),
    "RoundDigits": _two(_scaled(lambda a: call("round", a), _outward)),
    "RoundDown": _two(_scaled(lambda a: call("truncate", a), _outward)),
    "RoundUp": _two(_scaled(_up, _inward)),
    "ToEven": _one(_to_even),
    "ToOdd": _one(_to_odd),
    "Truncate": _two(_scaled(lambda a: call("truncate", a), _outward)),
}
"""Where there is a second argument it is the precision: digits, or the divisor for `DIVISORS`."""

DIVISORS = ("Mod", "Quotient", "Remainder")

GROWING = ("Abs", "Add", "Multiply", "Square", "Subtract")
"""What of whole numbers may give one that 64 bits do not hold."""


def may_overflow(name: str, bounds: Sequence[tuple[int, int]]) -> bool:
    """Whether one of `GROWING` may give such a number, from the smallest and largest of each argument."""
    (low, high), (least, most) = bounds[0], bounds[-1]
    corners = {
        "Abs": (-low, high),
        "Add": (low + least, high + most),
        "Subtract": (low - most, high - least),
    }
    products = (low * least, low * most, high * least, high * most)
    return not all(-(2**63) <= c < 2**63 for c in corners.get(name, products))


SPECIAL: dict[str, Operation] = {
    "Beta": _special_of("beta"),
    "EllipticIntegralE": _special("ellipe"),
    "EllipticIntegralK": _special("ellipk"),
    "Erf": _named("erf"),
    "Erfc": _named("erfc"),
    "ErfScaled": Operation(1, arrays=_erfcx),
    "ErfInverse": _special("erfinv"),
    "ExponentialIntegralEin": Operation(1, arrays=_entire_exponential_integral),
    "Gamma": _special("gamma"),
    "GammaLn": _special("gammaln"),
    "GammaRegularizedP": _special_of("gammainc"),
    "GammaRegularizedPInverse": _special_of("gammaincinv"),
    "GammaRegularizedQ": _special_of("gammaincc"),
    "GammaRegularizedQInverse": _special_of("gammainccinv"),
    "PolyGamma": Operation(2, arrays=_polygamma),
}

TRIGONOMETRIC: dict[str, Operation] = {
    "Acos": _named("acos"),
    "AcosDegree": _in_degrees(lambda a: call("acos", a)),
    "Acosh": _named("acosh"),
    "Acot": _inverse("atan"),
    "AcotDegrees": _in_degrees(lambda a: call("atan", 1.0 / a)),
    "Acoth": _inverse("atanh"),
    "Acsc": _inverse("asin"),
    "AcscDegrees": _in_degrees(lambda a: call("asin", 1.0 / a)),
    "Asec": _inverse("acos"),
    "AsecDegrees": _in_degrees(lambda a: call("acos", 1.0 / a)),
    "Asech": _inverse("acosh"),
    "Asin": _named("asin"),
    "AsinDegrees": _in_degrees(lambda a: call("asin", a)),
    "Asinh": _named("asinh"),
    "Atan": _named("atan"),
    "AtanDegrees": _in_degrees(lambda a: call("atan", a)),
    "Atanh": _named("atanh"),
    "Cos": _named("cos"),
    "CosDegrees": _one(_cosine),
    "Cosh": _named("cosh"),
    "Cot": _over("tan"),
    "CotDegrees": _one(lambda a: 1.0 / _tangent(a)),
    "Coth": _over("tanh"),
    "Csc": _over("sin"),
    "CscDegrees": _one(lambda a: 1.0 / _sine(a)),
    "Csch": _over("sinh"),
    "DegreesToRadians": _named("radians"),
    "Sec": _over("cos"),
    "SecDegrees": _one(lambda a: 1.0 / _cosine(a)),
    "Sech": _over("cosh"),
    "Sign": _named("sign"),
    "Sin": _named("sin"),
    "Sinc": _one(lambda a: when(a.equals(0), 1.0, call("sin", a) / a)),
    "SinDegrees": _one(_sine),
    "Sinh": _named("sinh"),
    "Tan": _named("tan"),
    "TanDegrees": _one(_tangent),
    "Tanh": _named("tanh"),
}

FAMILIES: dict[str, dict[str, Operation]] = {
    "Basic": BASIC,
    "Compare": COMPARE,
    "Operations": OPERATIONS,
    "Rounding": ROUNDING,
    "Special": SPECIAL,
    "Trigonometric": TRIGONOMETRIC,
}
