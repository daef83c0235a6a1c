from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from modelwright.actions.as_json import as_json


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Car:
    colour: Colour
    parts: tuple[str, ...]


class Own:
    def to_json(self) -> dict[str, Any]:
        return {"price": float("nan")}


def test_records_become_plain_values_with_their_field_names() -> None:
    assert as_json([Car(Colour.RED, ("door", "wheel"))]) == [
        {"colour": "red", "parts": ["door", "wheel"]}
    ]


def test_a_record_with_a_form_of_its_own_is_asked_for_it() -> None:
    assert as_json({"car": Own()}) == {"car": {"price": None}}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_cannot_write_are_null(value: float) -> None:
    assert as_json(value) is None


def test_times_are_in_utc_and_paths_are_text() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))
    assert as_json(noon) == "2026-01-31T10:00:00+00:00"
    assert as_json(datetime(2026, 1, 31, tzinfo=UTC).date()) == "2026-01-31"
    assert as_json(Path("a") / "b") == "a/b"


def test_sets_have_an_order() -> None:
    assert as_json(frozenset({"b", "a"})) == ["a", "b"]


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        as_json(object())
