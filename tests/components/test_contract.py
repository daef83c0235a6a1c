from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import polars as pl
import pytest
from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.context import Context
from modelwright.components.contract import (
    Bypass,
    Component,
    Keep,
    Replay,
    Titled,
    invalid_parameters,
    outputs_by_port,
    title_of,
)
from modelwright.components.errors import InvalidParameter
from modelwright.components.parameters import Shown
from modelwright.data.fitted import Model, Transform
from modelwright.data.schema import Schema
from modelwright.data.table import Table


class Pair(NamedTuple):
    first: Table
    learnt: Annotated[Transform | None, Titled("What it learnt")]


class HalveRows(Component, category="Test", version=2, at_inference=Bypass("dataset")):
    """Halves a table.

    And more about it.
    """

    mode: str = "plain"
    """How."""

    seed: Annotated[int, Field(ge=0, title="Random seed"), Shown(mode="random")] = 0
    """Start."""

    columns: ColumnSelection = ColumnSelection()
    """Which."""

    def run(
        self,
        dataset: Table,
        trained_model: Annotated[Model | None, Titled("Model")] = None,
        *,
        context: Context,
    ) -> Pair:
        context.log("halved")
        return Pair(Table(dataset.frame[::2]), None)


class Sink(Component, category="Test", title="Sink of SQL", replaces=("drain",), hidden=True):
    """Takes a table."""

    def run(self, data: Table) -> None:
        """Take it."""


class Source(Component, category="Test", at_inference=Keep(), deterministic=False):
    """Gives a table."""

    def run(self) -> Annotated[Table, Titled("Results dataset1")]:
        return Table(pl.DataFrame({"a": [1]}))


class Learning(Component, category="Test", at_inference=Replay("dataset", "transform", "table")):
    """Gives a transform under its own title."""

    def run(self, dataset: Table) -> Transform:
        raise NotImplementedError


SPEC = HalveRows.__component__


def test_the_class_says_what_the_palette_shows() -> None:
    assert (SPEC.id, SPEC.title, SPEC.category) == ("halve-rows", "Halve Rows", "Test")
    assert (SPEC.version, SPEC.at_inference) == (2, Bypass("dataset"))
    assert SPEC.summary == "Halves a table."
    assert SPEC.documentation.endswith("And more about it.")
    spec = Sink.__component__
    assert (spec.id, spec.title, spec.replaces, spec.hidden) == (
        "sink",
        "Sink of SQL",
        ("drain",),
        True,
    )
    assert not Source.__component__.deterministic


def test_ports_are_the_annotations_of_run() -> None:
    assert [(p.name, p.title, p.type, p.optional) for p in SPEC.inputs] == [
        ("dataset", "Dataset", Table, False),
        ("trained_model", "Model", Model, True),
    ]
    assert [(p.name, p.title, p.type, p.optional) for p in SPEC.outputs] == [
        ("first", "First", Table, False),
        ("learnt", "What it learnt", Transform, True),
    ]
    assert SPEC.input("dataset") is SPEC.inputs[0]
    assert SPEC.output("nowhere") is None


def test_a_single_output_is_named_after_its_title_or_its_kind() -> None:
    assert [p.name for p in Source.__component__.outputs] == ["results_dataset1"]
    assert [(p.name, p.title) for p in Learning.__component__.outputs] == [
        ("transform", "Transformation")
    ]
    assert Sink.__component__.outputs == ()


def test_a_class_without_a_category_is_no_component() -> None:
    class Partial(Component):
        """Shared by several."""

    assert not hasattr(Partial, "__component__")


def test_a_configured_component_cannot_be_changed() -> None:
    component = HalveRows(mode="random")

    with pytest.raises(Exception, match="frozen"):
        setattr(component, "mode", "plain")  # noqa: B010  # type checkers refuse the plain form
    assert component == HalveRows(mode="random")


@pytest.mark.parametrize(
    ("parameters", "parameter", "why"),
    [
        ({"seed": -1}, "Random seed", "greater than or equal to 0"),
        ({"seed": "x"}, "Random seed", "valid integer"),
        ({"sed": 1}, "sed", "no such parameter"),
        ({"columns": {"rules": [{}]}}, "Columns", "exactly one of"),
    ],
)
def test_a_wrong_parameter_is_told_by_its_title(
    parameters: dict[str, Any], parameter: str, why: str
) -> None:
    with pytest.raises(InvalidParameter) as caught:
        HalveRows.parse(parameters)

    assert caught.value.fields["parameter"] == parameter
    assert why in caught.value.fields["why"]


def test_every_fault_is_told() -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError) as caught:
        HalveRows.model_validate({"seed": -1, "mode": 3})

    found = invalid_parameters(HalveRows, caught.value)
    assert [f.fields["parameter"] for f in found] == ["Mode", "Random seed"]


def test_settings_that_are_not_shown_matter_not() -> None:
    assert HalveRows(seed=5).settings() == {
        "mode": "plain",
        "columns": ColumnSelection().model_dump(mode="json"),
    }
    assert HalveRows(seed=5, mode="random").settings()["seed"] == 5


def test_results_go_to_their_ports() -> None:
    table = Table(pl.DataFrame({"a": [1, 2, 3]}))
    said: list[str] = []

    outputs = outputs_by_port(HalveRows(), HalveRows().run(table, context=Context(log=said.append)))

    assert outputs.keys() == {"first", "learnt"}
    assert isinstance(outputs["first"], Table)
    assert outputs["first"].rows == 2
    assert outputs["learnt"] is None
    assert said == ["halved"]
    assert outputs_by_port(Source(), table) == {"results_dataset1": table}
    assert outputs_by_port(Sink(), None) == {}


def test_by_default_nothing_is_known_before_a_run_and_the_work_is_no_formula() -> None:
    assert HalveRows().outline(dataset=None) == {"first": None, "learnt": None}
    assert HalveRows().formula(Schema()) is None


def test_the_description_is_what_the_check_of_the_library_reads() -> None:
    described = SPEC.to_json()

    assert described["at_inference"] == "bypass"
    assert described["inputs"][1] == {
        "name": "trained_model",
        "title": "Model",
        "type": "model",
        "optional": True,
        "help": "",
    }
    assert [p["name"] for p in described["parameters"]] == ["mode", "seed", "columns"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SplitData", "Split Data"),
        ("OneVsAll", "One Vs All"),
        ("SMOTE", "SMOTE"),
        ("ApplySQLTransformation", "Apply SQL Transformation"),
        ("random_seed", "random seed"),
    ],
)
def test_a_name_becomes_words(name: str, words: str) -> None:
    assert title_of(name) == words
