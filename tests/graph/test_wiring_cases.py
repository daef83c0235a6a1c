"""Which wires are wrong and which may be drawn: the cases that the studio's own rules are tested by too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelwright.components.contract import Port
from modelwright.components.library import library
from modelwright.graph.check import check
from modelwright.graph.graph import Graph, Node, NodeId, Pin, Wire
from tests.graph.pieces import assets

FILE = Path(__file__).with_name("wiring_cases.json")
GIVEN: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
CODES = {
    "unknown-node",
    "unknown-port",
    "wrong-port-type",
    "port-taken",
    "input-without-schema",
    "unconnected-input",
    "cycle",
}


@dataclass(frozen=True)
class Case:
    name: str
    nodes: dict[str, str]
    wires: list[str]
    problems: list[str]
    draw: list[dict[str, str | None]]


CASES = [Case(**case) for case in GIVEN["cases"]]


def wire(text: str) -> Wire:
    source, _, target = text.partition(" > ")
    return Wire(Pin.parse(source), Pin.parse(target))


def graph(case: Case, *more: str) -> Graph:
    return Graph(
        nodes={NodeId(n): Node(component) for n, component in case.nodes.items()},
        wires=frozenset(wire(text) for text in [*case.wires, *more]),
    )


def found(graph: Graph) -> list[str]:
    problems = check(graph, library=library(), assets=assets()).problems
    return sorted(
        " ".join(filter(None, [p.code, ".".join(filter(None, [p.node, p.port]))]))
        for p in problems
        if p.code in CODES
    )


def described(port: Port) -> str:
    return f"{port.name}: {port.type.kind}{', optional' if port.optional else ''}"


@pytest.mark.parametrize("component", GIVEN["components"])
def test_the_ports_that_the_cases_speak_of_are_those_of_the_library(component: str) -> None:
    spec = library().spec(component)
    assert GIVEN["components"][component] == {
        "inputs": [described(port) for port in spec.inputs],
        "outputs": [described(port) for port in spec.outputs],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_check_finds_the_problems_of_the_wires(case: Case) -> None:
    assert found(graph(case)) == sorted(case.problems)


@pytest.mark.parametrize(
    ("case", "drawn"),
    [(case, drawn) for case in CASES for drawn in case.draw],
    ids=lambda value: value.name if isinstance(value, Case) else value["wire"],
)
def test_a_wire_is_refused_for_the_problem_it_would_make(
    case: Case, drawn: dict[str, str | None]
) -> None:
    text = str(drawn["wire"])
    # A wire that is drawn takes the place of the one that fills the input.
    freed = [w for w in case.wires if wire(w).target != wire(text).target]
    rest = Case(case.name, case.nodes, freed, [], [])
    before = set(found(graph(rest)))
    made = {p.partition(" ")[0] for p in found(graph(rest, text)) if p not in before}
    assert made == ({drawn["refused"]} if drawn["refused"] else set())
