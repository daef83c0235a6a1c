"""Values as JSON: one form for each, and numbers back from it."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from modelwright.data.json_values import number_from_json, rows_to_json, to_json

CASES: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (2**62, 2**62),
    ("text", "text"),
    (0.1, 0.1),
    (math.nan, {"isNan": True}),
    (math.inf, {"isInfinite": 1}),
    (-math.inf, {"isInfinite": -1}),
    (datetime.fromisoformat("2026-01-02T03:04:05.5"), "2026-01-02T03:04:05.500000"),
    (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
    (datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T00:00:00+02:00"),
    (date(2026, 1, 2), "2026-01-02"),
    (time(3, 4, 5), "03:04:05"),
    (timedelta(hours=2, milliseconds=500), 7200.5),
    (b"\x00\x01\x02", "AAEC"),
    (Decimal("1.50"), 1.5),
    ([1.0, math.nan, None], [1.0, {"isNan": True}, None]),
    ({"a": {"b": math.inf}}, {"a": {"b": {"isInfinite": 1}}}),
    (pl.Series([1, None]), [1, None]),
]


@pytest.mark.parametrize(("value", "expected"), CASES, ids=lambda v: repr(v)[:30])
def test_each_value_has_one_form(value: Any, expected: Any) -> None:
    assert to_json(value) == expected
    json.dumps(to_json(value), allow_nan=False)


@pytest.mark.parametrize("value", [1.5, 3, math.inf, -math.inf, None, "text", True])
def test_a_number_comes_back(value: Any) -> None:
    assert number_from_json(to_json(value)) == value


def test_an_infinity_of_former_files_is_read() -> None:
    assert number_from_json({"isInf": -1}) == -math.inf


def test_not_a_number_comes_back() -> None:
    assert math.isnan(number_from_json({"isNan": True}))


@pytest.mark.parametrize(
    "value",
    [
        {"isNan": False},
        {"isNan": 1},
        {"isInfinite": 2},
        {"isInfinite": True},
        {"isNan": True, "x": 1},
        {},
        [],
    ],
)
def test_what_is_no_number_stays_as_it_is(value: Any) -> None:
    assert number_from_json(value) is value


def test_rows_of_every_type_are_lists_of_values() -> None:
    frame = pl.DataFrame(
        {
            "d": [1.5, math.nan, None],
            "i": [1, None, 3],
            "s": ["a", None, "c"],
            "b": [True, None, False],
            "t": [datetime.fromisoformat("2020-01-02T00:00:00"), None, None],
            "l": [[1.0, math.inf], None, []],
        }
    )
    assert rows_to_json(frame) == [
        [1.5, 1, "a", True, "2020-01-02T00:00:00", [1.0, {"isInfinite": 1}]],
        [{"isNan": True}, None, None, None, None, None],
        [None, 3, "c", False, None, []],
    ]


def test_no_rows_and_no_columns_give_no_rows() -> None:
    assert rows_to_json(pl.DataFrame({"a": []})) == []
    assert rows_to_json(pl.DataFrame()) == []
