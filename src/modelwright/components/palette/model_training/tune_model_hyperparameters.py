"""Tune Model Hyperparameters: a learner is tried with many settings, and the best is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import polars as pl
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.errors import EmptyTable
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.metrics import smaller_is_better
from modelwright.components.learning.sample import with_sample
from modelwright.components.learning.search import most_tries, search
from modelwright.components.learning.sweep import entire_grid, random_grid, random_sweep
from modelwright.components.learning.training import (
    check_label_type,
    chosen_label,
    outline_of_training,
    refuse_unsupervised,
    train,
)
from modelwright.components.learning.trials import Ranking, Trials
from modelwright.components.learning.validation import Rows, folds_of
from modelwright.components.outline import LearnerOutline, Outline, TableOutline
from modelwright.components.parameters import Control, Shown
from modelwright.data.errors import ModelwrightError
from modelwright.data.fitted import Model, UntrainedModel
from modelwright.data.schema import Task
from modelwright.data.table import Table

FOLDS = 5
MANY_ROWS = 100_000
"""With more rows one fold is measured, since the others would say the same."""

_TRAINING, _VALIDATION = "training_dataset", "optional_validation_dataset"
_COUNTED = ("Random sweep", "Random grid", "Guided search")
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


class Tuned(NamedTuple):
    sweep_results: Annotated[Table, Titled("Sweep results")]
    trained_best_model: Annotated[Model, Titled("Trained best model")]


class TuneModelHyperparameters(Component, category="Model Training"):
    """Trains a learner with many settings, measures each, and gives the best one trained on all rows.

    A learner in ParameterRange mode is tried with the values of its ranges, one in SingleParameter
    mode with the ranges it comes with.  Without a validation dataset each setting is measured by
    cross-validation over 5 folds (over those that Partition and Sample assigned, if it did); with more
    than 100,000 rows on one of them.  Classifiers of several classes are ranked by accuracy, quantile
    learners by their average loss.  Sweep results has a row per setting, the best first; settings
    that cannot be trained, or were given up, have no metrics and come last.

    Settings are measured on several workers where there are some.  A sweep that was stopped or killed
    goes on, when it is run again, from what it had measured.
    """

    mode: Annotated[
        Literal["Random sweep", "Random grid", "Entire grid", "Guided search"],
        Field(title="Parameter sweeping mode"),
    ] = "Random sweep"
    """Draw settings one by one, draw combinations without repeating one, or try all combinations.

    Guided search chooses settings by what was measured before, and gives up after a few folds those
    that do worse than most (a tree-structured Parzen estimator; needs the extra "tune").
    """

    runs: Annotated[
        int,
        Field(ge=1, le=10_000, title="Maximum number of runs on random sweep"),
        Shown(mode=_COUNTED),
    ] = 5
    """How many settings are tried."""

    random_seed: Annotated[int, Field(ge=0), Shown(mode=_COUNTED)] = 0
    """Draws the settings; equal numbers give equal settings."""

    label_column: Annotated[str, Control("column", port=_TRAINING)] = ""
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

    def folded(self, connected: Collection[str]) -> str | None:
        return None if _VALIDATION in connected else _TRAINING

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
            folds = folds_of(
                training_dataset, label, learner.task, count=FOLDS, seed=0, port=_TRAINING
            )
            if training_dataset.rows > MANY_ROWS:
                folds = folds[:1]
        plain = Table(training_dataset.frame, training_dataset.schema)
        trials = Trials(
            learner,
            plain,
            label.name,
            folds,
            optional_validation_dataset,
            ranking=self._ranking(learner.task),
            total=self._count(learner),
            context=context,
            ports=(_TRAINING, _VALIDATION),
        )
        context.log(f"{title}: {self._count(learner)} settings to try.")
        self._measure(learner, trials)
        if trials.reused:
            context.log(f"{trials.reused} measurements are those of an earlier attempt.")
        report = _report(learner, trials, context)
        best = trials.tries[report["⟨try⟩"][0]].settings
        context.log("Best: " + ", ".join(f"{name} {value}" for name, value in best.items()) + ".")
        model = train(learner.with_values(best), plain, label.name, context, port=_TRAINING)
        return Tuned(Table(report.drop("⟨try⟩")), with_sample(model, plain))

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

    def _count(self, learner: Learner) -> int:
        """How many settings will be tried."""
        if self.mode in ("Entire grid", "Random grid"):
            size = len(entire_grid(learner))
            return size if self.mode == "Entire grid" else min(size, self.runs)
        return most_tries(learner, self.runs) if self.mode == "Guided search" else self.runs

    def _measure(self, learner: Learner, trials: Trials) -> None:
        if self.mode == "Guided search":
            search(learner, trials, self._count(learner), self.random_seed)
            return
        if self.mode == "Entire grid":
            chosen = entire_grid(learner)
        else:
            draw = random_grid if self.mode == "Random grid" else random_sweep
            chosen = draw(learner, self.runs, self.random_seed)
        for settings in chosen:
            trials.new(settings)
        trials.measure_all()

    def _ranking(self, task: Task) -> Ranking:
        if task is Task.REGRESSION:
            metric = _NUMBERS[self.regression_metric]
        elif task is Task.TWO_CLASS:
            metric = _CLASSES[self.classification_metric]
        else:
            metric = "Accuracy" if task is Task.MULTICLASS else "Average Quantile Loss"
        return Ranking(metric, smaller_is_better(metric))


def _report(learner: Learner, trials: Trials, context: Context) -> pl.DataFrame:
    """A row per try, the best first.  Raises the first error when no try could be trained."""
    titles = {p.name: p.title for p in learner.inner.__component__.parameters}
    lines: list[dict[str, Any]] = []
    measured: list[str] = []
    errors: list[ModelwrightError] = []
    for one in trials.tries:
        line: dict[str, Any] = {titles[name]: value for name, value in one.settings.items()}
        outcome = one.outcome()
        if isinstance(outcome, ModelwrightError):
            errors.append(outcome)
            context.log(f"Settings {one.settings} cannot be trained: {outcome}")
        elif one.pruned:
            context.log(f"Settings {one.settings} were given up after {len(one.folds)} folds.")
        else:
            line |= outcome
            measured = measured or list(outcome)
        lines.append({"⟨try⟩": one.number, **line})
    if not measured:
        raise errors[0]
    columns = ["⟨try⟩", *(titles[n] for n in trials.tries[0].settings), *measured]
    frame = pl.DataFrame(lines, infer_schema_length=None).select(columns)
    ranking = trials.ranking
    return frame.sort(
        ranking.metric, descending=not ranking.smallest, nulls_last=True, maintain_order=True
    )
