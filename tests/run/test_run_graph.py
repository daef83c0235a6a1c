from __future__ import annotations

from pathlib import Path

from modelwright.data.store import Store
from modelwright.data.table import Table
from modelwright.graph.graph import NodeId
from modelwright.run.events import Event
from modelwright.run.history import FolderHistory
from modelwright.run.run_graph import run_graph
from modelwright.run.workers import in_process
from tests.run.parts import library
from tests.run.worlds import graph, statuses

CHAIN = graph({"a": ("numbers", {}), "b": ("add", {})}, "a.table > b.dataset")


def test_a_graph_runs_with_nothing_but_a_store(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    events: list[Event] = []
    result = run_graph(CHAIN, store=store, library=library(), on_event=events.append)
    table = store.get(result.steps[NodeId("b")].outputs["table"].digest)
    assert isinstance(table, Table)
    assert table.frame["x"].to_list() == [1, 2, 3]
    assert events[-1].kind == "run-finished"


def test_a_target_and_a_history_can_be_given(tmp_path: Path) -> None:
    store, history = Store.open(tmp_path / "store"), FolderHistory(tmp_path / "history")

    def run(amount: int) -> list[str]:
        result = run_graph(
            CHAIN,
            store=store,
            library=library(),
            target=in_process(),
            history=history,
            settings={"b.amount": amount},
        )
        assert statuses(result)["b"] == "done"
        return [result.steps[NodeId("b")].reason]

    assert run(1) == ["It has not run yet in this pipeline."]
    assert run(2) == ['Parameter "amount" changed from 1 to 2.']
