from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest

from modelwright.data.expression import (
    Compute,
    Drop,
    DuplicateColumn,
    ExpressionTypeMismatch,
    Filter,
    Formula,
    InvalidExpression,
    Keep,
    MissingNative,
    Rename,
    all_of,
    any_missing,
    any_of,
    bucket,
    column,
    dot,
    literal,
    lookup,
    native,
    when,
)
from modelwright.data.native import Native
from modelwright.data.schema import Column, ColumnType, MissingColumn, Role, Schema
from tests.data.expression.worlds import NATIVES

NAN, INF = float("nan"), float("inf")


def test_the_expressions_of_a_step_read_the_values_before_it() -> None:
    swap = Formula(Compute({"a": column("b"), "b": column("a"), "sum": column("a") + column("b")}))
    frame = pl.DataFrame({"a": [1, 2], "b": [10, 20]})
    assert swap.apply(frame).to_dict(as_series=False) == {
        "a": [10, 20],
        "b": [1, 2],
        "sum": [11, 22],
    }


def test_a_replaced_column_is_read_as_it_was_also_in_a_plan_of_several_steps() -> None:
    formula = Formula(
        Compute({"t": column("x") * 2}),
        Compute({"a": literal(True), "k": column("x").equals(column("t")), "x": column("a")}),
    )
    frame = pl.DataFrame({"a": ["s"], "k": [0.0], "x": [1.0]})
    expected = [{"a": True, "k": False, "x": "s", "t": 2.0}]
    assert formula.apply(frame).to_dicts() == expected
    assert formula.extend(frame.lazy()).collect().to_dicts() == expected


def test_names_are_kept_dropped_and_swapped() -> None:
    formula = Formula(Rename({"a": "b", "b": "a"}), Drop(["c", "never"]), Keep(["a", "b"]))
    frame = pl.DataFrame({"a": [1], "b": [2], "c": [3]})
    assert formula.apply(frame).to_dicts() == [{"a": 2, "b": 1}]
    assert formula.renamed() == {"a": "b", "b": "a"}
    assert formula.required() == {"a", "b"}


def test_a_name_followed_through_two_renames_is_that_of_the_first_column() -> None:
    formula = Formula(
        Rename({"a": "x"}), Compute({"new": column("x")}), Rename({"x": "y", "new": "x"})
    )
    assert formula.renamed() == {"a": "y", "new": "x"}
    again = Formula(Rename({"a": "x"}), Drop(["x"]), Compute({"x": literal(1)}), Rename({"x": "y"}))
    assert "a" not in again.renamed()


def test_a_filter_keeps_what_is_true_and_reports_the_rest() -> None:
    formula = Formula(
        Filter(~any_missing(["x"]), "x is missing"),
        Compute({"y": column("x") * 2}),
        Filter(column("y") < 10, "y is large"),
    )
    frame = pl.DataFrame({"x": [1.0, None, 7.0, NAN, 2.0]})
    tracked = formula.apply_tracked(frame)
    assert tracked.frame["y"].to_list() == [2.0, 4.0]
    assert tracked.kept == [0, 4]
    assert tracked.dropped == [(1, "x is missing"), (2, "y is large"), (3, "x is missing")]


def test_logic_is_kleenes() -> None:
    cells = [True, False, None]
    rows = [{"a": a, "b": b} for a in cells for b in cells]
    a, b = column("a"), column("b")
    formula = Formula(Compute({"and": all_of([a, b]), "or": any_of([a, b]), "not": ~a}))
    frame = pl.DataFrame(rows, schema={"a": pl.Boolean, "b": pl.Boolean})
    found = formula.apply(frame)
    assert found["and"].to_list() == [True, False, None, False, False, False, None, False, None]
    assert found["or"].to_list() == [True, True, True, True, False, None, True, None, None]
    assert found["not"].to_list() == [False] * 3 + [True] * 3 + [None] * 3


def test_missing_values_are_those_that_are_null_or_not_a_number() -> None:
    x = column("x")
    formula = Formula(
        Compute(
            {
                "missing": x.is_missing(),
                "filled": x.fill_missing(0),
                "found": lookup(x, {1.0: "one", None: "none"}, "other"),
                "bucket": bucket(x, [1.0, 2.0], closed="right"),
                "less": x < 2,
                "chosen": when(x < 2, "yes", "no"),
                "text": x.cast(ColumnType.STRING),
            }
        )
    )
    found = formula.apply(pl.DataFrame({"x": [1.0, 3.0, None, NAN]})).to_dict(as_series=False)
    assert found["missing"] == [False, False, True, True]
    assert found["filled"] == [1.0, 3.0, 0.0, 0.0]
    assert found["found"] == ["one", "other", "none", "none"]
    assert found["bucket"] == [0, 2, None, None]
    assert found["less"] == [True, False, None, False]
    assert found["chosen"] == ["yes", "no", "no", "no"]
    assert found["text"] == ["1.0", "3.0", None, None]


def test_an_unseen_category_and_a_null_get_the_default() -> None:
    formula = Formula(Compute({"y": dot([(lookup(column("c"), {"a": 2.0}, 0.5), 1.0)], 1.0)}))
    frame = pl.DataFrame({"c": ["a", "unseen", None]})
    assert formula.apply(frame)["y"].to_list() == [3.0, 1.5, 1.5]


def test_a_long_weighted_sum_is_added_from_left_to_right() -> None:
    names = [f"c{n}" for n in range(250)]
    values = [1e6 if n % 3 == 0 else 1.1 * n for n in range(250)]
    formula = Formula(Compute({"y": dot([(column(n), 1.0 + i) for i, n in enumerate(names)], 0.1)}))
    expected = 0.1
    for at, value in enumerate(values):
        expected += value * (1.0 + at)
    frame = pl.DataFrame({n: [v, None] for n, v in zip(names, values, strict=True)})
    assert formula.apply(frame)["y"].to_list() == [expected, None]
    schema = Schema(tuple(Column(n, ColumnType.DOUBLE) for n in names))
    score = formula.compile_rows(schema).score
    assert score(frame.row(0, named=True))["y"] == expected  # type: ignore[index]
    assert score(frame.row(1, named=True))["y"] is None  # type: ignore[index]


def test_columns_of_other_polars_types_are_read_as_their_column_type_and_left_as_they_are() -> None:
    noon = datetime(2024, 7, 1, 12, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "category": pl.Series(["a", "b", None], dtype=pl.Categorical),
            "small": pl.Series([1, 2, None], dtype=pl.Int8),
            "single": pl.Series([0.5, NAN, None], dtype=pl.Float32),
            "day": pl.Series([noon.date(), None, None], dtype=pl.Date),
            "zoned": pl.Series([noon, None, None]).dt.convert_time_zone("Asia/Tokyo"),
            "list": [[1], [], None],
            "nothing": [None, None, None],
        }
    )
    formula = Formula(
        Compute(
            {
                "a": lookup(column("category"), {"a": 1}, 0),
                "b": column("small") * 100,
                "c": column("single") + 1,
                "d": column("day").cast(ColumnType.STRING),
                "e": column("zoned").cast(ColumnType.STRING),
                "f": column("list").is_missing(),
                "g": column("nothing").is_missing(),
                "h": column("list"),
            }
        )
    )
    found = formula.apply(frame)
    assert found.select(frame.columns).equals(frame)
    assert found.select(frame.columns).schema == frame.schema
    assert found["a"].to_list() == [1, 0, 0]
    assert found["b"].to_list() == [100, 200, None]
    assert found["c"].dtype == pl.Float64
    assert found["c"][0] == 1.5
    assert found["d"].to_list() == ["2024-07-01T00:00:00", None, None]
    assert found["e"].to_list() == ["2024-07-01T12:00:00", None, None]
    assert found["f"].to_list() == [False, False, True]
    assert found["g"].to_list() == [True, True, True]
    assert found["h"].to_list() == [[1], [], None]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_constant_is_as_long_as_the_table(rows: int) -> None:
    formula = Formula(
        Compute({"one": literal(2) * 3, "two": literal(None).cast(ColumnType.STRING)})
    )
    found = formula.apply(pl.DataFrame({"x": [0.5] * rows}, schema={"x": pl.Float64}))
    assert found["one"].to_list() == [6] * rows
    assert found["two"].dtype == pl.String
    assert found.height == rows


def test_a_native_value_is_called_once_for_all_its_outputs() -> None:
    calls: list[int] = []
    counted = NATIVES["t"]

    class Counting(Native):
        @property
        def evaluator(self) -> Counting:
            return self

        def batch(self, matrix):  # type: ignore[no-untyped-def]
            calls.append(len(matrix))
            return counted.evaluator.batch(matrix)

        def row(self, values: list[float]) -> list[float]:
            calls.append(1)
            return counted.evaluator.row(values)

    inputs = [column("x"), column("b")]
    formula = Formula(
        Compute({"sum": native("t", inputs), "missing": native("t", inputs, 1) + 0.0}),
        Filter(native("t", [column("sum")], 1).equals(0.0), "no sum"),
    )
    frame = pl.DataFrame({"x": [1.5, None], "b": [True, False]})
    natives = {"t": Counting("test", b"")}
    found = formula.apply(frame, natives=natives)
    assert found.to_dicts() == [{"x": 1.5, "b": True, "sum": 2.5, "missing": 0.0}]
    # Polars may hand over the rows in several parts.
    assert sum(calls) == 4
    calls.clear()
    schema = Schema((Column("x", ColumnType.DOUBLE), Column("b", ColumnType.BOOLEAN)))
    score = formula.compile_rows(schema, natives=natives).score
    assert score({"x": 1.5, "b": True}) == found.to_dicts()[0]
    assert calls == [1, 1]
    assert formula.natives() == {"t"}


def test_a_native_value_that_was_not_handed_over_is_named() -> None:
    formula = Formula(Compute({"y": native("trees", [column("x")])}))
    schema = Schema((Column("x", ColumnType.DOUBLE),))
    with pytest.raises(MissingNative, match='"trees"'):
        formula.apply(pl.DataFrame({"x": [1.0]}))
    with pytest.raises(MissingNative, match='"trees"'):
        formula.compile_rows(schema)


def test_marks_stay_with_a_column_and_follow_its_new_name() -> None:
    schema = Schema(
        (
            Column("price", ColumnType.INTEGER, Role.LABEL),
            Column("make", ColumnType.STRING, categorical=True),
        )
    )
    formula = Formula(
        Compute({"price": column("price") / 1000, "length": literal(1.5)}),
        Rename({"make": "maker"}),
    )
    assert formula.outputs(schema) == Schema(
        (
            Column("price", ColumnType.DOUBLE, Role.LABEL),
            Column("maker", ColumnType.STRING, categorical=True),
            Column("length", ColumnType.DOUBLE),
        )
    )


def test_pruning_drops_dead_computations_and_what_they_read() -> None:
    formula = Formula(
        Compute({"a2": column("a") * 2, "b2": column("b") * 2}),
        Compute({"score": column("a2") + 1, "other": column("b2") + 1}),
        Drop(["label"]),
        Rename({"score": "Scored Labels", "other": "o"}),
    )
    pruned = formula.prune(["Scored Labels"])
    assert pruned.required() == {"a"}
    assert formula.required() == {"a", "b"}
    assert pruned.apply(pl.DataFrame({"a": [1]})).to_dicts() == [{"Scored Labels": 3}]


def test_pruning_keeps_what_filters_read_and_the_number_of_rows() -> None:
    formula = Formula(
        Compute({"double": column("x") * 2}),
        Filter(column("double") > 2, "small"),
        Compute({"kept": column("x") > 0}),
        Drop(["x", "double"]),
        Compute({"one": literal(1)}),
    )
    frame = pl.DataFrame({"x": [1, 2, 3]})
    assert formula.prune(["one"]).apply(frame).to_dicts() == [{"one": 1}] * 2
    assert formula.prune(["kept"]).apply(frame).to_dicts() == [{"kept": True}] * 2


DOUBLES = pl.DataFrame({"a": [1.0], "b": [2.0], "t": ["x"]})


@pytest.mark.parametrize(
    ("formula", "error"),
    [
        (Formula(Keep(["a", "absent"])), MissingColumn),
        (Formula(Rename({"absent": "c"})), MissingColumn),
        (Formula(Rename({"a": "b"})), DuplicateColumn),
        (Formula(Drop(["a", "b", "t"])), InvalidExpression),
        (Formula(Compute({"c": column("absent")})), MissingColumn),
        (Formula(Compute({"c": literal(None)})), ExpressionTypeMismatch),
        (Formula(Filter(column("t"), "text")), ExpressionTypeMismatch),
        (Formula(Drop(["a"]), Compute({"c": column("a")})), MissingColumn),
    ],
)
def test_all_forms_refuse_what_does_not_fit_the_columns(
    formula: Formula, error: type[Exception]
) -> None:
    schema = Schema(
        (
            Column("a", ColumnType.DOUBLE),
            Column("b", ColumnType.DOUBLE),
            Column("t", ColumnType.STRING),
        )
    )
    with pytest.raises(error):
        formula.outputs(schema)
    with pytest.raises(error):
        formula.apply(DOUBLES)
    with pytest.raises(error):
        formula.compile_rows(schema)


@pytest.mark.parametrize(
    ("build", "error"),
    [
        (lambda: Compute({}), InvalidExpression),
        (lambda: Compute({"a": 1}), InvalidExpression),  # type: ignore[dict-item]
        (lambda: Keep([]), InvalidExpression),
        (lambda: Keep("abc"), InvalidExpression),
        (lambda: Keep(["a", "a"]), DuplicateColumn),
        (lambda: Rename({"a": "c", "b": "c"}), DuplicateColumn),
        (lambda: Filter(True, "x"), InvalidExpression),  # type: ignore[arg-type]
        (lambda: Formula(column("a")), InvalidExpression),  # type: ignore[arg-type]
    ],
)
def test_steps_without_meaning_are_refused_when_built(
    build: Callable[[], object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        build()


def test_a_formula_can_cross_to_another_process() -> None:
    formula = Formula(
        Compute({"y": column("x") + 1}), Rename({"y": "z"}), Keep(["z"]), Drop(["q"]),
        Filter(column("z") > 0, "negative"),
    )  # fmt: skip
    assert pickle.loads(pickle.dumps(formula)) == formula


def test_a_table_without_columns_stays_empty() -> None:
    found = Formula(Compute({"y": literal(1.0)})).apply(pl.DataFrame())
    assert found.schema == pl.Schema({"y": pl.Float64()})
    assert found.height == 0
