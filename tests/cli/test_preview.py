from __future__ import annotations

import pytest

from modelwright.actions.outputs import Preview
from modelwright.cli.preview import put_preview


def test_what_a_model_learnt_is_told_in_single_values_and_tables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    learnt = {
        "rows": 300,
        "settings": {"learning_rate": 0.2, "shuffle": True},
        "importance": [
            {"feature": "age", "gain": 0.5, "splits": 7},
            {"feature": "pay", "gain": 0.25, "splits": 12},
            {"feature": "zip", "gain": 0.25},
        ],
        "explanation": {"scale": "label", "features": [{"feature": "age", "mean": 1.5}]},
        "nothing": [],
    }
    put_preview(Preview("model", "Trained model", {"task": "regression"}, learnt=learnt), most=2)
    assert capsys.readouterr().out.split("\n") == [
        "Trained model: task regression",
        "",
        "NAME                    VALUE",
        "rows                    300",
        "settings.learning_rate  0.2",
        "settings.shuffle        yes",
        "explanation.scale       label",
        "nothing                 []",
        "",
        "importance:",
        "feature  gain  splits",
        "age       0.5       7",
        "pay      0.25      12",
        "2 of 3; see more with --rows, all with --json.",
        "",
        "explanation.features:",
        "feature  mean",
        "age       1.5",
        "",
    ]
