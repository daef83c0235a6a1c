from __future__ import annotations

from pathlib import Path

import pytest

from modelwright import samples
from modelwright.actions.endpoints import delete_endpoint
from modelwright.client.home import home_folder, opened
from modelwright.client.outcome import NoResult, RunNotCompleted, RunOutcome
from modelwright.client.pipeline import Pipeline
from modelwright.components.columns import ColumnSelection
from modelwright.components.palette.data_input_and_output.enter_data_manually import (
    EnterDataManually,
)
from modelwright.components.palette.data_transformation.select_columns_in_dataset import (
    SelectColumnsInDataset,
)
from modelwright.components.palette.python_language.execute_python_script import (
    ExecutePythonScript,
)
from modelwright.data.errors import ModelwrightError
from modelwright.graph.problems import PipelineProblems


def test_the_tutorial_is_run_converted_deployed_and_scored_without_a_server(
    tmp_path: Path,
) -> None:
    cars = Pipeline.open(samples.PIPELINES[0].path)
    assert cars.check(home=tmp_path) == ()
    kinds = []
    run = cars.run(home=tmp_path, on_event=lambda event: kinds.append(event.kind))
    run.require_completed()
    assert (kinds[0], kinds[-1]) == ("run-started", "run-finished")
    figures = run.metrics["evaluate-model"]["scored_dataset"]
    assert 0.8 < (figures["Coefficient_of_Determination"] or 0) < 0.97
    scored = run.frame("score-model.scored_dataset")
    assert (scored.height, "Scored Labels" in scored.columns) == (58, True)
    assert run.learnt("train-model.trained_model")
    assert run.step("split-data").seconds is not None
    with pytest.raises(NoResult, match=r"score-model\.scored_dataset"):
        run.frame("score-model.nope")

    assert {s.action for s in cars.plan(home=tmp_path).steps} == {"source", "reuse"}
    conversion = cars.convert(run.id, home=tmp_path)
    assert conversion.parity is not None
    assert conversion.parity["verdict"] == "equal"
    assert {"node", "title", "action", "reason", "by"} == conversion.changes[0].keys()
    endpoint = conversion.pipeline.deploy("cars", home=tmp_path, settings={"max_replicas": 2})
    try:
        assert (endpoint.state, endpoint.settings["max_replicas"]) == ("healthy", 2)
        row = scored.drop("price", "Scored Labels").row(0, named=True) | {"normalized-losses": None}
        (reply,) = endpoint.score({"WebServiceInput0": [row]}).values()
        assert reply[0]["Scored Labels"] == pytest.approx(scored["Scored Labels"][0], rel=1e-9)
    finally:
        with opened(tmp_path) as home:
            delete_endpoint(home, "cars")


def test_a_pipeline_with_problems_says_them_and_does_not_run(tmp_path: Path) -> None:
    p = Pipeline("Wrong")
    data = p.add(EnterDataManually(data="a\n1\n"))
    p.add(SelectColumnsInDataset(columns=ColumnSelection.of("b")), dataset=data)
    (problem,) = p.check(home=tmp_path)
    assert (problem.node, problem.column) == ("select-columns-in-dataset", "b")
    with pytest.raises(PipelineProblems):
        p.run(home=tmp_path)


def test_the_error_of_a_failed_step_is_raised_when_it_is_asked_for(tmp_path: Path) -> None:
    p = Pipeline("Fails")
    p.add(
        ExecutePythonScript(script="def azureml_main(a=None, b=None):\n    raise KeyError('x')\n")
    )
    run = p.run(home=tmp_path)
    assert (run.status, run.counts) == ("failed", {"failed": 1})
    with pytest.raises(ModelwrightError, match="KeyError"):
        run.require_completed()


def test_the_home_is_the_one_given_or_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELWRIGHT_HOME", str(tmp_path / "named"))
    assert home_folder(None) == tmp_path / "named"
    assert home_folder(tmp_path / "given") == tmp_path / "given"
    monkeypatch.delenv("MODELWRIGHT_HOME")
    assert home_folder(None).name == "modelwright"


def test_a_run_that_was_cancelled_has_no_results_to_work_with() -> None:
    outcome = RunOutcome("r1", "Cars", "cancelled", (), {})
    with pytest.raises(RunNotCompleted, match="Run r1 is cancelled"):
        outcome.require_completed()
