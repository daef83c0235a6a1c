"""Clip Values: numbers beyond a threshold replaced."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Component, Replay
from modelwright.components.errors import InvalidParameter
from modelwright.components.outline import Outline, TransformOutline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.palette.data_transformation.replacements import (
    MEAN,
    learnt,
    learnt_quantiles,
    medians,
)
from modelwright.components.parameters import Columns, Shown, is_visible
from modelwright.data.expression import (
    Compute,
    DuplicateColumn,
    Expression,
    Formula,
    Scalar,
    any_of,
    column,
    when,
)
from modelwright.data.expression.scalars import encoded
from modelwright.data.fitted import Transform
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.data.table import Table

Kind = Literal["Constant", "Percentile"]
Substitute = Literal["Threshold", "Mean", "Median", "Missing"]
_PEAKS, _SUBPEAKS, _BOTH = "ClipPeaks", "ClipSubpeaks", "ClipPeaksAndSubpeaks"


@dataclass(frozen=True)
class _Bound:
    """One side: where it lies, and what is put in place of a value beyond it."""

    side: Literal["upper", "lower"]
    kind: Kind
    value: float
    substitute: Substitute


class Clipped(NamedTuple):
    results_dataset: Table
    clipping_transformation: Transform


class ClipValues(
    Component,
    category="Data Transformation",
    at_inference=Replay("dataset", "clipping_transformation", "results_dataset"),
):
    """Replace numbers above or below a threshold.

    A threshold is a constant, or a percentile of the column, interpolated between neighbouring
    values.  A value equal to it is not replaced.  Mean and median are those of the column before
    clipping; missing values do not count and stay missing.  A column becomes Double where a number that
    is not whole may be put in.

    When the clipped values do not overwrite the column, they stand in a new one, NAME_Clipped; the
    indicator column is NAME_IsClipped.  Percentiles, means and medians are kept in the
    transformation, so that other rows are clipped where these were.
    """

    columns: Annotated[ColumnSelection, Columns("dataset"), Field(title="List of columns")] = (
        ColumnSelection.typed("Numeric")
    )
    """The numeric columns to be clipped, all by the same rule."""

    thresholds: Annotated[
        Literal["ClipPeaks", "ClipSubpeaks", "ClipPeaksAndSubpeaks"],
        Field(title="Set of thresholds"),
    ] = "ClipPeaks"
    """Whether values above, below or on both sides are replaced."""

    upper_kind: Annotated[Kind, Field(title="Upper threshold"), Shown(thresholds=_PEAKS)] = (
        "Constant"
    )
    """Whether the upper threshold is a constant or a percentile."""

    lower_kind: Annotated[Kind, Field(title="Lower threshold"), Shown(thresholds=_SUBPEAKS)] = (
        "Constant"
    )
    """Whether the lower threshold is a constant or a percentile."""

    both_kind: Annotated[Kind, Field(title="Threshold"), Shown(thresholds=_BOTH)] = "Constant"
    """Whether both thresholds are constants or percentiles."""

    upper_constant: Annotated[
        float,
        Field(title="Constant value for upper threshold", allow_inf_nan=False),
        Shown(thresholds=_PEAKS, upper_kind="Constant"),
        Shown(thresholds=_BOTH, both_kind="Constant"),
    ] = 99.0
    """Values above it are replaced, when the upper threshold is a constant."""

    lower_constant: Annotated[
        float,
        Field(title="Constant value for lower threshold", allow_inf_nan=False),
        Shown(thresholds=_SUBPEAKS, lower_kind="Constant"),
        Shown(thresholds=_BOTH, both_kind="Constant"),
    ] = 1.0
    """Values below it are replaced, when the lower threshold is a constant."""

    upper_percentile: Annotated[
        float,
        Field(title="Percentile value for upper threshold", ge=0, le=100),
        Shown(thresholds=_PEAKS, upper_kind="Percentile"),
        Shown(thresholds=_BOTH, both_kind="Percentile"),
    ] = 99.0
    """Percentile above which values are replaced, from 0 to 100, when it is a percentile."""

    lower_percentile: Annotated[
        float,
        Field(title="Percentile value for lower threshold", ge=0, le=100),
        Shown(thresholds=_SUBPEAKS, lower_kind="Percentile"),
        Shown(thresholds=_BOTH, both_kind="Percentile"),
    ] = 1.0
    """Percentile below which values are replaced, from 0 to 100, when it is a percentile."""

    upper_substitute: Annotated[
        Substitute, Field(title="Substitute value for peaks"), Shown(thresholds=(_PEAKS, _BOTH))
    ] = "Threshold"
    """What is put in place of a value above the upper threshold."""

    lower_substitute: Annotated[
        Substitute,
        Field(title="Substitute value for subpeaks"),
        Shown(thresholds=(_SUBPEAKS, _BOTH)),
    ] = "Threshold"
    """What is put in place of a value below the lower threshold."""

    indicators: Annotated[bool, Field(title="Add indicator columns")] = False
    """Whether a column is added for each clipped one that tells where a value was replaced."""

    overwrite: Annotated[bool, Field(title="Overwrite flag")] = True
    """Whether clipped values take the place of the column, instead of a new one's."""

    @property
    def learns_from_rows(self) -> bool:
        values = self.model_dump(mode="json")
        shown = {
            values[p.name]
            for p in self.__component__.parameters
            if is_visible(p, values) and isinstance(values[p.name], str)
        }
        return not shown.isdisjoint({"Percentile", "Mean", "Median"})

    def run(self, dataset: Table) -> Clipped:
        chosen = self._chosen(dataset.schema)
        figures = self._figures(dataset, chosen)
        computed: dict[str, Expression] = {}
        flags: dict[str, Expression] = {}
        for name in chosen:
            clipped, beyond = self._clipped(name, figures[name])
            computed[self._target(name)] = clipped
            flags[f"{name}_IsClipped"] = beyond
        self._after(dataset.schema)
        formula = Formula(Compute(computed | (flags if self.indicators else {})))
        about = {n: {k: encoded(v) for k, v in found.items()} for n, found in figures.items()}
        transform = Transform(
            formula,
            dataset.schema,
            learnt={"thresholds": self.thresholds, "columns": about},
            made_by=self.__component__.title,
        )
        return Clipped(transform.apply(dataset), transform)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = flow(table_outline(inputs), self._after, self.columns)
        known = table_outline(inputs)
        if table is None or known is None:
            return super().outline(**inputs)
        fitted = TransformOutline(self._chosen(known.schema), table)
        return {"results_dataset": table, "clipping_transformation": fitted}

    @property
    def _bounds(self) -> tuple[_Bound, ...]:
        """The thresholds in use, the upper one first."""
        both = self.thresholds == _BOTH
        found = []
        if self.thresholds != _SUBPEAKS:
            kind = self.both_kind if both else self.upper_kind
            value = self.upper_constant if kind == "Constant" else self.upper_percentile
            found.append(_Bound("upper", kind, value, self.upper_substitute))
        if self.thresholds != _PEAKS:
            kind = self.both_kind if both else self.lower_kind
            value = self.lower_constant if kind == "Constant" else self.lower_percentile
            found.append(_Bound("lower", kind, value, self.lower_substitute))
        return tuple(found)

    def _target(self, name: str) -> str:
        return name if self.overwrite else f"{name}_Clipped"

    def _chosen(self, schema: Schema) -> tuple[str, ...]:
        """The columns to be clipped; refuses thresholds that exclude each other."""
        values = [bound.value for bound in self._bounds]
        if len(values) == 2 and values[1] >= values[0]:
            kind = "Percentile" if self.both_kind == "Percentile" else "Constant"
            raise InvalidParameter(
                f"{kind} value for lower threshold",
                values[1],
                f"it is not below the upper threshold, {values[0]:g}",
            )
        wanted = (ColumnType.INTEGER, ColumnType.DOUBLE)
        return self.columns.resolve_typed(schema, parameter="List of columns", wanted=wanted)

    def _after(self, schema: Schema) -> Schema:
        new: list[Column] = []
        chosen = self._chosen(schema)
        for name in chosen:
            before = schema.column(name)
            after = replace(before, type=self._type(before.type))
            new.append(after if self.overwrite else Column(self._target(name), after.type))
        if self.indicators:
            new += [Column(f"{name}_IsClipped", ColumnType.BOOLEAN) for name in chosen]
        for added in new:
            if added.name in schema and added.name not in chosen:
                raise DuplicateColumn(added.name)
        return schema.put(*new)

    def _type(self, before: ColumnType) -> ColumnType:
        """The type after clipping: a whole column stays whole when only whole numbers are put in."""
        whole = all(
            b.substitute == "Missing"
            or (b.substitute == "Threshold" and b.kind == "Constant" and _is_whole(b.value))
            for b in self._bounds
        )
        return before if whole else ColumnType.DOUBLE

    def _figures(self, table: Table, names: Sequence[str]) -> dict[str, dict[str, Scalar]]:
        """By column and side: the threshold, and what is put in."""
        sides = [b for b in self._bounds if b.kind == "Percentile"]
        shares = [bound.value / 100 for bound in sides]
        at = learnt_quantiles(table, names, shares, "a percentile") if sides else {}
        percentiles = {b.side: {n: at[n][i] for n in names} for i, b in enumerate(sides)}
        middles: dict[str, dict[str, Scalar]] = {}
        for substitute in {bound.substitute for bound in self._bounds}:
            if substitute == "Mean":
                middles[substitute] = learnt(table, names, MEAN, "the mean")
            elif substitute == "Median":
                middles[substitute] = medians(table, names)
        figures: dict[str, dict[str, Scalar]] = {name: {} for name in names}
        for name in names:
            whole = self._type(table.schema.column(name).type) is ColumnType.INTEGER
            for bound in self._bounds:
                limit: Scalar = percentiles.get(bound.side, {}).get(name, bound.value)
                put: Scalar = limit if bound.substitute == "Threshold" else None
                put = middles.get(bound.substitute, {}).get(name, put)
                whole_put = int(put) if whole and isinstance(put, float) else put
                figures[name] |= {bound.side: limit, f"{bound.side}_substitute": whole_put}
        return figures

    def _clipped(self, name: str, figures: Mapping[str, Scalar]) -> tuple[Expression, Expression]:
        """The clipped value, and whether it was replaced."""
        value = column(name)
        outsides = []
        result: Expression = value
        for bound in reversed(self._bounds):
            limit = figures[bound.side]
            outside = value > limit if bound.side == "upper" else value < limit
            result = when(outside, figures[f"{bound.side}_substitute"], result)
            outsides.append(outside)
        if all(bound.substitute == "Threshold" for bound in self._bounds):
            whole = all(isinstance(figures[f"{b.side}_substitute"], int) for b in self._bounds)
            least, most = (-(2**63), 2**63 - 1) if whole else (-math.inf, math.inf)
            low, high = (
                figures.get("lower_substitute", least),
                figures.get("upper_substitute", most),
            )
            result = value.clip(low, high)
        return result, when(any_of(outsides), True, False)


def _is_whole(value: float) -> bool:
    # Beyond 2**53 not every whole number is a double.
    return value.is_integer() and abs(value) <= 2**53
