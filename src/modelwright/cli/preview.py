"""A value in short, for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelwright.cli.printing import put, put_table, written

if TYPE_CHECKING:
    from modelwright.actions.outputs import Preview

_LONGEST = 60


def put_preview(preview: Preview, *, most: int = 10) -> None:
    """Write a table's first rows, or what a fitted value has learnt.

    most: lines of each list that was learnt, such as weights.
    """
    facts = ", ".join(f"{name} {written(value)}" for name, value in preview.summary.items())
    put(f"{preview.title}: {facts}" if facts else preview.title)
    if preview.columns:
        put()
        names = [c["name"] for c in preview.columns]
        numeric = [c["name"] for c in preview.columns if c["type"] in ("Integer", "Double")]
        put_table(names, ([_cell(v) for v in row] for row in preview.rows), right=numeric)
    if preview.count is not None and preview.count > len(preview.rows):
        put(f"{len(preview.rows)} of {preview.count} rows; see more with --rows, all with -o FILE.")
    if preview.learnt:
        _put_learnt(preview.learnt, most)


def _put_learnt(learnt: Mapping[str, Any], most: int) -> None:
    """Write single values in one table, and lists of lines that are alike in one each."""
    facts: list[tuple[str, Any]] = []
    lists: list[tuple[str, list[dict[str, Any]]]] = []
    left = list(learnt.items())
    while left:
        name, value = left.pop(0)
        if isinstance(value, dict) and value:
            left = [(f"{name}.{key}", held) for key, held in value.items()] + left
        elif isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
            lists.append((name, value))
        else:
            facts.append((name, value))
    if facts:
        put()
        put_table(("NAME", "VALUE"), ((n, _cell(v)) for n, v in facts))
    for name, lines in lists:
        put()
        put(f"{name}:")
        columns = list(dict.fromkeys(column for line in lines for column in line))
        numeric = [c for c in columns if all(_is_number(line.get(c, 0)) for line in lines)]
        rows = ([_cell(line.get(c)) for c in columns] for line in lines[:most])
        put_table(columns, rows, right=numeric)
        if len(lines) > most:
            put(f"{most} of {len(lines)}; see more with --rows, all with --json.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def put_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as a table; a single one as names with values."""
    if len(rows) == 1:
        put_table(("COLUMN", "VALUE"), ((name, _cell(v)) for name, v in rows[0].items()))
    elif rows:
        put_table(list(rows[0]), ([_cell(v) for v in row.values()] for row in rows))
    else:
        put("No rows.")


def _cell(value: Any) -> str:
    if isinstance(value, dict) and value.get("isNan"):
        return "NaN"
    if isinstance(value, dict) and (sign := value.get("isInfinite")):
        return "Infinity" if sign > 0 else "-Infinity"
    if isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return written(value)
