"""What bench/serving.py serves: W1, the tutorial's linear model, and W2, a hundred trees."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from modelwright.components.columns import ColumnRule, ColumnSelection
from modelwright.components.context import Context
from modelwright.components.learning.training import train
from modelwright.components.palette.data_transformation.clean_missing_data import CleanMissingData
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.artifact import Artifact, Digest
from modelwright.data.expression import Compute, Formula, column, native
from modelwright.data.fitted import Model
from modelwright.data.native import Native
from modelwright.data.schema import Column, ColumnType, Role, Schema, Score, Task
from modelwright.data.table import Table
from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire
from modelwright.inference.package import write
from modelwright.inference.reply import json_rows
from modelwright.inference.serving import ReplyOutput, RequestColumn, RequestInput, Serving
from modelwright.samples import DATASETS

CARS = next(d.path for d in DATASETS if d.file == "automobile-price-raw.csv")
LABEL, UNUSED = "price", "normalized-losses"
TREES, NUMBERS, ROWS = 100, 30, 5_000

Rows = list[dict[str, Any]]


def cars() -> pl.DataFrame:
    """The cars of the tutorial, "?" read as missing."""
    return pl.read_csv(CARS, null_values="?", infer_schema_length=None)


def numbers() -> tuple[pl.DataFrame, np.ndarray]:
    """Rows of W2 and what its model is to predict."""
    chance = np.random.default_rng(3)
    matrix = chance.normal(size=(ROWS, NUMBERS))
    target = matrix[:, :5].sum(axis=1) + np.sin(3 * matrix[:, 5]) * matrix[:, 6]
    return pl.DataFrame(matrix, schema=[f"x{n}" for n in range(NUMBERS)]), target


def boosted() -> Any:
    """The LightGBM regressor of W2, fitted; both sides serve it."""
    from lightgbm import LGBMRegressor

    frame, target = numbers()
    model = LGBMRegressor(n_estimators=TREES, verbose=-1, n_jobs=1, deterministic=True)
    return model.fit(frame.to_pandas(), target)


def rows_of(workload: str, count: int) -> Rows:
    """Rows as a client sends them; complete ones, so that every side answers all of them."""
    frame = cars().drop_nulls().drop(LABEL) if workload == "w1" else numbers()[0]
    return json_rows(frame[:count])


def package(workload: str, folder: Path) -> Path:
    """The workload's pipeline, packaged below the folder."""
    path = folder / workload
    write(_cars_serving() if workload == "w1" else _trees_serving(), path)
    return path


def sleeping(folder: Path, seconds: float) -> Path:
    """A pipeline whose script sleeps for each request, packaged below the folder."""
    script = f"import time\n\ndef azureml_main(a=None, b=None):\n    time.sleep({seconds})\n    return a\n"
    frame = cars().drop(LABEL)
    graph = Graph(
        nodes={
            NodeId("in"): Node("web-service-input"),
            NodeId("script"): Node("execute-python-script", parameters={"script": script}),
            NodeId("out"): Node("web-service-output"),
        },
        wires=frozenset(
            Wire(Pin.parse(a), Pin.parse(b))
            for a, b in (
                ("in.web_service_input", "script.dataset1"),
                ("script.results_dataset_1", "out.data"),
            )
        ),
    )
    columns = tuple(RequestColumn(c.name, c.type) for c in Table(frame).schema)
    given = RequestInput("WebServiceInput0", columns, NodeId("in"), tuple(json_rows(frame[2:5])))
    reply = ReplyOutput("WebServiceOutput0", NodeId("out"))
    path = folder / "sleeping"
    write(Serving("sleeping", graph, (given,), (reply,)), path)
    return path


def _cars_serving() -> Serving:
    whole = Table(cars().drop(UNUSED))
    cleaner = CleanMissingData(mode="Remove entire row")
    cleaning = cleaner.run(Table(whole.frame.drop(LABEL))).cleaning_transformation
    model = train(LinearRegression(), cleaner.run(whole).cleaned_dataset, LABEL, Context())
    select = ColumnSelection(begin="all", rules=(ColumnRule(rule="exclude", names=(UNUSED,)),))
    nodes = {
        "select": Node(
            "select-columns-in-dataset", parameters={"columns": select.model_dump(mode="json")}
        ),
        "cleaning": Node("saved-transformation", parameters={"digest": _digest("cleaning")}),
        "clean": Node("apply-transformation", title="Clean Missing Data"),
    }
    wires = [
        ("in.web_service_input", "select.dataset"),
        ("select.results_dataset", "clean.dataset"),
        ("cleaning.transformation", "clean.transformation"),
        ("clean.transformed_dataset", "score.dataset"),
    ]
    return _serving(cars().drop(LABEL)[2:5], nodes, wires, {_digest("cleaning"): cleaning}, model)


def _trees_serving() -> Serving:
    frame, _ = numbers()
    features = Table(frame).schema
    trees = Native(
        "lightgbm", boosted().booster_.model_to_string().encode(), {"inputs": len(features)}
    )
    score = Column(
        "Scored Labels", ColumnType.DOUBLE, Role.SCORE, score=Score(Task.REGRESSION, "label")
    )
    formula = Formula(
        Compute({"Scored Labels": native("trees", [column(n) for n in features.names])})
    )
    model = Model(Task.REGRESSION, formula, features, Schema((score,)), natives={"trees": trees})
    return _serving(frame[:3], {}, [("in.web_service_input", "score.dataset")], {}, model)


def _serving(
    sample: pl.DataFrame,
    nodes: dict[str, Node],
    wires: list[tuple[str, str]],
    artifacts: dict[Digest, Artifact],
    model: Model,
) -> Serving:
    nodes = {
        "in": Node("web-service-input"),
        **nodes,
        "model": Node("saved-model", parameters={"digest": _digest("model")}),
        "score": Node("score-model"),
        "out": Node("web-service-output"),
    }
    wires = [
        *wires,
        ("model.trained_model", "score.trained_model"),
        ("score.scored_dataset", "out.data"),
    ]
    graph = Graph(
        nodes={NodeId(n): node for n, node in nodes.items()},
        wires=frozenset(Wire(Pin.parse(a), Pin.parse(b)) for a, b in wires),
    )
    columns = tuple(RequestColumn(c.name, c.type) for c in Table(sample).schema)
    return Serving(
        "bench",
        graph,
        (RequestInput("WebServiceInput0", columns, NodeId("in"), tuple(json_rows(sample))),),
        (ReplyOutput("WebServiceOutput0", NodeId("out")),),
        {**artifacts, _digest("model"): model},
    )


def _digest(name: str) -> Digest:
    return Digest("sha256:" + sha256(name.encode()).hexdigest())
