from __future__ import annotations

import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelwright.data.expression import Formula, Keep
from tests.data.expression.worlds import (
    NATIVES,
    World,
    assert_alike,
    by_records,
    by_records_together,
    by_rows,
    by_table,
    computed,
    formulas,
    worlds,
)

slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
often = settings(max_examples=150, deadline=None, suppress_health_check=slow)
seldom = settings(max_examples=40, deadline=None, suppress_health_check=slow)


@given(st.data())
@often
def test_both_forms_agree_on_random_expressions(data: st.DataObject) -> None:
    world = data.draw(worlds())
    formula = Formula(data.draw(computed(world.schema, depth=3)))
    assert_alike(by_table(formula, world)[1], by_rows(formula, world))


@given(st.data())
@often
def test_both_forms_agree_on_random_formulas(data: st.DataObject) -> None:
    world = data.draw(worlds())
    formula = data.draw(formulas(world.schema))
    frame, found = by_table(formula, world)
    assert_alike(found, by_rows(formula, world))
    for inside in (False, True):
        assert_alike(found, by_records(formula, world, inside=inside))
        together = by_records_together(formula, world, inside=inside)
        assert_alike(found, found if together is None else together)
    assert frame.equals(formula.apply(world.frame, natives=NATIVES))
    assert frame.equals(formula.extend(world.frame.lazy(), natives=NATIVES).collect())
    expected = {c.name: c.type.dtype for c in formula.outputs(world.schema)}
    assert list(frame.schema.items()) == list(expected.items())


@given(st.data())
@often
def test_rows_without_gaps_come_out_the_same_where_nothing_looks_for_one(
    data: st.DataObject,
) -> None:
    world = data.draw(worlds())
    whole = World(world.schema, [row for row in world.rows if all(map(_is_whole, row.values()))])
    formula = data.draw(formulas(world.schema))
    found = by_rows(formula, whole)
    for inside in (False, True):
        assert_alike(found, by_records(formula, whole, plain=True, inside=inside))
        together = by_records_together(formula, whole, plain=True, inside=inside)
        assert_alike(found, found if together is None else together)


def _is_whole(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


@given(st.data())
@seldom
def test_a_formula_then_another_is_one_after_the_other(data: st.DataObject) -> None:
    world = data.draw(worlds())
    first = data.draw(formulas(world.schema, most=2))
    second = data.draw(formulas(first.outputs(world.schema), most=2))
    in_turn = second.apply(first.apply(world.frame, natives=NATIVES), natives=NATIVES)
    assert first.then(second).apply(world.frame, natives=NATIVES).equals(in_turn)


@given(st.data())
@seldom
def test_pruning_leaves_the_wanted_columns_as_they_were(data: st.DataObject) -> None:
    world = data.draw(worlds())
    formula = data.draw(formulas(world.schema))
    names = formula.outputs(world.schema).names
    wanted = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    whole = formula.then(Formula(Keep(wanted)))
    pruned = formula.prune(wanted)
    assert pruned.apply(world.frame, natives=NATIVES).equals(
        whole.apply(world.frame, natives=NATIVES)
    )
    assert_alike(by_rows(pruned, world), by_rows(whole, world))
    assert pruned.required() <= whole.required()


@given(st.data())
@seldom
def test_a_formula_needs_no_more_than_it_says(data: st.DataObject) -> None:
    world = data.draw(worlds())
    formula = data.draw(formulas(world.schema))
    # One column more, so that there are rows even when no column is needed.
    frame = world.frame.with_row_index("number")
    whole = formula.apply(frame, natives=NATIVES)
    found = formula.apply(frame[["number", *formula.required()]], natives=NATIVES)
    for name in found.columns:
        assert found[name].equals(whole[name])


@given(st.data())
@seldom
def test_a_formula_survives_json_with_its_digest(data: st.DataObject) -> None:
    import json

    world = data.draw(worlds())
    formula = data.draw(formulas(world.schema))
    text = json.dumps(formula.to_json(), allow_nan=False)
    again = Formula.from_json(json.loads(text))
    assert again == formula
    assert hash(again) == hash(formula)
    assert again.digest() == formula.digest()
    assert_alike(by_rows(again, world), by_rows(formula, world))
