"""Remove Duplicate Rows: one row of each set of equal ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import polars as pl
from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Bypass, Component, Titled
from modelwright.components.outline import Outline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.palette.data_transformation.row_keys import first_of_each
from modelwright.components.parameters import Columns
from modelwright.data.column_names import all_named
from modelwright.data.expression.table import named
from modelwright.data.memory import allowed, is_large, parts, rows_where
from modelwright.data.schema import Schema
from modelwright.data.table import Table

# Bytes that a key may take on the way, for each of its own, and what is taken at any rate.
_ROOM, _LEAST = 8, 64 << 20


class RemoveDuplicateRows(
    Component, category="Data Transformation", at_inference=Bypass("dataset")
):
    """Keep one row of each set of rows that agree in the key columns.

    A row with a missing value in a key column is like no other and always stays.  The rows that stay
    keep their order.  In an inference pipeline the step falls away: every row that is sent is answered.
    """

    keys: Annotated[
        ColumnSelection,
        Columns("dataset"),
        Field(title="Key column selection filter expression"),
    ] = ColumnSelection(begin="all")
    """The columns in which duplicates agree."""

    retain_first: Annotated[bool, Field(title="Retain first duplicate row")] = True
    """Whether the first row of a set stays, instead of the last."""

    def run(self, dataset: Table) -> Annotated[Table, Titled("Results dataset")]:
        frame, names = dataset.frame, self._keys(dataset.schema)
        if is_large(frame.select(all_named(names))):
            kept = self._first_in_parts(frame, names)
            return dataset.of(frame if kept.all() else rows_where(frame, kept))
        keys = _keys_of(frame, names)
        if not any(key.null_count() for key in keys.get_columns()):
            kept = self._first(keys)
        else:
            alone = keys.select(pl.any_horizontal(pl.all().is_null())).to_series()
            kept = alone.clone()
            kept[(~alone).arg_true()] = self._first(keys.filter(~alone))
        return dataset.of(frame if kept.all() else rows_where(frame, kept))

    def _first(self, keys: pl.DataFrame) -> pl.Series:
        """True for the one row that stays of each key; no value is missing."""
        quick = first_of_each(keys.get_columns(), last=not self.retain_first)
        if quick is not None:
            return quick
        kept = np.zeros(keys.height, dtype=bool)
        kept[self._one_of_each(keys.with_row_index("row"))] = True
        return pl.Series(kept)

    def _first_in_parts(self, frame: pl.DataFrame, names: tuple[str, ...]) -> pl.Series:
        """True for each row that stays; keys may all differ and be larger than memory."""
        kept = np.zeros(frame.height, dtype=bool)
        size = int(frame.select(all_named(names)).estimated_size())
        # Equal keys have equal hashes, so each piece has all rows of its keys.
        pieces = max(1, size * _ROOM // max(allowed(), _LEAST))
        for piece in range(pieces):
            found = []
            for at, rows in parts(frame):
                keys = _keys_of(rows, names)
                alone = keys.select(pl.any_horizontal(pl.all().is_null())).to_series()
                kept[at : at + rows.height] |= alone.to_numpy()
                own = (keys.hash_rows(0) % pieces == piece) & ~alone
                found.append(keys.with_row_index("row", offset=at).filter(own))
            kept[self._one_of_each(pl.concat(found))] = True
        return pl.Series(kept)

    def _one_of_each(self, keys: pl.DataFrame) -> np.ndarray[Any, np.dtype[Any]]:
        """The number, in `row`, of the one row that stays of each key."""
        row = pl.col("row").min() if self.retain_first else pl.col("row").max()
        names = [name for name in keys.columns if name != "row"]
        rows = keys.lazy().group_by(names).agg(row).select("row")
        return rows.collect(engine="streaming").to_series().to_numpy()

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = flow(table_outline(inputs), self._checked, self.keys, rows_stay=False)
        return {"results_dataset": table}

    def _keys(self, schema: Schema) -> tuple[str, ...]:
        return self.keys.resolve(schema, parameter="Key column selection filter expression")

    def _checked(self, schema: Schema) -> Schema:
        self._keys(schema)
        return schema


def _keys_of(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """The key columns, not a number as null."""
    # Names of their own, as those of a table may look like patterns.
    return frame.select(
        (named(n).fill_nan(None) if frame.schema[n].is_float() else named(n)).alias(str(at))
        for at, n in enumerate(names)
    )
