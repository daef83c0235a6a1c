"""How the columns that are known before a run pass through a component."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from modelwright.components.columns import ColumnRangeError, ColumnSelection
from modelwright.components.errors import EmptySelection, MissingColumn
from modelwright.components.outline import Outline, TableOutline
from modelwright.data.schema import Schema


def table_outline(
    inputs: Mapping[str, Outline | None], port: str = "dataset"
) -> TableOutline | None:
    """What is known of the table that arrives at a port; None where nothing is."""
    outline = inputs.get(port)
    return outline if isinstance(outline, TableOutline) else None


def flow(
    table: TableOutline | None,
    change: Callable[[Schema], Schema],
    *selections: ColumnSelection,
    rows_stay: bool = True,
) -> TableOutline | None:
    """The table after a change of its columns, as far as it is known.

    change: raises for what is certain to fail, and may go by the columns it is given.
    selections: those it resolves.  rows_stay: whether no row is added or taken away.
    Where further columns can appear, one that is missed may be among them, and positions say nothing.
    """
    if table is None:
        return None
    if not table.complete and any(r.positions for s in selections for r in s.rules):
        return None
    try:
        schema = change(table.schema)
    except (MissingColumn, ColumnRangeError, EmptySelection):
        if table.complete:
            raise
        return None
    return TableOutline(schema, table.complete, table.rows if rows_stay else None)
