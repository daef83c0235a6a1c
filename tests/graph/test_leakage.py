"""What was learnt from all rows before they are divided into folds is told on the wiring."""

from __future__ import annotations

import pytest

from modelwright import samples
from modelwright.components.library import library
from modelwright.data.schema import ColumnType
from modelwright.graph.check import check
from modelwright.graph.codec import read
from modelwright.graph.problems import Problem
from tests.graph.pieces import assets

ROWS = assets(a=ColumnType.DOUBLE, b=ColumnType.DOUBLE, y=ColumnType.STRING)
CODE = "learnt-before-folds"

PREPARED = """\
modelwright: 1
nodes:
  rows: {component: dataset, parameters: {name: cars}}
  prepare: {component: %s, parameters: {%s}, inputs: {%s: rows.dataset}}
  keep: {component: select-columns-in-dataset, parameters: {columns: all}, inputs: {dataset: prepare.%s}}
  learner: {component: two-class-logistic-regression}
  measure:
    component: %s
    parameters: {label_column: y}
    inputs: {untrained_model: learner.untrained_model, %s: keep.results_dataset}
"""
NORMALIZED = ("normalize-data", "", "dataset", "transformed_dataset")
FOLDED = ("cross-validate-model", "dataset")


def leaks(text: str) -> list[Problem]:
    found = check(read(text).graph, library=library(), assets=ROWS)
    return [p for p in found.problems if p.code == CODE]


@pytest.mark.parametrize(
    "prepare",
    [
        NORMALIZED,
        ("clean-missing-data", "mode: Replace with mean", "dataset", "cleaned_dataset"),
        ("group-data-into-bins", "", "dataset", "quantized_dataset"),
        ("clip-values", "upper_kind: Percentile", "dataset", "results_dataset"),
        ("clip-values", "upper_substitute: Mean", "dataset", "results_dataset"),
        ("filter-based-feature-selection", "", "dataset", "filtered_dataset"),
        ("smote", "label_column: y", "samples", "table"),
    ],
)
@pytest.mark.parametrize("measure", [FOLDED, ("tune-model-hyperparameters", "training_dataset")])
def test_what_learns_from_all_rows_above_the_folds_is_told(
    prepare: tuple[str, ...], measure: tuple[str, ...]
) -> None:
    (problem,) = leaks(PREPARED % (*prepare, *measure))
    assert (problem.node, problem.port, problem.severity) == ("measure", measure[1], "warning")
    assert problem.fields["nodes"] == ["prepare"]
    assert library().spec(prepare[0]).title in problem.happened
    assert "Apply Transformation" in problem.remedy


@pytest.mark.parametrize(
    "prepare",
    [
        ("clean-missing-data", "mode: Remove entire row", "dataset", "cleaned_dataset"),
        ("clean-missing-data", "mode: Custom substitution value", "dataset", "cleaned_dataset"),
        ("group-data-into-bins", "mode: Custom Edges", "dataset", "quantized_dataset"),
        ("clip-values", "lower_kind: Percentile", "dataset", "results_dataset"),
        ("convert-to-indicator-values", "columns: [y]", "dataset", "results_dataset"),
        ("remove-duplicate-rows", "columns: all", "dataset", "results_dataset"),
    ],
)
def test_what_treats_each_row_by_itself_is_fine(prepare: tuple[str, ...]) -> None:
    assert leaks(PREPARED % (*prepare, *FOLDED)) == []


APPLIED = """\
modelwright: 1
nodes:
  rows: {component: dataset, parameters: {name: cars}}
  split: {component: split-data, inputs: {dataset: rows.dataset}}
  scale: {component: normalize-data, inputs: {dataset: split.results_dataset1}}
  apply:
    component: apply-transformation
    inputs: {transformation: scale.transformation_function, dataset: split.results_dataset%s}
  learner: {component: two-class-logistic-regression}
  measure:
    component: cross-validate-model
    parameters: {label_column: y}
    inputs: {untrained_model: learner.untrained_model, dataset: apply.transformed_dataset}
"""


def test_what_was_learnt_from_other_rows_may_be_applied() -> None:
    assert leaks(APPLIED % 2) == []


def test_what_is_applied_to_the_rows_it_was_learnt_from_is_told() -> None:
    assert [p.fields["nodes"] for p in leaks(APPLIED % 1)] == [["scale"]]


def test_a_sweep_that_is_measured_on_a_validation_set_has_no_folds() -> None:
    text = PREPARED % (*NORMALIZED, "tune-model-hyperparameters", "training_dataset")
    valid = "keep.results_dataset, optional_validation_dataset: rows.dataset}"
    assert leaks(text.replace("keep.results_dataset}", valid)) == []


def test_several_steps_are_named_together() -> None:
    text = PREPARED % (*NORMALIZED, *FOLDED)
    more = "  bins: {component: group-data-into-bins, inputs: {dataset: keep.results_dataset}}\n"
    text = text.replace("dataset: keep.results_dataset}\n", "dataset: bins.quantized_dataset}\n")
    (problem,) = leaks(text + more)
    assert problem.fields["nodes"] == ["bins", "prepare"]
    assert '"Group Data into Bins" and "Normalize Data" learnt' in problem.happened


@pytest.mark.parametrize("sample", samples.PIPELINES, ids=lambda s: s.path.stem)
def test_no_sample_does_so(sample: samples.SamplePipeline) -> None:
    assert leaks(sample.text) == []
