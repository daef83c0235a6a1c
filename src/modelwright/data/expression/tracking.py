"""What becomes of rows under a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import polars as pl


class Tracked(NamedTuple):
    """What became of each row.

    kept: for each row of the frame, its number in the frame before.  dropped: for the others, their
    number and the reason of the filter, in the order of the rows.
    """

    frame: pl.DataFrame
    kept: list[int]
    dropped: list[tuple[int, str]]
