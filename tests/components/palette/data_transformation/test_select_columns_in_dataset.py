from __future__ import annotations

import polars as pl
import pytest

from modelwright.components.columns import ColumnRangeError, ColumnRule, ColumnSelection
from modelwright.components.errors import EmptySelection, MissingColumn
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.select_columns_in_dataset import (
    SelectColumnsInDataset,
)
from modelwright.data.expression import Formula, Keep
from modelwright.data.schema import Role
from modelwright.data.table import Table

CARS = Table(
    pl.DataFrame({"make": ["audi"], "width": [65.5], "doors": [4], "price": [13495]})
).mark("price", role=Role.LABEL)


def chosen(selection: ColumnSelection) -> tuple[str, ...]:
    return SelectColumnsInDataset(columns=selection).run(CARS).schema.names


def test_the_named_columns_come_in_the_order_of_the_table() -> None:
    assert chosen(ColumnSelection.of("price", "make")) == ("make", "price")


def test_a_selection_that_keeps_its_order_decides_the_order() -> None:
    rules = (ColumnRule(names=("price", "make")), ColumnRule(names=("price",)))

    assert chosen(ColumnSelection(rules=rules, keep_order=True)) == ("price", "make")


def test_all_but_one() -> None:
    assert chosen(ColumnSelection.everything(but=("doors",))) == ("make", "width", "price")


def test_positions_types_and_roles_choose_as_well() -> None:
    assert chosen(ColumnSelection(rules=(ColumnRule(positions="4, 1-2"),))) == (
        "make",
        "width",
        "price",
    )
    assert chosen(ColumnSelection.typed("Integer", "String")) == ("make", "doors", "price")
    assert chosen(ColumnSelection(rules=(ColumnRule(roles=("Labels",)),))) == ("price",)


def test_values_and_marks_stay() -> None:
    result = SelectColumnsInDataset(columns=ColumnSelection.of("price")).run(CARS)

    assert result.frame.to_dict(as_series=False) == {"price": [13495]}
    assert result.schema.columns[0].role is Role.LABEL


def test_nothing_chosen_is_an_error() -> None:
    with pytest.raises(EmptySelection, match="Select columns"):
        SelectColumnsInDataset().run(CARS)
    with pytest.raises(EmptySelection):
        chosen(ColumnSelection.typed("DateTime"))


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(MissingColumn, match='Nearest: "price"'):
        chosen(ColumnSelection.of("prize"))
    with pytest.raises(ColumnRangeError):
        chosen(ColumnSelection(rules=(ColumnRule(positions="5"),)))


def test_the_work_is_a_formula() -> None:
    component = SelectColumnsInDataset(columns=ColumnSelection.of("price", "make"))

    assert component.formula(CARS.schema) == Formula(Keep(["make", "price"]))


def test_the_outline_has_the_columns_that_a_run_gives() -> None:
    component = SelectColumnsInDataset(columns=ColumnSelection.of("price"))

    outline = component.outline(dataset=TableOutline(CARS.schema, rows=1))

    assert outline["results_dataset"] == TableOutline(component.run(CARS).schema, rows=1)
    assert component.outline(dataset=None) == {"results_dataset": None}


def test_the_outline_finds_what_a_run_would() -> None:
    component = SelectColumnsInDataset(columns=ColumnSelection.of("prize"))

    with pytest.raises(MissingColumn):
        component.outline(dataset=TableOutline(CARS.schema))


def test_where_more_columns_can_appear_the_outline_says_what_is_certain() -> None:
    partly = TableOutline(CARS.schema.keep(["make"]), complete=False)

    def outline(selection: ColumnSelection) -> object:
        return SelectColumnsInDataset(columns=selection).outline(dataset=partly)["results_dataset"]

    assert outline(ColumnSelection.of("make")) == partly
    assert outline(ColumnSelection.of("new")) is None
    assert outline(ColumnSelection(rules=(ColumnRule(positions="1"),))) is None
