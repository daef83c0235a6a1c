"""Random formulas give in ONNX what their row form gives."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from modelwright.data.expression import Compute, Expression, Filter, Formula, call, column, lookup
from modelwright.data.schema import Column, ColumnType, Schema
from modelwright.graph.graph import NodeId
from modelwright.inference.onnx_form.export import difference
from modelwright.inference.onnx_form.model import OnnxModel, UnsuitableError, build
from modelwright.inference.plan import Chain, ScoringPlan, tagged
from modelwright.inference.scorer import CompiledSteps, Scorer
from modelwright.inference.serving import RequestColumn, RequestInput
from tests.data.expression.worlds import KINDS, computed, expressions

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
# A failure is shown as it was found: making it smaller would take minutes.
SOME = settings(
    max_examples=100, deadline=None, suppress_health_check=SLOW, phases=[Phase.generate]
)

VALUES: dict[ColumnType, st.SearchStrategy[Any]] = {
    ColumnType.BOOLEAN: st.booleans(),
    ColumnType.INTEGER: st.integers(-9, 9) | st.integers(-(2**53), 2**53),
    ColumnType.DOUBLE: st.sampled_from([0.0, -0.0, 0.5, 2.5, -2.5, 1e-9, math.inf, -math.inf])
    | st.floats(-1e6, 1e6),
    ColumnType.STRING: st.sampled_from(["a", "b", "bmw", "ß", "日本", " a "]) | st.text(max_size=3),
    ColumnType.DATETIME: st.datetimes(),
}


def scored_with(
    formula: Formula, columns: list[RequestColumn]
) -> tuple[Scorer, Chain, RequestInput]:
    request = RequestInput("rows", tuple(columns), NodeId("in"))
    chain = Chain("out", "rows", formula)
    plan = ScoringPlan((), (chain,))
    steps = CompiledSteps(plan, [request], lambda _: pytest.fail("there are no natives"))
    return Scorer.of(plan, [request], steps), chain, request


def in_onnx(chain: Chain, request: RequestInput) -> OnnxModel:
    return build("test", [chain], [request], lambda _: pytest.fail("there are no natives"))


def as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return {"isInfinite": 1 if value > 0 else -1}
    return value


@st.composite
def requests(draw: st.DrawFn) -> tuple[list[RequestColumn], list[dict[str, Any]]]:
    kinds = [*KINDS, *(draw(st.sampled_from(KINDS)) for _ in range(3))]
    columns = [
        RequestColumn(f"c{n}", kind, missing=draw(st.booleans())) for n, kind in enumerate(kinds)
    ]

    def value(c: RequestColumn) -> st.SearchStrategy[Any]:
        found = VALUES[c.type]
        if c.missing:
            return st.none() | found
        # Without gaps empty text is a value, and is compared as one.
        return found.filter(lambda v: v != "")

    row = st.tuples(*map(value, columns))
    names = [c.name for c in columns]
    drawn = draw(st.lists(row, min_size=1, max_size=6))
    return columns, [dict(zip(names, map(as_json, one), strict=True)) for one in drawn]


def assert_same(formula: Formula, columns: list[RequestColumn], rows: list[dict[str, Any]]) -> None:
    scorer, chain, request = scored_with(formula, columns)
    assert difference(in_onnx(chain, request), scorer, {"rows": rows}) == ""


def test_random_steps_agree() -> None:
    written = 0

    @SOME
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        nonlocal written
        columns, rows = data.draw(requests())
        schema = Schema(tuple(Column(c.name, c.type) for c in columns))
        # The first keeps its rows in order of need: filters make them fewer before the second.
        steps: list[Any] = [data.draw(computed(schema, depth=2))]
        if data.draw(st.booleans()):
            condition = data.draw(expressions(schema, ColumnType.BOOLEAN, 1))
            steps.insert(0, Filter(condition, tagged(NodeId("f"), "no")))
        formula = Formula(*steps)
        if formula.natives():
            return
        try:
            assert_same(formula, columns, rows)
        except UnsuitableError:
            return
        written += 1

    agree()
    # Many functions of text have no form in ONNX; the others must be enough to mean something.
    assert written > 25


LIMITS = lookup(column("n"), {1: -(2**63), -3: 2**63 - 1, 9: 1 - 2**63}, -(2**63))

CASES: list[tuple[str, Expression]] = [
    (name, call(name, column("x"))) for name in
    ("exp", "ln", "sqrt", "sigmoid", "sin", "cos", "tanh", "abs", "sign", "floor", "ceiling", "truncate", "log2",
     "log10", "log1p", "exp2", "degrees", "radians", "is_nan", "is_finite", "to_boolean", "to_integer", "negate")
] + [
    (name, call(name, column("x"), column("y"))) for name in
    ("add", "subtract", "multiply", "divide", "floor_divide", "modulo", "power", "minimum", "maximum", "log", "equal",
     "not_equal", "less", "less_or_equal", "greater", "greater_or_equal")
] + [
    (f"whole {name}", call(name, column("n"), column("m"))) for name in
    ("add", "subtract", "multiply", "floor_divide", "modulo", "minimum", "maximum", "equal", "less")
] + [
    (f"{name} at the limits", call(name, LIMITS, column("m"))) for name in ("floor_divide", "modulo")
] + [
    (name, call(name, column("t"))) for name in
    ("year", "month", "day", "hour", "minute", "second", "weekday", "to_double", "to_datetime")
] + [
    ("clip", call("clip", column("x"), -1.0, column("y"))),
    ("round", call("round", column("x"), digits=2)),
    ("round tens", call("round", column("x"), digits=-1)),
    ("concat", call("concat", column("s"), "-", column("s"))),
    ("truth as text", call("to_string", column("b"))),
    ("whole number as text", call("to_string", column("n"))),
    ("lookup of text", lookup(column("s"), {"a": 1, "b": 2, None: -1}, 0)),
    ("lookup of numbers", lookup(column("x"), {0.0: "none", 0.5: "half"}, None)),
    ("lookup of whole numbers", lookup(column("n"), {1: 0.5, -3: None}, 7.0)),
    ("lookup of truth", lookup(column("b"), {True: "yes", None: "?"}, "no")),
    ("lookup of times", lookup(column("t"), {datetime.fromisoformat("1969-07-20T20:17"): True}, False)),
    ("empty lookup", lookup(column("b"), {None: 1.5}, 2.5)),
]  # fmt: skip

GRID: list[dict[str, Any]] = [
    {"x": x, "y": y, "n": n, "m": m, "s": s, "b": b, "t": t}
    for x, y, n, m, s, b, t in [
        (0.0, 1.0, 1, 3, "a", True, "1969-07-20T20:17:00"),
        (-0.5, 0.0, -3, 2, "b", False, "2024-02-29T23:59:59.999999"),
        (2.5, -2.0, 7, -2, "c", None, "1900-03-01"),
        (-2.675, 0.5, -7, 0, " ", True, "0001-01-01"),
        (14.85, 3.0, 0, -1, None, False, "9999-12-31T12:00:00"),
        (1e-12, -0.3, -(2**53), -1, "ä", True, None),
        ({"isInfinite": 1}, 2.0, 9, 9, "a", True, "2100-02-28"),
        ({"isInfinite": -1}, 10.0, None, 4, "a", True, "2000-12-31"),
        (None, 2.0, 5, None, "a", True, "2001-01-01"),
        (1e6, None, 10**6, 7, "a", True, "1970-01-01"),
    ]
]


@pytest.mark.parametrize(("expression"), [e for _, e in CASES], ids=[n for n, _ in CASES])
def test_each_function_agrees_on_awkward_values(expression: Expression) -> None:
    kinds = {
        "x": ColumnType.DOUBLE, "y": ColumnType.DOUBLE, "n": ColumnType.INTEGER, "m": ColumnType.INTEGER,
        "s": ColumnType.STRING, "b": ColumnType.BOOLEAN, "t": ColumnType.DATETIME,
    }  # fmt: skip
    columns = [RequestColumn(name, kind) for name, kind in kinds.items()]
    assert_same(Formula(Compute({"found": expression})), columns, GRID)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        (call("lower", column("s")), '"lower"'),
        (
            call(
                "tan",
                call("exp", 1.0)
                * call("to_double", column("s").is_missing().cast(ColumnType.INTEGER)),
            ),
            "32 bits",
        ),
        (column("s") < "b", "order"),
        (column("s").equals(""), "empty text"),
        (lookup(column("s"), {"": 1, "a": 2}, 0), "empty text"),
        (column("s").cast(ColumnType.DOUBLE), "numbers in text"),
    ],
)
def test_what_has_no_form_is_said(expression: Expression, why: str) -> None:
    columns = [RequestColumn("s", ColumnType.STRING)]
    _, chain, request = scored_with(Formula(Compute({"found": expression})), columns)
    with pytest.raises(UnsuitableError) as caught:
        in_onnx(chain, request)
    assert why in caught.value.why
    assert caught.value.expression == expression
