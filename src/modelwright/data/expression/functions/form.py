"""What an entry in the table of functions says.

A function is defined by its `row` form alone.  `inline` and `table` are the same thing faster, and a
property test compares all three; a form without `table` or `vector` runs its `row` over the column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.data.expression.errors import ExpressionTypeMismatch, InvalidExpression
from modelwright.data.expression.functions.later import np, pl
from modelwright.data.expression.scalars import Scalar, fits
from modelwright.data.schema import ColumnType

BOOLEAN = ColumnType.BOOLEAN
INTEGER = ColumnType.INTEGER
DOUBLE = ColumnType.DOUBLE
STRING = ColumnType.STRING
DATETIME = ColumnType.DATETIME

if TYPE_CHECKING:
    Vector = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A function for arguments of certain types.

    row: the definition: one value from values that are never null, options by keyword; must not raise
    whatever the values.  partial: it may give None.
    inline: Python source of the same; {0}, {1} … are the arguments, {f} is `row` with its options.
    atoms: `inline` names an argument more than once, so it must be cheap to repeat.
    promotes: `inline` takes a whole number beside a fractional one as it is.
    table: the same over Polars columns, null where any argument is null; options by keyword; None
    when these options have no such form.
    beside: instead of `table`, where one argument is a constant other than 0.
    vector: instead of `table`, the same over NumPy arrays of doubles; nulls are not its concern.
    places: `vector` writes its result into an array that it gets as `out`, as NumPy's functions do.
    ufunc: instead of `vector`, the name of NumPy's function that does the same.
    """

    takes: tuple[ColumnType, ...]
    gives: ColumnType
    row: Callable[..., object]
    partial: bool = False
    inline: str | None = None
    atoms: bool = True
    promotes: bool = False
    table: Callable[..., pl.Expr | None] | None = None
    beside: Callable[..., pl.Expr] | None = None
    vector: Callable[..., Vector] | None = None
    places: bool = False
    ufunc: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """A constant that a function takes beside its arguments.

    default: used when it is not named.  wanted: what it must be, in words.  allows: whether it is.
    """

    default: Scalar
    wanted: str
    allows: Callable[[Scalar], bool]


@dataclass(frozen=True, slots=True)
class Function:
    """A named function: its forms, the first that fits the arguments counts.

    variadic: the last type of a form may be repeated any number of times.
    """

    name: str
    forms: tuple[Form, ...]
    options: Mapping[str, Option] = field(default_factory=dict)
    variadic: bool = False

    def form(self, types: Sequence[ColumnType | None]) -> Form:
        """The form for these argument types.  Raises ExpressionTypeMismatch when none fits."""
        for form in self.forms:
            if all(fits(t, w) for t, w in zip(types, self.wanted(form, len(types)), strict=True)):
                return form
        wanted = " or ".join(" and ".join(self.wanted(f, len(types))) for f in self.forms)
        raise ExpressionTypeMismatch(
            f'Function "{self.name}"', ["nothing" if t is None else t for t in types], wanted
        )

    def wanted(self, form: Form, count: int) -> tuple[ColumnType, ...]:
        """The argument types of one of its forms for that many arguments."""
        return form.takes + (form.takes[-1],) * (count - len(form.takes))

    def check_count(self, count: int) -> None:
        """Raise InvalidExpression when it does not take that many arguments."""
        least = len(self.forms[0].takes)
        if count < least or (count > least and not self.variadic):
            raise InvalidExpression(
                f'Function "{self.name}"', f"it takes {least} arguments, not {count}"
            )

    def completed(self, options: Mapping[str, Scalar]) -> tuple[tuple[str, Scalar], ...]:
        """The options with defaults, by name.  Raises InvalidExpression for a wrong one."""
        for name in options:
            if name not in self.options:
                raise InvalidExpression(f'Function "{self.name}"', f'it has no option "{name}"')
        found = {name: options.get(name, option.default) for name, option in self.options.items()}
        for name, value in found.items():
            if not self.options[name].allows(value):
                raise InvalidExpression(
                    f'Function "{self.name}"',
                    f'option "{name}" must be {self.options[name].wanted}, not {value!r}',
                )
        return tuple(sorted(found.items()))


def where_given(result: pl.Expr, *arguments: pl.Expr) -> pl.Expr:
    """The result where no argument is null; for table forms that would fill nulls in."""
    given = pl.all_horizontal([a.is_not_null() for a in arguments])
    return pl.when(given).then(result)
