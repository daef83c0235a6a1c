"""Homes and pipelines for tests: steps run in the test's own process."""

from __future__ import annotations

from pathlib import Path

from modelwright import samples
from modelwright.actions.home import Home
from modelwright.graph.codec import Document, read
from modelwright.run.workers import in_process

TINY = """\
modelwright: 1
name: Tiny
nodes:
  typed:
    component: enter-data-manually
    parameters:
      data: |
        a,b
        1,x
        2,y
        3,z
  chosen:
    component: select-columns-in-dataset
    parameters:
      columns: [a]
    inputs:
      dataset: typed.dataset
"""

SWEEP = """\
modelwright: 1
name: Sweep
nodes:
  rows:
    component: enter-data-manually
    parameters:
      data: |
        a,y
        1,1.1
        2,1.9
        3,3.2
        4,3.9
        5,5.1
        6,6.2
  learner:
    component: linear-regression
  tune:
    component: tune-model-hyperparameters
    parameters:
      mode: Entire grid
      label_column: y
    inputs:
      untrained_model: learner.untrained_model
      training_dataset: rows.dataset
"""

BROKEN = """\
modelwright: 1
name: Broken
nodes:
  typed:
    component: enter-data-manually
    parameters:
      data: |
        a
        1
  script:
    component: execute-python-script
    parameters:
      script: |
        def azureml_main(first, second):
            print("so far so good")
            raise ValueError("no such luck")
    inputs:
      dataset1: typed.dataset
  chosen:
    component: select-columns-in-dataset
    parameters:
      columns: [a]
    inputs:
      dataset: script.results_dataset_1
"""


def open_home(folder: Path) -> Home:
    """A home in a folder, fresh or not."""
    return Home.open(folder, start_workers=in_process)


def tutorial() -> Document:
    """The sample pipeline that predicts the price of cars."""
    return read(samples.PIPELINES[0].text)


def tiny() -> Document:
    """Three typed rows of which one column is kept."""
    return read(TINY)


def broken() -> Document:
    """A script that fails, and a step that needs it."""
    return read(BROKEN)
