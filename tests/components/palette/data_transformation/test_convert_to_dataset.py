from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import pytest

from modelwright.components.context import Context
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.convert_to_dataset import ConvertToDataset
from modelwright.data.schema import Role
from modelwright.data.table import Table

TABLE = Table(
    pl.DataFrame(
        {
            "whole": [3, 35, None],
            "part": [3.0, float("nan"), 0.5],
            "truth": [True, None, False],
            "word": ["?", "obs?", "3"],
            "day": [datetime(2020, 1, 1), None, datetime(2020, 1, 2)],  # noqa: DTZ001
        }
    )
).mark("whole", role=Role.LABEL)


def converted(said: list[str] | None = None, **parameters: Any) -> dict[str, list[Any]]:
    log = [] if said is None else said
    result = ConvertToDataset(**parameters).run(TABLE, context=Context(log=log.append))
    assert result.schema == TABLE.schema
    return result.frame.to_dict(as_series=False)


def test_with_no_action_the_table_passes() -> None:
    result = ConvertToDataset().run(TABLE, context=Context())

    assert result.frame.equals(TABLE.frame)


@pytest.mark.parametrize(
    ("value", "column", "expected"),
    [
        ("?", "word", [None, "obs?", "3"]),
        ("3", "word", ["?", "obs?", None]),
        ("3", "whole", [None, 35, None]),
        ("3.0", "whole", [3, 35, None]),
        ("0.5", "part", [3.0, float("nan"), None]),
        ("FALSE", "truth", [True, None, None]),
        ("2020-01-01", "day", [None, None, datetime(2020, 1, 2)]),  # noqa: DTZ001
    ],
)
def test_whole_cells_of_a_value_become_missing(
    value: str, column: str, expected: list[Any]
) -> None:
    found = converted(action="SetMissingValue", missing_value=value)[column]

    assert repr(found) == repr(expected)


def test_a_value_is_looked_for_in_all_columns() -> None:
    found = converted(action="SetMissingValue", missing_value="3")

    assert (found["whole"][0], found["part"][0], found["word"][2]) == (None, None, None)


def test_missing_cells_get_the_new_value_where_it_fits_and_the_log_says_where_not() -> None:
    said: list[str] = []

    found = converted(said, action="ReplaceValues", new_value="7")

    assert found["whole"] == [3, 35, 7]
    assert found["part"] == [3.0, 7.0, 0.5]
    assert found["truth"] == [True, None, False]
    assert [line.split('"')[1] for line in said] == ["truth", "day"]


def test_a_value_of_ones_own_is_replaced() -> None:
    found = converted(action="ReplaceValues", replace="Custom", custom_value="3", new_value="4")

    assert found["whole"] == [4, 35, None]
    assert found["part"][0] == 4.0
    assert found["word"] == ["?", "obs?", "4"]


def test_only_the_settings_of_the_action_matter() -> None:
    assert ConvertToDataset(missing_value="x").settings() == {"action": "None"}
    assert set(ConvertToDataset(action="ReplaceValues", replace="Custom").settings()) == {
        "action",
        "replace",
        "custom_value",
        "new_value",
    }


def test_the_outline_keeps_the_columns() -> None:
    known = TableOutline(TABLE.schema, rows=3)

    assert ConvertToDataset(action="ReplaceValues").outline(dataset=known) == {
        "results_dataset": known
    }
