"""Normalize Data: numeric columns brought to one scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

import numpy as np
import polars as pl
from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Component, Replay
from modelwright.components.errors import ComponentError, EmptyTable
from modelwright.components.outline import Outline, TransformOutline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.palette.data_transformation.column_faults import (
    InfiniteValue,
    refuse_too_far_apart,
)
from modelwright.components.parameters import Columns
from modelwright.data.expression import Compute, Expression, Formula, call, column, when
from modelwright.data.expression.scalars import encoded
from modelwright.data.expression.table import named
from modelwright.data.fitted import Transform
from modelwright.data.large_columns import Vector, largest, mean, mean_of, smallest
from modelwright.data.memory import is_large
from modelwright.data.schema import ColumnType, Schema
from modelwright.data.table import Table

Figures = Mapping[str, float | None]

_NUMERIC = ColumnSelection.typed("Numeric")
# Functions that take nothing of a column but whether it has two different values.
_BY_ITSELF = {"Logistic": "logistic", "TanH": "tanh"}
_LOOKED_AT = 1 << 12


class NoSpread(ComponentError):
    """The logarithms of a column's values do not differ, so no law can be fitted to them."""

    code = "no-spread"

    def __init__(self, column: str) -> None:
        super().__init__(
            f'Column "{column}" on port "dataset" does not have two different values above 0; '
            "LogNormal needs them.",
            remedy="Leave the column out, or choose another transformation method.",
            column=column,
            port="dataset",
        )


class Normalized(NamedTuple):
    transformed_dataset: Table
    transformation_function: Transform


class NormalizeData(
    Component,
    category="Data Transformation",
    at_inference=Replay("dataset", "transformation_function", "transformed_dataset"),
):
    """Bring numeric columns to one scale, in their places.

    ZScore: (x - mean) / standard deviation of the population.  MinMax: (x - minimum) / (maximum -
    minimum).  Logistic: 1 / (1 + exp(-x)).  LogNormal: the cumulative distribution function, at x, of
    the lognormal law with the mean and standard deviation of ln x; only values above 0 have a
    logarithm, and all others become 0, which is that function's value there.  TanH: tanh(x).

    Every chosen column becomes Double.  Missing values stay missing and are not counted.  New data may
    leave the range of the old: MinMax then gives values below 0 or above 1.

    A column whose values are all the same, or all missing, has no scale.  It becomes 0 when that option
    is set, for every method and in new data too, and stays as it is otherwise.  Infinite values are an
    error where statistics are taken.
    """

    columns: Annotated[ColumnSelection, Columns("dataset"), Field(title="Columns to transform")] = (
        _NUMERIC
    )
    """The numeric columns to be scaled; all of them when nothing is chosen."""

    zero_constants: Annotated[bool, Field(title="Use 0 for constant columns when checked")] = True
    """Whether a column of one single value becomes 0 instead of staying as it is."""

    method: Annotated[
        Literal["ZScore", "MinMax", "Logistic", "LogNormal", "TanH"],
        Field(title="Transformation method"),
    ] = "ZScore"
    """The function that each value goes through."""

    def run(self, dataset: Table) -> Normalized:
        chosen = self._chosen(dataset.schema)
        if not dataset.rows:
            raise EmptyTable("dataset")
        figures = _figures(dataset, chosen, self.method)
        formula = Formula(Compute({n: self._scaled(n, figures[n]) for n in chosen}))
        transform = Transform(
            formula,
            dataset.schema,
            learnt={
                "method": self.method,
                "columns": {n: {k: encoded(v) for k, v in f.items()} for n, f in figures.items()},
            },
            made_by=self.__component__.title,
        )
        return Normalized(transform.apply(dataset), transform)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = flow(table_outline(inputs), self._after, self.columns)
        if table is None:
            return super().outline(**inputs)
        fitted = TransformOutline(self._chosen(table.schema), table)
        return {"transformed_dataset": table, "transformation_function": fitted}

    def _chosen(self, schema: Schema) -> tuple[str, ...]:
        selection = _NUMERIC if self.columns.is_empty else self.columns
        wanted = (ColumnType.INTEGER, ColumnType.DOUBLE)
        return selection.resolve_typed(schema, parameter="Columns to transform", wanted=wanted)

    def _after(self, schema: Schema) -> Schema:
        chosen = self._chosen(schema)
        return schema.put(*(replace(schema.column(n), type=ColumnType.DOUBLE) for n in chosen))

    def _scaled(self, name: str, figures: Figures) -> Expression:
        """The new value of a column, from what is known of its old ones."""
        x = column(name).cast(ColumnType.DOUBLE)
        same = when(column(name).is_missing(), None, 0.0) if self.zero_constants else x
        if self.method in _BY_ITSELF:
            return call(_BY_ITSELF[self.method], x) if figures["varies"] else same
        low, high = figures["minimum"], figures["maximum"]
        if low is None or high is None or low == high:
            return same
        if not (math.isfinite(low) and math.isfinite(high)):
            raise InfiniteValue(name, f"the scale of {self.method}")
        if self.method == "MinMax":
            refuse_too_far_apart(name, high - low)
            return (x - low) / (high - low)
        if self.method == "ZScore":
            refuse_too_far_apart(name, figures["deviation"])
            # Values that differ by less than a double can tell apart have no deviation either.
            return (x - figures["mean"]) / (figures["deviation"] or 1.0)
        if not figures["log_deviation"]:
            raise NoSpread(name)
        # The logarithm of 0 lies below all others, and so does that of what is less here.
        logarithm = call("ln", call("maximum", x, 0.0))
        standard = (logarithm - figures["log_mean"]) / figures["log_deviation"]
        return when(column(name).is_missing(), None, call("normal_cdf", standard))


def _figures(table: Table, names: tuple[str, ...], method: str) -> dict[str, Figures]:
    """What the method needs to know of each column; None where it has no values."""
    if method in _BY_ITSELF:
        return {name: {"varies": _varies(table.frame.get_column(name))} for name in names}
    if is_large(table.frame):
        return {name: _figures_in_parts(table.frame.get_column(name), method) for name in names}
    values = table.frame.select(named(name).cast(pl.Float64) for name in names)
    found = _asked(values, method)
    if any(x is not None and math.isnan(x) for row in found.values() for x in row):
        # Not a number is missing; most columns hold none, and are read as they are.
        found = _asked(values.with_columns(pl.all().fill_nan(None)), method)
    return {name: {word: row[at] for word, row in found.items()} for at, name in enumerate(names)}


def _varies(column: pl.Series) -> bool:
    """Whether there are two different numbers; most columns tell it by their first ones."""
    met: set[float] = set()
    at, step = 0, _LOOKED_AT
    while at < len(column) and len(met) < 2:
        values = column.slice(at, step).drop_nulls().cast(pl.Float64).to_numpy()
        there = values[values == values]
        met |= {float(there.min()), float(there.max())} if len(there) else set()
        at, step = at + step, min(2 * step, 1 << 19)
    return len(met) > 1


def _asked(values: pl.DataFrame, method: str) -> dict[str, tuple[float | None, ...]]:
    every = pl.all()
    asked = {"minimum": every.min(), "maximum": every.max()}
    if method == "ZScore":
        asked |= {"mean": every.mean(), "deviation": every.std(ddof=0)}
    found = _taken(values, asked)
    if method == "LogNormal":
        logs = values.select(every.map_batches(_of_logarithms, returns_scalar=True))
        found |= {"log_mean": logs.row(0), "log_deviation": logs.row(1)}
    return found


def _taken(
    values: pl.DataFrame, asked: Mapping[str, pl.Expr]
) -> dict[str, tuple[float | None, ...]]:
    """Each figure of every column, all of them at once."""
    told = [figure.name.prefix(f"{at} ") for at, figure in enumerate(asked.values())]
    row = values.select(told).row(0)
    width = values.width
    return {word: row[at * width : (at + 1) * width] for at, word in enumerate(asked)}


def _of_logarithms(column: pl.Series) -> pl.Series:
    """The mean and the deviation of the logarithms there are."""
    values = column.drop_nulls()
    logarithms = pl.Series(_logarithms(values.to_numpy()))
    return pl.Series([logarithms.mean(), logarithms.std(ddof=0)], dtype=pl.Float64)


def _figures_in_parts(column: pl.Series, method: str) -> Figures:
    found = {"minimum": smallest(column), "maximum": largest(column)}
    if method == "ZScore":
        found["mean"] = middle = mean(column)
        found["deviation"] = _deviation(column, middle, lambda values: values)
    if method == "LogNormal":
        found["log_mean"] = middle = mean_of(column, _logarithms)
        found["log_deviation"] = _deviation(column, middle, _logarithms)
    return found


def _deviation(
    column: pl.Series, middle: float | None, change: Callable[[Vector], Vector]
) -> float | None:
    """The standard deviation of the population, of what `change` makes of the values."""
    if middle is None:
        return None
    square = mean_of(column, lambda values: (change(values) - middle) ** 2)
    return None if square is None else math.sqrt(square)


def _logarithms(values: Vector) -> Vector:
    above = values > 0
    logarithms: Vector = np.log(values if above.all() else values[above])
    return logarithms
