from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.components.errors import EmptySelection, MissingColumn
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation import join_data, large_join
from modelwright.components.palette.data_transformation.join_data import JoinData, JoinKeyError
from modelwright.data import memory
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


KEYED = st.lists(
    st.tuples(
        st.sampled_from([None, 1, 2, 3]), st.sampled_from([None, "a", "A", "é"]), st.integers(0, 9)
    ),
    max_size=8,
)
KINDS = ["Inner Join", "Left Outer Join", "Full Outer Join", "Left Semi-Join"]


@pytest.mark.parametrize("large", [(), ("left",), ("right",), ("left", "right")])
@given(KEYED, KEYED, st.sampled_from(KINDS), st.booleans(), st.booleans(), st.integers(1, 2))
@settings(max_examples=80, deadline=None)
def test_it_does_what_two_loops_would(
    large: tuple[str, ...],
    left: list[tuple[int | None, str | None, int]],
    right: list[tuple[int | None, str | None, int]],
    kind: str,
    match_case: bool,
    keep: bool,
    keys: int,
) -> None:
    def key(row: tuple[int | None, str | None, int]) -> tuple[Any, ...] | None:
        text = row[1] if match_case or row[1] is None else row[1].lower()
        found = (row[0], text)[:keys]
        return None if None in found else found

    # What else comes from the right: its keys unless they are left out, and its value.
    def added(row: tuple[int | None, str | None, int]) -> tuple[Any, ...]:
        return row if keep else row[keys:]

    nothing = (None,) * (3 if keep else 3 - keys)
    expected: list[tuple[Any, ...]] = []
    for one in left:
        matches = [other for other in right if key(one) is not None and key(one) == key(other)]
        if kind == "Left Semi-Join":
            expected += [one] if matches else []
        elif matches or kind == "Inner Join":
            expected += [(*one, *added(other)) for other in matches]
        else:
            expected.append((*one, *nothing))
    if kind == "Full Outer Join":
        matched = {key(one) for one in left} - {None}
        for other in right:
            if key(other) not in matched:
                known = () if keep else other[:keys]
                expected.append((*known, *(None,) * (3 - len(known)), *added(other)))
    tables = [
        Table(pl.DataFrame(side, schema={"k": pl.Int64, "t": pl.String, n: pl.Int64}, orient="row"))
        for n, side in (("a", left), ("b", right))
    ]
    names = ["k", "t"][:keys]

    with pytest.MonkeyPatch.context() as patch:
        if large:
            # As of tables that are larger than memory, two or three rows at a time.
            patch.setattr(
                join_data,
                "is_large",
                lambda frame: (
                    frame.height > 0 and ("left" if "a" in frame.columns else "right") in large
                ),
            )
            patch.setattr(join_data, "_PART", 3)
            patch.setattr(memory, "_BATCH", 3)
            patch.setattr(memory, "_PART", 1)
            patch.setattr(large_join, "allowed", lambda: 0)
            for name in ("_LEAST", "_LOOKED_UP", "_LEAST_MADE"):
                patch.setattr(large_join, name, 2)
            patch.setattr(large_join, "_MADE", 1)
        found = rows(
            *tables,
            left_keys=names,
            right_keys=names,
            join_type=kind,
            match_case=match_case,
            keep_right_keys=keep,
        )

    assert found == expected


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
