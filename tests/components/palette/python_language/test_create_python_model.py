from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.contract.examples import work
from tests.inference.training import trained

from modelwright.components.context import Context
from modelwright.components.learning.errors import WrongLabelType
from modelwright.components.palette.model_scoring_and_evaluation.evaluate_model import EvaluateModel
from modelwright.components.palette.model_scoring_and_evaluation.score_model import ScoreModel
from modelwright.components.palette.model_training.train_model import TrainModel
from modelwright.components.palette.python_language.create_python_model import CreatePythonModel
from modelwright.data.fitted import Model
from modelwright.data.python_model import PythonModel, ScoreColumnTaken
from modelwright.data.schema import Role, Task
from modelwright.data.scripting.errors import ScriptError, ScriptOutOfMemory, ScriptTimedOut
from modelwright.data.store import Store
from modelwright.data.table import Table
from modelwright.inference.package import Package, write

ROWS = Table(
    pl.DataFrame(
        {
            "width": [1.0, 2.0, 3.0, 11.0, 12.0, 13.0],
            "make": ["a", "b", "a", "b", "a", None],
            "turbo": ["no", "no", "no", "yes", "yes", "yes"],
        }
    )
)
NUMBERS = Table(ROWS.frame.select("width", "turbo"))

MEAN = """
import pandas as pd
class AzureMLModel:
    def __init__(self):
        self.model = None
    def train(self, df_train, df_label):
        print("training on", list(df_train.columns), len(df_label))
        self.model = float(df_label.iloc[:, 0].mean())
    def predict(self, df):
        return pd.DataFrame({"Scored Labels": [self.model + (v or 0) for v in df["width"]]})
"""


def train(dataset: Table, label: str, script: str | None = None, **settings: Any) -> Model:
    chosen = {"script": script} if script else {}
    learner = CreatePythonModel(**chosen, **settings).run()
    return TrainModel(label_column=label).run(learner, dataset, context=Context())


def test_the_sample_is_trained_scored_and_evaluated() -> None:
    model = train(NUMBERS, "turbo")

    scored = ScoreModel().run(model, NUMBERS)
    (measured,) = work(EvaluateModel(), {"scored_dataset": scored}).values()

    assert scored.frame["Scored Labels"].to_list() == ROWS.frame["turbo"].to_list()
    assert scored.schema.names == ("width", "turbo", "Scored Labels", "Scored Probabilities")
    assert [c.role for c in scored.schema][2:] == [Role.SCORE, Role.SCORE]
    assert isinstance(measured, Table)
    assert measured.frame["Accuracy"].to_list() == [1.0]


def test_rows_without_a_label_are_not_trained_on_and_text_arrives_as_it_is() -> None:
    rows = Table(
        pl.DataFrame({"width": [1.0, 2.0, 3.0], "make": ["a", None, "b"], "price": [10, None, 20]})
    )
    said: list[str] = []
    learner = CreatePythonModel(script=MEAN, predicts="Regression").run()
    model = TrainModel(label_column="price").run(learner, rows, context=Context(log=said.append))

    assert "training on ['width', 'make'] 2" in said
    assert any(line.startswith("1 rows without a value") for line in said)
    assert (model.task, model.features.names) == (Task.REGRESSION, ("width", "make"))
    assert model.score(rows).frame["Scored Labels"].to_list() == [16.0, 17.0, 18.0]


def test_a_model_is_the_same_after_the_store_and_the_same_when_trained_again(
    tmp_path: Path,
) -> None:
    store = Store.open(tmp_path)
    rows = Table(pl.DataFrame({"width": [1.0, 2.0], "price": [10, 20]}))

    digests = {store.put(train(rows, "price", MEAN, predicts="Regression")) for _ in range(2)}

    assert len(digests) == 1
    model = store.get(digests.pop())
    assert isinstance(model, PythonModel)
    assert model.score(rows).frame["Scored Labels"].to_list() == [16.0, 17.0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("class AzureMLModel", "class Other"), 'defines no "AzureMLModel"'),
        (("def predict(self, df)", "def foretell(self, df)"), 'has no method "predict"'),
        (("def train(self, df_train, df_label)", "def train(self, x)"), "cannot be called with 2"),
        (("float(", "int('x' + str("), "syntax|never closed|Syntax"),
        (('return pd.DataFrame({"', 'return ({"'), "not a pandas data frame"),
        (('for v in df["width"]', "for v in [1]"), "predict returns 1 rows for 2"),
        (("self.model = float", "self.f = lambda: 1; self.model = float"), "cannot be kept"),
        (("self.model = None", "raise ValueError('no luck')"), "no luck"),
    ],
)
def test_a_class_that_does_not_work_says_why(change: tuple[str, str], why: str) -> None:
    rows = Table(pl.DataFrame({"width": [1.0, 2.0], "price": [10, 20]}))
    script = MEAN.replace(*change)

    with pytest.raises(ScriptError, match=why):
        train(rows, "price", script, predicts="Regression")


def test_a_score_column_that_the_data_has_is_refused() -> None:
    rows = Table(pl.DataFrame({"width": [1.0, 2.0], "price": [10, 20]}))
    model = train(rows, "price", MEAN, predicts="Regression")
    taken = Table(rows.frame.with_columns(pl.lit(1).alias("Scored Labels")))

    with pytest.raises(ScoreColumnTaken):
        model.score(taken)
    again = model.score(model.score(rows))
    assert again.schema.names.count("Scored Labels") == 1


def test_training_is_stopped_when_its_time_is_up() -> None:
    rows = Table(pl.DataFrame({"width": [1.0, 2.0], "price": [10, 20]}))
    slow = MEAN.replace('print("training', 'import time; time.sleep(60); print("training')

    with pytest.raises(ScriptTimedOut):
        train(rows, "price", slow, predicts="Regression", time_limit=0.5)


# Quick for the rows of training, and never done with a negative one; or as large as it says.
LIMITED = MEAN.replace(
    "    def predict(self, df):\n",
    "    def predict(self, df):\n"
    "        while df['width'].min() < 0: pass\n"
    "        held = bytearray(int(df['width'].max()) << 30) if df['width'].max() > 1 else None\n",
)


def test_the_limits_of_training_hold_for_predictions_too(tmp_path: Path) -> None:
    rows = Table(pl.DataFrame({"width": [0.5, 1.0], "price": [10, 20]}))
    limits = {"time_limit": 20.0, "memory_limit": 0.5}
    model = train(rows, "price", LIMITED, predicts="Regression", **limits)
    store = Store.open(tmp_path)
    kept = store.get(store.put(model))
    assert isinstance(kept, PythonModel)

    with pytest.raises(ScriptOutOfMemory):
        kept.score(Table(pl.DataFrame({"width": [2.0]})))
    with pytest.raises(ScriptTimedOut):
        replace(kept, time_limit=0.5).score(Table(pl.DataFrame({"width": [-1.0]})))
    assert kept.score(rows).frame["Scored Labels"].to_list() == [15.5, 16.0]


def test_the_label_must_suit_what_is_predicted() -> None:
    with pytest.raises(WrongLabelType, match="numbers"):
        train(ROWS, "turbo", MEAN, predicts="Regression")


def test_a_python_model_answers_behind_an_endpoint_as_in_the_run(tmp_path: Path) -> None:
    pipeline = """\
modelwright: 1
name: Turbo
nodes:
  rows:
    component: dataset
    parameters: {name: rows}
  learner:
    component: create-python-model
  train:
    component: train-model
    parameters: {label_column: turbo}
    inputs: {untrained_model: learner.untrained_model, dataset: rows.dataset}
  score:
    component: score-model
    inputs: {trained_model: train.trained_model, dataset: rows.dataset}
"""
    ran = trained(pipeline, rows=NUMBERS)

    made = ran.convert()
    assert ran.parity(made).verdict == "equal"
    write(ran.serving(made.graph), tmp_path / "turbo.zip")
    scorer = Package.open(tmp_path / "turbo.zip").scorer()

    body = json.dumps({"Inputs": {"WebServiceInput0": [{"width": 12.5}]}}).encode()
    (reply,) = json.loads(scorer.answer(body))["Results"].values()
    assert reply[0]["Scored Labels"] == "yes"
    assert reply[0]["Scored Probabilities"] > 0.9
