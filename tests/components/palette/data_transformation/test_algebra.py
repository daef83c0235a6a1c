"""What holds for any table: with gaps, infinities, constant columns, odd names, one row or none."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.contract.examples import work

from modelwright.components.library import library
from modelwright.data.errors import ModelwrightError
from modelwright.data.fitted import Transform
from modelwright.data.table import Table

NAMES = ("a", "größe", "^.*$", "", "列", "a b", "*")

cells = {
    pl.Int64: st.integers(-(2**40), 2**40),
    pl.Float64: st.sampled_from(
        [0.0, -0.0, 1.5, -3.25, 1e300, float("inf"), float("-inf"), float("nan")]
    )
    | st.floats(-1e6, 1e6),
    pl.String: st.sampled_from(["", "x", "größe", "X", "?"]),
    pl.Boolean: st.booleans(),
}


@st.composite
def tables(draw: st.DrawFn, *, finite: bool = False) -> Table:
    """Up to 12 rows of up to 5 columns."""
    rows = draw(st.integers(0, 12))
    columns = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)):
        dtype: Any = draw(st.sampled_from([*cells]))
        value = st.floats(-1e6, 1e6) if finite and dtype == pl.Float64 else cells[dtype]
        if draw(st.booleans()):
            value = st.just(draw(value))
        values = draw(st.lists(st.none() | value, min_size=rows, max_size=rows))
        columns.append(pl.Series(name, values, dtype=dtype))
    return Table(pl.DataFrame(columns))


def result(component_id: str, table: Table, **settings_: Any) -> Table:
    """The first table that a component gives."""
    found = done(component_id, {"dataset": table}, **settings_)
    return next(v for v in found.values() if isinstance(v, Table))


def done(component_id: str, inputs: dict[str, Any], **settings_: Any) -> dict[str, Any]:
    version = library().spec(component_id).version
    return dict(work(library().make(component_id, version, settings_), inputs))


def ordered(frame: pl.DataFrame) -> list[str]:
    return sorted(map(repr, frame.rows()))


@settings(max_examples=25, deadline=None)
@given(tables(), st.sampled_from([0.2, 0.5, 0.9]), st.integers(0, 5))
def test_the_parts_of_a_split_are_the_table(table: Table, fraction: float, seed: int) -> None:
    parts = done("split-data", {"dataset": table}, fraction=fraction, seed=seed)

    first, second = parts.values()
    whole = done("add-rows", {"dataset1": first, "dataset2": second})["results_dataset"]

    assert ordered(whole.frame) == ordered(table.frame)
    assert whole.schema == table.schema


@settings(max_examples=25, deadline=None)
@given(tables(), st.integers(1, 4))
def test_the_folds_are_the_table(table: Table, folds: int) -> None:
    assume(table.rows >= folds)
    assigned = result("partition-and-sample", table, mode="Assign to Folds", folds=folds)
    found: list[str] = []
    for number in range(1, folds + 1):
        picked = result("partition-and-sample", assigned, mode="Pick Fold", fold=number)
        found += ordered(picked.frame)

    assert sorted(found) == ordered(table.frame)


# Many tables have no column that could stay.
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(table=tables())
@pytest.mark.parametrize(
    ("component_id", "chosen"),
    [
        ("remove-duplicate-rows", {}),
        ("remove-duplicate-rows", {"retain_first": False}),
        ("clean-missing-data", {}),
        ("clean-missing-data", {"mode": "Remove entire column"}),
        ("select-columns-in-dataset", {"columns": {"begin": "all"}}),
        ("convert-to-dataset", {"action": "SetMissingValue", "missing_value": "?"}),
        ("convert-to-csv", {}),
    ],
)
def test_doing_it_twice_is_doing_it_once(
    table: Table, component_id: str, chosen: dict[str, Any]
) -> None:
    try:
        once = result(component_id, table, **chosen)
        twice = result(component_id, once, **chosen)
    except ModelwrightError:
        # Nothing is left, or a column is of no use to it: that is told, and tested elsewhere.
        assume(False)
        raise

    assert_frame_equal(twice.frame, once.frame)
    assert twice.schema == once.schema


@settings(max_examples=25, deadline=None)
@given(tables(finite=True), st.sampled_from(["MinMax", "ZScore"]))
def test_a_scale_can_be_taken_back(table: Table, method: str) -> None:
    numbers = [c.name for c in table.schema if c.type.is_numeric]
    assume(numbers and table.rows)
    outputs = done("normalize-data", {"dataset": table}, method=method)
    scaled, fitted = outputs["transformed_dataset"], outputs["transformation_function"]
    assert isinstance(fitted, Transform)

    for name in numbers:
        before = table.frame[name].alias("x").cast(pl.Float64)
        after = scaled.frame[name].alias("x")
        figures = fitted.learnt["columns"][name]
        low, high = figures["minimum"], figures["maximum"]
        if low is None or low == high or float(high) - float(low) < 1e-3:
            continue
        if method == "MinMax":
            back = after * (float(high) - float(low)) + float(low)
        else:
            back = after * float(figures["deviation"]) + float(figures["mean"])
        span = max(abs(float(low)), abs(float(high)))
        assert (back - before).abs().fill_null(0.0).max() <= 1e-9 * max(1.0, span)
        assert after.null_count() == before.null_count()


@settings(max_examples=25, deadline=None)
@given(tables(), tables())
def test_a_semi_join_keeps_the_rows_that_an_inner_join_finds(left: Table, right: Table) -> None:
    shared = [
        c.name
        for c in left.schema
        if c.name in right.schema and right.schema.column(c.name).type is c.type
    ]
    assume(shared)
    name = shared[0]
    keys: dict[str, Any] = {
        side: {"begin": "none", "rules": [{"names": [name]}]}
        for side in ("left_keys", "right_keys")
    }
    sides = {"left_dataset": left, "right_dataset": right}

    semi = done("join-data", sides, **keys, join_type="Left Semi-Join")["results_dataset"]

    wanted = {v for v in right.frame[name].to_list() if v is not None and v == v}
    kept = [
        row
        for row, key in zip(left.frame.rows(), left.frame[name].to_list(), strict=True)
        if key in wanted
    ]
    assert list(map(repr, semi.frame.rows())) == list(map(repr, kept))
    outer = done("join-data", sides, **keys, join_type="Left Outer Join")["results_dataset"]
    assert outer.rows >= left.rows


@settings(max_examples=25, deadline=None)
@given(tables(finite=True), st.integers(2, 5), st.sampled_from(["Quantiles", "Equal Width"]))
def test_a_fitted_step_does_to_a_part_what_it_did_to_the_whole(
    table: Table, bins: int, mode: str
) -> None:
    numbers = [c.name for c in table.schema if c.type.is_numeric]
    assume(table.rows and numbers)
    chosen = {"begin": "none", "rules": [{"names": numbers}]}
    try:
        outputs = done(
            "group-data-into-bins", {"dataset": table}, bins=bins, mode=mode, columns=chosen
        )
    except ModelwrightError:
        # A column without any value has no bins.
        assume(False)
        raise
    whole, fitted = outputs["quantized_dataset"], outputs["binning_transformation"]

    part = done(
        "apply-transformation", {"transformation": fitted, "dataset": table.of(table.frame.head(1))}
    )

    assert_frame_equal(part["transformed_dataset"].frame, whole.frame.head(1))
