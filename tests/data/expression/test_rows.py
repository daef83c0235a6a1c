from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from modelwright.data.expression import (
    Compute,
    Drop,
    Dropped,
    Filter,
    Formula,
    Keep,
    Rename,
    all_of,
    any_missing,
    call,
    column,
    dot,
    literal,
    lookup,
    when,
)
from modelwright.data.schema import Column, ColumnType, Schema

X = Schema((Column("x", ColumnType.DOUBLE),))
WIDE = Schema(tuple(Column(f"c{n}", ColumnType.DOUBLE) for n in range(8)))


def test_a_dropped_row_says_why_and_which_step_dropped_it() -> None:
    formula = Formula(
        Compute({"y": column("x") * 2}),
        Filter(column("y") < 10, "too large"),
    )
    score = formula.compile_rows(X).score
    assert score({"x": 3.0}) == {"x": 3.0, "y": 6.0}
    assert score({"x": 5.0}) == Dropped("too large", 1)
    assert score({"x": None}) == Dropped("too large", 1)


def test_after_a_filter_on_missing_values_nothing_is_tested_again() -> None:
    names = list(WIDE.names)
    formula = Formula(
        Filter(~any_missing(names), "missing"),
        Compute({"y": dot([(column(n), 2.0) for n in names]), "m": column("c0").is_missing()}),
    )
    source = formula.compile_rows(WIDE).source
    _, after = source.split("return dropped", 1)
    assert "None" not in after
    assert "!=" not in after


def test_what_a_filter_does_not_prove_is_still_tested() -> None:
    either = ~all_of([column("c0").is_missing(), column("c1").is_missing()])
    formula = Formula(Filter(either, "both"), Compute({"y": column("c0") + column("c1")}))
    score = formula.compile_rows(WIDE).score
    row = dict.fromkeys(WIDE.names, 1.0)
    assert score(row | {"c1": None}) == row | {"c1": None, "y": None}
    assert score(row | {"c0": None, "c1": float("nan")}) == Dropped("both", 0)


def test_not_a_number_that_passes_a_filter_or_fills_a_gap_is_still_missing() -> None:
    x, nan = column("x"), float("nan")
    formula = Formula(
        Filter(~(x < 5), "small"),
        Compute({"y": x.is_missing(), "z": x.fill_missing(nan).is_missing()}),
    )
    assert formula.compile_rows(X).score({"x": nan}) == {"x": nan, "y": True, "z": True}


def test_what_a_whole_division_leaves_null_stays_null_in_what_is_computed_from_it() -> None:
    schema = Schema((Column("n", ColumnType.INTEGER),))
    formula = Formula(Compute({"y": 10 - column("n") // 0}))
    assert formula.compile_rows(schema).score({"n": 1}) == {"n": 1, "y": None}


def test_a_shared_expression_is_computed_once() -> None:
    root = call("sqrt", column("x"))
    source = Formula(Compute({"a": root + 1, "b": root + 2})).compile_rows(X).source
    assert source.count("sqrt_") == 1


def test_the_row_that_came_in_stays_as_it_was_and_surplus_columns_are_left_out() -> None:
    score = Formula(Compute({"c0": column("c1") + 1}), Drop(["c7"])).compile_rows(WIDE).score
    row = dict.fromkeys(WIDE.names, 1.0)
    expected = {"c0": 2.0, **{f"c{n}": 1.0 for n in range(1, 7)}}
    assert score(row) == expected
    assert list(score(row)) == list(expected)  # type: ignore[arg-type]
    assert score({**row, "surplus": 1}) == expected
    assert row == dict.fromkeys(WIDE.names, 1.0)


def test_columns_that_only_change_their_order_come_in_the_new_one() -> None:
    order = [*reversed(WIDE.names)]
    reply = Formula(Keep(order)).compile_rows(WIDE).score(dict.fromkeys(WIDE.names, 1.0))
    assert list(reply) == order  # type: ignore[arg-type]


def test_rows_are_scored_without_loading_numpy_or_polars() -> None:
    program = """
import sys
from modelwright.data.expression import Compute, Formula, bucket, call, column, lookup
from modelwright.data.schema import Column, ColumnType, Schema
formula = Formula.from_json(Formula(Compute({"y": call("sigmoid", column("x")) * 2 + call("exp", column("x"))})).to_json())
schema = Schema((Column("x", ColumnType.DOUBLE),))
assert formula.compile_rows(schema).score({"x": 0.0}) == {"x": 0.0, "y": 2.0}
print({"numpy", "polars"} & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_renamed_and_reordered_columns_come_in_their_new_order() -> None:
    formula = Formula(Rename({"c0": "c1", "c1": "c0"}), Keep(["c2", "c0", "c1"]))
    score = formula.compile_rows(WIDE).score
    reply = score({name: float(n) for n, name in enumerate(WIDE.names)})
    assert reply == {"c2": 2.0, "c0": 1.0, "c1": 0.0}
    assert list(reply) == ["c2", "c0", "c1"]


@pytest.mark.parametrize(
    "text",
    [
        "'); raise SystemExit; ('",
        '"""',
        "\\",
        "\n    raise SystemExit\n",
        "\r\u2028\x0c",
        "{0}{f}{__import__}",
        "#",
        "lambda",
        "None",
        "日本語 'ä'",
        "\0",
    ],
)
def test_names_and_texts_cannot_become_code(text: str) -> None:
    schema = Schema((Column(text, ColumnType.STRING), Column("x", ColumnType.DOUBLE)))
    formula = Formula(
        Filter(column(text).differs("drop"), text),
        Compute(
            {f"{text}2": when(column(text).equals(text), lookup(column(text), {text: text}), text)}
        ),
        Compute({"joined": call("concat", column(text), literal(text), literal("{1}"))}),
        Rename({"x": text + "3"}),
    )
    program = formula.compile_rows(schema)
    assert program.score({text: text, "x": 1.0}) == {
        text: text,
        f"{text}2": text,
        "joined": f"{text}{text}{{1}}",
        f"{text}3": 1.0,
    }
    assert program.score({text: "drop", "x": 1.0}) == Dropped(text, 0)
    [function] = ast.parse(program.source).body
    assert isinstance(function, ast.FunctionDef)
    names = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    assert all(n.rstrip("0123456789").rstrip("_") in KNOWN for n in names), names


KNOWN = {"v", "row", "len", "reply", "columns", "dropped", "find", "concat", "equal", "not_equal"}


def test_deeply_nested_expressions_compile() -> None:
    deep = column("x")
    condition = column("x") > 0
    for n in range(30):
        deep = when(condition, deep + 1.0, deep) if n % 2 else call("maximum", -deep, 0.5)
        condition = ~(condition & (column("x") < 1000.0)) | column("x").is_missing()
    formula = Formula(Compute({"y": deep, "z": condition}), Filter(~condition, "so"))
    score = formula.compile_rows(X).score
    assert isinstance(score({"x": 1.0}), dict | Dropped)


def test_a_row_may_have_a_single_column_and_a_formula_no_step() -> None:
    score = Formula().compile_rows(X).score
    row = {"x": 1.0}
    reply = score(row)
    assert reply == row
    assert reply is not row


def test_the_columns_of_row_and_reply_are_stated() -> None:
    program = Formula(Compute({"y": column("x") > 1})).compile_rows(X)
    assert program.reads == X
    assert program.writes.names == ("x", "y")
    assert program.writes.column("y").type is ColumnType.BOOLEAN
