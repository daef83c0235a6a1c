"""From scored rows to the bytes of a reply."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from modelwright.data.schema import ColumnType

if TYPE_CHECKING:
    import polars as pl

_NAN = {"isNan": True}
_ABOVE = {"isInfinite": 1}
_BELOW = {"isInfinite": -1}


@dataclass(frozen=True, slots=True)
class Dropped:
    """Rows of a request that a step took out.

    input: the key of the rows in the request; None after a step that joined several inputs.
    row: the place in the request, from 0; None after a step that does not say which rows it took.
    rows: how many.  node: id of the step.  title: its title.  reason: why.
    """

    input: str | None
    row: int | None
    node: str
    title: str
    reason: str
    rows: int = 1

    def to_json(self) -> dict[str, Any]:
        """The record as the reply has it."""
        out: dict[str, Any] = {} if self.input is None else {"input": self.input}
        out |= {"rows": self.rows} if self.row is None else {"row": self.row}
        return {**out, "node": self.title, "reason": self.reason}


class Reply(NamedTuple):
    """What the pipeline says to a request.

    results: by output name, rows in the order of the request; values as JSON, save that
    datetimes are still datetimes.  columns: by output name, names and types of the columns.
    """

    results: Mapping[str, Sequence[Mapping[str, Any]]]
    dropped: tuple[Dropped, ...] = ()
    columns: Mapping[str, Sequence[tuple[str, ColumnType]]] = MappingProxyType({})

    def to_json(self) -> dict[str, Any]:
        """The reply as a client gets it, datetimes as ISO text."""
        value: dict[str, Any] = orjson.loads(encode(self))
        return value


def encode(reply: Reply) -> bytes:
    """The reply as JSON; "Dropped" is there only when rows were dropped."""
    body: dict[str, Any] = {"Results": reply.results}
    if reply.dropped:
        body["Dropped"] = [d.to_json() for d in reply.dropped]
    return orjson.dumps(body, default=str)


def encode_tables(reply: Reply, *, details: bool) -> bytes:
    """The reply as classic tables, a key per output; with `details`, column types too."""
    body: dict[str, Any] = {}
    for name, rows in reply.results.items():
        columns = reply.columns[name]
        names = [column for column, _ in columns]
        value: dict[str, Any] = {"ColumnNames": names}
        if details:
            value["ColumnTypes"] = [kind.value for _, kind in columns]
        value["Values"] = [[row[n] for n in names] for row in rows]
        body[name] = {"type": "DataTable", "value": value}
    if reply.dropped:
        body["Dropped"] = [d.to_json() for d in reply.dropped]
    return orjson.dumps(body, default=str)


def json_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as JSON, the way requests and replies have them."""
    rows = frame.to_dicts()
    make_writable(rows, [n for n, dtype in frame.schema.items() if dtype.is_float()])
    written: list[dict[str, Any]] = orjson.loads(orjson.dumps(rows, default=str))
    return written


def make_writable(rows: Sequence[dict[str, Any]], doubles: Iterable[str]) -> None:
    """Put into rows what JSON can hold for not a number and the infinities; `doubles` may have them."""
    names = tuple(doubles)
    for row in rows:
        for name in names:
            value = row[name]
            if value is not None and value - value != 0.0:
                row[name] = special(value)


def special(value: float) -> Any:
    """What stands in JSON for not a number or an infinity."""
    if math.isnan(value):
        return _NAN
    return _ABOVE if value > 0 else _BELOW
