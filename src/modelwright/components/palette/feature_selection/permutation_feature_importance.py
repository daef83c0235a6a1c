"""Permutation Feature Importance: how much worse a model gets when a column is shuffled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.errors import ComponentError, EmptyTable, InvalidParameter
from modelwright.components.learning.evaluation import TITLES, read_scores
from modelwright.components.learning.scoring import score
from modelwright.components.outline import ModelOutline, Outline, TableOutline
from modelwright.data.fitted import Model
from modelwright.data.schema import Column, ColumnType, Schema, Task
from modelwright.data.table import Table

_METRIC = "Metric for measuring performance"
_PORT = "test_data"
_REPORT = Schema((Column("Feature", ColumnType.STRING), Column("Score", ColumnType.DOUBLE)))
_OF_NUMBERS = {
    "Coefficient of Determination": "Coefficient_of_Determination",
    "Mean Absolute Error": "Mean_Absolute_Error",
    "Root Mean Squared Error": "Root_Mean_Squared_Error",
    "Relative Absolute Error": "Relative_Absolute_Error",
    "Relative Squared Error": "Relative_Squared_Error",
}
_OF_TWO_CLASSES = {name: name for name in ("Accuracy", "Precision", "Recall")}
_OF_CLASSES = {"Accuracy": "Accuracy", "Precision": "Macro Precision", "Recall": "Macro Recall"}
_BY_TASK: Mapping[Task, Mapping[str, str]] = {
    Task.REGRESSION: _OF_NUMBERS,
    Task.TWO_CLASS: _OF_TWO_CLASSES,
    Task.MULTICLASS: _OF_CLASSES,
}


class ImportanceNotDefined(ComponentError):
    """A model of a kind whose quality none of the metrics measures."""

    code = "importance-not-defined"

    def __init__(self, task: Task) -> None:
        super().__init__(
            f"The importance of features is not defined for a model of {TITLES[task]}.",
            remedy="Wire a regression or classification model to the port.",
            task=task.value,
        )


class PermutationFeatureImportance(Component, category="Feature Selection"):
    """Measure how much worse a trained model gets when the values of one feature are shuffled.

    The model scores the data as they are, and once more with each of its features shuffled over the
    rows.  The score of a feature is by how much the metric got worse: above 0 the model needs the
    feature, also where the metric is an error; around 0 it does without.  Highest scores come first;
    a score is missing where the metric is not defined.

    Precision and Recall of several classes are the means over the classes (macro); they have no meaning
    for regression.  A seed, 0 too, gives the same shuffles whenever the data are the same.
    """

    seed: Annotated[int, Field(title="Random seed", ge=0)] = 0
    """Start of the chance: the same number gives the same shuffles."""

    metric: Annotated[
        Literal[
            "Accuracy",
            "Precision",
            "Recall",
            "Mean Absolute Error",
            "Root Mean Squared Error",
            "Relative Absolute Error",
            "Relative Squared Error",
            "Coefficient of Determination",
        ]
        | None,
        Field(title=_METRIC),
    ] = None
    """What is measured; when empty, Accuracy of classes and Coefficient of Determination of numbers."""

    def run(
        self,
        trained_model: Annotated[Model, Titled("Trained model")],
        test_data: Annotated[Table, Titled("Test data")],
        *,
        context: Context,
    ) -> Annotated[Table, Titled("Feature importance")]:
        key, sign = self._measure(trained_model.task)
        if not test_data.rows:
            raise EmptyTable(_PORT)

        names = trained_model.features.names
        before = _quality(trained_model, test_data, key, context.log)
        done = 0

        def heard(at: int, after: float | None) -> None:
            nonlocal done
            done += 1
            context.progress(done / len(names))

        shuffled = partial(_shuffled_quality, trained_model, test_data, key, self.seed)
        scores: list[float | None] = []
        for after in context.map(shuffled, range(len(names)), heard=heard):
            worse = None if before is None or after is None else sign * (before - after)
            # A metric that stays as it was has not got worse by minus nothing.
            scores.append(None if worse is None else worse + 0.0)
        frame = pl.DataFrame(
            {"Feature": names, "Score": scores}, schema={c.name: c.type.dtype for c in _REPORT}
        )
        best_first = frame.sort("Score", descending=True, nulls_last=True, maintain_order=True)
        return Table(best_first)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        model, rows = inputs.get("trained_model"), None
        if isinstance(model, ModelOutline):
            self._measure(model.task)
            rows = None if model.features is None else len(model.features)
        return {"feature_importance": TableOutline(_REPORT, rows=rows)}

    def _measure(self, task: Task) -> tuple[str, float]:
        """The metric's name in the evaluation, and 1 where higher is better, else -1."""
        known = _BY_TASK.get(task)
        if known is None:
            raise ImportanceNotDefined(task)
        metric: str = self.metric or next(iter(known))
        if metric not in known:
            raise InvalidParameter(_METRIC, metric, f"it is no metric of {TITLES[task]}")
        return known[metric], -1.0 if metric.endswith("Error") else 1.0


def _quality(
    model: Model, table: Table, key: str, log: Callable[[str], None] | None = None
) -> float | None:
    scored = score(model, table, port=_PORT)
    return read_scores(scored, port=_PORT, log=log).metrics()[key]


def _shuffled_quality(model: Model, table: Table, key: str, seed: int, at: int) -> float | None:
    """The quality with the values of one feature shuffled over the rows."""
    name = model.features.names[at]
    chance = np.random.SeedSequence(seed).spawn(at + 1)[at]
    order = np.random.default_rng(chance).permutation(table.rows)
    shuffled = table.frame.get_column(name).gather(pl.Series(order))
    return _quality(model, table.of(table.frame.with_columns(shuffled)), key)
