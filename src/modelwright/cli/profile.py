"""What is in the columns of a table, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.cli.printing import put_table, written

if TYPE_CHECKING:
    from modelwright.data.profile import ColumnProfile, Profile

_FIGURES = ("COUNT", "MISSING", "UNIQUE", "MINIMUM", "MAXIMUM", "MEAN", "MEDIAN", "DEVIATION")
_MOST_TOP = 3


def put_profile(profile: Profile) -> None:
    """Write a row for each column."""
    put_table(
        ("COLUMN", "TYPE", *_FIGURES, "MOST FREQUENT"),
        (
            (
                c.column.name,
                c.column.type,
                c.count,
                c.missing,
                c.unique,
                c.minimum,
                c.maximum,
                c.mean,
                c.median,
                c.deviation,
                _top(c),
            )
            for c in profile.columns
        ),
        right=_FIGURES,
    )


def _top(column: ColumnProfile) -> str:
    return ", ".join(f"{written(t.value)} ({t.count})" for t in column.top[:_MOST_TOP])
