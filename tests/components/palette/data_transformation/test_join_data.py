from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.components.errors import EmptySelection, MissingColumn
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.join_data import JoinData, JoinKeyError
from modelwright.data.expression import DuplicateColumn
from modelwright.data.schema import Role
from modelwright.data.table import Table

LEFT = Table(pl.DataFrame({"k": [1, 2, None, 2], "a": ["w", "x", "y", "z"]}))
RIGHT = Table(pl.DataFrame({"k": [2, 3, None], "b": [0.2, 0.3, 0.0]}))
ON_K = {"left_keys": ["k"], "right_keys": ["k"]}


def component(**parameters: Any) -> JoinData:
    return JoinData.model_validate(ON_K | parameters)


def rows(left: Table, right: Table, **parameters: Any) -> list[tuple[Any, ...]]:
    return component(**parameters).run(left, right).frame.rows()


def test_an_inner_join_gives_the_rows_that_match() -> None:
    result = component().run(LEFT, RIGHT)

    assert result.schema.names == ("k", "a", "k_right", "b")
    assert result.frame.rows() == [(2, "x", 2, 0.2), (2, "z", 2, 0.2)]


def test_a_left_outer_join_keeps_every_left_row_in_order() -> None:
    assert rows(LEFT, RIGHT, join_type="Left Outer Join", keep_right_keys=False) == [
        (1, "w", None),
        (2, "x", 0.2),
        (None, "y", None),
        (2, "z", 0.2),
    ]


def test_a_full_outer_join_keeps_every_row_of_both_sides() -> None:
    assert rows(LEFT, RIGHT, join_type="Full Outer Join") == [
        (1, "w", None, None),
        (2, "x", 2, 0.2),
        (None, "y", None, None),
        (2, "z", 2, 0.2),
        (None, None, 3, 0.3),
        (None, None, None, 0.0),
    ]


def test_without_right_keys_the_left_ones_tell_the_key_of_right_rows_too() -> None:
    found = rows(LEFT, RIGHT, join_type="Full Outer Join", keep_right_keys=False)

    assert found[-2:] == [(3, None, 0.3), (None, None, 0.0)]


def test_a_left_semi_join_gives_each_left_row_that_matches_once() -> None:
    twice = Table(pl.DataFrame({"k": [2, 2], "b": [1, 2]}))

    result = component(join_type="Left Semi-Join").run(LEFT, twice)

    assert result.frame.rows() == [(2, "x"), (2, "z")]
    assert result.schema.names == ("k", "a")


def test_composite_keys_are_paired_in_the_order_of_the_selection() -> None:
    left = Table(pl.DataFrame({"a": ["x", "x"], "b": ["y", "x"], "n": [1, 2]}))
    right = Table(pl.DataFrame({"p": ["y", "x"], "q": ["x", "x"], "m": [10, 20]}))
    swapped = {"rules": [{"names": ["q", "p"]}], "keep_order": True}

    found = rows(left, right, left_keys=["a", "b"], right_keys=swapped, keep_right_keys=False)

    assert found == [("x", "y", 1, 10), ("x", "x", 2, 20)]


def test_case_matters_unless_switched_off() -> None:
    left = Table(pl.DataFrame({"k": ["Audi", "bmw"]}))
    right = Table(pl.DataFrame({"k": ["AUDI", "bmw"]}))

    assert rows(left, right) == [("bmw", "bmw")]
    assert rows(left, right, match_case=False) == [("Audi", "AUDI"), ("bmw", "bmw")]


def test_missing_keys_match_nothing_not_even_each_other() -> None:
    left = Table(pl.DataFrame({"k": [float("nan"), None, 1.0]}))

    assert rows(left, left) == [(1.0, 1.0)]


def test_whole_numbers_fit_fractional_ones() -> None:
    left, right = Table(pl.DataFrame({"k": [1, 2]})), Table(pl.DataFrame({"k": [2.0, 2.5]}))

    assert rows(left, right) == [(2, 2.0)]
    full = component(join_type="Full Outer Join", keep_right_keys=False).run(left, right)
    assert full.frame.rows() == [(1.0,), (2.0,), (2.5,)]


def test_a_name_of_both_sides_is_told_apart_and_marks_stay() -> None:
    left = LEFT.mark("a", role=Role.LABEL)
    right = Table(pl.DataFrame({"k": [2], "a": ["r"]})).mark("a", categorical=True)

    schema = component(keep_right_keys=False).run(left, right).schema

    assert schema.names == ("k", "a", "a_right")
    assert schema.column("a").role is Role.LABEL
    assert schema.column("a_right").categorical


def test_a_name_that_is_taken_is_an_error() -> None:
    left = Table(pl.DataFrame({"k": [1], "k_right": [1]}))

    with pytest.raises(DuplicateColumn):
        rows(left, RIGHT)


def test_names_of_ones_own_are_in_nobodys_way() -> None:
    left = Table(pl.DataFrame({"k": [1], "right key0": [5], "right 0": [6]}))

    right = Table(pl.DataFrame({"k": [1], "^.*$": [7], "right key1": [8]}))

    assert rows(left, right) == [(1, 5, 6, 1, 7, 8)]


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"left_keys": ["k", "a"]}, "2 are selected on the left and 1 on the right"),
        ({"left_keys": ["a"]}, '"a" is String and "k" is Integer'),
    ],
)
def test_keys_that_do_not_fit_are_refused_before_and_in_a_run(
    parameters: dict[str, Any], why: str
) -> None:
    made = component(**parameters)

    with pytest.raises(JoinKeyError, match=why) as caught:
        made.run(LEFT, RIGHT)
    with pytest.raises(JoinKeyError, match=why):
        made.outline(
            left_dataset=TableOutline(LEFT.schema), right_dataset=TableOutline(RIGHT.schema)
        )
    assert caught.value.code == "join-keys-do-not-fit"


def test_keys_that_are_not_there_or_not_chosen_are_told_with_their_port() -> None:
    with pytest.raises(MissingColumn, match='on port "right_dataset"'):
        rows(LEFT, RIGHT, right_keys=["q"])
    with pytest.raises(EmptySelection, match="left dataset"):
        rows(LEFT, RIGHT, left_keys=[])


KEYED = st.lists(st.tuples(st.sampled_from([None, 1, 2, 3]), st.integers(0, 9)), max_size=8)


@given(KEYED, KEYED, st.sampled_from(["Inner Join", "Left Outer Join", "Left Semi-Join"]))
@settings(max_examples=80, deadline=None)
def test_it_does_what_two_loops_would(
    left: list[tuple[int | None, int]], right: list[tuple[int | None, int]], kind: str
) -> None:
    expected: list[tuple[Any, ...]] = []
    for key, value in left:
        matches = [other for k, other in right if k is not None and k == key]
        if kind == "Left Semi-Join":
            expected += [(key, value)] if matches else []
        elif matches or kind == "Inner Join":
            expected += [(key, value, other) for other in matches]
        else:
            expected.append((key, value, None))
    tables = [
        Table(pl.DataFrame(side, schema={"k": pl.Int64, name: pl.Int64}, orient="row"))
        for name, side in (("a", left), ("b", right))
    ]

    assert rows(*tables, join_type=kind, keep_right_keys=False) == expected


@pytest.mark.parametrize(
    "join_type", ["Inner Join", "Left Outer Join", "Full Outer Join", "Left Semi-Join"]
)
@pytest.mark.parametrize("keep", [True, False])
def test_the_outline_has_the_columns_that_a_run_gives(join_type: Any, keep: bool) -> None:
    made = component(join_type=join_type, keep_right_keys=keep)
    right = Table(RIGHT.frame.with_columns(pl.col("k").cast(pl.Float64)))

    outline = made.outline(
        left_dataset=TableOutline(LEFT.schema, rows=4), right_dataset=TableOutline(right.schema)
    )

    assert outline == {"results_dataset": TableOutline(made.run(LEFT, right).schema)}
