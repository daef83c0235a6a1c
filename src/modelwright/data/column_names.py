"""Columns by exactly their names, whatever these look like."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import polars.selectors as cs


def named(column: str) -> pl.Expr:
    """The column of exactly that name; `pl.col` would read "*" and "^…$" as patterns."""
    if column == "*" or (column.startswith("^") and column.endswith("$")):
        return cs.by_name(column).as_expr()
    return pl.col(column)


def all_named(columns: Iterable[str]) -> cs.Selector:
    """The columns of exactly these names, in this order."""
    return cs.by_name(*columns)
