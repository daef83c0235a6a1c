"""Tables whose rows are assigned to folds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from modelwright.data import arrow_file
from modelwright.data.artifact import CorruptArtifact
from modelwright.data.memory import rows_where
from modelwright.data.schema import Column, Schema
from modelwright.data.table import Table

_FOLDS = "folds.arrow"
_COUNT = "folds.txt"
_FOLD_OF = "fold of row"


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
        self.count = len(folds)
        # Rows in one fold each need a small number; others a list for each fold.
        self._fold_of: pl.Series | None = None
        self._rows_of = tuple(rows.cast(pl.Int64) for rows in folds)

    @classmethod
    def assigned(
        cls,
        frame: pl.DataFrame,
        columns: Schema | Iterable[Column],
        fold_of: pl.Series,
        count: int,
    ) -> Self:
        """A table of which each row is in one of `count` folds: the one of its number, from 1."""
        table = cls(frame, columns)
        table.count, table._fold_of = count, fold_of
        return table

    @property
    def folds(self) -> tuple[pl.Series, ...]:
        """For each fold the numbers of its rows, from 0, rising."""
        if self._fold_of is None:
            return self._rows_of
        found = (self._fold_of == number for number in range(1, self.count + 1))
        return tuple(inside.arg_true().cast(pl.Int64) for inside in found)

    def fold(self, number: int) -> Table:
        """The rows of a fold, numbered from 1.  Raises IndexError for one that is not there."""
        return self.of(rows_where(self.frame, self._inside(number)))

    def others(self, number: int) -> Table:
        """The rows that are not in a fold, numbered from 1.  Raises IndexError as `fold`."""
        return self.of(rows_where(self.frame, ~self._inside(number)))

    def _inside(self, number: int) -> pl.Series:
        """True for each row of a fold."""
        if not 1 <= number <= self.count:
            raise IndexError(number)
        if self._fold_of is not None:
            return self._fold_of == number
        inside = np.zeros(self.rows, dtype=bool)
        inside[self._rows_of[number - 1].to_numpy()] = True
        return pl.Series(inside)

    def save(self, folder: Path) -> None:
        """Write the table, and beside it the fold of each row, or the rows of each fold."""
        super().save(folder)
        arrow_file.write(self._numbered(), folder / _FOLDS)
        (folder / _COUNT).write_text(str(self.count), encoding="utf-8")

    def _numbered(self) -> pl.DataFrame:
        if self._fold_of is not None:
            return self._fold_of.alias(_FOLD_OF).to_frame()
        numbered = [
            pl.DataFrame({"fold": pl.repeat(n, len(rows), dtype=pl.Int64, eager=True), "row": rows})
            for n, rows in enumerate(self._rows_of, start=1)
        ]
        return pl.concat([pl.DataFrame(schema={"fold": pl.Int64, "row": pl.Int64}), *numbered])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        table = Table.load(folder)
        try:
            count = int((folder / _COUNT).read_text(encoding="utf-8"))
            numbered = arrow_file.read(folder / _FOLDS)
            if _FOLD_OF in numbered.columns:
                return cls.assigned(table.frame, table.schema, numbered[_FOLD_OF], count)
            folds = [numbered.filter(pl.col("fold") == n)["row"] for n in range(1, count + 1)]
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:
            raise CorruptArtifact("table with folds", str(error)) from error
        return cls(table.frame, table.schema, folds)

    def summary(self) -> dict[str, Any]:
        """Rows, columns and folds."""
        return {**super().summary(), "folds": self.count}
