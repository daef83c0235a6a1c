from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Component
from modelwright.components.parameters import (
    ColumnName,
    Columns,
    LongText,
    Parameter,
    PythonCode,
    Range,
    Shown,
    is_visible,
    parameters_of,
)
from modelwright.data.table import Table


class Everything(Component, category="Test"):
    """Has a parameter of every kind."""

    count: Annotated[int, Field(ge=1, lt=10)] = 2
    """How many."""

    share: Annotated[float, Field(gt=0, le=1, title="Fraction of rows")] = 0.5
    """How much."""

    exact: bool = False
    """Whether exact."""

    name: str
    """What it is called."""

    mode: Literal["fast", "slow"] = "fast"
    """How."""

    maybe: Annotated[Literal["a", "b"] | None, Field(title="Perhaps")] = None
    """One of two, or none."""

    limit: Annotated[int, Field(ge=0)] | None = None
    """At most."""

    columns: Annotated[ColumnSelection, Columns("left")] = ColumnSelection()
    """Which ones."""

    some: ColumnSelection = ColumnSelection.of("a")
    """Others."""

    column: ColumnName = ""
    """The one."""

    code: PythonCode = ""
    """A program."""

    words: LongText = ""
    """A text."""

    tried: Range = Range(values=(1.0, 2.0))
    """Values to try."""

    slow_only: Annotated[int, Shown(mode="slow", exact=(True, False))] = 3
    """Matters when slow."""


FORM = {p.name: p for p in parameters_of(Everything)}


def test_the_form_has_the_fields_in_their_order() -> None:
    assert list(FORM) == list(Everything.model_fields)


@pytest.mark.parametrize(
    ("name", "kind", "control"),
    [
        ("count", "int", "int"),
        ("share", "float", "float"),
        ("exact", "bool", "bool"),
        ("name", "string", "string"),
        ("mode", "choice", "choice"),
        ("maybe", "choice", "choice"),
        ("limit", "int", "int"),
        ("columns", "columns", "columns"),
        ("column", "column", "column"),
        ("code", "code", "code"),
        ("words", "string", "text"),
        ("tried", "range", "range"),
    ],
)
def test_a_type_gives_its_line_a_kind_and_a_control(name: str, kind: str, control: str) -> None:
    assert (FORM[name].type, FORM[name].control) == (kind, control)


def test_a_title_is_the_name_in_words_or_what_the_field_says() -> None:
    assert FORM["slow_only"].title == "Slow only"
    assert FORM["share"].title == "Fraction of rows"
    assert FORM["maybe"].title == "Perhaps"


def test_bounds_say_whether_they_are_allowed_themselves() -> None:
    count, share, limit = FORM["count"], FORM["share"], FORM["limit"]

    assert (count.minimum, count.exclusive_minimum) == (1, False)
    assert (count.maximum, count.exclusive_maximum) == (10, True)
    assert (share.minimum, share.exclusive_minimum) == (0, True)
    assert (share.maximum, share.exclusive_maximum) == (1, False)
    assert (limit.minimum, limit.maximum) == (0, None)


def test_choices_defaults_help_and_need_are_told() -> None:
    assert FORM["mode"].choices == ("fast", "slow")
    assert FORM["mode"].default == "fast"
    assert FORM["mode"].help == "How."
    assert [p.name for p in FORM.values() if p.required] == ["name"]
    assert [p.name for p in FORM.values() if p.optional] == ["maybe", "limit"]


def test_column_controls_name_the_port_they_choose_from() -> None:
    ports = {name: FORM[name].port for name in ("columns", "some", "column", "count")}

    assert ports == {"columns": "left", "some": "dataset", "column": "dataset", "count": None}
    assert FORM["code"].language == "python"


def test_a_default_is_json() -> None:
    assert FORM["some"].default == ColumnSelection.of("a").model_dump(mode="json")
    assert FORM["tried"].default["values"] == [1.0, 2.0]


def test_what_does_not_apply_is_left_out_of_the_json() -> None:
    plain = FORM["exact"].to_json()

    assert plain == {
        "name": "exact",
        "title": "Exact",
        "type": "bool",
        "control": "bool",
        "default": False,
        "help": "Whether exact.",
        "required": False,
        "optional": False,
    }
    assert FORM["slow_only"].to_json()["visible_when"] == {"mode": ["slow"], "exact": [True, False]}


def test_a_field_shows_when_all_its_conditions_hold() -> None:
    line = FORM["slow_only"]

    assert is_visible(line, {"mode": "slow", "exact": True})
    assert not is_visible(line, {"mode": "fast", "exact": True})
    assert not is_visible(line, {"mode": "slow"})
    assert is_visible(Parameter("x", "X", "int", 0, ""), {})


def test_of_several_conditions_one_is_enough() -> None:
    class Either(Component, category="Test"):
        """Shown in two ways."""

        share: Annotated[float, Shown(mode="rows"), Shown(mode="part", exact=False)] = 0.5
        """The share."""

        def run(self, dataset: Table) -> Table:
            return dataset

    (line,) = parameters_of(Either)

    assert [
        is_visible(line, {"mode": mode, "exact": exact})
        for mode in ("rows", "part", "all")
        for exact in (True, False)
    ] == [True, True, False, True, False, False]
    described = line.to_json()
    assert described["visible_when"] == {"mode": ["rows"]}
    assert described["or_visible_when"] == [{"mode": ["part"], "exact": [False]}]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"values": (3.0, 1.0)}, (3.0, 1.0)),
        ({"minimum": 0, "maximum": 1, "steps": 3}, (0.0, 0.5, 1.0)),
        ({"minimum": 2, "maximum": 9, "steps": 1}, (2.0,)),
        ({"minimum": 1, "maximum": 100, "steps": 3, "scale": "log"}, (1.0, 10.0, 100.0)),
    ],
)
def test_a_range_is_a_list_or_a_span_in_steps(
    values: dict[str, Any], expected: tuple[float, ...]
) -> None:
    assert Range(**values).points() == pytest.approx(expected)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"minimum": 1},
        {"minimum": 1, "maximum": 2, "steps": 0},
        {"minimum": 0, "maximum": 2, "scale": "log"},
    ],
)
def test_a_range_without_points_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="range"):
        Range(**values).points()
