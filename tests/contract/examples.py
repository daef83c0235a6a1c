"""An example of every component at work: settings, and what arrives at its ports."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from modelwright.components.context import Context
from modelwright.components.contract import Component, outputs_by_port
from modelwright.components.library import library
from modelwright.components.places.connection import REACH, Reach
from modelwright.data.artifact import Artifact
from modelwright.data.file_bundle import FileBundle
from modelwright.data.fitted import Model, Transform, UntrainedModel
from modelwright.data.schema import Role
from modelwright.data.table import Table

A = TypeVar("A", bound=Artifact)

SOURCES = {
    *("dataset", "saved-data", "saved-files", "saved-model", "saved-transformation"),
    "web-service-input",
}
"""Components that are never run: the plan or a request puts something in their place."""

if shutil.which("Rscript") is None:
    SOURCES.add("execute-r-script")

NUMERIC: dict[str, Any] = {"rules": [{"types": ["Numeric"]}]}


@dataclass(frozen=True)
class Example:
    """A component that gives a result.  inputs: makers for ports that take something special."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Callable[[], Artifact]] = field(default_factory=dict)


def cars() -> Table:
    """Rows with every type of column, a few missing values and a label."""
    count = 40
    frame = pl.DataFrame(
        {
            "make": [("audi", "bmw", "volvo")[i % 3] for i in range(count)],
            "doors": [None if i == 7 else 2 + 2 * (i % 2) for i in range(count)],
            "width": [float("nan") if i == 3 else 60.0 + i * 0.37 % 5 for i in range(count)],
            "turbo": [i % 4 == 0 for i in range(count)],
            "sold": [datetime(2020, 1, 1 + i % 28) for i in range(count)],  # noqa: DTZ001
            "price": [1000.0 + 13 * i + (i * 7919) % 50 for i in range(count)],
        }
    )
    return Table(frame).mark("price", role=Role.LABEL).mark("sold", role=Role.NONE)


def categorical() -> Table:
    """The cars with two columns marked as categorical."""
    return cars().mark("make", "doors", categorical=True)


def complete() -> Table:
    """The cars that lack no value."""
    frame = cars().frame
    return cars().of(frame.filter(pl.col("doors").is_not_null() & pl.col("width").is_not_nan()))


@cache
def learner() -> UntrainedModel:
    """A linear regression to be trained."""
    return _only(library().make("linear-regression", 1, {}), UntrainedModel)


@cache
def classifier() -> UntrainedModel:
    """A two-class learner to be trained."""
    return _only(library().make("two-class-logistic-regression", 1, {}), UntrainedModel)


@cache
def clusterer() -> UntrainedModel:
    """A clustering to be trained."""
    return _only(library().make("k-means-clustering", 1, {}), UntrainedModel)


@cache
def detector() -> UntrainedModel:
    """An anomaly detector to be trained."""
    return _only(library().make("pca-based-anomaly-detection", 1, {}), UntrainedModel)


@cache
def clusters() -> Model:
    """The cars in clusters."""
    component = library().make("train-clustering-model", 1, {})
    found = work(component, {"untrained_model": clusterer(), "dataset": cars()})["trained_model"]
    assert isinstance(found, Model)
    return found


@cache
def model() -> Model:
    """A regression trained on the cars."""
    component = library().make("train-model", 1, {"label_column": "price"})
    return _only(component, Model, untrained_model=learner(), dataset=cars())


@cache
def scored() -> Table:
    """The cars with predicted prices."""
    return _only(library().make("score-model", 1, {}), Table, trained_model=model(), dataset=cars())


@cache
def transform() -> Transform:
    """A normalization fitted on the cars."""
    component = library().make("normalize-data", 1, {})
    outputs = work(component, {"dataset": cars()})
    found = outputs["transformation_function"]
    assert isinstance(found, Transform)
    return found


@cache
def folded() -> Table:
    """The cars in folds."""
    component = library().make("partition-and-sample", 1, {"mode": "Assign to Folds"})
    return _only(component, Table, dataset=cars())


MAKERS: dict[type[Artifact], Callable[[], Artifact]] = {
    Table: cars,
    UntrainedModel: learner,
    Model: model,
    Transform: transform,
    FileBundle: lambda: FileBundle({"notes.txt": b"none"}),
}
"""What arrives at a port unless the example says otherwise."""

EXAMPLES: dict[str, tuple[Example, ...]] = {
    "train-clustering-model": (
        Example({}, {"untrained_model": clusterer}),
        Example({"append": False}, {"untrained_model": clusterer}),
    ),
    "train-anomaly-detection-model": (Example({}, {"untrained_model": detector}),),
    "assign-data-to-clusters": (Example({}, {"trained_model": clusters}),),
    "import-data": (Example({"data_source": "Datastore", "path": "cars.csv"}),),
    "import-files": (Example({"path": "cars.csv"}),),
    "export-data": (Example({"path": "memory://contract/cars.csv", "if_exists": "Overwrite"}),),
    "enter-data-manually": (Example({"data": "a,b\n1,x\n2,y\n"}),),
    "select-columns-in-dataset": (Example({"columns": ["price", "make"]}),),
    "clean-missing-data": (
        Example(),
        Example({"columns": NUMERIC, "mode": "Replace with mean", "indicators": True}),
        Example({"mode": "Replace with mode"}),
        Example({"columns": NUMERIC, "mode": "Replace with median"}),
        Example({"columns": NUMERIC, "mode": "Custom substitution value", "replacement": "7"}),
        Example({"mode": "Remove entire column"}),
    ),
    "normalize-data": (
        Example(),
        Example({"method": "MinMax"}),
        Example({"method": "Logistic"}),
        Example({"method": "LogNormal"}),
        Example({"method": "TanH"}),
    ),
    "edit-metadata": (
        Example({"columns": ["doors"], "data_type": "String", "new_names": "gates"}),
        Example({"columns": ["make"], "categorical": "Categorical"}),
    ),
    "convert-to-dataset": (
        Example(),
        Example({"action": "SetMissingValue", "missing_value": "audi"}),
        Example({"action": "ReplaceValues", "new_value": "4"}),
    ),
    "partition-and-sample": (
        Example({"rate": 0.5}),
        Example({"mode": "Head"}),
        Example({"mode": "Assign to Folds", "stratified": True, "key": "make"}),
        Example({"mode": "Pick Fold", "fold": 2}, {"dataset": folded}),
    ),
    "apply-math-operation": (
        Example(),
        Example({"category": "Operations", "operations": "Divide", "output_mode": "Inplace"}),
        Example({"category": "Special", "special": "Gamma", "output_mode": "ResultOnly"}),
    ),
    "clip-values": (
        Example({"upper_kind": "Percentile", "upper_percentile": 80, "indicators": True}),
        Example({"thresholds": "ClipSubpeaks", "lower_substitute": "Mean", "overwrite": False}),
        Example(
            {
                "thresholds": "ClipPeaksAndSubpeaks",
                "both_kind": "Percentile",
                "upper_percentile": 90,
                "lower_percentile": 10,
                "upper_substitute": "Median",
                "lower_substitute": "Missing",
            }
        ),
    ),
    "convert-to-indicator-values": (
        Example({}, {"dataset": categorical}),
        Example({"overwrite": True}, {"dataset": categorical}),
    ),
    "group-data-into-bins": (
        Example({"bins": 3}),
        Example({"mode": "Equal Width", "output_mode": "Inplace"}),
        Example({"bins": 4, "normalization": "Percent", "output_mode": "Inplace"}),
        Example({"mode": "Custom Edges", "edges": "2, 3", "output_mode": "ResultOnly"}),
    ),
    "join-data": (
        Example({"left_keys": ["doors"], "right_keys": ["doors"]}),
        Example(
            {"left_keys": ["make"], "right_keys": ["make"], "join_type": "Left Semi-Join"},
        ),
        Example(
            {
                "left_keys": ["make", "doors"],
                "right_keys": ["make", "doors"],
                "join_type": "Left Outer Join",
                "match_case": False,
                "keep_right_keys": False,
            }
        ),
    ),
    "smote": (Example({"label_column": "turbo", "neighbors": 3}, {"samples": complete}),),
    "apply-sql-transformation": (
        Example(),
        Example({"script": "SELECT make, avg(price) AS dear FROM t1 GROUP BY make ORDER BY make"}),
    ),
    "filter-based-feature-selection": (
        Example(),
        Example({"method": "Chi squared", "target": "make", "count": 99}),
    ),
    "one-vs-all-multiclass": (Example({}, {"untrained_binary_classification_model": classifier}),),
    "one-vs-one-multiclass": (Example({}, {"untrained_binary_classification_model": classifier}),),
    "execute-python-script": (Example({}, {"dataset1": cars}),),
    "execute-r-script": (Example({}, {"dataset1": cars}),),
    "evaluate-model": (Example({}, {"scored_dataset": scored}),),
    "train-model": (Example({"label_column": "price"}),),
}
"""By id; a component that is not here works with its defaults."""


def examples(component_id: str) -> tuple[Example, ...]:
    """The examples of a component."""
    return EXAMPLES.get(component_id, (Example(),))


def configured(component_id: str, example: Example) -> Component:
    """The component with the settings of an example."""
    kind = library().find(component_id)
    return library().make(component_id, kind.__component__.version, example.parameters)


def inputs_of(component: Component, example: Example) -> dict[str, Artifact]:
    """Something for each port that needs it; what the example says goes first."""
    ports = component.__component__.inputs
    wanted = [p for p in ports if not p.optional or p.name in example.inputs]
    return {p.name: example.inputs.get(p.name, MAKERS[p.type])() for p in wanted}


def work(
    component: Component, inputs: Mapping[str, Artifact], scratch: Path | None = None
) -> dict[str, Artifact | None]:
    """Run it; outputs by port."""
    spec = component.__component__
    context = Context(scratch=scratch, secret=_told) if scratch else Context(secret=_told)
    asks = "context" in getattr(type(component).run, "__annotations__", {})
    more = {"context": context} if asks else {}
    for port in spec.inputs:
        assert port.optional or port.name in inputs
    return outputs_by_port(component, component.run(**inputs, **more))


def _told(name: str) -> str | None:
    """What pipelines may reach here: the files beside this one."""
    folder = Path(__file__).parent / "files"
    return json.dumps(Reach((str(folder),)).to_json()) if name == REACH else None


def saved(value: Artifact, folder: Path) -> dict[str, bytes]:
    """The bytes that the store would digest."""
    folder.mkdir(parents=True)
    value.save(folder)
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _only(component: Component, kind: type[A], **inputs: Artifact) -> A:
    (found,) = work(component, inputs).values()
    assert isinstance(found, kind)
    return found
