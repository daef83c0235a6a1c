"""Tables that are rare and yet will come: no component may be at a loss with one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl

from modelwright.data.schema import Role
from modelwright.data.table import Table

INF, NAN = float("inf"), float("nan")


def no_columns() -> Table:
    """A table of nothing."""
    return Table(pl.DataFrame())


def strange_names() -> Table:
    """Names that look like patterns, or like what a library calls its own columns."""
    frame = pl.DataFrame(
        {
            "^.*$": [1, 2, 3],
            "*": [0.5, 1.5, NAN],
            "": ["a", "b", None],
            "é\"'[x]": [True, False, None],
            "index": [1, 1, 2],
            "count": ["p", "q", "p"],
            "literal": [1.0, 2.0, 4.0],
            "len": [3, 4, 5],
            "x": [1.0, 2.0, 3.0],
            "y": ["a", "b", "a"],
        }
    )
    return Table(frame).mark("*", role=Role.LABEL).mark("y", "count", categorical=True)


def infinite_values() -> Table:
    """Both infinities among numbers."""
    frame = pl.DataFrame({"a": [1.0, INF, -INF, 2.0], "b": [1, 2, 3, 4]})
    return Table(frame).mark("b", role=Role.LABEL)


def two_classes() -> Table:
    """Infinities, lists and the ends of whole numbers beside a label of two values."""
    frame = pl.DataFrame(
        {
            "f": [1.0, INF, -INF, 2.0] * 4,
            "i": [2**63 - 1, -(2**63)] * 8,
            "l": [[1], [2], None, [3]] * 4,
            "s": ["1", "x", "", "1"] * 4,
            "y": [False, True] * 8,
        }
    )
    return Table(frame).mark("y", role=Role.LABEL).mark("s", categorical=True)


def far_dates() -> Table:
    """The first and the last day there is, and none."""
    days = [datetime(1, 1, 1), datetime(9999, 12, 31), None, datetime(1970, 1, 1)]  # noqa: DTZ001
    return Table(pl.DataFrame({"d": days, "b": [1, 2, None, 4]}))


def zoned_dates() -> Table:
    """Dates that carry a time zone."""
    return Table(pl.DataFrame({"d": [datetime(2020, 1, 1, tzinfo=UTC), None], "b": [1, 2]}))


def nested_values() -> Table:
    """Lists and structures."""
    return Table(pl.DataFrame({"l": [[1], [2]], "b": [1, 2], "s": [{"a": 1}, {"a": 2}]}))


def large_numbers() -> Table:
    """Numbers at the ends of what their types hold."""
    frame = pl.DataFrame({"i": [2**62, -(2**62), 2**63 - 1], "f": [1e308, -1e308, 5e-324]})
    return Table(frame).mark("f", role=Role.LABEL)


def constants() -> Table:
    """Columns that never change."""
    frame = pl.DataFrame({"n": [1] * 8, "f": [0.1] * 8, "s": ["a"] * 8, "y": [1.0, 2.0] * 4})
    return Table(frame).mark("y", role=Role.LABEL).mark("s", categorical=True)


AWKWARD: dict[str, Callable[[], Table]] = {
    "no columns": no_columns,
    "strange names": strange_names,
    "infinite values": infinite_values,
    "zoned dates": zoned_dates,
    "nested values": nested_values,
    "large numbers": large_numbers,
    "constants": constants,
}
