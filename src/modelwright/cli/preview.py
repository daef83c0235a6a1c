"""A value in short, for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelwright.cli.printing import put, put_table, written

if TYPE_CHECKING:
    from modelwright.actions.outputs import Preview

_LONGEST = 60


def put_preview(preview: Preview) -> None:
    """Write a table's first rows, or what a fitted value has learnt."""
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
        put()
        put_table(("NAME", "VALUE"), ((n, _cell(v)) for n, v in preview.learnt.items()))


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
