"""Conversion: each rule on a small pipeline that really was trained, and the tutorial as a whole."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from modelwright.components.library import library
from modelwright.data.expression import Compute, Formula, column
from modelwright.data.fitted import Model, Transform
from modelwright.data.table import Table
from modelwright.graph.codec import read
from modelwright.graph.graph import NodeId, Pin
from modelwright.graph.problems import PipelineProblems
from modelwright.inference.convert import LabelInUse, NoTrainedModel, StepNotRun, convert
from modelwright.inference.prepare import UnknownReplyColumns
from modelwright.inference.report import Conversion
from modelwright.inference.scorer import Scorer
from modelwright.inference.serving import Use
from modelwright.samples import DATASETS, PIPELINES
from tests.inference.training import Trained, trained

TRAINING = """\
modelwright: 1
name: Cars
nodes:
  cars: {component: dataset, parameters: {name: cars}}
  %s
  split:
    component: split-data
    parameters: {mode: Split Rows, fraction: 0.6, randomized: true, seed: 3}
    inputs: {dataset: %s}
  learner: {component: linear-regression}
  train:
    component: train-model
    parameters: {label_column: %s}
    inputs: {untrained_model: learner.untrained_model, dataset: split.results_dataset1}
  score:
    component: score-model
    inputs: {trained_model: train.trained_model, dataset: split.results_dataset2}
  evaluate: {component: evaluate-model, inputs: {scored_dataset: score.scored_dataset}}
"""


def cars(rows: int = 40) -> Table:
    numbers = range(rows)
    return Table(
        pl.DataFrame(
            {
                "make": ["audi", "bmw", "saab"] * (rows // 3) + ["bmw"] * (rows % 3),
                "width": [None if i % 11 == 5 else 60.0 + (i * 7) % 13 for i in numbers],
                "length": [150.0 + (i * 5) % 17 for i in numbers],
                "price": [None if i % 13 == 7 else 5000.0 + (i * 37) % 97 * 10 for i in numbers],
            }
        )
    )


def pipeline(steps: str = "", *, last: str = "cars.dataset", label: str = "price") -> Trained:
    return trained(TRAINING % (steps, last, label), cars=cars())


CLEAN = """clean:
    component: clean-missing-data
    parameters: {columns: all, mode: Remove entire row}
    inputs: {dataset: cars.dataset}
"""


def components(conversion: Conversion) -> dict[str, str]:
    return {node: n.component for node, n in conversion.graph.nodes.items()}


def actions(conversion: Conversion) -> dict[str, str]:
    return {c.node: c.action for c in conversion.changes}


def test_the_train_part_falls_away_and_the_model_is_frozen() -> None:
    conversion = pipeline(CLEAN, last="clean.cleaned_dataset").convert()
    assert components(conversion) == {
        "sample-cars": "saved-data",
        "web-service-input": "web-service-input",
        "td-clean": "saved-transformation",
        "clean": "apply-transformation",
        "md-train": "saved-model",
        "score": "score-model",
        "web-service-output": "web-service-output",
    }
    assert actions(conversion) == {
        "cars": "replaced",
        "clean": "replaced",
        "split": "removed",
        "learner": "removed",
        "train": "replaced",
        "score": "kept",
        "evaluate": "removed",
        "sample-cars": "added",
        "web-service-input": "added",
        "td-clean": "added",
        "md-train": "added",
        "web-service-output": "added",
    }
    assert all(c.reason for c in conversion.changes)


def test_frozen_values_are_named_after_their_draft_and_step() -> None:
    conversion = pipeline(CLEAN, last="clean.cleaned_dataset").convert()
    model = conversion.graph.nodes[NodeId("md-train")]
    fitted = conversion.graph.nodes[NodeId("td-clean")]
    assert model.parameters["name"] == "MD - Cars - Train Model"
    assert fitted.parameters["name"] == "TD - Cars - Clean Missing Data"


def test_the_label_is_gone_from_the_request_and_from_what_is_applied_to_it() -> None:
    ran = pipeline(CLEAN, last="clean.cleaned_dataset")
    conversion = ran.convert()
    serving = ran.serving(conversion.graph)
    assert conversion.absent == ("price",)
    assert [c.name for c in serving.inputs[0].columns] == ["make", "width", "length"]
    row = {"make": "bmw", "width": 61.0, "length": 151.0}
    (scored,) = Scorer(serving).score({"WebServiceInput0": [row]}).results["WebServiceOutput0"]
    assert list(scored) == ["make", "width", "length", "Scored Labels"]


def test_parity_holds_on_the_rows_that_training_held_out() -> None:
    ran = pipeline(CLEAN, last="clean.cleaned_dataset")
    parity = ran.parity(ran.convert())
    held_out = next(v for p, v in ran.values.items() if str(p) == "score.scored_dataset")
    assert isinstance(held_out, Table)
    assert (parity.verdict, parity.compared) == ("equal", held_out.rows)
    assert parity.unlike == 0
    assert parity.singly == 40


def test_parity_sees_a_model_that_is_not_the_trained_one() -> None:
    ran = pipeline(CLEAN, last="clean.cleaned_dataset")
    conversion = ran.convert()
    other = pipeline(CLEAN, last="clean.cleaned_dataset")
    scored = next(p for p in other.values if str(p) == "score.scored_dataset")
    table = other.table(scored)
    wrong = table.frame.with_columns(pl.col("Scored Labels") * 1.001)
    ran.values[scored] = table.of(wrong)
    parity = ran.parity(conversion)
    assert parity.verdict == "different"
    assert '"Scored Labels" differs' in parity.reason


def test_a_row_that_cleaning_drops_is_reported_with_its_place() -> None:
    ran = pipeline(CLEAN, last="clean.cleaned_dataset")
    scorer = Scorer(ran.serving(ran.convert().graph))
    good = {"make": "bmw", "width": 61.0, "length": 151.0}
    reply = scorer.score({"WebServiceInput0": [good, {**good, "width": None}, good]})
    assert len(reply.results["WebServiceOutput0"]) == 2
    (dropped,) = reply.dropped
    assert (dropped.row, dropped.title) == (1, "Clean Missing Data")


def test_a_selection_that_names_the_label_no_longer_does() -> None:
    steps = """pick:
    component: select-columns-in-dataset
    parameters: {columns: [price, make, length]}
    inputs: {dataset: cars.dataset}
"""
    ran = pipeline(steps, last="pick.results_dataset")
    conversion = ran.convert()
    picked = conversion.graph.nodes[NodeId("pick")].parameters["columns"]
    assert picked["rules"][0]["names"] == ["make", "length"]
    assert actions(conversion)["pick"] == "changed"
    assert ran.parity(conversion).verdict == "equal"


def test_positions_stay_on_their_columns_when_the_label_goes() -> None:
    steps = """pick:
    component: select-columns-in-dataset
    parameters: {columns: {begin: none, rules: [{positions: "1, 3-4"}]}}
    inputs: {dataset: cars.dataset}
"""
    ran = pipeline(steps, last="pick.results_dataset")
    reply = Scorer(ran.serving(ran.convert().graph)).score(
        {"WebServiceInput0": [{"make": "bmw", "width": 60.0, "length": 151.0}]}
    )
    assert list(reply.results["WebServiceOutput0"][0]) == ["make", "length", "Scored Labels"]


def test_statistics_of_training_are_applied_and_not_computed_from_the_request() -> None:
    steps = """scale:
    component: normalize-data
    parameters: {columns: [width, length], method: ZScore}
    inputs: {dataset: cars.dataset}
"""
    ran = pipeline(steps, last="scale.transformed_dataset")
    conversion = ran.convert()
    assert components(conversion)["scale"] == "apply-transformation"
    assert ran.parity(conversion).verdict == "equal"
    row = {"make": "bmw", "width": 61.0, "length": 151.0}
    (scored,) = (
        Scorer(ran.serving(conversion.graph))
        .score({"WebServiceInput0": [row]})
        .results["WebServiceOutput0"]
    )
    lengths = cars().frame["length"]
    expected = (151.0 - lengths.mean()) / lengths.std(ddof=0)  # type: ignore[operator]
    assert scored["length"] == pytest.approx(expected)


def test_a_label_that_is_scaled_in_training_does_not_have_to_come_with_a_request() -> None:
    steps = """scale:
    component: normalize-data
    parameters: {columns: [price, length], method: MinMax}
    inputs: {dataset: cars.dataset}
"""
    ran = pipeline(steps, last="scale.transformed_dataset")
    conversion = ran.convert()
    assert conversion.absent == ("price",)
    assert ran.parity(conversion).verdict == "equal"


def test_frozen_values_of_the_inference_pipeline_are_what_training_fitted() -> None:
    ran = pipeline(CLEAN, last="clean.cleaned_dataset")
    conversion = ran.convert()
    frozen = {n: ran.store.get(d) for n, d in conversion.frozen.items()}
    assert isinstance(frozen[NodeId("md-train")], Model)
    transform = frozen[NodeId("td-clean")]
    assert isinstance(transform, Transform)
    assert "price" not in transform.formula.required()


def test_a_batch_pipeline_keeps_its_data_set_and_has_no_web_service() -> None:
    ran = pipeline(CLEAN, last="clean.cleaned_dataset")
    conversion = ran.convert("batch")
    assert components(conversion) == {
        "cars": "dataset",
        "td-clean": "saved-transformation",
        "clean": "apply-transformation",
        "md-train": "saved-model",
        "score": "score-model",
    }


def test_a_pipeline_without_a_scoring_step_is_refused() -> None:
    text = """\
modelwright: 1
nodes:
  cars: {component: dataset, parameters: {name: cars}}
  pick:
    component: select-columns-in-dataset
    parameters: {columns: all}
    inputs: {dataset: cars.dataset}
"""
    with pytest.raises(NoTrainedModel):
        trained(text, cars=cars()).convert()


def test_a_pipeline_that_has_not_run_is_refused_with_the_step() -> None:
    ran = pipeline()
    missing = {p: v for p, v in ran.values.items() if p.node != "train"}
    ran.values = missing
    with pytest.raises(StepNotRun, match="Train Model"):
        ran.convert()


def test_a_pipeline_with_problems_is_refused_with_all_of_them() -> None:
    ran = pipeline()
    graph = ran.graph.without_wires(*ran.graph.wires_into(NodeId("score")))
    with pytest.raises(PipelineProblems) as caught:
        convert(
            graph,
            library=library(),
            assets=ran.assets(graph),
            outputs={},
            load=ran.store.get,
            save=ran.store.put,
        )
    assert len(caught.value.fields["problems"]) == 2


def test_the_tutorial_converts_and_scores_as_in_training() -> None:
    (data,) = (d for d in DATASETS if d.file.startswith("automobile"))
    (sample,) = (p for p in PIPELINES if p.id == "automobile-price")
    table = Table(pl.read_csv(data.path, null_values="?"))
    ran = trained(sample.text, context=None, **{data.name: table})
    conversion = ran.convert()
    serving = ran.serving(conversion.graph)
    assert len(serving.inputs[0].columns) == 25
    parity = ran.parity(conversion)
    assert (parity.verdict, parity.rows) == ("equal", 205)
    assert parity.compared == 58


def test_a_transformation_that_computes_a_feature_of_the_label_is_refused() -> None:
    done = pipeline(CLEAN, last="clean.cleaned_dataset")
    pin = Pin.parse("clean.cleaning_transformation")
    cleaning = done.values[pin]
    assert isinstance(cleaning, Transform)
    leaking = Formula(Compute({"width": column("price") / column("length")}))
    done.values[pin] = replace(cleaning, formula=leaking)
    with pytest.raises(LabelInUse) as caught:
        done.convert()
    assert caught.value.fields["node"] == "clean"
    assert "width" in str(caught.value)


NARROW = """narrow:
    component: select-columns-in-dataset
    parameters: {columns: {begin: all, rules: [{rule: exclude, names: [length]}]}}
    inputs: {dataset: cars.dataset}
"""


def test_a_request_need_not_bring_columns_that_are_dropped_at_once() -> None:
    ran = pipeline(NARROW, last="narrow.results_dataset")
    serving = ran.serving(ran.convert().graph)
    (given,) = serving.inputs
    uses = {c.name: c.use for c in given.columns}
    assert uses["length"] is Use.OPTIONAL
    assert {uses["make"], uses["width"]} == {Use.REQUIRED}
    scorer = Scorer(serving)
    whole = {"make": "bmw", "width": 62.0, "length": 155.0}
    bare = {"make": "bmw", "width": 62.0}
    rows = [scorer.score({given.name: [row]}).results for row in (whole, bare)]
    assert rows[0] == rows[1]


CHOSEN = """\
modelwright: 1
name: Chosen
nodes:
  cars: {component: dataset, parameters: {name: cars}}
  request: {component: web-service-input}
  script:
    component: execute-python-script
    parameters: {script: "def azureml_main(a, b=None): return a"}
    inputs: {dataset1: [cars.dataset, request.web_service_input]}
  reply:
    component: web-service-output
    parameters: {columns: [make]}
    inputs: {data: script.results_dataset_1}
"""


def test_columns_cannot_be_chosen_of_a_reply_whose_columns_are_not_known() -> None:
    done = trained(TRAINING % ("", "cars.dataset", "price"), cars=cars())
    with pytest.raises(UnknownReplyColumns, match="WebServiceOutput0"):
        done.serving(read(CHOSEN).graph)
