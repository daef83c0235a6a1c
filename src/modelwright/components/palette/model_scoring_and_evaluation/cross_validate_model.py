"""Cross Validate Model: how good a learner is on rows that it was not trained on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, NamedTuple

import polars as pl
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.errors import EmptyTable
from modelwright.components.learning.errors import LabelAllMissing
from modelwright.components.learning.evaluation import (
    evaluation_rows,
    metric_columns,
    metrics_frame,
    read_scores,
)
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.metrics import Row
from modelwright.components.learning.scoring import outline_of_scoring
from modelwright.components.learning.training import (
    check_label_type,
    chosen_label,
    outline_of_training,
    refuse_unsupervised,
)
from modelwright.components.learning.validation import Rows, folds_of, try_folds
from modelwright.components.outline import LearnerOutline, Outline, TableOutline
from modelwright.components.parameters import ColumnName
from modelwright.data.expression.table import named
from modelwright.data.fitted import UntrainedModel
from modelwright.data.schema import Column, ColumnType, Role, Schema, Task
from modelwright.data.table import Table

FOLDS = 10
FOLD = Column("Fold Number", ColumnType.INTEGER, Role.NONE)
EXAMPLES = Column("Number of examples in fold", ColumnType.INTEGER)


class Validated(NamedTuple):
    scored_results: Annotated[Table, Titled("Scored results")]
    evaluation_results_by_fold: Annotated[Table, Titled("Evaluation results by fold")]


class CrossValidateModel(Component, category="Model Scoring and Evaluation"):
    """Trains a learner on all folds but one, in turn, and measures it on the one left out.

    The folds are those that Partition and Sample assigned in the step before; without them there are
    10 of nearly equal size, drawn at random, and for a classifier with the same share of every class.
    Scored results holds each row as the model of its fold scored it; the other output has a row of
    metrics per fold, numbered from 0.  No model is kept: train one with Train Model.
    """

    label_column: ColumnName = ""
    """The column to predict; when empty, the one that carries the label mark."""

    random_seed: Annotated[int, Field(ge=0)] = 0
    """Draws the folds; equal numbers give equal folds."""

    def folded(self, connected: Collection[str]) -> str | None:
        return "dataset"

    def run(
        self,
        untrained_model: Annotated[UntrainedModel, Titled("Untrained model")],
        dataset: Annotated[Table, Titled("Dataset")],
        *,
        context: Context,
    ) -> Validated:
        learner = Learner.of(untrained_model)
        title = learner.__component__.title
        refuse_unsupervised(learner.task, title)
        label = chosen_label(dataset.schema, self.label_column)
        check_label_type(learner.task, label, title)
        if dataset.rows == 0:
            raise EmptyTable("dataset", FOLDS)
        if dataset.frame[label.name].null_count() == dataset.rows:
            raise LabelAllMissing(label.name, "dataset")
        folds = folds_of(dataset, label, learner.task, count=FOLDS, seed=self.random_seed)
        context.log(f"{title}: {len(folds)} folds.")
        scored = try_folds(learner, dataset, label.name, folds, context)
        return Validated(_joined(scored, folds), _report(scored, context))

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        learner, dataset = inputs.get("untrained_model"), inputs.get("dataset")
        if isinstance(learner, LearnerOutline):
            refuse_unsupervised(learner.task, learner.title)
        else:
            learner = None
        if not isinstance(dataset, TableOutline):
            dataset = None
        model = outline_of_training(learner, dataset, self.label_column)
        scored = report = None
        if dataset is not None:
            known = outline_of_scoring(model, dataset)
            rows = known.schema.put(FOLD) if known.complete else known.schema
            scored = TableOutline(rows, known.complete)
            if learner is not None and known.complete:
                metrics = metric_columns(learner.task, known.schema)
                report = TableOutline(Schema((FOLD, EXAMPLES, *metrics)))
        return {"scored_results": scored, "evaluation_results_by_fold": report}


def _joined(scored: list[Table], folds: tuple[Rows, ...]) -> Table:
    """The rows of all folds in their order of before, each with the number of its fold."""
    parts = [
        table.frame.with_columns(
            pl.lit(fold, pl.Int64).alias(FOLD.name), pl.Series("⟨row⟩", rows, dtype=pl.Int64)
        )
        for fold, (table, rows) in enumerate(zip(scored, folds, strict=True))
    ]
    marks = Schema()
    for table in scored:
        marks = marks.put(*table.schema)
    # A class that a fold's training rows lack has no probability there.
    frame = pl.concat(parts, how="diagonal")
    ends = [c.name for c in marks if c.role is Role.SCORE] + [FOLD.name]
    frame = frame.sort("⟨row⟩", maintain_order=True).drop("⟨row⟩")
    order = [*(n for n in frame.columns if n not in ends), *ends]
    frame = frame.select(named(n) for n in order)
    likely = [
        c.name
        for c in marks
        if c.score and c.score.task is Task.MULTICLASS and c.score.content == "probability"
    ]
    return Table(frame.with_columns(pl.col(likely).fill_null(0.0)), marks.put(FOLD))


def _report(scored: list[Table], context: Context) -> Table:
    lines: list[Row] = []
    for fold, table in enumerate(scored):
        (metrics,) = evaluation_rows(read_scores(table, port=f"fold {fold}", log=context.log))
        lines.append({FOLD.name: fold, EXAMPLES.name: table.rows, **metrics})
    report = metrics_frame(lines)
    for name in report.columns[2:]:
        mean, deviation = report[name].mean(), report[name].std()
        if isinstance(mean, float) and isinstance(deviation, float):
            context.log(f"{name}: mean {mean:.6g}, standard deviation {deviation:.6g}.")
    return Table(report, Schema((FOLD,)))
