from __future__ import annotations

import copy
import math
import pickle
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from modelwright.data.expression import (
    Expression,
    ExpressionTypeMismatch,
    InvalidExpression,
    bucket,
    call,
    column,
    concat,
    dot,
    literal,
    lookup,
    native,
    when,
)
from modelwright.data.expression.nodes import Call, Column, Literal, Lookup
from modelwright.data.expression.typing_rules import Types
from modelwright.data.schema import ColumnType, MissingColumn

x, s = column("x"), column("s")
TYPES = {
    "x": ColumnType.DOUBLE,
    "n": ColumnType.INTEGER,
    "b": ColumnType.BOOLEAN,
    "s": ColumnType.STRING,
    "t": ColumnType.DATETIME,
    "list": ColumnType.OTHER,
}


def type_of(expression: Expression) -> ColumnType | None:
    return Types(TYPES).of(expression)


def test_operators_build_calls() -> None:
    assert x + 1 == Call("add", (Column("x"), Literal(1)))
    assert 1 - x == Call("subtract", (Literal(1), Column("x")))
    assert (-x < 2.0) == Call("less", (Call("negate", (Column("x"),)), Literal(2.0)))
    one = literal(1)
    for built, function, arguments in [
        (1 + x, "add", (one, x)),
        (1 * x, "multiply", (one, x)),
        (1 / x, "divide", (one, x)),
        (x // 1, "floor_divide", (x, one)),
        (x % 1, "modulo", (x, one)),
        (x**1, "power", (x, one)),
        (x <= 1, "less_or_equal", (x, one)),
        (x >= 1, "greater_or_equal", (x, one)),
        (x.differs(1), "not_equal", (x, one)),
    ]:
        assert built == Call(function, arguments)
    assert x.equals("a") == Call("equal", (Column("x"), Literal("a")))


def test_an_expression_has_no_truth_of_its_own() -> None:
    with pytest.raises(TypeError, match="no truth"):
        bool(x < 1)
    with pytest.raises(TypeError, match="no truth"):
        _ = x.is_missing() and s.is_missing()


def test_literals_of_different_types_are_different() -> None:
    assert len({literal(1), literal(1.0), literal(True), literal("1")}) == 4
    assert literal(0.0) != literal(-0.0)
    assert literal(math.nan) == literal(math.nan)
    assert dot([(x, 1.0)], 0.0) != dot([(x, 1.0)], -0.0)


def test_expressions_survive_copies_and_pickling() -> None:
    one = when(x > 1, lookup(s, {"a": 1.5, None: math.nan}, -1.0), dot([(x, 2.0)]))
    for other in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
        assert other == one
        assert hash(other) == hash(one)


def test_the_order_of_a_mapping_does_not_matter() -> None:
    one = lookup(s, {"a": 1, "b": 2, None: 0})
    other = lookup(s, {None: 0, "b": 2, "a": 1})
    assert one == other
    assert hash(one) == hash(other)


def test_values_of_numpy_and_dates_are_brought_to_plain_ones() -> None:
    assert literal(np.float64(1.5)) == literal(1.5)
    assert literal(np.int8(3)) == literal(3)  # type: ignore[arg-type]
    assert literal(np.bool_(1)) == literal(True)  # type: ignore[arg-type]
    midnight = datetime(2024, 2, 29, tzinfo=UTC).replace(tzinfo=None)
    assert literal(date(2024, 2, 29)) == literal(midnight)  # type: ignore[arg-type]
    east = timezone(timedelta(hours=2))
    assert literal(datetime(2024, 2, 29, 2, tzinfo=east)) == literal(midnight)


@pytest.mark.parametrize("value", [2**63, "\ud800", [1], {"a": 1}, 1j, b"a"])
def test_values_that_no_column_can_hold_are_refused(value: object) -> None:
    with pytest.raises(InvalidExpression):
        literal(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (lambda: bucket(x, [1, 1]), "do not rise"),
        (lambda: bucket(x, [0, math.nan]), "do not rise"),
        (lambda: bucket(x, [1, 2], labels=["a", "b"]), "need 3 labels, not 2"),
        (lambda: bucket(x, [1], closed="both"), "closed"),
        (lambda: lookup(x, {math.nan: 1}), "key for it is None"),
        (lambda: Lookup(x, ((1, 2), (1, 3))), "twice"),
        (lambda: dot([(x, "2")]), "a weight is a number"),  # type: ignore[list-item]
        (lambda: native("m", []), "no inputs"),
        (lambda: native("m", [literal(1)]), "reads no column"),
        (lambda: native("m", [native("m", [x])]), "in a step before"),
        (lambda: native("m", [x], -1), "not one of its outputs"),
        (lambda: column(3), "names are text"),  # type: ignore[arg-type]
    ],
)
def test_expressions_without_meaning_are_refused_when_built(build: object, why: str) -> None:
    assert callable(build)
    with pytest.raises(InvalidExpression, match=why):
        build()


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        (column("n") + column("b"), ColumnType.INTEGER),
        (column("n") + 1.0, ColumnType.DOUBLE),
        (column("n") / 2, ColumnType.DOUBLE),
        (column("n") // 2, ColumnType.INTEGER),
        (x.is_missing(), ColumnType.BOOLEAN),
        (x.fill_missing(0), ColumnType.DOUBLE),
        (column("n").fill_missing(None), ColumnType.INTEGER),
        (when(column("b"), 1, 2.5), ColumnType.DOUBLE),
        (when(column("b"), None, "a"), ColumnType.STRING),
        (when(column("b"), None, None), None),
        (lookup(s, {"a": True, "b": 2}), ColumnType.INTEGER),
        (bucket(x, [0.0]), ColumnType.INTEGER),
        (bucket(x, [0.0], labels=["low", "high"]), ColumnType.STRING),
        (dot([(column("b"), 1.0)]), ColumnType.DOUBLE),
        (literal(None), None),
        (literal(None).cast(ColumnType.DATETIME), ColumnType.DATETIME),
        (column("list").is_missing(), ColumnType.BOOLEAN),
        (column("list"), ColumnType.OTHER),
        (column("t") < column("t"), ColumnType.BOOLEAN),
    ],
)
def test_types_are_known_before_there_are_rows(
    expression: Expression, kind: ColumnType | None
) -> None:
    assert type_of(expression) is kind


@pytest.mark.parametrize(
    "expression",
    [
        s + 1,
        -s,
        s < 1,
        s.fill_missing(0),
        ~x,
        x & True,
        when(x, 1, 2),
        when(column("b"), 1, "a"),
        lookup(s, {1: 2}),
        lookup(column("n"), {1.5: 2}),
        lookup(s, {"a": 1, "b": "c"}),
        bucket(s, [0.0]),
        dot([(s, 1.0)]),
        concat(s, x),
        native("m", [s]),
        column("list").fill_missing(1),
        call("year", x),
    ],
)
def test_text_is_never_taken_for_a_number_nor_anything_for_what_it_is_not(
    expression: Expression,
) -> None:
    with pytest.raises(ExpressionTypeMismatch, match="Convert the column"):
        type_of(expression)


def test_nesting_beyond_reason_is_refused_with_a_way_out() -> None:
    deep = x
    for _ in range(99):
        deep = -deep
    with pytest.raises(InvalidExpression, match="in a step before"):
        _ = -deep


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(MissingColumn, match=r'"lisst".*Nearest: "list"'):
        type_of(column("lisst").is_missing())
