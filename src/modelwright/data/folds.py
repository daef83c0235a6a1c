"""Tables whose rows are assigned to folds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import polars as pl

from modelwright.data import arrow_file
from modelwright.data.artifact import CorruptArtifact
from modelwright.data.schema import Column, Schema
from modelwright.data.table import Table

_FOLDS = "folds.arrow"
_COUNT = "folds.txt"


class FoldedTable(Table):
    """A table that also knows which rows make up each of its folds.

    folds: for each fold the numbers of its rows, from 0, rising; a row may be in several folds.
    Whatever is made of the table by a step that does not know folds is a plain table.
    """

    kind: ClassVar[str] = "folded-table"
    title: ClassVar[str] = "Table with folds"

    def __init__(
        self,
        frame: pl.DataFrame,
        columns: Schema | Iterable[Column] = (),
        folds: Sequence[pl.Series] = (),
    ) -> None:
        super().__init__(frame, columns)
        self.folds = tuple(rows.cast(pl.Int64) for rows in folds)

    def fold(self, number: int) -> Table:
        """The rows of a fold, numbered from 1.  Raises IndexError for one that is not there."""
        return self.of(self.frame[self._rows(number)])

    def others(self, number: int) -> Table:
        """The rows that are not in a fold, numbered from 1.  Raises IndexError as `fold`."""
        inside = pl.int_range(self.rows, eager=True).is_in(self._rows(number))
        return self.of(self.frame.filter(~inside))

    def _rows(self, number: int) -> pl.Series:
        if not 1 <= number <= len(self.folds):
            raise IndexError(number)
        return self.folds[number - 1]

    def save(self, folder: Path) -> None:
        """Write the table, and beside it the rows of each fold."""
        super().save(folder)
        numbered = [
            pl.DataFrame({"fold": pl.repeat(n, len(rows), dtype=pl.Int64, eager=True), "row": rows})
            for n, rows in enumerate(self.folds, start=1)
        ]
        empty = pl.DataFrame(schema={"fold": pl.Int64, "row": pl.Int64})
        arrow_file.write(pl.concat([empty, *numbered]), folder / _FOLDS)
        (folder / _COUNT).write_text(str(len(self.folds)), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        table = Table.load(folder)
        try:
            count = int((folder / _COUNT).read_text(encoding="utf-8"))
            numbered = arrow_file.read(folder / _FOLDS)
            folds = [numbered.filter(pl.col("fold") == n)["row"] for n in range(1, count + 1)]
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:
            raise CorruptArtifact("table with folds", str(error)) from error
        return cls(table.frame, table.schema, folds)

    def summary(self) -> dict[str, Any]:
        """Rows, columns and folds."""
        return {**super().summary(), "folds": len(self.folds)}
