"""Values of tables as JSON, in one way everywhere: previews, requests, replies.

    null                      a missing value
    {"isNan": true}           not a number
    {"isInfinite": 1}, {"isInfinite": -1}   the infinities
    "2026-01-02T03:04:05.5"   a date and time, in ISO 8601; with its offset where it has a zone
    7200.5                    a duration, in seconds
    "03:04:05"                a time of day
    "AAEC"                    bytes, in base64

Numbers, truth values and text are themselves; lists and structures hold values by the same rules.
Whole numbers keep all 64 bits: a reader in JavaScript loses digits beyond 2**53 unless it reads them
as text.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

NAN = {"isNan": True}


def to_json(value: Any) -> Any:
    """A value of a table as JSON."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else _special(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return base64.b64encode(value).decode()
        case Decimal():
            return to_json(float(value))
        case Mapping():
            return {str(key): to_json(held) for key, held in value.items()}
        case list() | tuple():
            return [to_json(held) for held in value]
        case _ if hasattr(value, "to_list"):
            return to_json(value.to_list())
        case _:
            return str(value)


def number_from_json(value: Any) -> Any:
    """A number as `to_json` gave it; what is neither {"isNan": true} nor an infinity as it is."""
    if isinstance(value, Mapping) and len(value) == 1:
        if value.get("isNan") is True:
            return math.nan
        # Values that were stored before both names became one have the shorter one.
        sign = value.get("isInfinite", value.get("isInf"))
        if sign in (1, -1) and not isinstance(sign, bool):
            return math.inf * sign
    return value


def rows_to_json(frame: pl.DataFrame) -> list[list[Any]]:
    """The rows of a frame as lists of JSON values, in the order of its columns."""
    columns = [_column(series) for series in frame.iter_columns()]
    return [list(row) for row in zip(*columns, strict=True)]


def _column(series: pl.Series) -> list[Any]:
    import polars as pl

    plain = series.dtype.is_integer() or series.dtype in (pl.String, pl.Boolean)
    if plain or (series.dtype.is_float() and bool(series.is_finite().all())):
        return series.to_list()
    return [to_json(value) for value in series.to_list()]


def _special(value: float) -> dict[str, Any]:
    return dict(NAN) if math.isnan(value) else {"isInfinite": 1 if value > 0 else -1}
