"""The expressions: what the value of a column can be computed from, as immutable data.

They are built most easily with `build` and with the operators and methods of `Expression`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from modelwright.data.expression.errors import InvalidExpression
from modelwright.data.expression.scalars import Scalar, exact, order, scalar

if TYPE_CHECKING:
    from modelwright.data.schema import ColumnType

DEEPEST = 100
"""How deeply expressions may be nested; what works on them goes down one level per call."""


class Expression:
    """A value computed for each row from the columns of that row.

    Equal when built alike, literals compared with their types.  Operators build expressions; so that
    `==` can do that comparison, equality of values is `equals` and `differs`.
    """

    __slots__ = ("_depth", "_hash", "is_constant")

    tag: ClassVar[str]
    tags: ClassVar[dict[str, type[Expression]]] = {}
    _hash: int
    _depth: int
    is_constant: bool
    """Whether its value is the same in every row: it reads no column and no native value."""

    def __init_subclass__(cls) -> None:
        # `slots=True` makes each class twice; the second is the one in use.
        if "tag" in cls.__dict__:
            Expression.tags[cls.tag] = cls

    def __post_init__(self) -> None:
        self._check()
        # Kept, because compilers look nodes up by the thousand.
        self._set("_hash", hash((self.tag, *(exact(v) for v in self._values()))))
        self._set("is_constant", self._is_fixed())
        self._set("_depth", 1 + max((p._depth for p in self.parts), default=0))
        if self._depth > DEEPEST:
            raise InvalidExpression(
                f'"{self.tag}"',
                f"it is nested {DEEPEST} deep; compute a part of it in a step before",
            )

    def _is_fixed(self) -> bool:
        return all(p.is_constant for p in self.parts)

    def _check(self) -> None:
        """Bring the fields to their plain form.  Raises InvalidExpression."""

    def _set(self, field: str, value: object) -> None:
        object.__setattr__(self, field, value)

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, f.name) for f in fields(self))  # type: ignore[arg-type]

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other) or self._hash != hash(other):
            return False
        assert isinstance(other, Expression)  # noqa: S101  # for the type checker
        return exact(self._values()) == exact(other._values())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._values()

    def __bool__(self) -> bool:
        raise TypeError("an expression has no truth before it has a row; use & | ~ or `when`")

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The expressions it is directly made of."""
        return self._parts()

    def _parts(self) -> tuple[Expression, ...]:
        return ()

    def walk(self) -> Iterator[Expression]:
        """Itself and everything below it, each distinct expression once."""
        seen: set[Expression] = set()
        waiting: list[Expression] = [self]
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                yield one
                waiting.extend(one.parts)

    def columns(self) -> frozenset[str]:
        """Names of the columns it reads."""
        return frozenset(e.name for e in self.walk() if isinstance(e, Column))

    def __add__(self, other: Expression | Scalar) -> Expression:
        return Call("add", (self, expression(other)))

    def __radd__(self, other: Scalar) -> Expression:
        return Call("add", (expression(other), self))

    def __sub__(self, other: Expression | Scalar) -> Expression:
        return Call("subtract", (self, expression(other)))

    def __rsub__(self, other: Scalar) -> Expression:
        return Call("subtract", (expression(other), self))

    def __mul__(self, other: Expression | Scalar) -> Expression:
        return Call("multiply", (self, expression(other)))

    def __rmul__(self, other: Scalar) -> Expression:
        return Call("multiply", (expression(other), self))

    def __truediv__(self, other: Expression | Scalar) -> Expression:
        return Call("divide", (self, expression(other)))

    def __rtruediv__(self, other: Scalar) -> Expression:
        return Call("divide", (expression(other), self))

    def __floordiv__(self, other: Expression | Scalar) -> Expression:
        return Call("floor_divide", (self, expression(other)))

    def __mod__(self, other: Expression | Scalar) -> Expression:
        return Call("modulo", (self, expression(other)))

    def __pow__(self, other: Expression | Scalar) -> Expression:
        return Call("power", (self, expression(other)))

    def __neg__(self) -> Expression:
        return Call("negate", (self,))

    def __lt__(self, other: Expression | Scalar) -> Expression:
        return Call("less", (self, expression(other)))

    def __le__(self, other: Expression | Scalar) -> Expression:
        return Call("less_or_equal", (self, expression(other)))

    def __gt__(self, other: Expression | Scalar) -> Expression:
        return Call("greater", (self, expression(other)))

    def __ge__(self, other: Expression | Scalar) -> Expression:
        return Call("greater_or_equal", (self, expression(other)))

    def equals(self, other: Expression | Scalar) -> Expression:
        """True where both values are the same; missing where either is null."""
        return Call("equal", (self, expression(other)))

    def differs(self, other: Expression | Scalar) -> Expression:
        """True where the values are not the same; missing where either is null."""
        return Call("not_equal", (self, expression(other)))

    def __and__(self, other: Expression | bool) -> Expression:
        return AllOf((self, expression(other)))

    def __or__(self, other: Expression | bool) -> Expression:
        return AnyOf((self, expression(other)))

    def __invert__(self) -> Expression:
        return Not(self)

    def is_missing(self) -> Expression:
        """True where the value is null or not a number, else false; never missing itself."""
        return IsMissing(self)

    def fill_missing(self, value: Expression | Scalar) -> Expression:
        """The value, or the other one where it is null or not a number."""
        return FillMissing(self, expression(value))

    def clip(self, low: Expression | Scalar, high: Expression | Scalar) -> Expression:
        """The value brought into [low, high]; not a number stays so."""
        return Call("clip", (self, expression(low), expression(high)))

    def cast(self, to: ColumnType) -> Expression:
        """The value in another type, null where it has no counterpart there."""
        return Call(f"to_{to.value.lower()}", (self,))


@dataclass(frozen=True, slots=True, eq=False)
class Column(Expression):
    """The value of a column."""

    tag = "column"
    name: str

    def _check(self) -> None:
        self._set("name", name_of(self.name))

    def _is_fixed(self) -> bool:
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Literal(Expression):
    """The same value in every row."""

    tag = "literal"
    value: Scalar

    def _check(self) -> None:
        self._set("value", scalar(self.value))


@dataclass(frozen=True, slots=True, eq=False)
class Call(Expression):
    """A named function of the `functions` package; null when any argument is null.

    options: constants that the function takes beside its arguments; unnamed ones get defaults.
    """

    tag = "call"
    function: str
    arguments: tuple[Expression, ...]
    options: tuple[tuple[str, Scalar], ...] = ()

    def _check(self) -> None:
        from modelwright.data.expression.functions import function

        known = function(self.function)
        known.check_count(len(_expressions(self.arguments, self.tag)))
        self._set("options", known.completed(_pairs(self.options, self.function)))

    def _parts(self) -> tuple[Expression, ...]:
        return self.arguments


@dataclass(frozen=True, slots=True, eq=False)
class Not(Expression):
    """True for false, false for true, null for null."""

    tag = "not"
    term: Expression

    def _check(self) -> None:
        _expressions((self.term,), self.tag)

    def _parts(self) -> tuple[Expression, ...]:
        return (self.term,)


@dataclass(frozen=True, slots=True, eq=False)
class AllOf(Expression):
    """Logical and: false if any term is false, else null if any is null, else true."""

    tag = "all"
    terms: tuple[Expression, ...]

    def _check(self) -> None:
        if not _expressions(self.terms, self.tag):
            raise InvalidExpression("A logical and", "it has no terms")

    def _parts(self) -> tuple[Expression, ...]:
        return self.terms


@dataclass(frozen=True, slots=True, eq=False)
class AnyOf(Expression):
    """Logical or: true if any term is true, else null if any is null, else false."""

    tag = "any"
    terms: tuple[Expression, ...]

    def _check(self) -> None:
        if not _expressions(self.terms, self.tag):
            raise InvalidExpression("A logical or", "it has no terms")

    def _parts(self) -> tuple[Expression, ...]:
        return self.terms


@dataclass(frozen=True, slots=True, eq=False)
class IsMissing(Expression):
    """True where a value is null or not a number."""

    tag = "is_missing"
    term: Expression

    def _check(self) -> None:
        _expressions((self.term,), self.tag)

    def _parts(self) -> tuple[Expression, ...]:
        return (self.term,)


@dataclass(frozen=True, slots=True, eq=False)
class FillMissing(Expression):
    """A value, or another one where it is null or not a number."""

    tag = "fill_missing"
    term: Expression
    value: Expression

    def _check(self) -> None:
        _expressions((self.term, self.value), self.tag)

    def _parts(self) -> tuple[Expression, ...]:
        return (self.term, self.value)


@dataclass(frozen=True, slots=True, eq=False)
class When(Expression):
    """One value where the condition is true, the other where it is false or null."""

    tag = "when"
    condition: Expression
    then: Expression
    otherwise: Expression

    def _check(self) -> None:
        _expressions(self.parts, self.tag)

    def _parts(self) -> tuple[Expression, ...]:
        return (self.condition, self.then, self.otherwise)


@dataclass(frozen=True, slots=True, eq=False)
class Lookup(Expression):
    """The entry for a value, the default for all others.

    entries: pairs of key and value, kept sorted by key; keys are of the term's type.  The key None
    stands for null and not a number; without it missing values get the default like any other.
    """

    tag = "lookup"
    term: Expression
    entries: tuple[tuple[Scalar, Scalar], ...]
    default: Scalar = None

    def _check(self) -> None:
        _expressions((self.term,), self.tag)
        pairs = [(scalar(k), scalar(v)) for k, v in self.entries]
        if any(isinstance(k, float) and math.isnan(k) for k, _ in pairs):
            raise InvalidExpression("A lookup", "not a number is a key; the key for it is None")
        keys = {k: None for k, _ in pairs}
        if len(keys) < len(pairs):
            raise InvalidExpression("A lookup", "a key stands there twice")
        self._set("entries", tuple(sorted(pairs, key=lambda p: order(p[0]))))
        self._set("default", scalar(self.default))

    def _parts(self) -> tuple[Expression, ...]:
        return (self.term,)


@dataclass(frozen=True, slots=True, eq=False)
class Bucket(Expression):
    """The label of the interval a number lies in; null for null and not a number.

    edges: rising, n of them part the line into n + 1 intervals, of which the first and the last are
    open-ended.  closed: the side of an interval that belongs to it, "left" or "right".
    labels: n + 1 values; without them the intervals are counted from 0.
    """

    tag = "bucket"
    term: Expression
    edges: tuple[float, ...]
    closed: str = "left"
    labels: tuple[Scalar, ...] = ()

    def _check(self) -> None:
        _expressions((self.term,), self.tag)
        edges = tuple(_number(e, "an edge") for e in self.edges)
        rising = all(a < b for a, b in pairwise(edges))
        if not rising or any(math.isnan(e) for e in edges):
            raise InvalidExpression("A bucket", "its edges do not rise")
        if self.closed not in ("left", "right"):
            raise InvalidExpression("A bucket", f'it is closed on "{self.closed}"')
        labels = tuple(scalar(v) for v in self.labels)
        if labels and len(labels) != len(edges) + 1:
            raise InvalidExpression(
                "A bucket", f"{len(edges)} edges need {len(edges) + 1} labels, not {len(labels)}"
            )
        self._set("edges", edges)
        self._set("labels", labels)

    def _parts(self) -> tuple[Expression, ...]:
        return (self.term,)


@dataclass(frozen=True, slots=True, eq=False)
class Dot(Expression):
    """Intercept plus the weighted sum of numbers, added from left to right; null if any is null."""

    tag = "dot"
    terms: tuple[tuple[Expression, float], ...]
    intercept: float = 0.0

    def _check(self) -> None:
        _expressions(self.parts, self.tag)
        self._set("terms", tuple((e, _number(w, "a weight")) for e, w in self.terms))
        self._set("intercept", _number(self.intercept, "the intercept"))

    def _parts(self) -> tuple[Expression, ...]:
        return tuple(e for e, _ in self.terms)


@dataclass(frozen=True, slots=True, eq=False)
class NativeCall(Expression):
    """One output of a native value (`modelwright.data.native`) for numbers; never null.

    name: under which the native is handed over with the formula.  inputs: the numbers it gets, in
    order, null as not a number.  output: which of its outputs, from 0.
    """

    tag = "native"
    name: str
    inputs: tuple[Expression, ...]
    output: int = 0

    def _is_fixed(self) -> bool:
        return False

    def _check(self) -> None:
        self._set("name", name_of(self.name))
        if not _expressions(self.inputs, self.tag):
            raise InvalidExpression("A native call", "it has no inputs")
        if not any(i.columns() for i in self.inputs):
            raise InvalidExpression("A native call", "it reads no column")
        if any(isinstance(e, NativeCall) for i in self.inputs for e in i.walk()):
            raise InvalidExpression(
                "A native call", "it takes what another gives; compute that in a step before"
            )
        output = scalar(self.output)
        if type(output) is not int or output < 0:
            raise InvalidExpression("A native call", f"{self.output!r} is not one of its outputs")

    def _parts(self) -> tuple[Expression, ...]:
        return self.inputs


def expression(value: Expression | Scalar) -> Expression:
    """The expression itself, or a literal of the value."""
    return value if isinstance(value, Expression) else Literal(value)


def name_of(value: object) -> str:
    """The name of a column or native, as a plain string.  Raises InvalidExpression."""
    if not isinstance(value, str):
        raise InvalidExpression(f"The name {value!r}", "names are text")
    return str(scalar(value))


def _expressions(values: object, tag: str) -> tuple[Expression, ...]:
    if not isinstance(values, tuple) or not all(isinstance(v, Expression) for v in values):
        raise InvalidExpression(f'"{tag}"', "a part of it is not an expression")
    return values


def _pairs(values: object, what: str) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    items = values.items() if isinstance(values, Mapping) else values
    if not isinstance(items, Iterable):
        raise InvalidExpression(f'"{what}"', "its options are not pairs")
    for name, value in items:
        found[name_of(name)] = scalar(value)
    return found


def _number(value: object, what: str) -> float:
    found = scalar(value)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InvalidExpression(f"The value {value!r}", f"{what} is a number")
    return float(found)
