from __future__ import annotations

import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.learning.errors import SchemaMismatch
from modelwright.components.learning.scoring import score
from modelwright.components.learning.training import train
from modelwright.components.palette.regression.linear_regression import LinearRegression
from modelwright.data.fitted import Model
from modelwright.data.schema import Role
from modelwright.data.table import Table

CARS = pl.DataFrame(
    {
        "width": [60.0, 62.0, 64.0, 66.0, 68.0, 70.0],
        "doors": [2, 4, 2, 4, 2, 4],
        "fuel": ["gas", "gas", "diesel", "gas", "diesel", "gas"],
        "price": [5.0, 6.0, 9.0, 8.0, 12.0, 11.0],
    }
)


def model(table: Table | None = None) -> Model:
    return train(LinearRegression(), table or Table(CARS), "price", Context())


def test_scores_come_last_and_the_label_is_marked() -> None:
    scored = score(model(), Table(CARS))
    assert scored.schema.names == ("width", "doors", "fuel", "price", "Scored Labels")
    assert scored.schema.column("price").role is Role.LABEL
    assert scored.schema.column("Scored Labels").role is Role.SCORE
    assert scored.frame["Scored Labels"].to_list() == pytest.approx(
        CARS["price"].to_list(), abs=0.7
    )


def test_a_label_is_not_needed_and_further_columns_stay() -> None:
    rows = CARS.drop("price").with_columns(owner=pl.lit("Ada"))
    scored = score(model(), Table(rows.select("owner", "fuel", "doors", "width")))
    assert scored.schema.names == ("owner", "fuel", "doors", "width", "Scored Labels")
    with_label = score(model(), Table(CARS)).frame["Scored Labels"]
    assert scored.frame["Scored Labels"].to_list() == with_label.to_list()


def test_scores_of_an_earlier_model_are_replaced() -> None:
    once = score(model(), Table(CARS))
    assert score(model(), once).frame.equals(once.frame)


def test_each_column_that_does_not_suit_is_named() -> None:
    rows = CARS.drop("width").with_columns(pl.col("doors").cast(pl.String), widths=pl.lit(1.0))
    with pytest.raises(SchemaMismatch) as caught:
        score(model(), Table(rows))
    assert caught.value.fields["faults"] == [
        'column "width" is missing (nearest: "widths")',
        'column "doors" is String, was Integer',
    ]
    assert "Linear Regression" in str(caught.value)


def test_whole_and_fractional_numbers_stand_for_each_other() -> None:
    scored = score(model(), Table(CARS.with_columns(pl.col("doors").cast(pl.Float64) + 0.5)))
    shifted = score(model(), Table(CARS))
    change = (scored.frame["Scored Labels"] - shifted.frame["Scored Labels"]).to_list()
    assert change == pytest.approx([change[0]] * 6)
    assert change[0] != 0


def test_levels_that_are_whole_numbers_are_found_by_fractional_ones() -> None:
    levels = model(Table(CARS).mark("doors", categorical=True))
    whole = score(levels, Table(CARS)).frame["Scored Labels"].to_list()
    doors = pl.Series("doors", [2.0, 4.0, 2.0, 4.0, 2.5, float("nan")])
    fractional = score(levels, Table(CARS.with_columns(doors))).frame["Scored Labels"].to_list()
    assert fractional[:4] == whole[:4]
    # 2.5 and a gap are no level of training: their rows get no weight for doors.
    assert None not in fractional
    assert fractional[4:] != pytest.approx(whole[4:])


def test_a_column_without_any_value_suits_every_type() -> None:
    rows = CARS.with_columns(width=pl.lit(None), fuel=pl.lit(None))
    found = score(model(), Table(rows)).frame["Scored Labels"]
    assert found.null_count() == 0
    # A missing number counts as the mean of training.
    mean = score(model(), Table(CARS.with_columns(width=pl.lit(65.0), fuel=pl.lit("never"))))
    assert found.to_list() == mean.frame["Scored Labels"].to_list()


def test_a_table_without_rows_is_scored() -> None:
    scored = score(model(), Table(CARS.clear()))
    assert scored.rows == 0
    assert scored.schema.names[-1] == "Scored Labels"
