"""Evaluate Model: how good one set of scores is, or two side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.learning.errors import (
    LabelAllMissing,
    ScoresAllMissing,
    TasksDiffer,
    TooManyGroups,
)
from modelwright.components.learning.evaluation import (
    TITLES,
    actual_label,
    evaluation_rows,
    grouped_frame,
    metric_columns,
    metrics_frame,
    read_scores,
    scored_task,
)
from modelwright.components.learning.metrics import ALL_ROWS, Row
from modelwright.components.outline import Outline, TableOutline
from modelwright.components.parameters import Control
from modelwright.data.schema import Schema, Task
from modelwright.data.table import Table

MISSING = "(missing)"
MOST_GROUPS = 200

_FIRST, _SECOND = "scored_dataset", "scored_dataset_to_compare"
PORTS = {"Scored dataset": _FIRST, "Scored dataset to compare": _SECOND}
"""The ports by what the evaluation table calls their datasets."""


class EvaluateModel(Component, category="Model Scoring and Evaluation"):
    """Measures scored rows against the truth, a row of metrics per connected dataset.

    Truth is the column that the model was trained to predict, or else the one with the label mark.
    Rows without truth or score are left out.  A two-class model is measured at a threshold of 0.5;
    Training Log Loss says by how many percent the log loss is below that of always guessing the
    share of the positives.  A metric that is undefined, such as Precision without a row scored
    positive, is missing.

    With a column to group by, each of its values gets a row of metrics too, after those of all rows:
    whether a model is as good for one group of people or things as for another.
    """

    group_by_column: Annotated[str, Control("column", port="scored_dataset")] = ""
    """Also measure the rows of each value of this column; not, when empty."""

    def run(
        self,
        scored_dataset: Annotated[Table, Titled("Scored dataset")],
        scored_dataset_to_compare: Annotated[
            Table | None, Titled("Scored dataset to compare")
        ] = None,
        *,
        context: Context,
    ) -> Annotated[Table, Titled("Evaluation results")]:
        second = scored_dataset_to_compare
        _refuse_mixed(scored_dataset.schema, second.schema if second else None)
        rows = evaluation_rows(read_scores(scored_dataset, port=_FIRST, log=context.log))
        if second is not None:
            rows += evaluation_rows(read_scores(second, port=_SECOND, log=context.log))
        if not self.group_by_column:
            return Table(metrics_frame(rows))
        given = [(_FIRST, scored_dataset)] + ([(_SECOND, second)] if second is not None else [])
        own = len(rows) // len(given)
        lines = [
            {**_of_group(port, ALL_ROWS, table.rows), **row}
            for at, (port, table) in enumerate(given)
            for row in rows[at * own : (at + 1) * own]
        ]
        for port, table in given:
            lines += self._by_group(table, port, list(rows[0]))
        return Table(grouped_frame(lines))

    def _by_group(self, table: Table, port: str, metrics: list[str]) -> list[Row]:
        """A row of metrics per group; of one that cannot be measured they are missing."""
        column = table.schema.column(self.group_by_column, port=port)
        values = table.frame[column.name]
        if values.dtype.is_float():
            values = values.fill_nan(None)
        groups = values.unique().sort(nulls_last=True)
        if len(groups) > MOST_GROUPS:
            raise TooManyGroups(column.name, port, len(groups), MOST_GROUPS)
        lines: list[Row] = []
        for value in groups:
            part = table.of(table.frame.filter(values.eq_missing(value)))
            line = _of_group(port, MISSING if value is None else str(value), part.rows)
            try:
                line |= evaluation_rows(read_scores(part, port=port))[-1]
            except (LabelAllMissing, ScoresAllMissing):
                line |= dict.fromkeys(metrics)
            lines.append(line)
        return lines

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        first, second = inputs.get(_FIRST), inputs.get(_SECOND)
        task, scored = None, Schema()
        for port, given in ((_FIRST, first), (_SECOND, second)):
            # Without all columns known, a score or label may still turn up.
            if isinstance(given, TableOutline) and given.complete:
                found = scored_task(given.schema, port=port)
                if found is not Task.CLUSTERING:
                    actual_label(given.schema, found, port=port)
                if task is not None and task is not found:
                    raise TasksDiffer(TITLES[task], TITLES[found])
                task, scored = found, scored or given.schema
        if task is None:
            return {"evaluation_results": None}
        if self.group_by_column:
            for port, given in ((_FIRST, first), (_SECOND, second)):
                if isinstance(given, TableOutline) and given.complete:
                    given.schema.column(self.group_by_column, port=port)
            return {"evaluation_results": None}
        rows = None if task is Task.CLUSTERING else 1 if second is None else 2
        return {"evaluation_results": TableOutline(metric_columns(task, scored), rows=rows)}


def _of_group(port: str, group: str, rows: int) -> Row:
    title = next(title for title, known in PORTS.items() if known == port)
    return {"Dataset": title, "Group": group, "Number of rows": rows}


def _refuse_mixed(first: Schema, second: Schema | None) -> None:
    if second is None:
        return
    tasks: list[Task] = [
        scored_task(first, port=_FIRST),
        scored_task(second, port=_SECOND),
    ]
    if tasks[0] is not tasks[1]:
        raise TasksDiffer(TITLES[tasks[0]], TITLES[tasks[1]])
