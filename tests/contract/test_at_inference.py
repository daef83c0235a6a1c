"""Around every component: what a request gets is the same for all rows at once and one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from modelwright.components.contract import Bypass
from modelwright.components.learning.learner import Learner
from modelwright.components.library import library
from modelwright.data.schema import Task
from modelwright.data.table import Table
from modelwright.graph.graph import NodeId, Pin
from modelwright.inference.reply import json_rows
from modelwright.inference.scorer import Scorer
from tests.contract.examples import SOURCES, Example, cars, configured, examples, inputs_of
from tests.inference.training import Trained, trained

NOT_BY_ROWS = {
    "cross-validate-model": "it trains",
    "evaluate-model": "it measures many rows",
    "permutation-feature-importance": "it measures many rows",
    "summarize-data": "it describes many rows",
    "train-clustering-model": "it trains",
    "tune-model-hyperparameters": "it trains",
}
"""Components with rows in and out whose result is about all rows: nothing for a request."""

NO_ROWS_IN_OR_OUT = {
    "enter-data-manually": "it takes no rows; conversion puts its own where a request enters",
    "export-data": "it gives none; conversion takes it away",
    "import-data": "it takes no rows",
    "import-files": "it takes no rows",
    "select-columns-transform": "it gives a transformation, which is applied below",
    "train-anomaly-detection-model": "it trains; its model scores below, by learner",
    "train-model": "it trains; its models score below, by learner",
    "web-service-output": "it is where every reply here leaves",
}
"""Components without rows on both sides, and where their part in a request is tested."""

AGGREGATES = {("apply-sql-transformation", 1)}
"""Examples of a component that works on rows which do not: a query over groups."""

BOTH_FROM_THE_REQUEST = {"add-columns", "add-rows"}

LABELS = {
    Task.REGRESSION: "price",
    Task.QUANTILE_REGRESSION: "price",
    Task.TWO_CLASS: "turbo",
    Task.MULTICLASS: "make",
}


def by_rows() -> Iterator[str]:
    """The components that take rows and give rows."""
    for component in library():
        spec = component.__component__
        rows_in = any(issubclass(p.type, Table) for p in spec.inputs)
        rows_out = any(issubclass(p.type, Table) for p in spec.outputs)
        if rows_in and rows_out and spec.id not in (*NOT_BY_ROWS, *SOURCES):
            yield spec.id


FITTED_BEFORE = {"score-model", "assign-data-to-clusters", "apply-transformation"}
CASES = [
    pytest.param(component_id, example, id=f"{component_id}-{at}")
    for component_id in by_rows()
    for at, example in enumerate(examples(component_id))
    if component_id not in FITTED_BEFORE and (component_id, at) not in AGGREGATES
]
LEARNERS = [c.__component__.id for c in library() if issubclass(c, Learner) and c.__component__.id]


def pipeline(**nodes: Mapping[str, Any]) -> str:
    """The text of a pipeline file."""
    return yaml.safe_dump({"modelwright": 1, "name": "Around", "nodes": nodes}, sort_keys=False)


def dataset(name: str) -> dict[str, Any]:
    return {"component": "dataset", "parameters": {"name": name}}


def node(
    component_id: str, parameters: Mapping[str, Any] = MappingProxyType({}), /, **inputs: str
) -> Any:
    version = library().spec(component_id).version
    given = {"component": component_id, "version": version}
    more = {"parameters": dict(parameters), "inputs": inputs}
    return given | {k: v for k, v in more.items() if v}


def assert_alike(ran: Trained, result: Pin, *, same_rows: bool = True) -> None:
    """Convert it, and compare the run's rows, those of one request, and those of one request each.

    result: what the run gave where replies leave.  same_rows: whether a request gets all of these.
    """
    made = ran.convert()
    scorer = Scorer(ran.serving(made.graph))
    (request,) = scorer.inputs
    table = ran.table(made.requests[request.node])
    columns = [c.name for c in request.columns if c.name in table.schema]
    rows = json_rows(table.frame.select(columns))

    def answer(given: list[Any]) -> list[str]:
        body = json.dumps({"Inputs": {request.name: given}}).encode()
        (reply,) = json.loads(scorer.answer(body))["Results"].values()
        return [json.dumps(row, sort_keys=True) for row in reply]

    together = answer(rows)
    singly = [text for row in rows for text in answer([row])]

    assert together
    assert sorted(singly) == sorted(together)
    if same_rows:
        known = set(json.loads(together[0]))
        kept = ran.table(result).frame
        expected = json_rows(kept.select([n for n in kept.columns if n in known]))
        texts = [json.dumps(row, sort_keys=True) for row in expected]
        assert sorted(texts) == sorted(together)


def test_every_component_is_here_or_has_a_reason() -> None:
    assert {str(c.values[0]) for c in CASES} | FITTED_BEFORE == set(by_rows())
    reasons = {**NOT_BY_ROWS, **NO_ROWS_IN_OR_OUT}
    assert all(reasons.values())
    here = {*by_rows(), *LEARNERS}
    every = {c.__component__.id for c in library()}
    assert every == {*here, *reasons, *SOURCES}
    assert not here & reasons.keys()


@pytest.mark.parametrize(("component_id", "example"), CASES)
def test_a_step_does_the_same_to_each_row_alone(component_id: str, example: Example) -> None:
    assert_works_by_rows(component_id, example)


def assert_works_by_rows(component_id: str, example: Example) -> None:
    """Train a pipeline around a step, convert it, and compare as `assert_alike` does."""
    component = configured(component_id, example)
    spec = component.__component__
    given = {n: v for n, v in inputs_of(component, example).items() if isinstance(v, Table)}
    if not given:
        given = {spec.inputs[0].name: cars()}
    first = next(iter(given))
    both = component_id in BOTH_FROM_THE_REQUEST
    wires = {port: f"{first if both else port}.dataset" for port in given}
    result = next(p.name for p in spec.outputs if issubclass(p.type, Table))
    text = pipeline(
        **{port: dataset(port) for port in given},
        around=node(component_id, component.settings(), **wires),
        reply=node("web-service-output", {"name": "Rows"}, data=f"around.{result}"),
    )

    ran = trained(text, context=None, **given)

    bypassed = isinstance(spec.at_inference, Bypass)
    assert_alike(ran, Pin(NodeId("around"), result), same_rows=not bypassed)


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_model_scores_each_row_alone_as_it_scores_all(learner: str) -> None:
    kind = library().find(learner)
    assert issubclass(kind, Learner)
    wraps = library().spec(learner).inputs
    nodes: dict[str, Any] = {"rows": dataset("rows")}
    if wraps:
        nodes["two"] = node("two-class-logistic-regression")
        wired = {wraps[0].name: "two.untrained_model"}
    else:
        wired = {}
    nodes["learner"] = node(learner, **wired)
    task = kind.parse({}).task  # type: ignore[attr-defined]  # a learner has one
    given = {"untrained_model": "learner.untrained_model", "dataset": "rows.dataset"}
    scorer = "score-model"
    if task is Task.CLUSTERING:
        nodes["train"] = node("train-clustering-model", **given)
        scorer = "assign-data-to-clusters"
    elif task is Task.ANOMALY:
        nodes["train"] = node("train-anomaly-detection-model", **given)
    else:
        nodes["train"] = node("train-model", {"label_column": LABELS[task]}, **given)
    nodes["score"] = node(scorer, trained_model="train.trained_model", dataset="rows.dataset")
    out = next(p.name for p in library().spec(scorer).outputs)

    ran = trained(pipeline(**nodes), rows=ROWS.get(learner, cars)())

    assert_alike(ran, Pin(NodeId("score"), out))


def test_a_transformation_of_another_step_is_applied_to_each_row_alone() -> None:
    text = pipeline(
        rows=dataset("rows"),
        fit=node("normalize-data", dataset="rows.dataset"),
        columns=node(
            "select-columns-transform", dataset_with_desired_columns="fit.transformed_dataset"
        ),
        apply=node(
            "apply-transformation",
            transformation="fit.transformation_function",
            dataset="rows.dataset",
        ),
        choose=node(
            "apply-transformation",
            transformation="columns.columns_selection_transformation",
            dataset="apply.transformed_dataset",
        ),
        reply=node("web-service-output", {"name": "Rows"}, data="choose.transformed_dataset"),
    )

    ran = trained(text, rows=cars())

    assert_alike(ran, Pin(NodeId("choose"), "transformed_dataset"))


def numbers() -> Table:
    """The cars as their numbers and the label of two classes, for a class that takes nothing else."""
    frame = cars().frame.select("doors", "width", "turbo").drop_nulls().drop_nans()
    return Table(frame)


ROWS = {"create-python-model": numbers}
