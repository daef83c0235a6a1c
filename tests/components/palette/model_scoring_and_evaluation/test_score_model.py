from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.learning.errors import SchemaMismatch, WrongModel
from modelwright.components.learning.training import train
from modelwright.components.outline import ModelOutline, TableOutline, outline_of
from modelwright.components.palette.classification.two_class_logistic_regression import (
    TwoClassLogisticRegression,
)
from modelwright.components.palette.model_scoring_and_evaluation.score_model import ScoreModel
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.fitted import Model
from modelwright.data.schema import Task
from modelwright.data.table import Table

ROWS = Table(
    pl.DataFrame(
        {
            "width": [60.0, 62.0, 64.0, 66.0],
            "price": [5.0, 6.0, 9.0, 8.0],
            "sold": ["yes", "no", "no", "no"],
        }
    )
)
PRICE = train(LinearRegression(), ROWS, "price", Context())
SOLD = train(TwoClassLogisticRegression(), ROWS, "sold", Context())


def test_a_two_class_model_adds_label_and_probability() -> None:
    scored = ScoreModel().run(SOLD, ROWS)
    assert scored.schema.names[-2:] == ("Scored Labels", "Scored Probabilities")
    assert scored.frame.select(ROWS.schema.names).equals(ROWS.frame)


@pytest.mark.parametrize("model", [PRICE, SOLD])
def test_the_outline_is_what_scoring_gives(model: Model) -> None:
    known = ScoreModel().outline(trained_model=outline_of(model), dataset=outline_of(ROWS))
    assert known["scored_dataset"] == outline_of(ScoreModel().run(model, ROWS))


def test_columns_that_are_missing_are_told_before_the_run() -> None:
    rows = TableOutline(ROWS.schema.drop(["width"]))
    with pytest.raises(SchemaMismatch, match='column "width" is missing'):
        ScoreModel().outline(trained_model=outline_of(PRICE), dataset=rows)


def test_columns_of_another_type_are_told_before_the_run_unless_they_may_hold_no_value() -> None:
    learnt = outline_of(SOLD)
    dates = ROWS.frame.with_columns(width=pl.lit("2024-01-01").str.to_date())
    with pytest.raises(SchemaMismatch, match='the model: column "width" is DateTime, was Double'):
        ScoreModel().outline(trained_model=learnt, dataset=outline_of(Table(dates)))
    for rows in (
        ROWS.frame.with_columns(width=pl.lit(None, pl.String)),
        ROWS.frame.clear().cast(pl.String),
    ):
        scored = ScoreModel().run(SOLD, Table(rows))
        known = ScoreModel().outline(trained_model=learnt, dataset=outline_of(Table(rows)))
        assert isinstance(found := known["scored_dataset"], TableOutline)
        assert found.schema.names == scored.schema.names
        assert scored.frame["Scored Labels"].null_count() == 0


def test_without_a_known_model_more_columns_may_come() -> None:
    known = ScoreModel().outline(trained_model=None, dataset=TableOutline(ROWS.schema, rows=4))
    assert known["scored_dataset"] == TableOutline(ROWS.schema, complete=False, rows=4)
    assert ScoreModel().outline(trained_model=None, dataset=None)["scored_dataset"] is None


def test_clusters_are_assigned_elsewhere() -> None:
    clusters = ModelOutline(Task.CLUSTERING)
    with pytest.raises(WrongModel, match="Assign Data to Clusters"):
        ScoreModel().outline(trained_model=clusters, dataset=None)
    with pytest.raises(WrongModel):
        ScoreModel().run(replace(PRICE, task=Task.CLUSTERING), ROWS)
