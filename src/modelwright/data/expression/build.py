"""Short ways to write expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from modelwright.data.expression.nodes import (
    AllOf,
    AnyOf,
    Bucket,
    Call,
    Column,
    Dot,
    Expression,
    Literal,
    Lookup,
    NativeCall,
    When,
    expression,
)
from modelwright.data.expression.scalars import Scalar


def column(name: str) -> Expression:
    """The value of a column."""
    return Column(name)


def literal(value: Scalar) -> Expression:
    """The same value in every row."""
    return Literal(value)


def call(function: str, *arguments: Expression | Scalar, **options: Scalar) -> Expression:
    """A named function of the table in `functions`, such as `call("round", x, digits=2)`.

    Raises UnknownFunction and InvalidExpression.
    """
    return Call(function, tuple(expression(a) for a in arguments), tuple(options.items()))


def when(
    condition: Expression, then: Expression | Scalar, otherwise: Expression | Scalar
) -> Expression:
    """One value where the condition is true, the other where it is false or null."""
    return When(condition, expression(then), expression(otherwise))


def all_of(terms: Iterable[Expression | bool]) -> Expression:
    """Logical and of at least one term."""
    return AllOf(tuple(expression(t) for t in terms))


def any_of(terms: Iterable[Expression | bool]) -> Expression:
    """Logical or of at least one term."""
    return AnyOf(tuple(expression(t) for t in terms))


def any_missing(columns: Iterable[str]) -> Expression:
    """True where any of the columns, at least one, is missing."""
    return AnyOf(tuple(Column(name).is_missing() for name in columns))


def lookup(
    term: Expression, entries: Mapping[Scalar, Scalar], default: Scalar = None
) -> Expression:
    """The entry for a value, the default for others; the key None stands for missing values."""
    return Lookup(term, tuple(entries.items()), default)


def bucket(
    term: Expression,
    edges: Sequence[float],
    *,
    closed: str = "left",
    labels: Sequence[Scalar] = (),
) -> Expression:
    """The label, or else the number from 0, of the interval between edges that a number lies in."""
    return Bucket(term, tuple(edges), closed, tuple(labels))


def dot(terms: Iterable[tuple[Expression, float]], intercept: float = 0.0) -> Expression:
    """Intercept plus the weighted sum of the terms, added in their order."""
    return Dot(tuple(terms), intercept)


def concat(*parts: Expression | str) -> Expression:
    """Texts one after the other; null if any is null."""
    return Call("concat", tuple(expression(p) for p in parts))


def native(name: str, inputs: Iterable[Expression], output: int = 0) -> Expression:
    """One output of the native value of that name for numeric inputs."""
    return NativeCall(name, tuple(inputs), output)
