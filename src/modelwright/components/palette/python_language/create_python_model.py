"""Create Python Model: a learner that is a class of the user's."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.errors import EmptyTable
from modelwright.components.learning.errors import WrongLearner
from modelwright.components.learning.learner import Class, Fitted, RowsLearner, TrainingData
from modelwright.components.learning.training import classes_of
from modelwright.components.outline import LearnerOutline, Outline
from modelwright.components.parameters import LongText, PythonCode
from modelwright.data.column_names import all_named, named
from modelwright.data.expression import Formula
from modelwright.data.fitted import Model
from modelwright.data.schema import Column, Schema, Task
from modelwright.data.scripting.script import compiled
from modelwright.data.table import Table

_ENTRY = "AzureMLModel"
_TRIED = 20
_TASKS = {
    "Regression": Task.REGRESSION,
    "Two-class classification": Task.TWO_CLASS,
    "Multiclass classification": Task.MULTICLASS,
}
_SAMPLE = """# A class with exactly this name and these methods; it is trained by Train Model.
import pandas as pd
from sklearn.naive_bayes import GaussianNB


class AzureMLModel:
    def __init__(self):
        self.model = GaussianNB()
        self.columns = []

    def train(self, df_train, df_label):
        # The features and the label of the training rows, as pandas data frames.
        self.columns = df_train.columns.tolist()
        self.model.fit(df_train[self.columns], df_label.iloc[:, 0])

    def predict(self, df):
        # One row of scores for each row, under names that the data does not have.
        return pd.DataFrame(
            {
                "Scored Labels": self.model.predict(df[self.columns]),
                "Scored Probabilities": self.model.predict_proba(df[self.columns])[:, 1],
            }
        )
"""


class CreatePythonModel(RowsLearner, category="Python Language"):
    """Define a learner by a Python class of your own, to be trained by Train Model.

    The script defines a class called AzureMLModel with the methods `__init__(self)`,
    `train(self, df_train, df_label)` and `predict(self, df)`.  Training gets the feature columns and the
    label as pandas data frames, as they are: missing values and text are the class's to handle.  `predict`
    gets the feature columns of training and gives one row of scores for each row; names of score columns
    must not be those of columns in the data.

    Scored by Score Model, here and behind an endpoint, always in a process of its own.  A column called
    Scored Labels, and for two classes one called Scored Probabilities, can be evaluated by Evaluate Model.
    The trained object is kept by pickle.  Tune Model Hyperparameters has nothing to vary in it.
    """

    script: Annotated[PythonCode, Field(title="Python script")] = _SAMPLE
    """Source of the script, which defines the class AzureMLModel."""

    predicts: Annotated[
        Literal["Regression", "Two-class classification", "Multiclass classification"],
        Field(title="Kind of prediction"),
    ] = "Two-class classification"
    """What the class predicts, for checks of the label and for evaluation."""

    requirements: LongText = ""
    """Packages that the script needs beside those that are there, one a line as in requirements.txt."""

    time_limit: Annotated[float, Field(gt=0)] | None = None
    """Seconds after which training, and later each prediction, is stopped; none when empty."""

    memory_limit: Annotated[float, Field(gt=0)] | None = None
    """Gigabytes that training and predictions may have beside their libraries; none when empty."""

    @property
    def task(self) -> Task:  # type: ignore[override]  # other learners have one for all
        """What the class predicts."""
        return _TASKS[self.predicts]

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        compiled(self.script, entry=_ENTRY)
        title = self.__component__.title
        return {"untrained_model": LearnerOutline(self.task, title, scores_known=False)}

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        """Never done: rows are trained on as they are."""
        raise WrongLearner(self.__component__.title, self.task.value, "Train Model")

    def train_on(
        self, dataset: Table, label: Column, features: Schema, context: Context, *, port: str
    ) -> Model:
        from modelwright.data.python_model import PythonModel, outline_scores
        from modelwright.data.scripting.environment import packages_for, pinned
        from modelwright.data.scripting.process import ScriptProcess

        known = dataset.frame.filter(named(label.name).is_not_null())
        if not known.height:
            raise EmptyTable(port)
        if ignored := dataset.rows - known.height:
            context.log(f'{ignored} rows without a value in "{label.name}" are ignored.')
        classes: tuple[Class, ...] = ()
        if self.task is not Task.REGRESSION:
            classes = classes_of(known[label.name], label, self.task)
        rows = dataset.of(known.select(all_named(features.names)))
        with (
            tempfile.TemporaryDirectory(dir=context.scratch) as place,
            ScriptProcess(
                self.script,
                entry=_ENTRY,
                packages=packages_for(self.requirements, log=context.log),
                memory_gb=self.memory_limit,
                time_s=self.time_limit,
                scratch=context.scratch,
                log=context.log,
            ) as process,
        ):
            folder = Path(place)
            some = rows.of(rows.frame.head(_TRIED))
            answer = dataset.of(known.select(all_named([label.name])))
            given = {"features": rows, "label": answer, "some": some}
            for name, table in given.items():
                (folder / name).mkdir()
                table.save(folder / name)
            paths = {name: str(folder / name) for name in given}
            state = folder / "state"
            process.ask(
                {"do": "train", **paths, "out": str(state)},
                time_s=self.time_limit,
            )
            # Said now and not at the first request: what predict gives, and that it gives it.
            gave = process.ask(
                {"do": "predict", "features": paths["some"], "out": str(folder)},
                time_s=self.time_limit,
            )
            scores = outline_scores(Table.load(Path(gave["table"])), self.task, label, classes)
            content = state.read_bytes()
        return PythonModel(
            task=self.task,
            formula=Formula(),
            features=Schema(tuple(replace(f, score=None) for f in features)),
            scores=scores,
            label=label,
            classes=classes,
            learnt={"settings": self.settings(), "rows": rows.rows},
            made_by=self.__component__.title,
            script=self.script,
            state=content,
            requirements=pinned(self.requirements),
            time_limit=self.time_limit,
            memory_limit=self.memory_limit,
        )
