"""Random tables and expressions over them, and how results of the two forms are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from modelwright.data.expression import (
    Compute,
    Drop,
    Dropped,
    Expression,
    Filter,
    Formula,
    Keep,
    RecordReply,
    Records,
    Rename,
    Step,
    all_of,
    any_of,
    bucket,
    call,
    column,
    dot,
    literal,
    lookup,
    native,
    when,
)
from modelwright.data.expression.functions import FUNCTIONS
from modelwright.data.expression.nodes import NativeCall
from modelwright.data.native import Native
from modelwright.data.schema import Column, ColumnType, Schema

BOOLEAN = ColumnType.BOOLEAN
INTEGER = ColumnType.INTEGER
DOUBLE = ColumnType.DOUBLE
STRING = ColumnType.STRING
DATETIME = ColumnType.DATETIME
KINDS = (BOOLEAN, INTEGER, DOUBLE, STRING, DATETIME)

SPECIAL: dict[ColumnType, list[Any]] = {
    BOOLEAN: [True, False],
    INTEGER: [0, 1, -1, 2, 7, -3, 10**6, 2**53 + 1, 2**63 - 1, -(2**63)],
    DOUBLE: [
        0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.0, 2.1, 2.5, 2.675, 3.0, -7.25, 39.37, 1e-9, 5e-324, 1e300, -1e300,
        709.9, -745.2, 2.0**53, 9.3e18, -9.223372036854775808e18, 0.7, 1000.0,
        math.inf, -math.inf, math.nan,
    ],
    STRING: [
        "", "a", "b", "bmw", "B", " a ", "ß", "İI", "ÅΣς", "12", " -7 ", "+3.5e2", "1e999", "nan", "inf",
        "true", " FALSE", "x\ny", "{0}", "日本語テキスト", "🙂", "2024-02-29T12:30:00+02:00", "1999-12-31",
        "9223372036854775808", "\u2028", "\x1c", "0001-01-01T00:00:00+14:00",
    ],
    DATETIME: [
        datetime.fromisoformat(text)
        for text in (
            "1970-01-01", "2024-02-29T23:59:59.999999", "0001-01-01", "9999-12-31T23:59:59.999999",
            "1969-12-31T23:59:59.000001",
        )
    ],
}  # fmt: skip

NAMES = [
    "a", "class", "a b", "", "'", '"', '"""', "\\", "x\ny", "{0}", "{", "*", "^a$", "^.*$", "ä", "日本", "row",
    "len", "v1", "None", "');import os;('", "#", "\0", "native t", "a\r\nreturn 1",
]  # fmt: skip

_FRESH: dict[ColumnType, st.SearchStrategy[Any]] = {
    BOOLEAN: st.booleans(),
    INTEGER: st.integers(-(2**63), 2**63 - 1),
    DOUBLE: st.floats(),
    STRING: st.text(st.characters(codec="utf-8"), max_size=6),
    DATETIME: st.datetimes(),
}


def values(kind: ColumnType) -> st.SearchStrategy[Any]:
    """Values of a type, never null."""
    return st.sampled_from(SPECIAL[kind]) | _FRESH[kind]


class SumAndCount(Native):
    """A native value that a test can check by eye: the sum of its inputs, and how many are missing."""

    @cached_property
    def evaluator(self) -> SumAndCount:
        return self

    def batch(self, matrix: np.ndarray) -> np.ndarray:
        return np.array([self.row(list(r)) for r in matrix.tolist()]).reshape(len(matrix), 2)

    def row(self, numbers: list[float]) -> list[float]:
        total = 0.0
        for number in numbers:
            total = total + number
        return [total, float(sum(n != n for n in numbers))]


NATIVES = {"t": SumAndCount("test", b"")}


@dataclass(frozen=True)
class World:
    """Typed columns and rows of them."""

    schema: Schema
    rows: list[dict[str, Any]]

    @property
    def frame(self) -> pl.DataFrame:
        # Named last, since Polars itself stumbles over a series of date-times called "^a$".
        frame = pl.DataFrame(
            {
                str(n): pl.Series([r[c.name] for r in self.rows], dtype=c.type.dtype)
                for n, c in enumerate(self.schema)
            }
        )
        frame.columns = list(self.schema.names)
        return frame


@st.composite
def worlds(draw: st.DrawFn, least: int = 0) -> World:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8, unique=True))
    kinds = [*draw(st.permutations(KINDS)), *(draw(st.sampled_from(KINDS)) for _ in range(3))]
    schema = Schema(tuple(map(Column, names, kinds)))
    row = st.tuples(*(st.none() | values(c.type) for c in schema))
    drawn = draw(st.lists(row, min_size=least, max_size=5))
    rows = [dict(zip(schema.names, one, strict=True)) for one in drawn]
    # Long columns take other ways than short ones.
    return World(schema, rows * draw(st.sampled_from([1, 1, 1, 40])))


# What is most often put inside one another; the others have their turn as well.
BASIC = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "floor_divide",
    "modulo",
    "negate",
    "minimum",
    "equal",
    "less",
    "greater_or_equal",
    "to_integer",
    "to_double",
    "to_string",
    "to_boolean",
    "concat",
    "ln",
]

_OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "digits": st.integers(-3, 5),
    "start": st.integers(-4, 4),
    "length": st.none() | st.integers(0, 3),
    "pattern": st.sampled_from(["a", "^a+$", r"\d+", "(?i)B|ß", "", r"\s", r"\{0\}"]),
    "bits": st.integers(1, 32),
    "seed": st.integers(0, 2**32 - 1),
}


@st.composite
def expressions(draw: st.DrawFn, schema: Schema, kind: ColumnType, depth: int = 3) -> Expression:
    """An expression of exactly that type."""
    options = ["literal", "column", "column"]
    if depth:
        options += ["call", "call", "call", "when", "fill", "lookup", "bucket"]
        options += ["dot", "dot", "native"] if kind is DOUBLE else []
        options += ["logic", "logic", "missing"] if kind is BOOLEAN else []

    def part(wanted: ColumnType) -> Expression:
        return draw(expressions(schema, wanted, depth - 1))

    def number() -> Expression:
        return part(draw(st.sampled_from([DOUBLE, DOUBLE, INTEGER, BOOLEAN])))

    match draw(st.sampled_from(options)):
        case "column":
            found = [c.name for c in schema if c.type is kind]
            return column(draw(st.sampled_from(found))) if found else literal(draw(values(kind)))
        case "call":
            fit = [(f, m) for f in FUNCTIONS.values() for m in f.forms if m.gives is kind]
            basic = [(f, m) for f, m in fit if f.name in BASIC]
            function, form = draw(st.sampled_from(basic or fit) | st.sampled_from(fit))
            count = len(form.takes) + (draw(st.integers(0, 2)) if function.variadic else 0)
            named = {name: draw(_OPTIONS[name]) for name in function.options}
            return call(function.name, *map(part, function.wanted(form, count)), **named)
        case "when":
            return when(part(BOOLEAN), part(kind), part(kind))
        case "fill":
            return part(kind).fill_missing(part(kind))
        case "lookup":
            given = draw(st.sampled_from(KINDS))
            keys = st.none() | values(given).filter(lambda v: v == v)
            entries = draw(st.dictionaries(keys, st.none() | values(kind), max_size=4))
            # One entry of the type makes sure of the type.
            entries[draw(keys)] = draw(values(kind))
            return lookup(part(given), entries, draw(st.none() | values(kind)))
        case "bucket":
            edges = sorted(set(draw(st.lists(values(DOUBLE).filter(lambda v: v == v), max_size=4))))
            labels = [draw(values(kind)) for _ in range(len(edges) + 1)]
            if draw(st.booleans()):
                labels[1:] = [None] * len(edges)
            return bucket(
                number(), edges, closed=draw(st.sampled_from(["left", "right"])), labels=labels
            )
        case "dot":
            weights = draw(st.lists(st.just(1.0) | values(DOUBLE), max_size=4))
            return dot([(number(), w) for w in weights], draw(values(DOUBLE)))
        case "native":
            names = [c.name for c in schema if c.type in (DOUBLE, INTEGER, BOOLEAN)]
            inputs = [column(n) for n in names[:1]] + [number() for _ in range(2)]
            nested = any(isinstance(e, NativeCall) for i in inputs for e in i.walk())
            if names and not nested:
                return native("t", inputs, draw(st.integers(0, 1)))
        case "logic":
            terms = [part(BOOLEAN) for _ in range(draw(st.integers(1, 3)))]
            return draw(st.sampled_from([all_of(terms), any_of(terms), ~terms[0]]))
        case "missing":
            return part(draw(st.sampled_from(KINDS))).is_missing()
    return literal(draw(values(kind)))


@st.composite
def computed(draw: st.DrawFn, schema: Schema, depth: int = 3) -> Compute:
    """A step that computes one to three columns, new ones or in the place of old ones."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    return Compute(
        {n: draw(expressions(schema, draw(st.sampled_from(KINDS)), depth)) for n in names}
    )


@st.composite
def formulas(draw: st.DrawFn, schema: Schema, most: int = 4) -> Formula:
    """Up to `most` steps of every kind, each of which fits the columns before it."""
    formula = Formula()
    for _ in range(draw(st.integers(1, most))):
        names = formula.outputs(schema).names
        some = st.lists(st.sampled_from(names), min_size=1, unique=True)
        step: Step
        match draw(st.sampled_from(["compute", "compute", "filter", "keep", "drop", "rename"])):
            case "compute":
                step = draw(computed(formula.outputs(schema), depth=2))
            case "filter":
                condition = draw(expressions(formula.outputs(schema), BOOLEAN, 2))
                step = Filter(condition, draw(st.sampled_from(["no", "it's {0}\n"])))
            case "keep":
                step = Keep(draw(some))
            case "drop":
                step = Drop([*draw(some)[: len(names) - 1], "not there"])
            case _:
                old = draw(some)
                free = [n for n in NAMES if n not in names] + old
                step = Rename(dict(zip(old, draw(st.permutations(free)), strict=False)))
        formula = formula.then(Formula(step))
    return formula


def same(one: object, other: object) -> bool:
    """Whether two values have the same type and, but for the many shapes of NaN, the same bits."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or repr(one) == repr(other)
    return one == other


def by_table(formula: Formula, world: World) -> tuple[pl.DataFrame, list[dict[str, Any] | str]]:
    """What the Table form makes of each row: the new one, or the reason why there is none."""
    tracked = formula.apply_tracked(world.frame, natives=NATIVES)
    found: list[dict[str, Any] | str] = [""] * len(world.rows)
    for row, values_ in zip(tracked.kept, tracked.frame.to_dicts(), strict=True):
        found[row] = values_
    for row, reason in tracked.dropped:
        found[row] = reason
    return tracked.frame, found


def by_rows(formula: Formula, world: World) -> list[dict[str, Any] | str]:
    """The same by the row form."""
    program = formula.compile_rows(world.schema, natives=NATIVES)
    replies = [program.score(dict(row)) for row in world.rows]
    return [r.reason if isinstance(r, Dropped) else r for r in replies]


def by_records(
    formula: Formula, world: World, *, plain: bool = False, inside: bool = False
) -> list[dict[str, Any] | str]:
    """The same by the row form for records; inside: the reply is written into the row's own record."""
    form, told = _compiled(formula, world, plain=plain, inside=inside)
    replies = [form.score(_record(row)) for row in world.rows]
    return [r.reason if isinstance(r, Dropped) else told(r) for r in replies]


def by_records_together(
    formula: Formula, world: World, *, plain: bool = False, inside: bool = False
) -> list[dict[str, Any] | str] | None:
    """The same where natives get all rows that pass at once; None for a formula without natives."""
    form, told = _compiled(formula, world, plain=plain, inside=inside)
    if form.together is None:
        return None
    replies: list[Any] = [form.together.run([_record(row)])[0] for row in world.rows]
    passed = [n for n, r in enumerate(replies) if not isinstance(r, Dropped)]
    whole = form.together.run([_record(world.rows[n]) for n in passed])
    for n, reply in zip(passed, whole, strict=True):
        replies[n] = reply
    return [r.reason if isinstance(r, Dropped) else told(r) for r in replies]


def _record(row: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(**{f"c{n}": value for n, value in enumerate(row.values())})


def _compiled(
    formula: Formula, world: World, *, plain: bool, inside: bool
) -> tuple[Records, Callable[[Any], dict[str, Any]]]:
    """The form, and what reads its replies."""
    names = formula.outputs(world.schema).names
    nothing = object()
    reply = RecordReply(nothing=nothing) if inside else RecordReply(lambda *values: values)
    form = formula.compile_records(world.schema, reply, natives=NATIVES, plain=plain)
    fields = [*world.schema.names, *(n for n in names if n not in world.schema.names)]

    def told(made: Any) -> dict[str, Any]:
        if not inside:
            return dict(zip(names, made, strict=True))
        found = {name: getattr(made, f"c{n}", nothing) for n, name in enumerate(fields)}
        left = {name for name, value in found.items() if value is not nothing}
        assert left == set(names)
        return {name: found[name] for name in names}

    return form, told


def assert_alike(
    first: Sequence[dict[str, Any] | str], second: Sequence[dict[str, Any] | str]
) -> None:
    """Both hold the same rows, columns in the same order."""
    assert len(first) == len(second)
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        if isinstance(one, str) or isinstance(other, str):
            assert one == other, f"row {number}"
            continue
        assert list(one) == list(other), f"row {number}"
        for name in one:
            assert same(one[name], other[name]), (
                f"row {number}, column {name!r}: {one[name]!r} and {other[name]!r}"
            )
