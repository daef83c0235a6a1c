"""How far two replies to the same request are apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

TOLERANCE = 1e-9
"""Relative difference up to which two numbers are the same."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How two replies differ.

    rows: how many rows do.  largest: relative difference of two numbers, infinite for anything else.
    where: the first place, such as "WebServiceOutput0, row 0, Scored Labels: 1.5 instead of 2.0".
    """

    rows: int = 0
    largest: float = 0.0
    where: str = ""


def difference(reply: bytes, other: bytes) -> Difference:
    """How another reply differs from the first; nothing in it where both say the same."""
    if reply == other:
        return Difference()
    first, second = _outputs(reply), _outputs(other)
    rows, largest, where = 0, 0.0, ""
    if first.keys() != second.keys():
        names = f"outputs {', '.join(second) or 'none'} instead of {', '.join(first) or 'none'}"
        return Difference(1, math.inf, names)
    for output, those in first.items():
        these = second[output]
        if len(those) != len(these):
            rows += abs(len(those) - len(these))
            largest = math.inf
            where = where or f"{output}: {len(these)} rows instead of {len(those)}"
        for index, (old, new) in enumerate(zip(those, these, strict=False)):
            apart = 0.0
            for column in [*old, *(c for c in new if c not in old)]:
                far = _apart(old.get(column), new.get(column))
                if far and not where:
                    place = f"{output}, row {index}, {column}"
                    where = f"{place}: {new.get(column)!r} instead of {old.get(column)!r}"
                apart = max(apart, far)
            rows += apart > 0
            largest = max(largest, apart)
    return Difference(rows, largest, where)


def _apart(old: Any, new: Any) -> float:
    both = (old, new)
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in both):
        far = abs(old - new) / max(abs(old), abs(new), 1e-300)
        return far if far > TOLERANCE else 0.0
    return 0.0 if old == new else math.inf


def _outputs(reply: bytes) -> dict[str, list[Mapping[str, Any]]]:
    """Rows by output, whichever way they are written."""
    value = orjson.loads(reply)
    if isinstance(value.get("Results"), dict):
        return {name: list(rows) for name, rows in value["Results"].items()}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for name, table in value.items():
        if isinstance(table, dict) and isinstance(table.get("value"), dict):
            columns = table["value"]["ColumnNames"]
            found[name] = [dict(zip(columns, row, strict=True)) for row in table["value"]["Values"]]
    return found
