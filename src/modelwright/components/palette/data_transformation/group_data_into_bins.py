"""Group Data into Bins: numbers replaced by the bin they fall into."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Component, Replay
from modelwright.components.errors import InvalidParameter
from modelwright.components.outline import Outline, TransformOutline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.palette.data_transformation.column_faults import refuse_too_far_apart
from modelwright.components.palette.data_transformation.quantiles import quantiles_of
from modelwright.components.palette.data_transformation.replacements import (
    LARGEST,
    MEAN,
    SMALLEST,
    learnt,
)
from modelwright.components.parameters import Columns, Control, Shown
from modelwright.data.expression import (
    Compute,
    DuplicateColumn,
    Formula,
    Keep,
    Scalar,
    bucket,
    column,
)
from modelwright.data.fitted import Transform
from modelwright.data.schema import Column, ColumnType, Role, Schema
from modelwright.data.table import Table

_QUANTILES, _WIDTH, _CUSTOM = "Quantiles", "Equal Width", "Custom Edges"
_EDGES = "Comma-separated list of bin edges"


class Grouped(NamedTuple):
    quantized_dataset: Table
    binning_transformation: Transform


class GroupDataIntoBins(
    Component,
    category="Data Transformation",
    title="Group Data into Bins",
    at_inference=Replay("dataset", "binning_transformation", "quantized_dataset"),
):
    """Put the values of numeric columns into bins.

    Bins are numbered from 1, rising.  A value equal to an edge belongs to the bin below it.  Missing
    values stay missing and do not count.  New values beyond the range seen here fall into the first or
    the last bin.

    Quantiles: about as many rows in each bin; edges are interpolated between neighbouring values.
    Where one value is so frequent that edges coincide, their bins are one, with the highest number of
    them.  Equal Width: intervals of equal length between the smallest and the largest value.  Custom
    Edges: k edges make k + 1 bins.

    Quantile normalization says what is put out for quantiles: the number of the bin (QuantileIndex), or
    the share of rows up to the end of the bin, from 0 to 1 (PQuantile) or from 0 to 100 (Percent).  New
    columns are named NAME_quantized.
    """

    mode: Annotated[
        Literal["Quantiles", "Equal Width", "Custom Edges"], Field(title="Binning mode")
    ] = "Quantiles"
    """How the edges of the bins are found."""

    bins: Annotated[
        int, Field(title="Number of bins", ge=1, le=10_000), Shown(mode=(_QUANTILES, _WIDTH))
    ] = 10
    """How many bins each column gets."""

    edges: Annotated[str, Control("names"), Field(title=_EDGES), Shown(mode=_CUSTOM)] = "0"
    """The edges, as rising numbers with commas between."""

    normalization: Annotated[
        Literal["Percent", "PQuantile", "QuantileIndex"],
        Field(title="Quantile normalization"),
        Shown(mode=_QUANTILES),
    ] = "QuantileIndex"
    """What is put out for a bin of quantiles."""

    columns: Annotated[ColumnSelection, Columns("dataset"), Field(title="Columns to bin")] = (
        ColumnSelection.typed("Numeric")
    )
    """The numeric columns to be binned, each with edges of its own unless they are given."""

    output_mode: Annotated[
        Literal["Append", "Inplace", "ResultOnly"], Field(title="Output mode")
    ] = "Append"
    """Whether bins are added, replace the values, or stand alone."""

    categorical: Annotated[bool, Field(title="Tag columns as categorical")] = True
    """Whether the binned columns carry the categorical flag."""

    @property
    def learns_from_rows(self) -> bool:
        return self.mode != "Custom Edges"

    def run(self, dataset: Table) -> Grouped:
        chosen = self._chosen(dataset.schema)
        after = self._after(dataset.schema)
        found = self._bins(dataset, chosen)
        computed = {
            self._target(name): bucket(column(name), edges, closed="right", labels=labels)
            for name, (edges, labels) in found.items()
        }
        targets = [self._target(name) for name in chosen]
        kept = [Keep(targets)] if self.output_mode == "ResultOnly" else []
        transform = Transform(
            Formula(Compute(computed), *kept),
            dataset.schema,
            marks=after.keep(targets),
            learnt={
                "mode": self.mode,
                "columns": {name: {"edges": list(edges)} for name, (edges, _) in found.items()},
            },
            made_by=self.__component__.title,
        )
        return Grouped(transform.apply(dataset), transform)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table, known = flow(table_outline(inputs), self._after, self.columns), table_outline(inputs)
        if table is None or known is None:
            return super().outline(**inputs)
        fitted = TransformOutline(self._chosen(known.schema), table)
        return {"quantized_dataset": table, "binning_transformation": fitted}

    def _chosen(self, schema: Schema) -> tuple[str, ...]:
        wanted = (ColumnType.INTEGER, ColumnType.DOUBLE)
        return self.columns.resolve_typed(schema, parameter="Columns to bin", wanted=wanted)

    def _target(self, name: str) -> str:
        return name if self.output_mode == "Inplace" else f"{name}_quantized"

    @property
    def _type(self) -> ColumnType:
        counted = self.mode != _QUANTILES or self.normalization == "QuantileIndex"
        return ColumnType.INTEGER if counted else ColumnType.DOUBLE

    def _after(self, schema: Schema) -> Schema:
        if self.mode == _CUSTOM:
            self._custom_edges()
        new = []
        for name in self._chosen(schema):
            before = schema.column(name)
            inplace = self.output_mode == "Inplace"
            plain = before if inplace else Column(self._target(name), self._type, Role.FEATURE)
            flag = self.categorical or (inplace and before.categorical)
            new.append(replace(plain, type=self._type, categorical=flag))
            if self.output_mode == "Append" and self._target(name) in schema:
                raise DuplicateColumn(self._target(name))
        return Schema(tuple(new)) if self.output_mode == "ResultOnly" else schema.put(*new)

    def _custom_edges(self) -> tuple[float, ...]:
        try:
            edges = tuple(float(part) for part in self.edges.split(","))
        except ValueError:
            raise InvalidParameter(_EDGES, self.edges, "it is no list of numbers") from None
        if not all(math.isfinite(edge) for edge in edges):
            raise InvalidParameter(_EDGES, self.edges, "an edge is a finite number")
        if any(low >= high for low, high in pairwise(edges)):
            raise InvalidParameter(_EDGES, self.edges, "the edges do not rise")
        return edges

    def _bins(
        self, table: Table, names: Sequence[str]
    ) -> dict[str, tuple[tuple[float, ...], list[Scalar]]]:
        """Edges and the value put out for each bin, by column."""
        if self.mode == _CUSTOM:
            edges = self._custom_edges()
            return {name: (edges, list(range(1, len(edges) + 2))) for name in names}
        if self.mode == _WIDTH:
            low = learnt(table, names, SMALLEST, "its smallest value")
            high = learnt(table, names, LARGEST, "its largest value")
            ends = {n: (_number(low[n]), _number(high[n])) for n in names}
            for name, (least, most) in ends.items():
                refuse_too_far_apart(name, most - least)
            return {n: _equal_width(*ends[n], self.bins) for n in names}
        # Refuses empty columns and infinite values before quantiles are taken.
        learnt(table, names, MEAN, "a quantile")
        shares = [number / self.bins for number in range(1, self.bins + 1)]
        whole = {"Percent": 100, "PQuantile": 1}.get(self.normalization)
        found = {}
        for name, values in quantiles_of(table.frame, names, shares).items():
            edges, numbers = _merged([_number(q) for q in values])
            labels: list[Scalar] = [n * whole / self.bins if whole else n for n in numbers]
            found[name] = edges, labels
        return found


def _equal_width(low: float, high: float, bins: int) -> tuple[tuple[float, ...], list[Scalar]]:
    width = (high - low) / bins
    edges = sorted({low + width * number for number in range(1, bins)} - {low, high})
    return tuple(edges), list(range(1, len(edges) + 2))


def _merged(quantiles: Sequence[float]) -> tuple[tuple[float, ...], list[int]]:
    """Rising edges of the quantiles, the last of which is the largest value, and numbers of bins.

    A bin whose lower and upper edge coincide is one with the bin below it.
    """
    edges = sorted(set(quantiles[:-1]))
    numbers = [sum(q <= edge for q in quantiles) for edge in edges]
    if not numbers or numbers[-1] < len(quantiles):
        return tuple(edges), [*numbers, len(quantiles)]
    return tuple(edges[:-1]), numbers


def _number(value: Scalar) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)
