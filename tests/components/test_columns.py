from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from modelwright.components.columns import ColumnRangeError, ColumnRule, ColumnSelection
from modelwright.components.errors import ColumnTypeError, EmptySelection, MissingColumn
from modelwright.data.schema import Column, ColumnType, Role, Schema

SCHEMA = Schema(
    (
        Column("make", ColumnType.STRING, categorical=True),
        Column("doors", ColumnType.INTEGER),
        Column("width", ColumnType.DOUBLE, role=Role.WEIGHT),
        Column("turbo", ColumnType.BOOLEAN, role=Role.NONE),
        Column("sold", ColumnType.DATETIME, role=Role.SCORE),
        Column("price", ColumnType.DOUBLE, role=Role.LABEL),
    )
)


def chosen(selection: ColumnSelection) -> tuple[str, ...]:
    return selection.resolve(SCHEMA, parameter="Columns", allow_none=True)


def by(*rules: dict[str, Any], begin: str = "none", **more: Any) -> tuple[str, ...]:
    return chosen(ColumnSelection.model_validate({"begin": begin, "rules": rules, **more}))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"names": ["price", "make"]}, ("make", "price")),
        ({"positions": "2"}, ("doors",)),
        ({"positions": "5-6, 1,2-2"}, ("make", "doors", "sold", "price")),
        ({"types": ["Numeric"]}, ("doors", "width", "price")),
        ({"types": ["String", "DateTime"]}, ("make", "sold")),
        ({"types": ["Categorical"]}, ("make",)),
        ({"roles": ["Features"]}, ("make", "doors")),
        ({"roles": ["Labels", "Weights", "Scores"]}, ("width", "sold", "price")),
        ({"pattern": "^.o"}, ("doors", "sold")),
        ({"all": True}, SCHEMA.names),
    ],
)
def test_each_way_of_matching(rule: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert by(rule) == expected


def test_rules_add_and_take_away_one_after_the_other() -> None:
    numeric, price = {"types": ["Numeric"]}, {"names": ["price"]}

    assert by(numeric, {"rule": "exclude", **price}) == ("doors", "width")
    assert by({"rule": "exclude", **price}, numeric) == ("doors", "width", "price")
    assert by({"rule": "exclude", **numeric}, begin="all") == ("make", "turbo", "sold")


def test_the_order_is_the_tables_unless_the_selection_keeps_its_own() -> None:
    rules = ({"names": ["price", "make"]}, {"positions": "2,1"})

    assert by(*rules) == ("make", "doors", "price")
    assert by(*rules, keep_order=True) == ("price", "make", "doors")


def test_a_name_that_is_not_there_is_told_with_its_port_and_the_nearest() -> None:
    with pytest.raises(MissingColumn) as caught:
        ColumnSelection.of("prize").resolve(SCHEMA, parameter="Columns", port="left")

    assert 'on port "left"' in str(caught.value)
    assert 'Nearest: "price"' in str(caught.value)


@pytest.mark.parametrize("positions", ["7", "0", "5-7"])
def test_a_position_past_the_last_column_is_an_error(positions: str) -> None:
    with pytest.raises(ColumnRangeError, match="6 columns"):
        by({"positions": positions})


def test_a_selection_of_nothing_is_an_error_unless_it_may_be_empty() -> None:
    nothing = ColumnSelection.typed("Integer").model_copy(update={"rules": ()})

    assert nothing.is_empty
    assert nothing.resolve(SCHEMA, parameter="Columns", allow_none=True) == ()
    with pytest.raises(EmptySelection) as caught:
        nothing.resolve(SCHEMA, parameter="Columns")
    assert caught.value.fields["near"] == list(SCHEMA.names)


def test_a_wanted_type_is_asked_of_every_chosen_column() -> None:
    numbers = (ColumnType.INTEGER, ColumnType.DOUBLE)

    fits = ColumnSelection.of("doors", "price").resolve_typed(
        SCHEMA, parameter="Columns", wanted=numbers
    )
    assert fits == ("doors", "price")
    with pytest.raises(ColumnTypeError, match="Integer or Double is needed"):
        ColumnSelection.of("doors", "make").resolve_typed(
            SCHEMA, parameter="Columns", wanted=numbers
        )


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"names": ["a"], "all": True},
        {"positions": "1-"},
        {"positions": "1, 4-2"},
        {"positions": "-3"},
        {"positions": "a"},
        {"positions": ""},
        {"pattern": "["},
        {"types": ["Word"]},
        {"roles": ["Labels"], "rule": "maybe"},
        {"all": False},
    ],
)
def test_a_rule_that_says_nothing_or_too_much_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ColumnRule.model_validate(rule)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("all", {"begin": "all"}),
        ("none", {"begin": "none"}),
        ([], {}),
        (["a", "b"], {"rules": [{"names": ["a", "b"]}]}),
    ],
)
def test_a_selection_may_be_written_short(short: object, long: dict[str, Any]) -> None:
    assert ColumnSelection.model_validate(short) == ColumnSelection.model_validate(long)


@pytest.mark.parametrize(
    "selection",
    [
        ColumnSelection(),
        ColumnSelection.of("a", "b"),
        ColumnSelection.everything(but=("a",)),
        ColumnSelection.typed("Numeric", "Categorical"),
        ColumnSelection(rules=(ColumnRule(positions="1-3"),), keep_order=True),
    ],
)
def test_a_selection_survives_json(selection: ColumnSelection) -> None:
    text = json.dumps(selection.model_dump(mode="json"))

    assert ColumnSelection.model_validate(json.loads(text)) == selection


def test_a_selection_can_be_read_aloud() -> None:
    assert str(ColumnSelection()) == "No columns"
    assert str(ColumnSelection(begin="all")) == "All columns"
    assert str(ColumnSelection.everything(but=("a", "b"))) == "All columns; exclude names: a, b"
    assert str(ColumnSelection(rules=(ColumnRule(positions="1-3"),))) == "include positions: 1-3"
