"""Steps that bring two tables together, where requests bring the rows of one of them only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
import yaml

from modelwright.components.library import library
from modelwright.data.table import Table
from modelwright.graph.graph import NodeId
from modelwright.inference.convert import RowsByPosition
from modelwright.inference.parity import Parity
from modelwright.inference.report import Change
from modelwright.inference.scorer import Scorer
from tests.inference.training import Trained, trained

HOUSES = Table(
    pl.DataFrame(
        {
            "town": [("a", "b", "c")[i % 3] for i in range(30)],
            "rooms": [1 + i % 5 for i in range(30)],
            "price": [100.0 + 7 * (i % 5) + i % 3 for i in range(30)],
        }
    )
)
TOWNS = Table(pl.DataFrame({"town": ["a", "b", "c", "d", "e"], "people": [1, 2, 3, 4, 5]}))
OTHERS = Table(HOUSES.frame.with_columns(pl.col("rooms") + 0.5).select("price", "town", "rooms"))


def brought_together(
    component: str, ports: tuple[str, str], settings: Mapping[str, Any], **tables: Table
) -> Trained:
    """A regression of prices over what a step makes of two tables, trained and scored."""
    spec = library().spec(component)
    both = f"both.{spec.outputs[0].name}"
    first, second = tables
    nodes: dict[str, Any] = {
        name: {"component": "dataset", "parameters": {"name": name}} for name in tables
    }
    nodes["both"] = {
        "component": component,
        "version": spec.version,
        "parameters": dict(settings),
        "inputs": {ports[0]: f"{first}.dataset", ports[1]: f"{second}.dataset"},
    }
    nodes["learner"] = {"component": "linear-regression"}
    nodes["train"] = {
        "component": "train-model",
        "parameters": {"label_column": "price"},
        "inputs": {"untrained_model": "learner.untrained_model", "dataset": both},
    }
    nodes["score"] = {
        "component": "score-model",
        "inputs": {"trained_model": "train.trained_model", "dataset": both},
    }
    pipeline = {"modelwright": 1, "name": "Two tables", "nodes": nodes}
    return trained(yaml.safe_dump(pipeline, sort_keys=False), context=None, **tables)


def answered(ran: Trained, **rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], Change]:
    """What a request of these rows gets, and what became of the step."""
    made = ran.convert()
    scorer = Scorer(ran.serving(made.graph))
    given = dict(zip((i.name for i in scorer.inputs), rows.values(), strict=True))
    (reply,) = json.loads(scorer.answer(json.dumps({"Inputs": given}).encode()))["Results"].values()
    (change,) = (c for c in made.changes if c.node == NodeId("both"))
    return reply, change


def parity(ran: Trained) -> Parity:
    return ran.parity(ran.convert())


@pytest.mark.parametrize("order", [("houses", "others"), ("others", "houses")])
def test_rows_that_were_added_for_training_are_no_answers(order: tuple[str, str]) -> None:
    known = {"houses": HOUSES, "others": OTHERS}
    ran = brought_together(
        "add-rows", ("dataset1", "dataset2"), {}, **{name: known[name] for name in order}
    )

    reply, change = answered(ran, rows=[{"town": "b", "rooms": 3}])

    assert len(reply) == 1
    assert (change.action, change.reason) == (
        "removed",
        "only rows that a request brings are answered",
    )
    assert parity(ran).verdict == "equal"


JOIN = {"left_keys": ["town"], "right_keys": ["town"], "keep_right_keys": False}


def test_a_full_outer_join_answers_the_rows_of_a_request_and_no_others() -> None:
    settings = {**JOIN, "join_type": "Full Outer Join"}
    ran = brought_together(
        "join-data", ("left_dataset", "right_dataset"), settings, houses=HOUSES, towns=TOWNS
    )

    reply, change = answered(ran, rows=[{"town": "b", "rooms": 3}, {"town": "z", "rooms": 1}])

    assert [row["town"] for row in reply] == ["b", "z"]
    assert change.action == "changed"
    assert parity(ran).unlike == 0


def test_where_rows_are_matched_by_their_places_a_request_brings_both_sides() -> None:
    people = Table(HOUSES.frame.select(people=pl.col("rooms") * 2))
    ran = brought_together(
        "add-columns", ("left_dataset", "right_dataset"), {}, houses=HOUSES, people=people
    )

    reply, _ = answered(
        ran, rows=[{"town": "b", "rooms": 3}, {"town": "a", "rooms": 1}], beside=[{"people": 6}] * 2
    )

    assert [row["people"] for row in reply] == [6, 6]


def test_a_label_beside_the_features_does_not_have_to_come() -> None:
    features, label = HOUSES.frame.drop("price"), HOUSES.frame.select("price")
    ran = brought_together(
        "add-columns",
        ("left_dataset", "right_dataset"),
        {},
        features=Table(features),
        label=Table(label),
    )

    reply, change = answered(ran, rows=[{"town": "b", "rooms": 3}])

    assert len(reply) == 1
    assert change.reason == "it joined the label, which a request does not have"


def test_rows_of_a_request_are_not_put_beside_rows_of_training() -> None:
    people = Table(HOUSES.frame.select(people=pl.col("rooms") * 2))
    ran = brought_together(
        "add-columns", ("left_dataset", "right_dataset"), {}, houses=HOUSES, people=people
    )

    with pytest.raises(RowsByPosition, match='"Right dataset"') as caught:
        ran.convert(requests=(NodeId("houses"),))

    assert caught.value.code == "rows-by-position"
