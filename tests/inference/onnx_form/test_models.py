"""Every learner's model, and the tutorial's whole pipeline, score in ONNX as their row form does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import polars as pl
import pytest
import skops.io
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression as LinearRegression_
from sklearn.linear_model import LogisticRegression

from modelwright.components.context import Context
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.training import train
from modelwright.components.palette.anomaly_detection.pca_based_anomaly_detection import (
    PCABasedAnomalyDetection,
)
from modelwright.components.palette.anomaly_detection.train_anomaly_detection_model import (
    TrainAnomalyDetectionModel,
)
from modelwright.components.palette.classification.multiclass_boosted_decision_tree import (
    MulticlassBoostedDecisionTree,
)
from modelwright.components.palette.classification.multiclass_decision_forest import (
    MulticlassDecisionForest,
)
from modelwright.components.palette.classification.multiclass_logistic_regression import (
    MulticlassLogisticRegression,
)
from modelwright.components.palette.classification.multiclass_neural_network import (
    MulticlassNeuralNetwork,
)
from modelwright.components.palette.classification.one_vs_all_multiclass import OneVsAllMulticlass
from modelwright.components.palette.classification.one_vs_one_multiclass import OneVsOneMulticlass
from modelwright.components.palette.classification.two_class_averaged_perceptron import (
    TwoClassAveragedPerceptron,
)
from modelwright.components.palette.classification.two_class_boosted_decision_tree import (
    TwoClassBoostedDecisionTree,
)
from modelwright.components.palette.classification.two_class_decision_forest import (
    TwoClassDecisionForest,
)
from modelwright.components.palette.classification.two_class_logistic_regression import (
    TwoClassLogisticRegression,
)
from modelwright.components.palette.classification.two_class_neural_network import (
    TwoClassNeuralNetwork,
)
from modelwright.components.palette.classification.two_class_support_vector_machine import (
    TwoClassSupportVectorMachine,
)
from modelwright.components.palette.clustering.k_means_clustering import KMeansClustering
from modelwright.components.palette.model_training.train_clustering_model import (
    TrainClusteringModel,
)
from modelwright.components.palette.regression.boosted_decision_tree_regression import (
    BoostedDecisionTreeRegression,
)
from modelwright.components.palette.regression.decision_forest_regression import (
    DecisionForestRegression,
)
from modelwright.components.palette.regression.fast_forest_quantile_regression import (
    FastForestQuantileRegression,
)
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.components.palette.regression.neural_network_regression import (
    NeuralNetworkRegression,
)
from modelwright.components.palette.regression.poisson_regression import PoissonRegression
from modelwright.data.expression import Compute, Formula, column, native
from modelwright.data.fitted import Model
from modelwright.data.native import Native
from modelwright.data.schema import ColumnType
from modelwright.data.table import Table
from modelwright.graph.graph import Node, NodeId
from modelwright.inference.onnx_form.errors import NotInOnnx, OnnxDiffers
from modelwright.inference.onnx_form.export import difference, export, prove, run
from modelwright.inference.onnx_form.model import KEPT, UnsuitableError, build
from modelwright.inference.plan import Chain, NativePlace, ScoringPlan
from modelwright.inference.scorer import CompiledSteps, Scorer
from modelwright.inference.serving import RequestColumn, RequestInput
from tests.inference.cars import car_prices, car_rows, cars, chain, digest_of, select


def rows_of(count: int, seed: int, *, strange: bool = False) -> pl.DataFrame:
    """Numbers, text, whole numbers and truth, with gaps; strange: with levels that nobody has seen."""
    chance = np.random.default_rng(seed)
    towns = ["Ulm", "Köln", "Bonn", *(["Rom", ""] if strange else [])]
    frame = pl.DataFrame(
        {
            "size": chance.normal(size=count),
            "age": chance.integers(0, 60, count),
            "town": chance.choice(towns, count),
            "new": chance.choice([True, False], count),
            "weight": chance.normal(100, 20, count),
        }
    )
    gaps = chance.random((count, frame.width)) < (0.15 if strange else 0.05)
    return frame.with_columns(
        pl.when(pl.Series(gaps[:, at])).then(None).otherwise(pl.col(name)).alias(name)
        for at, name in enumerate(frame.columns)
    )


def labelled(kind: str) -> pl.DataFrame:
    frame = rows_of(220, 1)
    number = (
        frame["size"].fill_null(0) * 2
        + (frame["town"].fill_null("") == "Ulm").cast(pl.Float64) * 3
        + frame["age"].fill_null(30) / 20
    )
    label = {
        "number": number,
        "count": number.abs().round(0),
        "two": number > 2.5,
        "many": pl.Series(["low", "middle", "high"])[(number.rank() * 3 / 221).cast(pl.Int64)],
    }[kind]
    return frame.with_columns(label.alias("y"))


def learnt(learner: Learner, kind: str) -> Callable[[], Model]:
    return lambda: train(learner, Table(labelled(kind)), "y", Context())


def clusters() -> Model:
    learner = KMeansClustering(number_of_centroids=3)
    found = TrainClusteringModel().run(learner.run(), Table(rows_of(220, 1)), context=Context())
    return found.trained_model


def anomalies() -> Model:
    numbers = Table(rows_of(220, 1).drop("town", "new"))
    learner = PCABasedAnomalyDetection()
    return TrainAnomalyDetectionModel().run(learner.run(), numbers, context=Context())


MODELS: dict[str, Callable[[], Model]] = {
    "linear regression": learnt(LinearRegression(), "number"),
    "Poisson regression": learnt(PoissonRegression(), "count"),
    "boosted trees": learnt(BoostedDecisionTreeRegression(), "number"),
    "forest of numbers": learnt(DecisionForestRegression(), "number"),
    "quantile forest": learnt(FastForestQuantileRegression(), "number"),
    "network of numbers": learnt(NeuralNetworkRegression(), "number"),
    "two-class boosted trees": learnt(TwoClassBoostedDecisionTree(), "two"),
    "two-class forest": learnt(TwoClassDecisionForest(), "two"),
    "two-class logistic": learnt(TwoClassLogisticRegression(), "two"),
    "two-class perceptron": learnt(TwoClassAveragedPerceptron(), "two"),
    "two-class network": learnt(TwoClassNeuralNetwork(), "two"),
    "support vectors": learnt(TwoClassSupportVectorMachine(), "two"),
    "multiclass boosted trees": learnt(MulticlassBoostedDecisionTree(), "many"),
    "multiclass forest": learnt(MulticlassDecisionForest(), "many"),
    "multiclass logistic": learnt(MulticlassLogisticRegression(), "many"),
    "multiclass network": learnt(MulticlassNeuralNetwork(), "many"),
    "one against all": learnt(OneVsAllMulticlass().around(TwoClassLogisticRegression()), "many"),
    "one against one": learnt(OneVsOneMulticlass().around(TwoClassBoostedDecisionTree()), "many"),
    "clusters": clusters,
    "anomalies": anomalies,
}


def scored_by(model: Model) -> tuple[Scorer, Chain, Callable[[NativePlace], Native]]:
    columns = tuple(RequestColumn(c.name, c.type) for c in model.features)
    request = RequestInput("rows", columns, NodeId("in"))
    places = {
        name: NativePlace(digest_of(name), name, value.kind, value.notes)
        for name, value in model.natives.items()
    }
    way = Chain("out", "rows", model.formula, places)

    def held(place: NativePlace) -> Native:
        return model.natives[place.name]

    plan = ScoringPlan((), (way,))
    return Scorer.of(plan, [request], CompiledSteps(plan, [request], held)), way, held


@pytest.mark.parametrize("name", MODELS)
def test_a_model_scores_strangers_and_gaps_as_its_row_form_does(name: str) -> None:
    model = MODELS[name]()
    scorer, way, held = scored_by(model)
    made = build(name, [way], scorer.inputs, held)
    rows = rows_of(150, 2, strange=True).select(model.features.names).rows(named=True)
    assert difference(made, scorer, {"rows": rows}) == ""


def test_the_pipeline_of_the_tutorial_scores_every_car_alike() -> None:
    serving = car_prices()
    model = export(serving)
    assert difference(model, Scorer(serving), {"WebServiceInput0": car_rows()}) == ""


def test_an_input_per_column_of_the_request_and_an_output_per_column_of_the_reply() -> None:
    model = onnx.load_from_string(export(car_prices()).content)
    inputs = {i.name: i.type.tensor_type.elem_type for i in model.graph.input}
    sent = set(car_rows()[0]) - {"normalized-losses"}
    assert set(inputs) == sent
    assert inputs["make"] == onnx.TensorProto.STRING
    assert inputs["bore"] == inputs["horsepower"] == onnx.TensorProto.DOUBLE
    outputs = {o.name for o in model.graph.output}
    assert {"Scored Labels", "make (out)", KEPT} <= outputs
    (about,) = (json.loads(p.value) for p in model.metadata_props if p.key == "modelwright")
    assert {o["column"] for o in about["outputs"]} == {*sent, "Scored Labels", KEPT}


def test_rows_that_are_dropped_are_missing_from_the_kept_ones() -> None:
    serving = car_prices(chosen=("Scored Labels",))
    model = export(serving)
    rows = [*car_rows(cars().drop_nulls().head(2)), {**car_rows()[0], "bore": None}]
    found = run(model, {"WebServiceInput0": [rows[2], rows[0], rows[1]]})
    assert found[KEPT] == [1, 2]
    assert len(found["Scored Labels"]) == 2


def test_a_script_is_named_with_the_reason() -> None:
    script = "def azureml_main(a=None, b=None):\n    return a\n"
    with pytest.raises(NotInOnnx) as caught:
        export(car_prices(script=script))
    assert caught.value.fields["node"] == "script"
    assert "Execute Python Script" in str(caught.value)


def test_the_step_that_has_no_form_is_named() -> None:
    maths = {"category": "Trigonometric", "trigonometric": "Tan"}
    nodes = {
        "in": Node("web-service-input"),
        "select": select(title="Select"),
        "tangent": Node("apply-math-operation", parameters=maths, title="Tangents"),
        "out": Node("web-service-output"),
    }
    wires = (
        ("in.web_service_input", "select.dataset"),
        ("select.results_dataset", "tangent.dataset"),
        ("tangent.results_dataset", "out.data"),
    )
    with pytest.raises(NotInOnnx) as caught:
        export(chain(nodes, wires, {}))
    assert caught.value.fields["node"] == "tangent"
    assert "Tangents" in str(caught.value)
    assert "32 bits" in str(caught.value)


def test_a_model_that_scores_otherwise_is_not_handed_out() -> None:
    serving = car_prices()
    digest = digest_of("model")
    model = serving.artifacts[digest]
    assert isinstance(model, Model)
    dearer = Formula(*model.formula.steps, Compute({"Scored Labels": column("Scored Labels") + 1}))
    other = replace(
        serving, artifacts={**serving.artifacts, digest: replace(model, formula=dearer)}
    )
    with pytest.raises(OnnxDiffers) as caught:
        prove(export(other), Scorer(serving), serving)
    assert '"Scored Labels"' in str(caught.value)


def foreign(estimator: Any, classes: int = 0, *, named: bool = False) -> Native:
    columns = [{"name": n, "levels": None} for n in "abc"]
    notes = {"columns": columns, "named": named, "classes": classes}
    return Native("skops", skops.io.dumps(estimator), notes)


def scored_natively(value: Native, outputs: int) -> tuple[Scorer, Chain]:
    inputs = [column(n) for n in "abc"]
    made = {f"out {k}": native("n", inputs, k) for k in range(outputs)}
    request = RequestInput(
        "rows",
        tuple(RequestColumn(n, ColumnType.DOUBLE, missing=False) for n in "abc"),
        NodeId("in"),
    )
    place = NativePlace(digest_of("n"), "n", "skops", value.notes)
    way = Chain("out", "rows", Formula(Compute(made)), {"n": place})
    plan = ScoringPlan((), (way,))
    return Scorer.of(plan, [request], CompiledSteps(plan, [request], lambda _: value)), way


@pytest.mark.parametrize("kind", ["linear", "logistic", "forest", "boosted"])
def test_an_estimator_of_scikit_learn_scores_alike_to_32_bits(kind: str) -> None:
    chance = np.random.default_rng(3)
    x = chance.normal(size=(200, 3)).round(2)
    y = x[:, 0] * 2 - x[:, 1] + chance.normal(size=200) / 9
    fitted: Any = {
        "linear": LinearRegression_().fit(x, y),
        "logistic": LogisticRegression().fit(x, y > 0),
        "forest": RandomForestClassifier(9, random_state=0).fit(x, y > 0),
        "boosted": GradientBoostingRegressor(n_estimators=9).fit(x, y),
    }[kind]
    classes = 2 if kind in ("logistic", "forest") else 0
    value = foreign(fitted, classes)
    scorer, way = scored_natively(value, max(1, classes))
    made = build(kind, [way], scorer.inputs, lambda _: value)
    assert made.in_32_bits
    rows = [dict(zip("abc", r, strict=True)) for r in chance.normal(size=(60, 3)).round(2).tolist()]
    assert difference(made, scorer, {"rows": rows}) == ""


def test_an_estimator_that_reads_columns_by_name_is_refused() -> None:
    value = foreign(LinearRegression_().fit(np.eye(3), [1.0, 2.0, 3.0]), named=True)
    scorer, way = scored_natively(value, 1)
    with pytest.raises(UnsuitableError) as caught:
        build("named", [way], scorer.inputs, lambda _: value)
    assert "by name" in caught.value.why
