"""Join Data: the rows of two tables that agree in their keys, side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Bypass, Component, Titled
from modelwright.components.errors import ComponentError
from modelwright.components.outline import Outline, TableOutline
from modelwright.components.palette.column_flow import table_outline
from modelwright.components.palette.data_transformation.large_join import How, Side, joined
from modelwright.components.palette.data_transformation.row_keys import lookup
from modelwright.components.parameters import Columns
from modelwright.data.expression import DuplicateColumn
from modelwright.data.expression.frames import renamed
from modelwright.data.expression.table import named
from modelwright.data.memory import carried_out, is_large, parts, rows_where, written
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.data.table import Table

_LEFT, _RIGHT = "Join key columns for left dataset", "Join key columns for right dataset"
_HOW: Mapping[str, How] = {
    "Inner Join": "inner",
    "Left Outer Join": "left",
    "Full Outer Join": "full",
    "Left Semi-Join": "semi",
}
_PART = 1 << 19


class JoinKeyError(ComponentError):
    """The key columns of the two sides of a join cannot be compared with each other."""

    code = "join-keys-do-not-fit"

    def __init__(self, why: str, *, remedy: str, **fields: object) -> None:
        super().__init__(
            f"The key columns do not fit each other: {why}.", remedy=remedy, why=why, **fields
        )


class JoinData(Component, category="Data Transformation"):
    """Join two tables on one or more key columns.

    Keys are paired in their order: the first on the left with the first on the right.  For an order
    other than the table's let the selection keep its own.  Paired keys are of one type; whole numbers
    fit fractional ones.  A missing key matches nothing, not even another missing one.

    Inner Join: rows that match.  Left Outer Join: all left rows, with missing values where nothing
    matches.  Full Outer Join: all rows of both sides.  Left Semi-Join: left rows that match, each
    once, with the left columns only.  A row comes as often as it has matches, in the order of the left
    table; right rows without a match come last.

    In an inference pipeline where requests bring the rows of one table only, rows of the other that
    match none of them do not come out.

    A right column whose name is taken on the left gets NAME_right.  Without right key columns, the
    left ones tell the key of every row, also of right rows without a match.
    """

    left_keys: Annotated[ColumnSelection, Columns("left_dataset"), Field(title=_LEFT)] = (
        ColumnSelection()
    )
    """The key columns of the left table."""

    right_keys: Annotated[ColumnSelection, Columns("right_dataset"), Field(title=_RIGHT)] = (
        ColumnSelection()
    )
    """The key columns of the right table, as many, in corresponding order."""

    match_case: Annotated[bool, Field(title="Match case")] = True
    """Whether text keys tell upper from lower case."""

    join_type: Annotated[
        Literal["Inner Join", "Left Outer Join", "Full Outer Join", "Left Semi-Join"],
        Field(title="Join type"),
    ] = "Inner Join"
    """Which rows come out."""

    keep_right_keys: Annotated[bool, Field(title="Keep right key columns in joined table")] = True
    """Whether the key columns of the right table come out too."""

    def run(
        self, left_dataset: Table, right_dataset: Table
    ) -> Annotated[Table, Titled("Results dataset")]:
        schema = self._after(left_dataset.schema, right_dataset.schema)
        pairs = self._pairs(left_dataset.schema, right_dataset.schema)
        sources = (left_dataset.frame, right_dataset.frame)
        if (looked_up := self._looked_up(left_dataset, right_dataset, pairs)) is not None:
            return Table(looked_up, schema)
        own = _unused_prefix((*left_dataset.schema.names, *right_dataset.schema.names))
        keys = [f"{own}key{at}" for at in range(len(pairs))]
        values = [
            [
                self._key(pair[side], pair[1 - side], frame.schema).alias(key)
                for key, pair in zip(keys, pairs, strict=True)
            ]
            for side, frame in enumerate(sources)
        ]
        semi = self.join_type == "Left Semi-Join"
        places = {name: f"{own}{at}" for at, name in enumerate(right_dataset.schema.names)}
        given = {} if semi else {place: named(n) for n, place in places.items()}
        added = [e.alias(place) for place, e in given.items()]
        columns = {name: named(name) for name in left_dataset.schema.names}
        if self._left_keys_tell_all:
            columns |= {
                one.name: pl.coalesce(
                    named(one.name).cast(dtype := schema.column(one.name).type.dtype),
                    pl.col(places[other.name]).cast(dtype),
                )
                for one, other in pairs
            }
        if not semi:
            renamed = self._renamed(left_dataset.schema, right_dataset.schema)
            columns |= {new: pl.col(places[old]) for old, new in renamed.items()}

        def chosen(rows: pl.LazyFrame) -> pl.LazyFrame:
            return rows.select(e.alias(n) for n, e in columns.items())

        how = _HOW[self.join_type]
        if is_large(sources[1]):
            pieces = joined(
                Side(sources[0], values[0]),
                Side(sources[1], values[1], added),
                how,
                row=f"{own}row",
            )
            return Table(
                written(chosen(p.lazy()).collect(engine="in-memory") for p in pieces), schema
            )
        left = sources[0].lazy().with_columns(values[0])
        right = sources[1].lazy().select(*values[1], *added)
        if not is_large(sources[0]):
            return Table(carried_out(chosen(_joined(left, right, keys, how)), *sources), schema)
        # All rows at once would be in memory before the first is written.
        each: How = "left" if how == "full" else how
        plans: Iterator[pl.LazyFrame] = (
            _joined(left.slice(at, rows.height), right, keys, each)
            for at, rows in parts(sources[0])
        )
        if how == "full":
            lacking = [pl.lit(None, dtype=t).alias(n) for n, t in sources[0].schema.items()]
            rest = _unmatched(left.select(keys), right, keys).with_columns(lacking)
            plans = chain(plans, [rest])
        return Table(written(chosen(p).collect(engine="in-memory") for p in plans), schema)

    def _looked_up(
        self, left: Table, right: Table, pairs: Sequence[tuple[Column, Column]]
    ) -> pl.DataFrame | None:
        """The result where one whole number is the key and the right has each once, else None."""
        (one, other), *more = pairs
        if more or one.type is not ColumnType.INTEGER or other.type is not ColumnType.INTEGER:
            return None
        if is_large(left.frame) or is_large(right.frame):
            return None
        found = lookup(left.frame.get_column(one.name), right.frame.get_column(other.name))
        if found is None:
            return None
        frame = left.frame
        if self.join_type in ("Inner Join", "Left Semi-Join"):
            matched = found.matched()
            if matched is not None:
                frame, found = rows_where(frame, matched), found.of(matched)
            if self.join_type == "Left Semi-Join":
                return frame
        names = self._renamed(left.schema, right.schema)
        added = renamed(right.frame[list(names)], names)
        if names:
            frame = pl.concat([frame, found.beside(added)], how="horizontal")
        if self.join_type != "Full Outer Join":
            return frame
        rest = found.left_over(right.rows)
        if not rest.any():
            return frame
        # The columns of the left side are null there, but for a key that tells that of both.
        keys = {one.name: named(other.name)} if self._left_keys_tell_all else {}
        lacking = {n: pl.lit(None, dtype=t) for n, t in left.frame.schema.items()} | keys
        chosen = lacking | {new: named(old) for old, new in names.items()}
        below = right.frame.filter(rest).select(e.alias(n) for n, e in chosen.items())
        return pl.concat([frame, below])

    def beside_request(self, ports: Collection[str]) -> Component | Bypass | None:
        answering = {
            ("left_dataset", "Full Outer Join"): "Left Outer Join",
            ("right_dataset", "Left Outer Join"): "Inner Join",
        }
        changed = answering.get((next(iter(ports)), self.join_type), self.join_type)
        return self.model_copy(update={"join_type": changed})

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        left, right = table_outline(inputs, "left_dataset"), table_outline(inputs, "right_dataset")
        if left is None or right is None or not (left.complete and right.complete):
            return super().outline(**inputs)
        return {"results_dataset": TableOutline(self._after(left.schema, right.schema))}

    @property
    def _left_keys_tell_all(self) -> bool:
        return self.join_type == "Full Outer Join" and not self.keep_right_keys

    def _pairs(self, left: Schema, right: Schema) -> list[tuple[Column, Column]]:
        """The paired key columns.  Raises JoinKeyError."""
        ones = self.left_keys.resolve(left, parameter=_LEFT, port="left_dataset")
        others = self.right_keys.resolve(right, parameter=_RIGHT, port="right_dataset")
        if len(ones) != len(others):
            raise JoinKeyError(
                f"{len(ones)} are selected on the left and {len(others)} on the right",
                remedy="Select as many on both sides, in corresponding order.",
                left=list(ones),
                right=list(others),
            )
        pairs = [(left.column(n), right.column(m)) for n, m in zip(ones, others, strict=True)]
        for one, other in pairs:
            numbers = one.type.is_numeric and other.type.is_numeric
            if (one.type is not other.type and not numbers) or one.type is ColumnType.OTHER:
                raise JoinKeyError(
                    f'"{one.name}" is {one.type.value} and "{other.name}" is {other.type.value}',
                    remedy="Bring them to one type with Edit Metadata, or choose other keys.",
                    left=one.name,
                    right=other.name,
                )
        return pairs

    def _key(self, own: Column, other: Column, dtypes: pl.Schema) -> pl.Expr:
        """The values by which rows are matched; null matches nothing."""
        value, dtype = named(own.name), dtypes[own.name]
        if dtype.is_float():
            return value.fill_nan(None)
        if own.type is not other.type:
            return value.cast(pl.Float64)
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
            return value.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        if own.type is ColumnType.STRING and not self.match_case:
            return value.str.to_lowercase()
        return value

    def _renamed(self, left: Schema, right: Schema) -> dict[str, str]:
        """Old and new name of each right column that comes out.  Raises DuplicateColumn."""
        keys = {other.name for _, other in self._pairs(left, right)}
        kept = [n for n in right.names if self.keep_right_keys or n not in keys]
        renamed = {name: f"{name}_right" if name in left else name for name in kept}
        seen = set(left.names)
        for name in renamed.values():
            if name in seen:
                raise DuplicateColumn(name)
            seen.add(name)
        return renamed

    def _after(self, left: Schema, right: Schema) -> Schema:
        pairs = self._pairs(left, right)
        if self.join_type == "Left Semi-Join":
            return left
        if self._left_keys_tell_all:
            mixed = [one for one, other in pairs if one.type is not other.type]
            left = left.put(*(replace(one, type=ColumnType.DOUBLE) for one in mixed))
        renamed = self._renamed(left, right)
        return left.put(*(replace(right.column(old), name=new) for old, new in renamed.items()))


def _joined(left: pl.LazyFrame, right: pl.LazyFrame, keys: Sequence[str], how: How) -> pl.LazyFrame:
    if how == "semi":
        return left.join(right, on=keys, how=how, maintain_order="left")
    return left.join(right, on=keys, how=how, coalesce=True, maintain_order="left_right")


def _unmatched(left: pl.LazyFrame, right: pl.LazyFrame, keys: Sequence[str]) -> pl.LazyFrame:
    """The right rows that match no left one, of which there are many."""
    there = right.select(keys).unique().collect()
    count = int(left.select(pl.len()).collect().item())
    for at in range(0, count, _PART):
        there = there.join(left.slice(at, _PART).collect(), on=keys, how="anti")
    return right.join(there.lazy(), on=keys, how="semi", nulls_equal=True, maintain_order="left")


def _unused_prefix(names: Sequence[str]) -> str:
    """A beginning that no name has."""
    prefix = "right "
    while any(name.startswith(prefix) for name in names):
        prefix += "."
    return prefix
