"""The automobile pipeline as a serving, put together from the components that fit it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import polars as pl

from modelwright.components.columns import ColumnRule, ColumnSelection
from modelwright.components.context import Context
from modelwright.components.learning.training import train
from modelwright.components.palette.data_transformation.clean_missing_data import CleanMissingData
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.artifact import Artifact, Digest
from modelwright.data.fitted import Model, Transform
from modelwright.data.table import Table
from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire
from modelwright.inference.reply import json_rows
from modelwright.inference.serving import ReplyOutput, RequestColumn, RequestInput, Serving, Use

LABEL = "price"
UNUSED = "normalized-losses"


@cache
def cars() -> pl.DataFrame:
    """The 205 cars, "?" read as missing."""
    path = files("modelwright.samples") / "datasets" / "automobile-price-raw.csv"
    return pl.read_csv(path.read_bytes(), null_values="?", infer_schema_length=None)


@cache
def fitted() -> tuple[Transform, Model]:
    """What cleaning and training learn from the cars."""
    table = Table(cars().drop(UNUSED))
    rows = CleanMissingData(mode="Remove entire row").run(table).cleaned_dataset
    cleaning = (
        CleanMissingData(mode="Remove entire row").run(Table(table.frame.drop(LABEL)))
    ).cleaning_transformation
    return cleaning, train(LinearRegression(), rows, LABEL, Context())


def digest_of(name: str) -> Digest:
    """A digest to name an artifact by."""
    return Digest("sha256:" + sha256(name.encode()).hexdigest())


def chain(
    nodes: Mapping[str, Node], wires: tuple[tuple[str, str], ...], artifacts: dict[Digest, Artifact]
) -> Serving:
    """A serving of the cars' columns; wires are pairs of "node.port"."""
    graph = Graph(
        name="Cars",
        nodes={NodeId(n): node for n, node in nodes.items()},
        wires=frozenset(Wire(Pin.parse(a), Pin.parse(b)) for a, b in wires),
    )
    sample = Table(cars().drop(LABEL))
    columns = tuple(RequestColumn(c.name, c.type) for c in sample.schema)
    label = RequestColumn(LABEL, Table(cars()).schema.column(LABEL).type, Use.IGNORED)
    samples = tuple(json_rows(sample.frame[2:5]))
    return Serving(
        "cars",
        graph,
        (RequestInput("WebServiceInput0", (*columns, label), NodeId("in"), samples),),
        (ReplyOutput("WebServiceOutput0", NodeId("out")),),
        artifacts,
        "Prices of cars",
    )


def select(*rules: ColumnRule, title: str = "") -> Node:
    """A node that chooses columns."""
    selection = ColumnSelection(begin="all", rules=rules).model_dump(mode="json")
    return Node("select-columns-in-dataset", parameters={"columns": selection}, title=title)


def car_prices(*, script: str | None = None, chosen: tuple[str, ...] | None = None) -> Serving:
    """Columns selected, incomplete rows dropped, prices predicted; with a script after it, if any."""
    cleaning, model = fitted()
    nodes = {
        "in": Node("web-service-input"),
        "select": select(ColumnRule(rule="exclude", names=(UNUSED,)), title="Select Columns"),
        "cleaning": Node("saved-transformation", parameters={"digest": digest_of("cleaning")}),
        "clean": Node("apply-transformation", title="Clean Missing Data"),
        "model": Node("saved-model", parameters={"digest": digest_of("model")}),
        "score": Node("score-model"),
        "out": Node("web-service-output"),
    }
    wires = [
        ("in.web_service_input", "select.dataset"),
        ("select.results_dataset", "clean.dataset"),
        ("cleaning.transformation", "clean.transformation"),
        ("clean.transformed_dataset", "score.dataset"),
        ("model.trained_model", "score.trained_model"),
    ]
    if script is None:
        wires.append(("score.scored_dataset", "out.data"))
    else:
        nodes["script"] = Node("execute-python-script", parameters={"script": script})
        wires.append(("score.scored_dataset", "script.dataset1"))
        wires.append(("script.results_dataset_1", "out.data"))
    serving = chain(
        nodes, tuple(wires), {digest_of("cleaning"): cleaning, digest_of("model"): model}
    )
    outputs = tuple(replace(o, chosen=chosen) for o in serving.outputs)
    return replace(serving, outputs=outputs)


def car_rows(frame: pl.DataFrame | None = None) -> list[dict[str, Any]]:
    """Cars as a client sends them, without the price."""
    return json_rows((cars() if frame is None else frame).drop(LABEL, strict=False))


def car_request(*rows: Mapping[str, Any], name: str = "WebServiceInput0") -> bytes:
    """The body of a request; for the third car when no rows are given."""
    sent = list(rows) or car_rows(cars()[2:3])
    return json.dumps({"Inputs": {name: sent}, "GlobalParameters": {}}).encode()
