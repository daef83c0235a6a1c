"""Filter Based Feature Selection: the columns that go best with a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Literal, NamedTuple

import polars as pl
from pydantic import Field

from modelwright.components.contract import Component, Replay, Titled
from modelwright.components.errors import ColumnTypeError, EmptyTable, InvalidParameter
from modelwright.components.learning.errors import LabelAllMissing, NoFeatureColumns
from modelwright.components.outline import Outline, TableOutline, TransformOutline
from modelwright.components.palette.column_flow import flow, table_outline
from modelwright.components.palette.feature_selection.association import (
    chi_squared,
    correlation_with_groups,
    pearson_correlation,
)
from modelwright.components.parameters import ColumnName
from modelwright.data.expression import Formula, Keep
from modelwright.data.fitted import Transform
from modelwright.data.memory import is_large
from modelwright.data.schema import Column, ColumnType, Role, Schema
from modelwright.data.table import Table

_REPORT = Schema((Column("Feature", ColumnType.STRING), Column("Score", ColumnType.DOUBLE)))
_NUMBERS = (ColumnType.INTEGER, ColumnType.DOUBLE, ColumnType.BOOLEAN)


class Selected(NamedTuple):
    filtered_dataset: Table
    features: Table
    selection_transformation: Annotated[Transform, Titled("Feature selection transformation")]


class FilterBasedFeatureSelection(
    Component,
    category="Feature Selection",
    at_inference=Replay("dataset", "selection_transformation", "filtered_dataset"),
):
    """Keep the columns that go best with a target column.

    Each feature is scored by itself, from the rows in which neither it nor the target is missing; true
    counts as 1 and false as 0.  The filtered table has the target and the features of the highest
    scores, in the order of the table; of equal scores the earlier column is taken.  Features tells all
    scores, highest first.  Columns of a type that the method cannot score, constant columns and columns
    without values score 0.

    Pearson correlation: the size of the correlation, from 0 to 1, of numbers.  A text or categorical
    target is replaced by the mean of the feature within each of its values.  Chi squared: how far
    the counts of pairs of values are from those of independence.  Numbers that are not categorical and
    have more than 10 different values are counted in 10 bins of about as many rows.

    Other columns, marks of label and score among them, are never scored and are left out.  The
    transformation keeps the same columns of other tables; nothing is chosen anew there.
    """

    method: Annotated[
        Literal["Pearson correlation", "Chi squared"], Field(title="Feature scoring method")
    ] = "Pearson correlation"
    """The statistic by which columns are scored."""

    features_only: Annotated[bool, Field(title="Operate on feature columns only")] = True
    """Whether only columns in the role of features are scored, instead of all but labels and scores."""

    target: Annotated[ColumnName, Field(title="Target column")] = ""
    """The column that features are to go with; when empty, the one that carries the label mark."""

    count: Annotated[int, Field(title="Number of desired features", ge=1)] = 1
    """How many features are kept; all when there are fewer."""

    def run(self, dataset: Table) -> Selected:
        target, candidates = self._columns(dataset.schema)
        if not dataset.rows:
            raise EmptyTable("dataset")
        if not _has_values(dataset, target):
            raise LabelAllMissing(target.name, "dataset")
        scores = self._scores(dataset, candidates, target)
        report = pl.DataFrame(
            {"Feature": [c.name for c in candidates], "Score": scores},
            schema={c.name: c.type.dtype for c in _REPORT},
        ).sort("Score", descending=True, maintain_order=True)
        best = set(report["Feature"].head(self.count)) | {target.name}
        kept = [name for name in dataset.schema.names if name in best]
        transform = Transform(
            Formula(Keep(kept)),
            dataset.schema,
            learnt={"method": self.method, "target": target.name, "scores": dict(report.rows())},
            made_by=self.__component__.title,
        )
        return Selected(transform.apply(dataset), Table(report), transform)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        known = table_outline(inputs)
        features = TableOutline(_REPORT)
        if known is None or flow(known, self._checked) is None:
            return {**super().outline(**inputs), "features": features}
        target, candidates = self._columns(known.schema)
        given = TableOutline(Schema((target,)), complete=False, rows=known.rows)
        if known.complete:
            features = TableOutline(_REPORT, rows=len(candidates))
            if len(candidates) <= self.count:
                kept = {target.name, *(c.name for c in candidates)}
                given = TableOutline(
                    known.schema.keep(n for n in known.schema.names if n in kept), rows=known.rows
                )
        fitted = TransformOutline((target.name,), given)
        return {
            "filtered_dataset": given,
            "features": features,
            "selection_transformation": fitted,
        }

    def _checked(self, schema: Schema) -> Schema:
        self._columns(schema)
        return schema

    def _columns(self, schema: Schema) -> tuple[Column, Sequence[Column]]:
        """The target, and the columns that are scored."""
        if self.target:
            target = schema.column(self.target, port="dataset")
        elif len(schema.labels) == 1:
            target = schema.labels[0]
        else:
            raise InvalidParameter("Target column", "", "no column is chosen")
        if target.type in (ColumnType.DATETIME, ColumnType.OTHER):
            wanted = "a number, text or true and false"
            raise ColumnTypeError(target.name, target.type.value, wanted, port="dataset")
        candidates = [c for c in schema if c.name != target.name and self._may_be_scored(c)]
        if not candidates:
            raise NoFeatureColumns("dataset", target.name)
        return target, candidates

    def _may_be_scored(self, column: Column) -> bool:
        if column.role in (Role.LABEL, Role.SCORE) or column.score is not None:
            return False
        return column.role is Role.FEATURE or not self.features_only

    def _scores(self, table: Table, features: Sequence[Column], target: Column) -> list[float]:
        if is_large(table.frame):
            return [self._score(table, feature, target) for feature in features]
        with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
            return list(pool.map(lambda one: self._score(table, one, target), features))

    def _score(self, table: Table, feature: Column, target: Column) -> float:
        x, y = (table.frame.get_column(column.name) for column in (feature, target))
        if self.method == "Chi squared":
            if feature.type in (ColumnType.DATETIME, ColumnType.OTHER):
                return 0.0
            counted = {"count_x": _is_counted(feature), "count_y": _is_counted(target)}
            return chi_squared(x, y, **counted, large=is_large(table.frame))
        if feature.type not in _NUMBERS:
            return 0.0
        if target.categorical or target.type is ColumnType.STRING:
            return correlation_with_groups(x, y)
        return pearson_correlation(x, y)


def _has_values(table: Table, column: Column) -> bool:
    values = table.frame.get_column(column.name)
    missing = values.is_null() | values.is_nan() if values.dtype.is_float() else values.is_null()
    return not missing.all()


def _is_counted(column: Column) -> bool:
    """Whether a column's values are quantities, so that many of them are counted in bins."""
    return column.type.is_numeric and not column.categorical
