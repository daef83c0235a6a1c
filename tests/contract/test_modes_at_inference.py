"""Around every mode of the components that prepare data: rows one by one as all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from modelwright.components.palette.data_transformation.math_operations import FAMILIES
from modelwright.data.schema import Role
from modelwright.data.table import Table
from tests.contract.examples import NUMERIC, Example, cars, complete
from tests.contract.test_at_inference import assert_works_by_rows

FILLS = (
    "Custom substitution value",
    "Replace with mean",
    "Replace with median",
    "Replace with mode",
    "Remove entire row",
    "Remove entire column",
)
TYPES = {
    "make": ("String",),
    "doors": ("String", "Double", "Boolean", "DateTime"),
    "turbo": ("String", "Integer", "Double"),
    "sold": ("String", "Integer", "Double"),
    "width": ("String", "Boolean", "DateTime"),
}


def every_type_categorical() -> Table:
    return cars().mark("make", "doors", "width", "turbo", "sold", categorical=True)


def labelled() -> Table:
    return cars().mark("price", role=Role.FEATURE).mark("make", role=Role.LABEL)


def ratings() -> Table:
    return Table(cars().frame.drop_nulls().select("make", "turbo", "price"))


def modes() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Settings of components, on the cars."""
    for mode in FILLS:
        fill = {"columns": NUMERIC, "mode": mode, "replacement": "7"}
        yield "clean-missing-data", {**fill, "indicators": True}
        yield "clean-missing-data", {**fill, "minimum_ratio": 0.01, "maximum_ratio": 0.9}
    for substitute in ("Threshold", "Mean", "Median", "Missing"):
        for kind in ("Constant", "Percentile"):
            yield (
                "clip-values",
                {
                    "thresholds": "ClipPeaksAndSubpeaks",
                    "both_kind": kind,
                    "upper_constant": 1200.5,
                    "lower_constant": 3,
                    "upper_percentile": 80,
                    "lower_percentile": 20,
                    "upper_substitute": substitute,
                    "lower_substitute": substitute,
                    "indicators": kind == "Constant",
                    "overwrite": substitute != "Mean",
                },
            )
    for mode in ("Quantiles", "Equal Width", "Custom Edges"):
        for output in ("Append", "Inplace", "ResultOnly"):
            bins = {"mode": mode, "output_mode": output, "edges": "2, 61, 1100"}
            yield "group-data-into-bins", {**bins, "categorical": output != "Append"}
    yield "group-data-into-bins", {"normalization": "Percent"}
    yield "group-data-into-bins", {"normalization": "PQuantile"}
    for method in ("ZScore", "MinMax", "Logistic", "LogNormal", "TanH"):
        yield "normalize-data", {"method": method, "zero_constants": False}
    for column, types in TYPES.items():
        for wanted in types:
            yield "edit-metadata", {"columns": [column], "data_type": wanted, "new_names": "new"}
    for role in ("Feature", "Label", "Clear feature", "Clear label", "Clear score"):
        yield "edit-metadata", {"columns": ["make", "price"], "role": role}
    for old, new in (("audi", "bmw"), ("2", "4"), ("true", "false"), ("2020-01-02", "2021-01-01")):
        found = {"action": "ReplaceValues", "replace": "Custom"}
        yield "convert-to-dataset", {**found, "custom_value": old, "new_value": new}
        yield "convert-to-dataset", {"action": "SetMissingValue", "missing_value": old}
    for join in ("Inner Join", "Left Outer Join", "Left Semi-Join"):
        for keys in (["doors"], ["make", "doors"], ["width"]):
            pair = {"left_keys": keys, "right_keys": keys, "join_type": join}
            yield "join-data", {**pair, "match_case": False}
    for category, functions in FAMILIES.items():
        name = [*functions][-1]
        maths = {"category": category, category.lower(): name, "output_mode": "Inplace"}
        yield "apply-math-operation", {**maths, "second": 2.5}
        paired = {"second_type": "ColumnSet", "second_columns": ["width"]}
        yield "apply-math-operation", {**maths, **paired, "output_mode": "Append"}
    rounding = {"category": "Rounding", "rounding": "RoundUp", "columns": ["width", "price"]}
    yield (
        "apply-math-operation",
        {**rounding, "precision_type": "ColumnSet", "precision_column": "doors"},
    )
    for columns in (
        {"rules": [{"positions": "1, 3-4"}]},
        {"begin": "all", "rules": [{"rule": "exclude", "names": ["sold"]}]},
        {"rules": [{"names": ["price", "make"]}], "keep_order": True},
    ):
        yield "select-columns-in-dataset", {"columns": columns}
    yield "partition-and-sample", {"mode": "Assign to Folds", "replacement": True}
    yield "partition-and-sample", {"sampling_stratified": True, "sampling_key": "make"}
    yield "split-data", {"stratified": True, "stratification_column": "make"}
    relation = {"relational_expression": r'\"doors" > 2'}
    yield "split-data", {"mode": "Relative Expression Split", **relation}
    pattern = {"regular_expression": r'\"make" ^a'}
    yield "split-data", {"mode": "Regular Expression Split", **pattern}
    yield "remove-duplicate-rows", {"keys": ["make"], "retain_first": False}
    for script in (
        "SELECT make, doors * 2 AS d, upper(make) AS u, price FROM t1 WHERE doors > 1",
        "SELECT *, CASE WHEN turbo THEN 'y' ELSE 'n' END AS t FROM t1 ORDER BY price DESC",
    ):
        yield "apply-sql-transformation", {"script": script}


CASES = [
    *((component_id, Example(settings)) for component_id, settings in modes()),
    ("convert-to-indicator-values", Example({}, {"dataset": every_type_categorical})),
    ("filter-based-feature-selection", Example({"count": 2}, {"dataset": labelled})),
    (
        "filter-based-feature-selection",
        Example({"method": "Chi squared", "count": 2}, {"dataset": labelled}),
    ),
    ("smote", Example({"label_column": "turbo", "percentage": 0}, {"samples": complete})),
    ("split-data", Example({"mode": "Recommender Split"}, {"dataset": ratings})),
]


@pytest.mark.parametrize(
    ("component_id", "example"),
    [
        pytest.param(component_id, example, id=f"{component_id}-{at}")
        for at, (component_id, example) in enumerate(CASES)
    ],
)
def test_a_mode_does_the_same_to_each_row_alone(component_id: str, example: Example) -> None:
    assert_works_by_rows(component_id, example)
