from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import polars as pl
import pytest

from modelwright.actions.home import Home
from modelwright.actions.models import class_values, export_model, import_model, list_models
from modelwright.actions.pipelines import check_pipeline
from modelwright.actions.run_pipeline import run_pipeline
from modelwright.actions.runs import outputs_of
from modelwright.components.foreign.errors import UnknownModelFormat
from modelwright.data.table import Table
from modelwright.graph.codec import read
from modelwright.graph.graph import Pin
from modelwright.inference.package import Package
from modelwright.inference.scorer import Scorer
from tests.actions.homes import open_home

CHANCE = np.random.default_rng(2)
ROWS = pl.DataFrame({"a": CHANCE.normal(size=80), "b": CHANCE.normal(size=80)})
SIDE = np.where(ROWS["a"].to_numpy() > ROWS["b"].to_numpy(), 1, 0)

SCORING = """\
modelwright: 1
name: Scoring
nodes:
  rows:
    component: enter-data-manually
    parameters:
      data: |
        a,b
        2,-1
        -1,1
  model:
    component: saved-model
    parameters:
      name: Mine
      digest: {digest}
  score:
    component: score-model
    inputs:
      trained_model: model.trained_model
      dataset: rows.dataset
"""


def booster(folder: Path) -> tuple[Any, Path]:
    made = lightgbm.train(
        {"objective": "binary", "verbosity": -1, "num_threads": 1},
        lightgbm.Dataset(ROWS.to_pandas(), SIDE),
        40,
    )
    made.save_model(folder / "mine.txt")
    return made, folder / "mine.txt"


def imported(home: Home, file: Path, **more: Any) -> Any:
    return import_model(home, file, name="Mine", label="side", classes=("down", "up"), **more)


def test_a_model_from_elsewhere_scores_in_a_pipeline(tmp_path: Path) -> None:
    made, file = booster(tmp_path)
    with open_home(tmp_path / "home") as home:
        model = imported(home, file, description="from elsewhere")
        assert [(m.name, m.version) for m in list_models(home)] == [("Mine", 1)]
        # The same file again is the same version.
        assert imported(home, file).version == 1
        graph = read(SCORING.format(digest=model.digest)).graph
        assert check_pipeline(home, graph).problems == ()
        report = run_pipeline(home, graph)
        output = outputs_of(home, report.run.id)[Pin.parse("score.scored_dataset")]
        table = home.store.get(output.digest)
    assert isinstance(table, Table)
    expected = np.asarray(made.predict([[2, -1], [-1, 1]]))
    np.testing.assert_array_equal(table.frame["Scored Probabilities"], expected)
    assert table.frame["Scored Labels"].to_list() == ["up", "down"]


@pytest.mark.parametrize("with_sample", [True, False])
def test_a_model_leaves_as_a_package_that_scores_alike(tmp_path: Path, with_sample: bool) -> None:
    made, file = booster(tmp_path)
    with open_home(tmp_path / "home") as home:
        imported(home, file, sample=Table(ROWS) if with_sample else None)
        exported = export_model(home, "Mine", tmp_path / "mine.zip")
    assert exported.format == "zip"
    with zipfile.ZipFile(tmp_path / "mine.zip") as packed:
        packed.extractall(tmp_path / "out")
    (serving,) = (tmp_path / "out").rglob("serving.json")
    scorer = Scorer(Package.open(serving.parent).serving())
    reply = scorer.score({"input1": [{"a": 2.0, "b": -1.0}, {"a": -1.0, "b": 1.0}]})
    found = [row["Scored Probabilities"] for row in reply.results["output1"]]
    np.testing.assert_allclose(found, np.asarray(made.predict([[2, -1], [-1, 1]])), rtol=1e-12)


def test_what_is_no_model_is_not_registered(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("only words")
    with open_home(tmp_path / "home") as home:
        with pytest.raises(UnknownModelFormat, match=r"notes\.txt"):
            import_model(home, tmp_path / "notes.txt", name="Mine")
        assert list_models(home) == ()


def test_classes_are_read_as_they_are_written() -> None:
    assert class_values(["1", "-2"]) == (1, -2)
    assert class_values(["True", "false"]) == (True, False)
    assert class_values(["1", "two"]) == ("1", "two")
    assert class_values([]) == ()


def test_the_command_brings_a_model_in_and_takes_it_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from modelwright.cli.main import app

    _, file = booster(tmp_path)
    ROWS.with_columns(side=pl.Series(SIDE)).write_csv(tmp_path / "rows.csv")

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["modelwright", "model", *words])
        with pytest.raises(SystemExit) as ended:
            app()
        assert not ended.value.code
        return capsys.readouterr().out

    home = ["--home", str(tmp_path / "home")]
    told = run(
        "import", str(file), "--name", "Mine", "--label", "side", "--class", "0", "--class", "1",
        "--sample", str(tmp_path / "rows.csv"), "--json", *home,
    )  # fmt: skip
    assert json.loads(told)["name"] == "Mine"
    assert "Mine" in run("list", *home)
    told = run("export", "Mine", "-o", str(tmp_path / "folder"), *home)
    assert "Written to" in told
    assert (tmp_path / "folder" / "serving.json").is_file()
