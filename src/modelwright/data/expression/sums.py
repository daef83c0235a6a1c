"""Weighted sums of arithmetic, computed by NumPy in one go while the numbers are in the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from modelwright.data.expression import kernels
from modelwright.data.expression.constants import constant
from modelwright.data.expression.nodes import Call, Dot, Expression, FillMissing
from modelwright.data.expression.typing_rules import Types
from modelwright.data.schema import ColumnType

if TYPE_CHECKING:
    from modelwright.data.expression.functions.form import Vector

BLOCK = 16_384
"""Few enough doubles to stay in the cache while all terms are added."""

DOUBLE = ColumnType.DOUBLE
_NUMBERS = (ColumnType.INTEGER, DOUBLE)
_PLAIN = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide}

Part = Callable[[Sequence["Vector"]], tuple[Any, bool]]
"""Of the leaves' numbers: the numbers of a term, and whether they may be written over."""


class Sum(NamedTuple):
    """A weighted sum as work over its leaves.

    leaves: what is read, as doubles.  parts: one for each term.  passing: numbers of the leaves whose
    nulls are those of the sum.
    """

    leaves: tuple[Expression, ...]
    parts: tuple[Part, ...]
    passing: frozenset[int]

    def of(self, columns: Sequence[pl.Series], dot: Dot) -> pl.Series:
        """The sum over the leaves' columns, its terms added from left to right."""
        vectors = [kernels.doubles(c) for c in columns]
        total = np.full(len(columns[0]), dot.intercept, dtype=np.float64)
        weights = [weight for _, weight in dot.terms]
        # Infinities and numbers too large are results here, not accidents.
        with np.errstate(all="ignore"):
            for start in range(0, len(total), BLOCK):
                some = [vector[start : start + BLOCK] for vector in vectors]
                here = total[start : start + BLOCK]
                for part, weight in zip(self.parts, weights, strict=True):
                    found, own = part(some)
                    if weight != 1.0:
                        found = np.multiply(found, weight, out=found if own else None)
                    np.add(here, found, out=here)
        return kernels.with_nulls(pl.Series(total), [columns[at] for at in self.passing])


def arithmetic_sum(dot: Dot, types: Types) -> Sum | None:
    """The sum as such work, if its terms are more than columns; None leaves them to Polars."""
    leaves: dict[Expression, int] = {}
    passing: set[int] = set()

    def part(expression: Expression, *, passes: bool) -> Part:
        if expression.is_constant:
            value = float(constant(expression))  # type: ignore[arg-type]  # those who ask saw to it
            return lambda vectors: (value, False)
        if isinstance(expression, FillMissing) and _is_filled(expression, types):
            instead = float(constant(expression.value))  # type: ignore[arg-type]
            return _filled(part(expression.term, passes=False), instead)
        if isinstance(expression, Call) and _is_plain(expression, types):
            left, right = expression.arguments
            first = part(left, passes=passes)
            second = None if left == right else part(right, passes=passes)
            return _done(_PLAIN[expression.function], first, second)
        at = leaves.setdefault(expression, len(leaves))
        if passes:
            passing.add(at)
        return lambda vectors: (vectors[at], False)

    if not any(
        (isinstance(e, Call) and _is_plain(e, types))
        or (isinstance(e, FillMissing) and _is_filled(e, types))
        for e, _ in dot.terms
    ):
        return None
    parts = tuple(_plain_part(e, types, part) for e, _ in dot.terms)
    if any(p is None for p in parts) or not leaves:
        return None
    return Sum(tuple(leaves), tuple(p for p in parts if p is not None), frozenset(passing))


def _plain_part(expression: Expression, types: Types, part: Callable[..., Part]) -> Part | None:
    """A term; None for a constant that is no number."""
    if expression.is_constant and not _is_number(expression):
        return None
    return part(expression, passes=True)


def _is_number(expression: Expression) -> bool:
    value = constant(expression)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_plain(call: Call, types: Types) -> bool:
    """Whether a call is arithmetic with doubles, whose constants are all there."""
    if call.function not in _PLAIN:
        return False
    form = types.form(call)
    if form.gives is not DOUBLE or set(form.takes) != {DOUBLE}:
        return False
    return all(_is_number(a) for a in call.arguments if a.is_constant)


def _is_filled(fill: FillMissing, types: Types) -> bool:
    """Whether it gives a number everywhere."""
    if not fill.value.is_constant or not _is_number(fill.value) or fill.term.is_constant:
        return False
    return types.of(fill.term) in _NUMBERS


def _filled(term: Part, value: float) -> Part:
    def work(vectors: Sequence[Vector]) -> tuple[Any, bool]:
        found, own = term(vectors)
        # The largest of numbers is not one if one of them is not, which is told in one pass.
        if not np.isnan(found.max()):
            return found, own
        return np.where(np.isnan(found), value, found), True

    return work


def _done(ufunc: np.ufunc, first: Part, second: Part | None) -> Part:
    """A function of two parts, or of one twice."""

    def work(vectors: Sequence[Vector]) -> tuple[Any, bool]:
        left, own = first(vectors)
        right, other = (left, False) if second is None else second(vectors)
        place = left if own else right if other else None
        return ufunc(left, right, out=place), True

    return work
