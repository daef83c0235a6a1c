"""A formula for requests does the same as in training, without asking for the label."""

from __future__ import annotations

import polars as pl

from modelwright.data.expression import (
    Compute,
    Drop,
    Filter,
    Formula,
    Keep,
    Rename,
    any_missing,
    column,
)
from modelwright.inference.unlabel import without_columns

ROWS = pl.DataFrame({"width": [60.0, None, 70.0], "length": [1.0, 2.0, None]})


def test_a_row_is_not_dropped_for_a_label_it_cannot_have() -> None:
    cleaned = Formula(Filter(~any_missing(["width", "price"]), "a value is missing"))
    result = without_columns(cleaned, ["price"])
    assert "price" not in result.formula.required()
    assert result.formula.apply(ROWS)["width"].to_list() == [60.0, 70.0]


def test_a_filter_that_asked_for_the_label_alone_is_gone() -> None:
    result = without_columns(Formula(Filter(~any_missing(["price"]), "no price")), ["price"])
    assert result.formula == Formula()
    assert result.filters == ()


def test_a_filter_on_the_labels_value_is_told() -> None:
    result = without_columns(Formula(Filter(column("price") > 0, "free cars")), ["price"])
    assert result.formula == Formula()
    assert result.filters == ("free cars",)


def test_what_is_done_to_the_label_itself_is_left_out_without_a_loss() -> None:
    scaled = Formula(Compute({"price": column("price") / 1000, "width": column("width") / 10}))
    result = without_columns(scaled, ["price"])
    assert result.lost == ()
    assert result.formula.apply(ROWS)["width"].to_list() == [6.0, None, 7.0]


def test_a_feature_made_of_the_label_is_lost_and_so_is_what_is_made_of_it() -> None:
    leaky = Formula(
        Compute({"per metre": column("price") / column("length")}),
        Compute({"twice": column("per metre") * 2}),
    )
    assert without_columns(leaky, ["price"]).lost == ("per metre", "twice")


def test_the_label_is_followed_through_a_new_name() -> None:
    renamed = Formula(
        Rename({"price": "cost"}), Filter(~any_missing(["cost", "length"]), "missing")
    )
    result = without_columns(renamed, ["price"])
    assert result.formula.apply(ROWS)["length"].to_list() == [1.0, 2.0]


def test_kept_and_dropped_columns_lose_the_label_too() -> None:
    result = without_columns(Formula(Keep(["price", "width"]), Drop(["price"])), ["price"])
    assert result.formula.apply(ROWS).columns == ["width"]


def test_an_indicator_of_a_missing_label_says_no() -> None:
    marked = Formula(Compute({"price missing": column("price").is_missing()}))
    result = without_columns(marked, ["price"])
    assert result.formula.apply(ROWS)["price missing"].to_list() == [False] * 3


def test_a_formula_that_does_not_know_the_label_stays_as_it_is() -> None:
    formula = Formula(Compute({"width": column("width") + 1}), Drop(["length"]))
    assert without_columns(formula, ["price"]).formula == formula
