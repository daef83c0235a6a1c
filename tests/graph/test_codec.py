"""The pipeline file: what is written is read back, and a fault is shown with line and field."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.graph.codec import (
    Document,
    Layout,
    NewerFileFormat,
    PipelineFileError,
    read,
    write,
)
from modelwright.graph.graph import Graph, Node, NodeId, Pin, PipelineParameter, Wire

SAMPLE = """\
modelwright: 1
name: Cars
description: |-
  Two lines
  of words.
parameters:
  share:
    description: Rows to learn from.
    default: 0.7
    sets:
    - split.fraction
nodes:
  cars:
    component: dataset
    parameters:
      name: cars
  split:
    component: split-data
    version: 2
    title: Halves
    comment: Größe zählt
    parameters:
      fraction: 0.5
    inputs:
      dataset:
      - ask.rows
      - cars.dataset
  ask:
    component: web-service-input
layout:
  positions:
    cars: [0, 40]
    split: [120.5, 200]
"""


def test_a_file_is_written_as_it_was_read() -> None:
    assert write(read(SAMPLE)) == SAMPLE


def test_what_is_read_is_what_stands_there() -> None:
    document = read(SAMPLE)
    graph = document.graph
    assert graph.nodes[NodeId("split")] == Node(
        "split-data", 2, {"fraction": 0.5}, "Halves", "Größe zählt"
    )
    into = Pin(NodeId("split"), "dataset")
    assert graph.wires == {
        Wire(Pin(NodeId("cars"), "dataset"), into),
        Wire(Pin(NodeId("ask"), "rows"), into),
    }
    assert graph.parameters["share"].targets == ((NodeId("split"), "fraction"),)
    assert document.layout.positions[NodeId("split")] == (120.5, 200.0)


names = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)
ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,8}", fullmatch=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    node_ids = draw(st.lists(ids, min_size=1, max_size=5, unique=True))
    nodes = {
        NodeId(n): Node(
            draw(ids),
            draw(st.integers(1, 9)),
            draw(st.dictionaries(ids, values, max_size=3)),
            draw(names),
            draw(names),
        )
        for n in node_ids
    }
    pins = st.builds(Pin, st.sampled_from(list(nodes)), ids)
    wires = draw(st.frozensets(st.builds(Wire, pins, pins), max_size=5))
    parameter = st.builds(
        PipelineParameter,
        values,
        st.lists(st.tuples(st.sampled_from(list(nodes)), ids), max_size=2).map(tuple),
        names,
    )
    parameters = draw(st.dictionaries(ids, parameter, max_size=2))
    positions = {n: (float(draw(st.integers(-999, 999))), 0.5) for n in nodes}
    return Document(Graph(draw(names), draw(names), nodes, wires, parameters), Layout(positions))


@settings(max_examples=60, deadline=None)
@given(documents())
def test_every_pipeline_survives_the_file(document: Document) -> None:
    assert read(write(document)) == document


@pytest.mark.parametrize(
    ("text", "line", "at", "words"),
    [
        ("", None, "", "it is empty"),
        ("modelwright: 1\nnodes: [}\n", 2, "", "not YAML"),
        ("nodes: {}\n", 1, "modelwright", "begin with its format"),
        ("modelwright: 1\nnods: {}\n", 2, "nods", 'Nearest: "nodes"'),
        ("modelwright: 1\nnodes:\n  a b: {component: x}\n", 3, "nodes.a b", "no id"),
        ("modelwright: 1\nnodes:\n  a:\n    title: T\n", 4, "nodes.a", '"component" is missing'),
        ("modelwright: 1\nnodes:\n  a: 3\n", 3, "nodes.a", "fields with values"),
        (
            "modelwright: 1\nnodes:\n  a:\n    component: x\n    component: y\n",
            5,
            "nodes.a.component",
            "stands twice",
        ),
        (
            "modelwright: 1\nnodes:\n  a:\n    component: x\n    inputs: {d: b}\n",
            5,
            "nodes.a.inputs.d",
            '"node.port"',
        ),
        (
            "modelwright: 1\nnodes:\n  a:\n    component: x\n    version: two\n",
            5,
            "nodes.a.version",
            "whole number",
        ),
        ("modelwright: 1\nnodes:\n  a: {component: 12}\n", 3, "nodes.a.component", "quotation"),
        (
            "modelwright: 1\nparameters:\n  p: {sets: [x]}\nnodes: {}\n",
            3,
            "parameters.p.sets",
            "node.parameter",
        ),
        (
            "modelwright: 1\nnodes: {}\nlayout:\n  positions: {a: 7}\n",
            4,
            "layout.positions.a",
            "two numbers",
        ),
    ],
)
def test_a_fault_is_shown_with_its_line_and_field(
    text: str, line: int | None, at: str, words: str
) -> None:
    with pytest.raises(PipelineFileError) as caught:
        read(text)
    assert caught.value.fields["line"] == line
    assert caught.value.fields["at"] == at
    assert words in str(caught.value)


def test_a_newer_format_is_refused_with_what_to_do() -> None:
    with pytest.raises(NewerFileFormat, match="Update Modelwright"):
        read("modelwright: 99\nnodes: {}\nsomething: new\n")


def test_no_python_object_can_come_out_of_a_file() -> None:
    evil = "modelwright: 1\nnodes:\n  a: {component: x, comment: !!python/name:os.system }\n"
    with pytest.raises(PipelineFileError):
        read(evil)
