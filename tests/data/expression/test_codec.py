from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from modelwright.data.expression import (
    Compute,
    Filter,
    Formula,
    Keep,
    MalformedFormula,
    Rename,
    Scalar,
    bucket,
    call,
    column,
    dot,
    literal,
    lookup,
    when,
)


def test_every_kind_of_value_survives_json_with_its_type() -> None:
    when_ = datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=UTC).replace(tzinfo=None)
    values = [None, True, 1, 1.0, -0.0, 1e300, float("nan"), float("-inf"), "é\n\"'", "", when_]
    mapping = {k: v for k, v in zip(values, reversed(values), strict=True) if k == k and k != 1}
    formula = Formula(
        Compute(
            {
                "literals": when(column("x"), literal(None), call("concat", *map(literal, values))),
                "lookup": lookup(column("x"), mapping, when_),
                "bucket": bucket(column("x"), [float("-inf"), 0.0], labels=["a", None, "c"]),
            }
        )
    )
    text = json.dumps(formula.to_json(), allow_nan=False)
    assert Formula.from_json(json.loads(text)) == formula


def test_the_stored_form_is_the_one_that_was_agreed_upon() -> None:
    formula = Formula(
        Filter(~column("x").is_missing(), "x is missing"),
        Compute({"y": dot([(call("round", column("x"), digits=1), 2.0)], 0.5)}),
        Rename({"y": "z"}),
        Keep(["z"]),
    )
    x = {"is": "column", "name": "x"}
    rounded = {"is": "call", "function": "round", "arguments": [x], "options": [["digits", 1]]}
    assert formula.to_json() == {
        "format": "modelwright-formula",
        "version": 1,
        "steps": [
            {
                "do": "filter",
                "condition": {"is": "not", "term": {"is": "is_missing", "term": x}},
                "reason": "x is missing",
            },
            {
                "do": "compute",
                "columns": [["y", {"is": "dot", "terms": [[rounded, 2.0]], "intercept": 0.5}]],
            },
            {"do": "rename", "names": [["y", "z"]]},
            {"do": "keep", "names": ["z"]},
        ],
    }
    assert formula.digest() == "c688a6726d9244923361d152c420493e3149db7b8c30eef8ff917e9cd3a60343"


def test_the_digest_does_not_know_the_order_of_mappings_but_that_of_new_columns() -> None:
    def formula(entries: dict[Scalar, Scalar], names: list[str]) -> Formula:
        return Formula(Compute({n: lookup(column("x"), entries) for n in names}))

    one = formula({"a": 1, "b": 2}, ["y", "z"])
    assert formula({"b": 2, "a": 1}, ["y", "z"]).digest() == one.digest()
    assert formula({"a": 1, "b": 2}, ["z", "y"]).digest() != one.digest()
    assert formula({"a": 1, "b": 3}, ["y", "z"]).digest() != one.digest()
    assert Formula(Rename({"a": "b", "c": "d"})) == Formula(Rename({"c": "d", "a": "b"}))


def steps(*found: object) -> dict[str, Any]:
    return {"format": "modelwright-formula", "version": 1, "steps": [*found]}


def compute(expression: object) -> dict[str, Any]:
    return steps({"do": "compute", "columns": [["y", expression]]})


def nested(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {"is": "column", "name": "x"}
    for _ in range(levels):
        found = {"is": "not", "term": found}
    return found


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        ([], "does not say"),
        ({"format": "else"}, "does not say"),
        ({"format": "modelwright-formula", "version": 2, "steps": []}, "version 2"),
        (steps({"do": "explode"}), "not a step"),
        (steps({"do": "keep", "names": []}), "keeps no column"),
        (steps({"do": "rename", "names": ["ab", "abc"]}), "length"),
        (compute({"is": "magic"}), "magic"),
        (compute({"is": ["column"]}), "is not an expression"),
        (compute("x"), "is not an expression"),
        (compute({"is": "column"}), "name"),
        (compute({"is": "column", "name": "x", "more": 1}), "more"),
        (compute({"is": "literal", "value": {"number": "1; import os"}}), "not a value"),
        (compute({"is": "literal", "value": {"datetime": "never"}}), "never"),
        (compute({"is": "call", "function": "__import__", "arguments": []}), "__import__"),
        (compute({"is": "not", "term": 3}), "not an expression"),
        (compute({"is": "dot", "terms": [1]}), "unpack"),
        (compute(nested(5000)), "nested too deeply"),
        (compute(nested(120)), "nested 100 deep"),
    ],
)
def test_a_stored_formula_that_was_damaged_is_refused(stored: object, why: str) -> None:
    with pytest.raises(MalformedFormula, match=why):
        Formula.from_json(stored)
