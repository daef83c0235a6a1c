"""The row form of a formula: one function from a request's row to its reply's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from modelwright.data.expression.row_source import Piece, Writer, compiled
from modelwright.data.expression.stages import Stages, staged
from modelwright.data.expression.steps import Compute, Drop, Filter, Keep, Rename, Step, after
from modelwright.data.native import Native
from modelwright.data.schema import ColumnType, Schema

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dropped:
    """Stands in the place of a reply when a filter did not let the row pass.

    step: the number of the filter among the steps of the formula, from 0.
    """

    reason: str
    step: int


@dataclass(frozen=True, slots=True)
class RowProgram:
    """A formula compiled for rows of known columns.

    score: takes a row with exactly the columns of `reads` (None for null) and gives one with those of
    `writes`, or what dropped it; never raises on values of the right types and leaves the row alone.
    source: the Python source of `score`.
    """

    score: Callable[[Row], Row | Dropped]
    source: str
    reads: Schema
    writes: Schema


@dataclass(frozen=True, slots=True)
class RecordReply:
    """How the record of a reply comes about.

    make: gets the values of all its columns, in order; None for a reply that is the row's own record
    with the columns that are new in the fields that follow, and `nothing` in those that are gone.
    shown: replaces numbers that are not finite in the columns `computed`, which are of doubles.
    """

    make: Callable[..., object] | None = None
    nothing: object = None
    shown: Callable[[float], object] | None = None
    computed: frozenset[str] = frozenset()


class Records(NamedTuple):
    """A formula compiled for rows that are records.

    score: gives the record of the reply, or what dropped the row; a row is used up by it.
    together: the same in parts, between which native values work on many rows; None without any.
    """

    score: Callable[[Any], Any]
    together: Stages | None


def compile_rows(
    steps: Iterable[Step],
    reads: Schema,
    natives: Mapping[str, Native],
    *,
    plain: bool = False,
) -> RowProgram:
    """Compile steps; raises like `steps.after`, and MissingNative.

    plain: no row has a null or a number that is not finite, so nothing looks for one.
    """
    writer = Writer(natives)
    inputs = _inputs(writer, reads, plain=plain)
    _read(writer, inputs)
    columns, writes = _followed(writer, inputs, steps, reads)
    _reply(writer, inputs, columns)
    source, score = compiled(writer.lines, writer.names)
    return RowProgram(score, source, reads, writes)


def compile_records(
    steps: Iterable[Step],
    reads: Schema,
    natives: Mapping[str, Native],
    reply: RecordReply,
    *,
    plain: bool = False,
) -> Records:
    """The same for rows that are records with the fields c0, c1 … in the order of `reads`."""

    def written(*, asks: bool) -> Writer:
        writer = Writer(natives, asks=asks)
        inputs = _inputs(writer, reads, plain=plain)
        writer.lines += [f"{p.source} = row.c{n}" for n, p in enumerate(inputs.values())]
        columns, _ = _followed(writer, inputs, steps, reads)
        _record(writer, inputs, columns, reply)
        return writer

    alone = written(asks=False)
    _, score = compiled(alone.lines, alone.names)
    parts = written(asks=True)
    return Records(score, staged(parts.lines, parts.names, parts.asked) if parts.asked else None)


def _inputs(writer: Writer, reads: Schema, *, plain: bool) -> dict[str, Piece]:
    columns: dict[str, Piece] = {}
    for column in reads:
        name = writer.local()
        guards = frozenset() if plain else frozenset({name})
        nan = column.type is ColumnType.DOUBLE and not plain
        columns[column.name] = Piece(name, column.type, guards, atom=True, nan=nan)
    return columns


def _followed(
    writer: Writer, inputs: Mapping[str, Piece], steps: Iterable[Step], reads: Schema
) -> tuple[dict[str, Piece], Schema]:
    """The columns after all steps."""
    columns, writes = dict(inputs), reads
    for at, step in enumerate(steps):
        writes = after(step, writes)
        columns = _stepped(writer, columns, step, at)
    return columns, writes


def _read(writer: Writer, columns: Mapping[str, Piece]) -> None:
    if len(columns) == 1:
        [(name, piece)] = columns.items()
        writer.lines.append(f"{piece.source} = row[{name!a}]")
    elif columns:
        get = writer.bind(itemgetter(*columns), "columns")
        named = [f"    {p.source},  # {n!a}" for n, p in columns.items()]
        writer.lines += ["(", *named, f") = {get}(row)"]


def _stepped(writer: Writer, columns: Mapping[str, Piece], step: Step, at: int) -> dict[str, Piece]:
    match step:
        case Compute(computed):
            writer.begin(columns, computed.values())
            new = {name: writer.stored(writer.of(e)) for name, e in computed.items()}
            return {**columns, **new}
        case Filter(condition, reason):
            writer.begin(columns, [condition])
            test, known = writer.true(condition)
            if test != "(True)":
                dropped = writer.bind(Dropped(reason, at), "dropped")
                writer.lines += [f"if not {test}:", f"    return {dropped}"]
            return {name: known.of(piece) for name, piece in columns.items()}
        case Keep(names):
            return {name: columns[name] for name in names}
        case Drop(names):
            return {name: piece for name, piece in columns.items() if name not in names}
        case Rename(pairs):
            renamed = dict(pairs)
            return {renamed.get(name, name): piece for name, piece in columns.items()}


def _reply(writer: Writer, inputs: Mapping[str, Piece], outputs: Mapping[str, Piece]) -> None:
    items = [f"{n!a}: {p.value}" for n, p in outputs.items()]
    literal = f"{{{', '.join(items)}}}"
    kept = [n for n in inputs if n in outputs]
    gone = [n for n in inputs if n not in outputs]
    new = {n: p for n, p in outputs.items() if n not in inputs or p.source != inputs[n].source}
    same = len(outputs) - len(new)
    if same > len(new) + len(gone) and [*outputs][: len(kept)] == kept:
        # A copy costs a sixth of a new dictionary; a row with surplus columns must not get one.
        writer.lines.append(f"if len(row) == {len(inputs)}:")
        writer.lines.append("    reply = {**row}")
        writer.lines += [f"    del reply[{n!a}]" for n in gone]
        writer.lines += [f"    reply[{n!a}] = {p.value}" for n, p in new.items()]
        writer.lines.append("    return reply")
    writer.lines.append(f"return {literal}")


def _record(
    writer: Writer, inputs: Mapping[str, Piece], outputs: Mapping[str, Piece], reply: RecordReply
) -> None:
    values = {name: piece.value for name, piece in outputs.items()}
    if reply.shown is not None:
        shown = writer.bind(reply.shown, "shown")
        for name in values.keys() & reply.computed:
            piece = writer.stored(outputs[name])
            test = f"{piece.source} is None or " if piece.guards else ""
            values[name] = (
                f"({piece.source} if {test}{piece.source} - {piece.source} == 0.0"
                f" else {shown}({piece.source}))"
            )
    if reply.make is not None:
        made = f"{writer.bind(reply.make, 'make')}({', '.join(values.values())})"
        writer.lines.append(f"return {made}")
        return
    new = [name for name in values if name not in inputs]
    fields = {name: f"row.c{n}" for n, name in enumerate([*inputs, *new])}
    for name, piece in inputs.items():
        if name not in values:
            writer.lines.append(f"{fields[name]} = {writer.bind(reply.nothing, 'nothing')}")
        elif values[name] != piece.source:
            writer.lines.append(f"{fields[name]} = {values[name]}")
    writer.lines += [f"{fields[name]} = {values[name]}" for name in new]
    writer.lines.append("return row")
