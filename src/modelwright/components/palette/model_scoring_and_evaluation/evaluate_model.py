"""Evaluate Model: how good one set of scores is, or two side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.learning.errors import TasksDiffer
from modelwright.components.learning.evaluation import (
    TITLES,
    actual_label,
    evaluation_rows,
    metric_columns,
    metrics_frame,
    read_scores,
    scored_task,
)
from modelwright.components.outline import Outline, TableOutline
from modelwright.data.schema import Schema, Task
from modelwright.data.table import Table

_FIRST, _SECOND = "scored_dataset", "scored_dataset_to_compare"


class EvaluateModel(Component, category="Model Scoring and Evaluation"):
    """Measures scored rows against the truth, a row of metrics per connected dataset.

    Truth is the column that the model was trained to predict, or else the one with the label mark.
    Rows without truth or score are left out.  A two-class model is measured at a threshold of 0.5;
    Training Log Loss says by how many percent the log loss is below that of always guessing the
    share of the positives.  A metric that is undefined, such as Precision without a row scored
    positive, is missing.
    """

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
        return Table(metrics_frame(rows))

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
        rows = None if task is Task.CLUSTERING else 1 if second is None else 2
        return {"evaluation_results": TableOutline(metric_columns(task, scored), rows=rows)}


def _refuse_mixed(first: Schema, second: Schema | None) -> None:
    if second is None:
        return
    tasks: list[Task] = [
        scored_task(first, port=_FIRST),
        scored_task(second, port=_SECOND),
    ]
    if tasks[0] is not tasks[1]:
        raise TasksDiffer(TITLES[tasks[0]], TITLES[tasks[1]])
