"""Figures of a run as tables: a row for each figure, a column for each evaluated dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelwright.workspace.records.runs import Metric


@dataclass(frozen=True)
class MetricTable:
    """The figures of one node.  columns: the node's input ports.  rows: name, then a value each."""

    node: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]


def metric_tables(metrics: Sequence[Metric]) -> tuple[MetricTable, ...]:
    """A table for each node that measured something, in the order of the run."""
    tables = []
    for node in dict.fromkeys(m.node for m in metrics):
        own = [m for m in metrics if m.node == node]
        ports = tuple(dict.fromkeys(str(m.labels.get("port", "")) for m in own))
        values = {(m.name, str(m.labels.get("port", ""))): m.value for m in own}
        rows = tuple(
            (name, tuple(values.get((name, port)) for port in ports))
            for name in dict.fromkeys(m.name for m in own)
        )
        tables.append(MetricTable(node, ports, rows))
    return tuple(tables)
