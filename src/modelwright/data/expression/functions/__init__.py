"""The table of named functions: a family a module, a function an entry.

To add one, write its entry (`form.Function`) into the `FUNCTIONS` of a family; both forms, the JSON
format and the property tests find it there.
"""

from __future__ import annotations

from modelwright.data.expression.errors import UnknownFunction
from modelwright.data.expression.functions import (
    arithmetic,
    comparison,
    conversion,
    dates,
    hashing,
    mathematics,
    rounding,
    text,
)
from modelwright.data.expression.functions.form import Form, Function, Option

__all__ = ["FUNCTIONS", "Form", "Function", "Option", "function"]

FUNCTIONS: dict[str, Function] = {
    entry.name: entry
    for family in (
        arithmetic,
        rounding,
        mathematics,
        comparison,
        conversion,
        text,
        hashing,
        dates,
    )
    for entry in family.FUNCTIONS
}


def function(name: str) -> Function:
    """The entry of that name.  Raises UnknownFunction with the nearest names."""
    found = FUNCTIONS.get(name)
    if found is None:
        raise UnknownFunction(str(name), FUNCTIONS)
    return found
