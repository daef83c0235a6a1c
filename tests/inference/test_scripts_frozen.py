"""Pipelines with scripts, from training to the packaged scorer: files and packages go along."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from modelwright.data.table import Table
from modelwright.graph.graph import NodeId
from modelwright.inference.package import Package, write
from tests.components.palette.data_input_and_output.test_import_data import place
from tests.components.palette.python_language.test_execute_python_script import wheel
from tests.inference.training import trained

PIPELINE = """\
modelwright: 1
name: Cars
nodes:
  cars:
    component: dataset
    parameters: {name: cars}
  bundle:
    component: import-files
    parameters: {path: PATH}
  script:
    component: execute-python-script
    version: 2
    parameters:
      requirements: |
        --no-index
        --find-links WHEELS
        oddpricing
      script: |
        import oddpricing, extras
        def azureml_main(dataframe1=None, dataframe2=None):
            out = dataframe1.copy()
            out["width"] = out["width"] * oddpricing.FACTOR + extras.MORE
            return out,
    inputs: {dataset1: cars.dataset, script_bundle: bundle.files}
  learner:
    component: linear-regression
  train:
    component: train-model
    parameters: {label_column: price}
    inputs: {untrained_model: learner.untrained_model, dataset: chosen.results_dataset}
  chosen:
    component: select-columns-in-dataset
    parameters: {columns: {begin: none, rules: [{names: [width, price]}]}}
    inputs: {dataset: script.results_dataset_1}
  score:
    component: score-model
    inputs: {trained_model: train.trained_model, dataset: chosen.results_dataset}
"""


def test_files_and_packages_of_training_answer_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELWRIGHT_SCRIPT_PACKAGES", str(tmp_path / "sets"))
    wheel(tmp_path, "oddpricing", "1.0", "FACTOR = 3\n")
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        archive.writestr("extras.py", "MORE = 1\n")
    rows = pl.DataFrame({"width": [1.0, 2.0, 3.0, 5.0], "price": [10.0, 20.0, 30.0, 50.0]})
    text = PIPELINE.replace("PATH", "bundle.zip").replace("WHEELS", str(tmp_path))
    ran = trained(text, context=place(tmp_path), cars=Table(rows))
    # What comes later must not change what was trained.
    wheel(tmp_path, "oddpricing", "2.0", "FACTOR = 99\n")
    (tmp_path / "bundle.zip").unlink()

    made = ran.convert()
    write(ran.serving(made.graph), tmp_path / "cars.zip")
    monkeypatch.setenv("MODELWRIGHT_SCRIPT_PACKAGES", str(tmp_path / "elsewhere"))
    scorer = Package.open(tmp_path / "cars.zip").scorer()

    script = made.graph.nodes[NodeId("script")]
    assert script.parameters["requirements"].splitlines()[-1] == "oddpricing==1.0"
    assert made.graph.nodes[NodeId("fd-bundle")].component == "saved-files"
    assert ran.parity(made).verdict == "equal"
    body = json.dumps({"Inputs": {"WebServiceInput0": [{"width": 4.0}]}}).encode()
    (reply,) = json.loads(scorer.answer(body))["Results"].values()
    assert reply[0]["width"] == 13.0
    assert reply[0]["Scored Labels"] == pytest.approx(40.0, abs=4.0)
