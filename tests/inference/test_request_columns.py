from __future__ import annotations

import pytest

from modelwright.components.request_rules import RequestRule
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.inference.request_columns import (
    UnfitDefault,
    UnknownRequestColumn,
    request_columns,
)

SCHEMA = Schema((Column("make", ColumnType.STRING), Column("width", ColumnType.DOUBLE)))


def test_a_rule_for_a_column_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(UnknownRequestColumn, match='rule for column "widht"') as caught:
        request_columns("cars", SCHEMA, [RequestRule(name="widht", use="optional")])
    assert 'Nearest: "width"' in str(caught.value)


def test_a_default_of_another_type_is_refused_with_its_column() -> None:
    with pytest.raises(UnfitDefault, match=r'"width".*"broad"'):
        request_columns(
            "cars", SCHEMA, [RequestRule(name="width", use="optional", default="broad")]
        )
