"""Mistakes in the values of a column, as the components that learn from them find them."""

from __future__ import annotations

import math

from modelwright.components.errors import ColumnTypeError, ComponentError
from modelwright.components.learning.encoding import LARGEST
from modelwright.components.learning.errors import InfiniteValues
from modelwright.data.schema import Column, ColumnType, Schema


def plain_column(schema: Schema, name: str) -> Column:
    """The column of that name, of values that can be told apart.

    Raises MissingColumn, and ColumnTypeError for lists and other nested values.
    """
    found = schema.column(name, port="dataset")
    if found.type is ColumnType.OTHER:
        wanted = "text, a number, a date or true and false"
        remedy = "Choose another column."
        raise ColumnTypeError(name, "a nested value", wanted, port="dataset", remedy=remedy)
    return found


class ColumnAllMissing(ComponentError):
    """A column that something is to be learnt from has no value at all."""

    code = "column-all-missing"

    def __init__(self, column: str, needed_for: str, *, remedy: str) -> None:
        super().__init__(
            f'Column "{column}" on port "dataset" has no value, and {needed_for} needs one.',
            remedy=remedy,
            column=column,
            port="dataset",
            needed_for=needed_for,
        )


def refuse_too_far_apart(name: str, distance: float | None) -> None:
    """Raise InfiniteValues where the distance between a column's finite values is infinite."""
    if distance is not None and not math.isfinite(distance):
        raise InfiniteValues(name, "dataset", None, beyond=LARGEST)


class InfiniteValue(ComponentError):
    """A column that something is to be learnt from holds an infinite value."""

    code = "infinite-value"

    def __init__(self, column: str, needed_for: str) -> None:
        super().__init__(
            f'Column "{column}" on port "dataset" holds an infinite value; {needed_for} has none then.',
            remedy="Take infinite values away first, with Clip Values or Apply Math Operation.",
            column=column,
            port="dataset",
            needed_for=needed_for,
        )
