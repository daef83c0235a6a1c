"""What can be wrong with a formula, or with the columns it is given."""

from __future__ import annotations

from collections.abc import Iterable

from modelwright.data.errors import ModelwrightError, suggestion


class InvalidExpression(ModelwrightError):
    """An expression or step is put together in a way that has no meaning."""

    code = "invalid-expression"

    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            f"{what} cannot be part of a formula: {why}.",
            remedy="Change the expression.",
            what=what,
            why=why,
        )


class UnknownFunction(ModelwrightError):
    """A formula calls a function that is not in the table of functions."""

    code = "unknown-function"

    def __init__(self, function: str, known: Iterable[str]) -> None:
        super().__init__(
            f'Function "{function}" is not known.',
            remedy=f"{suggestion(function, tuple(known))}"
            "Use a function of this version, or install the version that wrote the formula.",
            function=function,
        )


class ExpressionTypeMismatch(ModelwrightError):
    """An expression is applied to values of a type that it cannot take."""

    code = "expression-type-mismatch"

    def __init__(self, what: str, found: Iterable[str], wanted: str) -> None:
        types = list(found)
        super().__init__(
            f"{what} cannot take {' and '.join(types) if types else 'nothing'}.",
            remedy=f"It takes {wanted}. Convert the column to such a type first.",
            what=what,
            found=types,
            wanted=wanted,
        )


class DuplicateColumn(ModelwrightError):
    """A step gives two columns the same name."""

    code = "duplicate-column"

    def __init__(self, column: str) -> None:
        super().__init__(
            f'Two columns would be called "{column}".',
            remedy="Give one of them another name, or drop one of them first.",
            column=column,
        )


class MalformedFormula(ModelwrightError):
    """A stored formula cannot be read."""

    code = "malformed-formula"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The stored formula cannot be read: {why}.",
            remedy="It was changed by hand, cut short, or written by a newer version; store it anew.",
            why=why,
        )


class MissingNative(ModelwrightError):
    """A formula calls a native value that was not handed over with it."""

    code = "missing-native"

    def __init__(self, native: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(
            f'The formula calls the native value "{native}", which was not handed over with it.',
            remedy="Load the model or transformation together with its files.",
            native=native,
            known=names,
        )
