"""Tune Model Hyperparameters: a learner is tried with many settings, and the best is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

import polars as pl
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.errors import EmptyTable
from modelwright.components.learning.evaluation import read_scores
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.metrics import Metrics
from modelwright.components.learning.scoring import score
from modelwright.components.learning.sweep import (
    Settings,
    entire_grid,
    random_grid,
    random_sweep,
)
from modelwright.components.learning.training import (
    check_label_type,
    chosen_label,
    outline_of_training,
    refuse_unsupervised,
    train,
)
from modelwright.components.learning.validation import Rows, Trial, folds_of, try_fold
from modelwright.components.outline import LearnerOutline, Outline, TableOutline
from modelwright.components.parameters import ColumnName, Shown
from modelwright.data.errors import ModelwrightError
from modelwright.data.fitted import Model, UntrainedModel
from modelwright.data.schema import Task
from modelwright.data.table import Table

FOLDS = 5
MANY_ROWS = 100_000
"""With more rows one fold is measured, since the others would say the same."""

_TRAINING, _VALIDATION = "training_dataset", "optional_validation_dataset"
_RANDOM = ("Random sweep", "Random grid")
_CLASSES = {
    "Accuracy": "Accuracy",
    "Precision": "Precision",
    "Recall": "Recall",
    "F-score": "F1 Score",
    "AUC": "AUC",
    "Average Log Loss": "Average Log Loss",
}
_NUMBERS = {
    "Mean absolute error": "Mean_Absolute_Error",
    "Root of mean squared error": "Root_Mean_Squared_Error",
    "Relative absolute error": "Relative_Absolute_Error",
    "Relative squared error": "Relative_Squared_Error",
    "Coefficient of determination": "Coefficient_of_Determination",
}
_SMALLEST = {
    "Average Log Loss",
    "Average Quantile Loss",
    "Mean_Absolute_Error",
    "Root_Mean_Squared_Error",
    "Relative_Absolute_Error",
    "Relative_Squared_Error",
}


class Tuned(NamedTuple):
    sweep_results: Annotated[Table, Titled("Sweep results")]
    trained_best_model: Annotated[Model, Titled("Trained best model")]


@dataclass(frozen=True)
class _Try:
    """Settings to be measured: on some folds of the training rows, or on rows set aside."""

    learner: UntrainedModel
    settings: Settings
    label: str
    folds: tuple[Rows, ...]


class TuneModelHyperparameters(Component, category="Model Training"):
    """Trains a learner with many settings, measures each, and gives the best one trained on all rows.

    A learner in ParameterRange mode is tried with the values of its ranges, one in SingleParameter
    mode with the ranges it comes with.  Without a validation dataset each setting is measured by
    cross-validation over 5 folds (over those that Partition and Sample assigned, if it did); with more
    than 100,000 rows on one of them.  Classifiers of several classes are ranked by accuracy, quantile
    learners by their average loss.  Sweep results has a row per setting, the best first; settings
    that cannot be trained have no metrics and come last.
    """

    mode: Annotated[
        Literal["Random sweep", "Random grid", "Entire grid"],
        Field(title="Parameter sweeping mode"),
    ] = "Random sweep"
    """Draw settings one by one, draw combinations without repeating one, or try all combinations."""

    runs: Annotated[
        int,
        Field(ge=1, le=10_000, title="Maximum number of runs on random sweep"),
        Shown(mode=_RANDOM),
    ] = 5
    """How many settings are tried."""

    random_seed: Annotated[int, Field(ge=0), Shown(mode=_RANDOM)] = 0
    """Draws the settings; equal numbers give equal settings."""

    label_column: ColumnName = ""
    """The column to predict; when empty, the one that carries the label mark."""

    classification_metric: Annotated[
        Literal["Accuracy", "Precision", "Recall", "F-score", "AUC", "Average Log Loss"],
        Field(title="Ranking metric for classification"),
    ] = "Accuracy"
    """Which settings of a two-class learner are best; Average Log Loss where it is smallest."""

    regression_metric: Annotated[
        Literal[
            "Mean absolute error",
            "Root of mean squared error",
            "Relative absolute error",
            "Relative squared error",
            "Coefficient of determination",
        ],
        Field(title="Ranking metric for regression"),
    ] = "Mean absolute error"
    """Which settings of a regression learner are best: errors where smallest, the last where largest."""

    def run(
        self,
        untrained_model: Annotated[UntrainedModel, Titled("Untrained model")],
        training_dataset: Annotated[Table, Titled("Training dataset")],
        optional_validation_dataset: Annotated[
            Table | None, Titled("Optional validation dataset")
        ] = None,
        *,
        context: Context,
    ) -> Tuned:
        learner = Learner.of(untrained_model)
        title = learner.__component__.title
        refuse_unsupervised(learner.task, title)
        label = chosen_label(training_dataset.schema, self.label_column, port=_TRAINING)
        check_label_type(learner.task, label, title)
        if training_dataset.rows == 0:
            raise EmptyTable(_TRAINING)
        folds: tuple[Rows, ...] = ()
        if optional_validation_dataset is None:
            folds = folds_of(training_dataset, label, learner.task, count=FOLDS, seed=0)
            if training_dataset.rows > MANY_ROWS:
                folds = folds[:1]
        tried = self._settings(learner)
        context.log(f"{title}: {len(tried)} settings to try.")
        tries = [_Try(learner.as_data(), s, label.name, folds) for s in tried]
        plain = Table(training_dataset.frame, training_dataset.schema)
        outcomes = context.map(partial(_measured, plain, optional_validation_dataset), tries)
        metric = self._metric(learner.task)
        report = _report(learner, tried, outcomes, metric, context)
        best = tried[report["⟨try⟩"][0]]
        context.log("Best: " + ", ".join(f"{name} {value}" for name, value in best.items()) + ".")
        model = train(learner.with_values(best), plain, label.name, context, port=_TRAINING)
        return Tuned(Table(report.drop("⟨try⟩")), model)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        learner, dataset = inputs.get("untrained_model"), inputs.get("training_dataset")
        if isinstance(learner, LearnerOutline):
            refuse_unsupervised(learner.task, learner.title)
        else:
            learner = None
        if not isinstance(dataset, TableOutline):
            dataset = None
        model = outline_of_training(learner, dataset, self.label_column, port=_TRAINING)
        return {"sweep_results": None, "trained_best_model": model}

    def _settings(self, learner: Learner) -> list[Settings]:
        if self.mode == "Entire grid":
            return entire_grid(learner)
        draw = random_grid if self.mode == "Random grid" else random_sweep
        return draw(learner, self.runs, self.random_seed)

    def _metric(self, task: Task) -> str:
        if task is Task.REGRESSION:
            return _NUMBERS[self.regression_metric]
        if task is Task.TWO_CLASS:
            return _CLASSES[self.classification_metric]
        return "Accuracy" if task is Task.MULTICLASS else "Average Quantile Loss"


def _measured(rows: Table, validation: Table | None, one: _Try) -> Metrics | ModelwrightError:
    """The metrics of one try, the mean over its folds; or why it cannot be trained."""
    learner = Learner.of(one.learner).with_values(one.settings)
    try:
        if validation is not None:
            model = train(learner, rows, one.label, Context(), port=_TRAINING)
            scored = score(model, validation, port=_VALIDATION)
            return read_scores(scored, port=_VALIDATION).metrics()
        untrained = learner.as_data()
        found = [
            read_scores(try_fold(rows, Trial(untrained, one.label, inside)), port="fold").metrics()
            for inside in one.folds
        ]
    except ModelwrightError as error:
        return error
    means: Metrics = {}
    for name in found[0]:
        values = [v for m in found if (v := m.get(name)) is not None]
        means[name] = sum(values) / len(values) if values else None
    return means


def _report(
    learner: Learner,
    tried: list[Settings],
    outcomes: list[Metrics | ModelwrightError],
    metric: str,
    context: Context,
) -> pl.DataFrame:
    """A row per try, the best first.  Raises the first error when no try could be trained."""
    titles = {p.name: p.title for p in learner.inner.__component__.parameters}
    lines: list[dict[str, Any]] = []
    for number, (settings, outcome) in enumerate(zip(tried, outcomes, strict=True)):
        line: dict[str, Any] = {titles[name]: value for name, value in settings.items()}
        if isinstance(outcome, ModelwrightError):
            context.log(f"Settings {settings} cannot be trained: {outcome}")
        else:
            line |= outcome
        lines.append({"⟨try⟩": number, **line})
    measured = [o for o in outcomes if not isinstance(o, ModelwrightError)]
    if not measured:
        raise next(o for o in outcomes if isinstance(o, ModelwrightError))
    columns = ["⟨try⟩", *(titles[n] for n in tried[0]), *measured[0]]
    frame = pl.DataFrame(lines, infer_schema_length=None).select(columns)
    return frame.sort(
        metric, descending=metric not in _SMALLEST, nulls_last=True, maintain_order=True
    )
