"""Partition and Sample: the head of a table, a sample, its rows in folds, or one of the folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import Field

from modelwright.components.contract import Bypass, Component, Titled
from modelwright.components.errors import ComponentError, InvalidParameter
from modelwright.components.outline import Outline, TableOutline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.palette.data_transformation.column_faults import plain_column
from modelwright.components.palette.data_transformation.random_rows import (
    deal,
    draw,
    draw_stratified,
    share,
)
from modelwright.components.parameters import ColumnName, Control, Shown
from modelwright.data.folds import FoldedTable
from modelwright.data.memory import rows_where
from modelwright.data.schema import Schema
from modelwright.data.table import Table

_FOLDS, _PICK, _SAMPLE, _HEAD = "Assign to Folds", "Pick Fold", "Sampling", "Head"
_EVENLY, _PROPORTIONS = "Partition evenly", "Partition with customized proportions"


class NoSuchFold(ComponentError):
    """A fold is asked for that the table does not have."""

    code = "no-such-fold"

    def __init__(self, number: int, count: int) -> None:
        has = f"has {count} folds" if count else "has no folds"
        super().__init__(
            f'Fold {number} is asked for; the data on port "dataset" {has}.',
            remedy="Choose a fold that is there, counted from 1."
            if count
            else "Wire the port directly to a Partition and Sample step that assigns folds.",
            number=number,
            count=count,
            port="dataset",
        )


class PartitionAndSample(
    Component,
    category="Data Transformation",
    title="Partition and Sample",
    at_inference=Bypass("dataset"),
):
    """Take the first rows of a table, a sample of it, or one of its folds, or assign its rows to folds.

    Head: the first rows.  Sampling: a fraction of the rows, by chance, in the order of the table;
    stratified, the same fraction of each value of the key column.  Pick Fold: the rows of a fold, or
    all others, of a table that a step in the mode Assign to Folds gave directly.

    Assign to Folds: all rows stay, and the table remembers the fold of each, for Pick Fold and for
    cross-validation; no column tells it.  Folds are of equal size, or have the given proportions; when
    these add up to less than 1, one more fold takes the rest.  By chance or, when not randomized, in
    turn: even folds are dealt row by row, proportions take rows that follow each other.  Stratified,
    each value of the key column is dealt by itself.  With replacement each fold is drawn by itself
    from all rows, so that a row may be in several folds, or in none, but once in a fold.

    A seed, 0 too, gives the same rows whenever the input is the same.  In an inference pipeline the
    step falls away.
    """

    mode: Annotated[
        Literal["Assign to Folds", "Pick Fold", "Sampling", "Head"],
        Field(title="Partition or sample mode"),
    ] = "Sampling"
    """What is taken or assigned."""

    head_rows: Annotated[int, Field(title="Number of rows to select", ge=0), Shown(mode=_HEAD)] = 10
    """How many rows from the first; all when there are fewer."""

    rate: Annotated[float, Field(title="Rate of sampling", ge=0, le=1), Shown(mode=_SAMPLE)] = 0.1
    """Share of the rows that are taken, from 0 to 1."""

    sampling_seed: Annotated[
        int, Field(title="Random seed for sampling", ge=0), Shown(mode=_SAMPLE)
    ] = 0
    """Start of the chance: the same number gives the same sample."""

    sampling_stratified: Annotated[
        bool, Field(title="Stratified split for sampling"), Shown(mode=_SAMPLE)
    ] = False
    """Whether the same share of each value of the key column is taken."""

    sampling_key: Annotated[
        ColumnName,
        Field(title="Stratification key column for sampling"),
        Shown(mode=_SAMPLE, sampling_stratified=True),
    ] = ""
    """Column of which each value is sampled alike."""

    replacement: Annotated[
        bool, Field(title="Use replacement in the partitioning"), Shown(mode=_FOLDS)
    ] = False
    """Whether a row may be in several folds."""

    randomized: Annotated[bool, Field(title="Randomized split"), Shown(mode=_FOLDS)] = True
    """Whether chance decides; otherwise rows go to the folds in turn."""

    seed: Annotated[int, Field(title="Random seed", ge=0), Shown(mode=_FOLDS)] = 0
    """Start of the chance: the same number gives the same folds."""

    method: Annotated[
        Literal["Partition evenly", "Partition with customized proportions"],
        Field(title="Specify the partitioner method"),
        Shown(mode=_FOLDS),
    ] = "Partition evenly"
    """Whether folds are equal or have proportions of your own."""

    folds: Annotated[
        int,
        Field(title="Specify number of folds to split evenly into", ge=1, le=10_000),
        Shown(mode=_FOLDS, method=_EVENLY),
    ] = 5
    """How many folds of equal size."""

    proportions: Annotated[
        str,
        Control("names"),
        Field(title="List of proportions separated by comma"),
        Shown(mode=_FOLDS, method=_PROPORTIONS),
    ] = "0.5, 0.25, 0.25"
    """Share of the rows for each fold; together 1 at the most."""

    stratified: Annotated[bool, Field(title="Stratified split"), Shown(mode=_FOLDS)] = False
    """Whether each fold gets the same share of each value of the key column."""

    key: Annotated[
        ColumnName, Field(title="Stratification key column"), Shown(mode=_FOLDS, stratified=True)
    ] = ""
    """Column whose values are dealt to the folds alike."""

    fold: Annotated[
        int, Field(title="Specify which fold to be sampled from", ge=1), Shown(mode=_PICK)
    ] = 1
    """Number of the fold, from 1."""

    complement: Annotated[
        bool, Field(title="Pick complement of the selected fold"), Shown(mode=_PICK)
    ] = False
    """Whether all rows that are not in the fold are taken instead."""

    def run(self, dataset: Table) -> Annotated[Table, Titled("Results dataset")]:
        self._checked(dataset.schema)
        if self.mode == _HEAD:
            return dataset.of(dataset.frame.head(self.head_rows))
        if self.mode == _PICK:
            return self._picked(dataset)
        if self.mode == _FOLDS:
            return self._folded(dataset)
        rows, seed = dataset.rows, self.sampling_seed
        if self.sampling_stratified:
            key = dataset.frame.get_column(self.sampling_key)
            chosen = draw_stratified(key, self.rate, seed=seed)
        else:
            chosen = draw(rows, share(rows, self.rate), seed=seed)
        return dataset.of(rows_where(dataset.frame, chosen))

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = flow(table_outline(inputs), self._checked, rows_stay=self.mode == _FOLDS)
        known = table_outline(inputs)
        rows = known.rows if known else None
        if table is not None and rows is not None and self.mode == _HEAD:
            table = TableOutline(table.schema, table.complete, min(rows, self.head_rows))
        elif table is not None and rows is not None and self.mode == _SAMPLE:
            table = TableOutline(table.schema, table.complete, share(rows, self.rate))
        if self.mode == _PICK and known and known.folds is not None and self.fold > known.folds:
            raise NoSuchFold(self.fold, known.folds)
        if table is not None and self.mode == _FOLDS:
            table = replace(table, folds=len(self._shares()))
        return {"results_dataset": table}

    def _checked(self, schema: Schema) -> Schema:
        """Refuses what is certain to fail."""
        for mode, stratified, key, title in (
            (_SAMPLE, self.sampling_stratified, self.sampling_key, "sampling"),
            (_FOLDS, self.stratified, self.key, ""),
        ):
            if self.mode == mode and stratified:
                if not key:
                    name = "Stratification key column" + (f" for {title}" if title else "")
                    raise InvalidParameter(name, "", "no column is chosen")
                plain_column(schema, key)
        if self.mode == _FOLDS:
            self._shares()
        return schema

    def _picked(self, table: Table) -> Table:
        if not isinstance(table, FoldedTable):
            raise NoSuchFold(self.fold, 0)
        if self.fold > table.count:
            raise NoSuchFold(self.fold, table.count)
        return table.others(self.fold) if self.complement else table.fold(self.fold)

    def _shares(self) -> list[float]:
        """The share of each fold; they add up to 1.  Raises InvalidParameter."""
        if self.method == _EVENLY:
            return [1 / self.folds] * self.folds
        title = "List of proportions separated by comma"
        try:
            shares = [float(part) for part in self.proportions.split(",")]
        except ValueError:
            raise InvalidParameter(title, self.proportions, "it is no list of numbers") from None
        if not all(0 <= part <= 1 for part in shares):
            raise InvalidParameter(title, self.proportions, "a proportion lies between 0 and 1")
        rest = 1 - sum(shares)
        if rest < -1e-9:
            raise InvalidParameter(title, self.proportions, f"they add up to {sum(shares):g}")
        return [*shares, rest] if rest > 1e-9 else shares

    def _folded(self, table: Table) -> FoldedTable:
        """The table with the rows of each fold."""
        rows, key = table.rows, table.frame.get_column(self.key) if self.stratified else None
        shares, seed = self._shares(), self.seed if self.randomized else None
        if not self.replacement:
            turns = self.method == _EVENLY
            numbers = deal(rows, shares, key=key, seed=seed, in_turn=turns)
            numbers += 1
            return FoldedTable.assigned(table.frame, table.schema, pl.Series(numbers), len(shares))
        chances = np.random.SeedSequence(self.seed).generate_state(len(shares))
        drawn = []
        for part, chance in zip(shares, chances, strict=True):
            own = int(chance) if self.randomized else None
            chosen = (
                draw(rows, share(rows, part), seed=own)
                if key is None
                else draw_stratified(key, part, seed=own)
            )
            drawn.append(chosen.arg_true())
        return FoldedTable(table.frame, table.schema, drawn)
