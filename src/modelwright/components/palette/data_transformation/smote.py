"""SMOTE: more rows of the rarer class, made up between rows that are alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import polars as pl
from pydantic import Field

from modelwright.components.contract import Bypass, Component, Titled
from modelwright.components.errors import (
    ColumnTypeError,
    ComponentError,
    EmptyTable,
    InvalidParameter,
)
from modelwright.components.learning.encoding import check_size
from modelwright.components.outline import Outline, TableOutline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.palette.data_transformation.replacements import missing_counts
from modelwright.components.parameters import Control
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.data.table import Table

Matrix = np.ndarray[Any, np.dtype[np.float64]]
Positions = np.ndarray[Any, np.dtype[np.int64]]

_FEW_AXES = 64
# Of so many distances at a time the smallest are looked for.
_MEGABYTES = 32
# Floats tell whole numbers apart below the one, and 64 bits hold those below the other.
_LONG, _END = 2.0**53, 2.0**63


class NotTwoClasses(ComponentError):
    """A label that must have two different values has not."""

    code = "label-not-binary"

    def __init__(self, label: str, count: int) -> None:
        super().__init__(
            f'Label column "{label}" on port "samples" has {count} different values; 2 are needed.',
            remedy="Choose a label of two classes, or group its values first.",
            label=label,
            count=count,
            port="samples",
        )


class MissingValuesError(ComponentError):
    """A column that must be complete has missing values."""

    code = "missing-values"

    def __init__(self, column: str, count: int, port: str) -> None:
        super().__init__(
            f'Column "{column}" on port "{port}" has {count} missing values; none may be missing.',
            remedy="Clean it with Clean Missing Data first, or leave it out.",
            column=column,
            count=count,
            port=port,
        )


class SMOTE(Component, category="Data Transformation", at_inference=Bypass("samples")):
    """Add made-up rows of the rarer of two classes.

    All rows of the input come first, in their order; new ones follow.  For each hundred percent every
    row of the rarer class gets one new row between it and one of its nearest neighbours in that class,
    chosen by chance: numbers lie on the line between the two, by the same share in all columns (whole
    ones are rounded); text, dates, true and false, and numbers marked as categorical are
    taken from one of the two.  Where both classes are as frequent, the later label value in order counts
    as the rarer.

    Nearness is measured over all columns but the label: a number counts in standard deviations of its
    column in the rarer class, and a value of another kind that differs counts as one.  No value may be missing.  A
    seed, 0 too, gives the same rows whenever the input is the same.  In an inference pipeline the step
    falls away.
    """

    label_column: Annotated[str, Control("column", port="samples"), Field(title="Label column")] = (
        ""
    )
    """The column of the two classes; when empty, the one that carries the label mark."""

    percentage: Annotated[int, Field(title="SMOTE percentage", ge=0, multiple_of=100)] = 100
    """New rows as a percentage of the rarer class, a multiple of 100; 0 adds none."""

    neighbors: Annotated[int, Field(title="Number of nearest neighbors", ge=1)] = 5
    """How many of the nearest rows a new one may lie towards."""

    seed: Annotated[int, Field(title="Random seed", ge=0)] = 0
    """Start of the chance: the same number gives the same rows."""

    @property
    def learns_from_rows(self) -> bool:
        return True

    def run(self, samples: Table) -> Annotated[Table, Titled("Table")]:
        label = self._label(samples.schema)
        if not samples.rows:
            raise EmptyTable("samples")
        for name, count in missing_counts(samples, samples.schema.names).items():
            if count:
                raise MissingValuesError(name, count, "samples")
        labels = samples.frame.get_column(label).alias("label")
        classes = labels.value_counts(name="count").sort("count", "label")
        if classes.height != 2:
            raise NotTwoClasses(label, classes.height)
        equal = classes["count"][0] == classes["count"][1]
        rarer = classes["label"][1 if equal else 0]
        minority = samples.frame.filter(labels == rarer)
        if self.percentage == 0:
            return samples
        if minority.height <= self.neighbors:
            raise TooFewOfAClass(label, rarer, minority.height, self.neighbors + 1)
        features = [c for c in samples.schema if c.name != label]
        for feature in features:
            if _is_measured(feature):
                check_size(minority.get_column(feature.name), port="samples")
        made = self._made(minority, features)
        return samples.of(pl.concat([samples.frame, made.select(samples.frame.columns)]))

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = flow(
            table_outline(inputs, "samples"), self._checked, rows_stay=self.percentage == 0
        )
        return {"table": TableOutline(table.schema, table.complete, table.rows) if table else None}

    def _label(self, schema: Schema) -> str:
        if self.label_column:
            name = schema.column(self.label_column, port="samples").name
        elif len(schema.labels) == 1:
            name = schema.labels[0].name
        else:
            raise InvalidParameter("Label column", "", "no column is chosen")
        features = [c for c in schema if c.name != name]
        for column in features:
            if column.type is ColumnType.OTHER:
                wanted = "text, a number, a date or true and false"
                raise ColumnTypeError(column.name, "a nested value", wanted, port="samples")
        if not any(c.type.is_numeric for c in features):
            raise NoNumericFeature()
        return name

    def _checked(self, schema: Schema) -> Schema:
        self._label(schema)
        return schema

    def _made(self, minority: pl.DataFrame, features: list[Column]) -> pl.DataFrame:
        """The new rows: a copy of the minority with other features, for each hundred percent."""
        chance = np.random.default_rng(self.seed)
        nearest = _nearest(minority, features, self.neighbors)
        rows = minority.height
        parts = []
        for _ in range(self.percentage // 100):
            towards = nearest[np.arange(rows), chance.integers(0, self.neighbors, rows)]
            share = chance.random(rows)
            other = minority[pl.Series(towards)]
            columns = [
                _between(minority.get_column(c.name), other.get_column(c.name), share)
                if _is_measured(c)
                else _either(minority.get_column(c.name), other.get_column(c.name), share)
                for c in features
            ]
            parts.append(minority.with_columns(columns))
        return pl.concat(parts)


class NoNumericFeature(ComponentError):
    """There is no number between which a new row could lie."""

    code = "no-numeric-feature"

    def __init__(self) -> None:
        super().__init__(
            'The data on port "samples" have no numeric column beside the label; one is needed.',
            remedy="Keep a numeric column, or convert one with Edit Metadata.",
            port="samples",
        )


class TooFewOfAClass(ComponentError):
    """A class has fewer rows than its neighbourhood needs."""

    code = "too-few-rows-of-class"

    def __init__(self, label: str, value: object, count: int, needed: int) -> None:
        super().__init__(
            f'Class {value!r} of column "{label}" on port "samples" has {count} rows; '
            f"{needed} are needed.",
            remedy='Lower "Number of nearest neighbors", or gather more rows of that class.',
            label=label,
            value=str(value),
            count=count,
            needed=needed,
            port="samples",
        )


def _is_measured(column: Column) -> bool:
    return column.type.is_numeric and not column.categorical


def _nearest(minority: pl.DataFrame, features: list[Column], count: int) -> Positions:
    """For each row the positions of the nearest other ones."""
    from scipy import sparse
    from sklearn import config_context
    from sklearn.neighbors import NearestNeighbors

    rows = minority.height
    measured = [c.name for c in features if _is_measured(c)]
    numbers = minority.select(measured).cast(pl.Float64).to_numpy()
    deviations = numbers.std(axis=0)
    parts = [sparse.csr_array(numbers / np.where(deviations > 0, deviations, 1.0))]
    for column in features:
        if not _is_measured(column):
            places = minority.get_column(column.name).cast(pl.String).rank("dense").to_numpy() - 1
            # Two different values are then one apart: each is off by half on two axes.
            halves = np.full(rows, np.sqrt(0.5))
            parts.append(sparse.csr_array((halves, places, np.arange(rows + 1))))
    matrix = sparse.hstack(parts, format="csr")
    # A tree finds neighbours sooner where there are few axes; many would fill the memory with zeros.
    matrix = matrix.toarray() if matrix.shape[1] <= _FEW_AXES else matrix
    # Asked without rows of its own, it leaves out each row itself.
    with config_context(working_memory=_MEGABYTES):
        found = NearestNeighbors(n_neighbors=count).fit(matrix).kneighbors(return_distance=False)
    nearest: Positions = found.astype(np.int64)
    return nearest


def _between(one: pl.Series, other: pl.Series, share: Matrix) -> pl.Series:
    first, second = (s.cast(pl.Float64).to_numpy() for s in (one, other))
    if not one.dtype.is_integer():
        return pl.Series(one.name, first + share * (second - first))
    # Long whole numbers keep all their digits: only the way between the two is a float.
    way = share * (second - first)
    near = np.abs(way) < _LONG
    steps = np.where(near, np.rint(np.where(near, way, 0.0)), 0.0).astype(np.int64)
    close = one.cast(pl.Int64).to_numpy() + steps
    far = np.clip(np.rint(first + way), -_END, np.nextafter(_END, 0)).astype(np.int64)
    return pl.Series(one.name, np.where(near, close, far))


def _either(one: pl.Series, other: pl.Series, share: Matrix) -> pl.Series:
    return one.zip_with(pl.Series(share < 0.5), other)
