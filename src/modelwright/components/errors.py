"""Mistakes that components find: in their settings or in the data that reaches them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from modelwright.data.errors import ModelwrightError
from modelwright.data.schema import MissingColumn

__all__ = [
    "ColumnTypeError",
    "ComponentError",
    "EmptySelection",
    "EmptyTable",
    "InvalidParameter",
    "MissingColumn",
    "MissingExtra",
    "UnknownComponent",
]


class ComponentError(ModelwrightError):
    """Something in a node's settings or data that the user can mend.  The runner adds the node."""

    code = "component-error"


class EmptyTable(ComponentError):
    """A step needs at least one row and gets none."""

    code = "empty-table"

    def __init__(self, port: str, needed: int = 1) -> None:
        some = "a row" if needed == 1 else f"{needed} rows"
        super().__init__(
            f'The data on port "{port}" has too few rows: at least {some} needed.',
            remedy="Look at the step before: a filter, a split or a cleaning step leaves too little.",
            port=port,
            needed=needed,
        )


class EmptySelection(ComponentError):
    """A column selection matches no column."""

    code = "empty-selection"

    def __init__(self, parameter: str, port: str, known: Iterable[str]) -> None:
        names = list(known)
        listed = ", ".join(f'"{n}"' for n in names[:8]) + (" …" if len(names) > 8 else "")
        super().__init__(
            f'"{parameter}" selects no column of the data on port "{port}".',
            remedy=f"Choose among the columns that are there: {listed or 'none'}.",
            parameter=parameter,
            port=port,
            near=names[:50],
        )


class ColumnTypeError(ComponentError):
    """A selected column has a type the component cannot work with."""

    code = "wrong-column-type"

    def __init__(
        self, column: str, found: str, wanted: str, *, port: str, remedy: str = ""
    ) -> None:
        super().__init__(
            f'Column "{column}" on port "{port}" is {found}; {wanted} is needed.',
            remedy=remedy or "Leave the column out, or convert it with Edit Metadata.",
            column=column,
            port=port,
            found=found,
            wanted=wanted,
        )


class InvalidParameter(ComponentError):
    """A parameter's value is not allowed."""

    code = "invalid-parameter"

    def __init__(self, parameter: str, value: Any, why: str, *, remedy: str = "") -> None:
        super().__init__(
            f'Parameter "{parameter}" is {value!r}: {why}.',
            remedy=remedy or f'Change "{parameter}" in the node\'s settings.',
            parameter=parameter,
            value=value if isinstance(value, (str, int, float, bool, type(None))) else repr(value),
            why=why,
        )


class UnknownComponent(ComponentError):
    """A component id that the library does not hold."""

    code = "unknown-component"

    def __init__(self, component: str, near: tuple[str, ...] = ()) -> None:
        offer = "Nearest: " + ", ".join(f'"{n}"' for n in near) + ". " if near else ""
        super().__init__(
            f'There is no component "{component}" in the library.',
            remedy=f"{offer}Install the package that brings it, or choose another component.",
            component=component,
            near=list(near),
        )


class MissingExtra(ComponentError):
    """A library that the component needs is not installed.

    extra: the one that brings it; None when it has to be installed by itself.
    """

    code = "missing-extra"

    def __init__(self, library: str, extra: str | None) -> None:
        super().__init__(
            f'This needs "{library}", which is not installed.',
            remedy="Install the library that has it where the server runs."
            if extra is None
            else f'Install it with: pip install "modelwright[{extra}]".',
            library=library,
            extra=extra,
        )
