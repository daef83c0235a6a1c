from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.data.artifact import Digest
from modelwright.data.store import Store
from modelwright.data.table import Table
from modelwright.graph.assets import DatasetAsset, FixedAssets
from modelwright.graph.edits import UnknownNode
from modelwright.graph.graph import Graph, Node, NodeId, Pin, PipelineParameter, Wire
from modelwright.graph.problems import PipelineProblems
from tests.run.worlds import World, codes, graph

CHAIN = graph(
    {"a": ("numbers", {}), "b": ("add", {}), "c": ("clip", {"most": 2})},
    "a.table > b.dataset",
    "b.table > c.dataset",
)


def actions(world: World, drawn: Graph, **more: object) -> dict[str, str]:
    """What each step will do; "perhaps" for one that hangs on an input."""
    planned = world.plan(drawn, **more)
    return {s.node: s.action if s.certain else "perhaps" for s in planned.steps}


def with_amount(amount: int) -> Graph:
    return CHAIN.with_node(NodeId("b"), Node("add", parameters={"amount": amount}))


def test_what_never_ran_is_to_run(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert actions(world, CHAIN) == {"a": "run", "b": "run", "c": "run"}
    assert codes(world.plan(CHAIN), "a") == ["never-run"]


def test_what_ran_is_reused(tmp_path: Path) -> None:
    world = World(tmp_path)
    ran = world.run(CHAIN)
    planned = world.plan(CHAIN)
    assert {s.action for s in planned.steps} == {"reuse"}
    assert codes(planned, "c") == ["unchanged"]
    assert planned.step(NodeId("c")).outputs == ran.steps[NodeId("c")].outputs
    assert planned.step(NodeId("c")).key == ran.steps[NodeId("c")].key


def test_a_changed_parameter_runs_its_step_and_perhaps_what_is_below(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(CHAIN)
    planned = world.plan(with_amount(5))
    assert actions(world, with_amount(5)) == {"a": "reuse", "b": "run", "c": "perhaps"}
    (why,) = planned.step(NodeId("b")).reasons
    assert why.text == 'Parameter "amount" changed from 1 to 5.'
    assert why.fields == {"parameter": "amount", "old": 1, "new": 5}
    (why,) = planned.step(NodeId("c")).reasons
    assert why.code == "input-may-change"
    assert why.fields == {"port": "dataset", "source": "b"}
    assert planned.step(NodeId("c")).key is None


def test_a_parameter_that_does_not_show_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(graph({"a": ("numbers", {"step": 2})}))
    assert actions(world, graph({"a": ("numbers", {"step": 7})})) == {"a": "reuse"}
    shown = graph({"a": ("numbers", {"step": 7, "mode": "stepped"})})
    assert [r.text for r in world.plan(shown).step(NodeId("a")).reasons] == [
        "Parameter \"mode\" changed from 'plain' to 'stepped'.",
        'Parameter "step" is 7 now; it did not matter before.',
    ]


def test_a_parameter_written_as_its_default_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(CHAIN)
    assert set(actions(world, with_amount(1)).values()) == {"reuse"}


def test_a_title_or_a_comment_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(CHAIN)
    named = CHAIN.with_node(NodeId("b"), Node("add", title="Plus one", comment="why not"))
    assert set(actions(world, named).values()) == {"reuse"}
    assert world.plan(named).step(NodeId("b")).title == "Plus one"


def test_another_pipeline_reuses_the_same_results(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(CHAIN)
    assert set(actions(world, CHAIN, pipeline="another").values()) == {"reuse"}


def test_another_component_on_a_node_is_said_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(CHAIN)
    swapped = CHAIN.with_node(NodeId("b"), Node("clip"))
    (why,) = world.plan(swapped).step(NodeId("b")).reasons
    assert why.text == 'The component is "clip" now; it was "add".'


def test_a_wire_from_elsewhere_is_said_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    two = {"a": ("numbers", {}), "b": ("numbers", {"rows": 9}), "c": ("add", {})}
    world.run(graph(two, "a.table > c.dataset"))
    (why,) = world.plan(graph(two, "b.table > c.dataset")).step(NodeId("c")).reasons
    assert why.text == 'Input "dataset" comes from b.table now; it came from a.table.'
    assert why.code == "input-changed"


def test_a_new_and_a_lost_optional_wire_are_said_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    nodes = {"a": ("numbers", {}), "b": ("numbers", {"rows": 9}), "c": ("join", {})}
    one = graph(nodes, "a.table > c.first")
    both = graph(nodes, "a.table > c.first", "b.table > c.second")
    world.run(one)
    (why,) = world.plan(both).step(NodeId("c")).reasons
    assert why.text == 'Input "second" is connected to b.table now.'
    world.run(both)
    world.store = type(world.store).open(tmp_path / "another")
    world.run(graph({n: nodes[n] for n in "ab"}))
    (why,) = world.plan(one).step(NodeId("c")).reasons
    assert why.text == 'Input "second" is no longer connected; it came from b.table.'


def test_changed_data_are_said_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    drawn = graph({"a": ("dataset", {"name": "cars"}), "b": ("add", {})}, "a.dataset > b.dataset")

    def register(version: int, rows: int) -> None:
        table = Table(pl.DataFrame({"x": range(rows)}))
        asset = DatasetAsset("cars", version, world.store.put(table), table.schema, rows)
        world.assets = FixedAssets({"cars": asset})

    register(1, 2)
    world.run(drawn)
    register(2, 3)
    planned = world.plan(drawn)
    assert planned.step(NodeId("a")).action == "source"
    assert planned.step(NodeId("a")).reason == (
        'Version 2 of data set "cars" is taken from the store as it is.'
    )
    assert planned.step(NodeId("a")).outputs["dataset"].rows == 3
    assert planned.step(NodeId("b")).reason == 'Input "dataset" from a.dataset is not what it was.'


def test_a_result_that_the_store_has_lost_is_said_so(tmp_path: Path) -> None:
    world = World(tmp_path)
    ran = world.run(CHAIN)
    world.store.delete(ran.steps[NodeId("b")].outputs["table"].digest)
    planned = world.plan(CHAIN)
    assert codes(planned, "b") == ["result-missing"]
    assert actions(world, CHAIN) == {"a": "reuse", "b": "run", "c": "perhaps"}


def test_a_rerun_reuses_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(CHAIN)
    planned = world.plan(CHAIN, rerun=True)
    assert [codes(planned, n) for n in "abc"] == [["forced"]] * 3
    assert {s.action for s in planned.steps} == {"run"}


def test_single_nodes_can_be_made_to_run(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(CHAIN)
    assert actions(world, CHAIN, regenerate=["b"]) == {"a": "reuse", "b": "run", "c": "perhaps"}


def test_a_step_of_chance_always_runs(tmp_path: Path) -> None:
    world = World(tmp_path)
    drawn = graph({"a": ("dice", {}), "b": ("add", {})}, "a.table > b.dataset")
    world.run(drawn)
    assert codes(world.plan(drawn), "a") == ["not-deterministic"]
    assert actions(world, drawn) == {"a": "run", "b": "perhaps"}


def test_until_takes_only_what_the_node_needs(tmp_path: Path) -> None:
    world = World(tmp_path)
    drawn = graph(
        {"a": ("numbers", {}), "b": ("add", {}), "c": ("clip", {}), "d": ("numbers", {"rows": 1})},
        "a.table > b.dataset",
        "b.table > c.dataset",
    )
    assert list(actions(world, drawn, until="b")) == ["a", "b"]
    with pytest.raises(UnknownNode, match='no node "bb"'):
        world.plan(drawn, until="bb")


def test_a_problem_elsewhere_does_not_hinder_a_part(tmp_path: Path) -> None:
    world = World(tmp_path)
    broken = CHAIN.with_node(NodeId("c"), Node("clip", parameters={"most": "much"}))
    with pytest.raises(PipelineProblems) as raised:
        world.plan(broken)
    assert [p["node"] for p in raised.value.fields["problems"]] == ["c"]
    assert list(actions(world, broken, until="b")) == ["a", "b"]


def test_values_can_be_set_for_a_run(tmp_path: Path) -> None:
    world = World(tmp_path)
    drawn = Graph(
        name="test",
        nodes=CHAIN.nodes,
        wires=CHAIN.wires,
        parameters={"plus": PipelineParameter(4, ((NodeId("b"), "amount"),))},
    )
    assert world.plan(drawn).step(NodeId("b")).task.settings["amount"] == 4
    planned = world.plan(drawn, settings={"plus": 6, "c.most": 8})
    assert planned.step(NodeId("b")).task.settings["amount"] == 6
    assert planned.step(NodeId("c")).task.settings["most"] == 8


def test_a_stored_value_that_is_not_there_is_a_problem_of_its_node(tmp_path: Path) -> None:
    world = World(tmp_path)
    digest = Digest("sha256:" + "0" * 64)
    world.assets = FixedAssets(outlines={digest: None})
    with pytest.raises(PipelineProblems) as raised:
        world.plan(graph({"a": ("saved-data", {"digest": digest})}))
    (problem,) = raised.value.fields["problems"]
    assert (problem["node"], problem["code"]) == ("a", "unknown-artifact")


def test_a_web_service_input_gives_way_to_the_data_beside_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    drawn = graph(
        {"w": ("web-service-input", {}), "a": ("numbers", {}), "b": ("add", {})},
        "w.web_service_input > b.dataset",
        "a.table > b.dataset",
    )
    planned = world.plan(drawn)
    assert planned.step(NodeId("b")).inputs == {"dataset": Pin(NodeId("a"), "table")}
    assert (planned.step(NodeId("w")).action, codes(planned, "w")) == ("source", ["request-only"])
    assert world.run(drawn).status == "completed"


def test_a_plan_is_told_as_json(tmp_path: Path) -> None:
    told = World(tmp_path).plan(CHAIN).to_json()
    assert told["pipeline"] == "test"
    assert told["steps"][1] == {
        "node": "b",
        "title": "Add",
        "component": "add",
        "version": 1,
        "settings": {"amount": 1, "counted": ""},
        "action": "run",
        "certain": True,
        "reason": "It has not run yet in this pipeline.",
        "reasons": [
            {"code": "never-run", "text": "It has not run yet in this pipeline.", "fields": {}}
        ],
        "key": None,
        "inputs": {"dataset": "a.table"},
        "outputs": {},
    }


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs of joins, drawn in any order of their nodes, without a cycle."""
    count = draw(st.integers(1, 8))
    names = [f"n{number}" for number in range(count)]
    nodes: dict[str, tuple[str, dict[str, object]]] = {}
    wires: list[str] = []
    for place, name in enumerate(names):
        above = names[:place]
        choices: list[str | None] = [None, *above]
        first = draw(st.sampled_from(choices))
        if first is None:
            nodes[name] = ("numbers", {"rows": draw(st.integers(1, 3))})
            continue
        nodes[name] = ("join", {})
        wires.append(f"{first}.table > {name}.first")
        if draw(st.booleans()):
            wires.append(f"{draw(st.sampled_from(above))}.table > {name}.second")
    order = draw(st.permutations(names))
    return graph({name: nodes[name] for name in order}, *wires)


@settings(max_examples=40, deadline=None)
@given(drawn=graphs(), picked=st.integers(0, 7))
def test_steps_come_after_what_feeds_them_and_a_part_has_just_what_it_needs(
    tmp_path_factory: pytest.TempPathFactory, drawn: Graph, picked: int
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    order = [s.node for s in world.plan(drawn).steps]
    assert sorted(order) == sorted(drawn.nodes)
    for wire in drawn.wires:
        assert order.index(wire.source.node) < order.index(wire.target.node)
    until = order[picked % len(order)]
    part = {s.node for s in world.plan(drawn, until=until).steps}
    feeding = {until} | {
        w.source.node for _ in order for w in drawn.wires if reaches(drawn, w, until)
    }
    assert part == feeding


def reaches(drawn: Graph, wire: Wire, until: NodeId) -> bool:
    """Whether a wire leads to a node, by walking down from it."""
    if wire.target.node == until:
        return True
    return any(reaches(drawn, w, until) for w in drawn.wires_from(wire.target.node))


def test_a_data_set_whose_rows_are_gone_is_a_problem_on_its_node(tmp_path: Path) -> None:
    world = World(tmp_path)
    table = Table(pl.DataFrame({"x": [1]}))
    digest = Store.open(tmp_path / "elsewhere").put(table)
    world.assets = FixedAssets({"cars": DatasetAsset("cars", 3, digest, table.schema, 1)})
    with pytest.raises(PipelineProblems) as raised:
        world.plan(graph({"a": ("dataset", {"name": "cars"})}))
    (problem,) = raised.value.fields["problems"]
    assert (problem["node"], problem["code"]) == ("a", "lost-dataset")
    assert 'version 3 of data set "cars"' in problem["message"]
