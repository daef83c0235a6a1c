"""Every choice of the components that prepare, select and describe data, with tables that are rare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from modelwright.components.contract import Component
from modelwright.components.library import library
from modelwright.components.outline import TableOutline, outline_of
from modelwright.components.parameters import Parameter, is_visible
from modelwright.data.errors import ModelwrightError
from modelwright.data.fitted import Transform
from modelwright.data.table import Table
from tests.contract.awkward import AWKWARD, far_dates, two_classes
from tests.contract.examples import cars, work

CATEGORIES = ("Data Transformation", "Feature Selection", "Statistical Functions")
ELSEWHERE = {"apply-sql-transformation": "its choices are queries"}
TABLES: dict[str, Callable[[], Table]] = {
    **AWKWARD,
    "cars": cars,
    "no rows": lambda: cars().of(cars().frame.clear()),
    "two classes": two_classes,
    "far dates": far_dates,
}
# In a request dates carry no zone, so a row of such a table never comes.
NEVER_REQUESTED = {"zoned dates"}
WORDS = ("", "?", "1", "0.5, 0.5", "1,2", "a,b", "%Y-%m-%d", r"(\0) > 1", r"(\1) .", "2020-01-01")
NUMBERS = (0, 1, 2, -1, 0.5, -1.5, 50, 400, -400, 1e300)
PREPARING = [
    c.__component__.id
    for c in library()
    if c.__component__.category in CATEGORIES
    and all(p.type is Table for p in c.__component__.inputs)
    and c.__component__.id not in ELSEWHERE
]


def tried(parameter: Parameter) -> tuple[Any, ...]:
    """Values of a parameter; those it does not allow are refused before a run."""
    match parameter.type:
        case "choice":
            return parameter.choices
        case "bool":
            return (False, True)
        case "int" | "float":
            return NUMBERS
        case "string":
            return WORDS
    return ()


def shown(component: type[Component], parameter: Parameter) -> dict[str, Any]:
    """Settings with which a parameter counts."""
    values: dict[str, Any] = {}
    for name, allowed in (parameter.visible_when or {}).items():
        other = next(p for p in component.__component__.parameters if p.name == name)
        values |= shown(component, other) | {name: allowed[0]}
    return values


def variants(component: type[Component]) -> Iterator[dict[str, Any]]:
    """Settings that differ from the defaults in one parameter each, and in what it hangs on."""
    yield {}
    for parameter in component.__component__.parameters:
        for value in tried(parameter):
            settings = shown(component, parameter) | {parameter.name: value}
            if is_visible(parameter, component.model_construct().model_dump() | settings):
                yield settings


def fitting(component: type[Component], table: Table, turn: int) -> dict[str, Any]:
    """Columns of the table for the parameters that choose some, or at each third turn the defaults."""
    if turn % 3 == 0:
        return {}
    chosen = {"rules": [{"types": ["Numeric"]}]} if turn % 3 == 1 else {"begin": "all"}
    last = table.schema.names[-1] if len(table.schema) else ""
    return {
        p.name: chosen if p.type == "columns" else last
        for p in component.__component__.parameters
        if p.type == "columns" or "column" in (p.type, p.control)
    }


def assert_agrees(component: Component, given: Mapping[str, Table], result: object) -> None:
    """What is known before a run is true of its first result."""
    name = component.__component__.outputs[0].name
    known = component.outline(**{n: outline_of(t) for n, t in given.items()})[name]
    if isinstance(known, TableOutline) and isinstance(result, Table):
        assert not known.complete or known.schema == result.schema
        assert known.rows in (None, result.rows)


def assert_same_by_rows(component: Component, rows: Table, outputs: Mapping[str, Any]) -> None:
    """What a request gets, row by row, is what the table got."""
    (result,) = (v for n, v in outputs.items() if n == component.__component__.outputs[0].name)
    fitted = next((v for v in outputs.values() if isinstance(v, Transform)), None)
    formula = component.formula(rows.schema) if fitted is None else fitted.formula
    if formula is None or not isinstance(result, Table):
        return
    program = formula.compile_rows(rows.schema, natives=fitted.natives if fitted else {})
    replies = [program.score(row) for row in rows.frame.to_dicts()]
    kept = [reply for reply in replies if isinstance(reply, dict)]
    assert repr(kept) == repr(result.frame.to_dicts())


@pytest.mark.parametrize("component_id", PREPARING)
def test_every_choice_gives_a_result_or_a_clear_error(component_id: str) -> None:
    kind = library().find(component_id)
    ports = [p.name for p in kind.__component__.inputs]
    results = 0
    errors: list[ModelwrightError] = []

    for at, settings in enumerate(variants(kind)):
        for turn, (name, make) in enumerate(TABLES.items()):
            table = make()
            values = fitting(kind, table, at + turn) | settings
            given = dict.fromkeys(ports, table)
            try:
                component = kind.parse(values)
                outputs = work(component, given)
            except ModelwrightError as error:
                errors.append(error)
                continue
            results += 1
            assert_agrees(component, given, next(iter(outputs.values())))
            if name not in NEVER_REQUESTED and len(ports) == 1:
                assert_same_by_rows(component, table, outputs)

    assert results
    assert all(e.code != "component-error" and e.happened and e.remedy for e in errors)
