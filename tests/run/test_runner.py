from __future__ import annotations

import json
import threading
from pathlib import Path

import polars as pl
import pytest

from modelwright.data.table import Table
from modelwright.graph.assets import DatasetAsset, FixedAssets
from modelwright.graph.graph import Graph, Node, NodeId, Pin
from modelwright.run.events import Event, StepLog, StepProgress
from modelwright.run.runner import Runner
from tests.run import other_parts, parts
from tests.run.parts import library
from tests.run.worlds import World, codes, graph, statuses

CHAIN = graph(
    {"a": ("numbers", {}), "b": ("add", {}), "c": ("clip", {"most": 2})},
    "a.table > b.dataset",
    "b.table > c.dataset",
)


def with_amount(amount: int, counted: Path | None = None) -> Graph:
    """The chain with another amount; its last step counts its runs in a folder."""
    folder = str(counted) if counted else ""
    last = Node("clip", parameters={"most": 2, "counted": folder})
    adding = Node("add", parameters={"amount": amount})
    return CHAIN.with_node(NodeId("b"), adding).with_node(NodeId("c"), last)


def test_a_chain_gives_its_results(tmp_path: Path) -> None:
    world = World(tmp_path)
    result = world.run(CHAIN)
    assert result.status == "completed"
    assert statuses(result) == {"a": "done", "b": "done", "c": "done"}
    assert world.values(result, "b.table") == [1, 2, 3]
    assert world.values(result, "c.table") == [1, 2, 2]
    assert result.output(Pin(NodeId("c"), "nothing")) is None


def test_events_tell_the_run_in_order_and_without_a_gap(tmp_path: Path) -> None:
    world = World(tmp_path)
    result = world.run(CHAIN)
    assert [e.seq for e in world.events] == list(range(1, len(world.events) + 1))
    assert world.events[0].kind == "run-started"
    assert world.events[-1].kind == "run-finished"
    assert world.kinds("b") == ["step-queued", "step-running", "step-done"]
    told = [json.loads(json.dumps(e.to_json())) for e in world.events]
    done = next(t for t in told if t["kind"] == "step-done" and t["node"] == "c")
    step = result.steps[NodeId("c")]
    assert done["outputs"] == {"table": step.outputs["table"].to_json()}
    assert done["outputs"]["table"]["summary"] == {"rows": 3, "columns": 1}
    assert done["key"] == step.key
    assert told[-1]["status"] == "completed"
    assert told[-1]["counts"] == {"done": 3}
    assert told[0]["steps"][2]["inputs"] == {"dataset": "b.table"}


def test_a_second_run_reuses_everything(tmp_path: Path) -> None:
    world = World(tmp_path)
    first = world.run(with_amount(1, tmp_path))
    second = world.run(with_amount(1, tmp_path))
    assert set(statuses(second).values()) == {"reused"}
    assert world.kinds("c") == ["step-reused"]
    assert world.counted("clip") == 1
    assert second.steps[NodeId("c")].outputs == first.steps[NodeId("c")].outputs


def test_an_input_that_comes_out_the_same_lets_the_rest_be_reused(tmp_path: Path) -> None:
    world = World(tmp_path)
    drawn = graph(
        {
            "a": ("numbers", {"rows": 2, "start": 5}),
            "b": ("clip", {"most": 3}),
            "c": ("add", {"counted": str(tmp_path)}),
        },
        "a.table > b.dataset",
        "b.table > c.dataset",
    )
    world.run(drawn)
    moved = drawn.with_node(NodeId("a"), Node("numbers", parameters={"rows": 2, "start": 7}))
    result = world.run(moved)
    assert statuses(result) == {"a": "done", "b": "done", "c": "reused"}
    assert codes(result, "b") == ["input-changed"]
    assert codes(result, "c") == ["unchanged"]
    assert world.kinds("c") == ["step-reused"]
    assert world.counted("add-1") == 1


def test_an_input_that_comes_out_different_runs_the_rest(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(with_amount(1, tmp_path))
    result = world.run(with_amount(2, tmp_path))
    assert statuses(result) == {"a": "reused", "b": "done", "c": "done"}
    assert codes(result, "c") == ["input-changed"]
    assert world.values(result, "c.table") == [2, 2, 2]


def test_an_earlier_result_is_found_again_however_old(tmp_path: Path) -> None:
    world = World(tmp_path)
    for amount in (1, 2, 3):
        world.run(with_amount(amount, tmp_path))
    result = world.run(with_amount(2, tmp_path))
    assert set(statuses(result).values()) == {"reused"}


def test_a_step_of_chance_runs_and_what_it_feeds_only_if_it_differs(tmp_path: Path) -> None:
    world = World(tmp_path)
    for fair, below in ((False, "reused"), (True, "done")):
        drawn = graph(
            {"a": ("dice", {"fair": fair, "counted": str(tmp_path)}), "b": ("add", {})},
            "a.table > b.dataset",
        )
        world.run(drawn)
        assert statuses(world.run(drawn)) == {"a": "done", "b": below}
    assert world.counted("dice") == 4


def test_a_rerun_runs_all_and_stores_equal_results_once(tmp_path: Path) -> None:
    world = World(tmp_path)
    first = world.run(with_amount(1, tmp_path))
    again = world.run(with_amount(1, tmp_path), rerun=True)
    assert set(statuses(again).values()) == {"done"}
    assert world.counted("clip") == 2
    assert again.steps[NodeId("c")].outputs == first.steps[NodeId("c")].outputs
    assert world.store.usage().kinds["table"].count == 3


def test_a_dataset_and_a_stored_value_are_taken_as_they_are(tmp_path: Path) -> None:
    world = World(tmp_path)
    table = Table(pl.DataFrame({"x": [7]}))
    digest = world.store.put(table)
    asset = DatasetAsset("cars", 1, digest, table.schema, 1)
    world.assets = FixedAssets({"cars": asset}, {digest: None})
    drawn = graph(
        {
            "d": ("dataset", {"name": "cars"}),
            "s": ("saved-data", {"digest": digest}),
            "j": ("join", {}),
        },
        "d.dataset > j.first",
        "s.dataset > j.second",
    )
    result = world.run(drawn)
    assert statuses(result) == {"d": "reused", "s": "reused", "j": "done"}
    assert world.values(result, "j.table") == [7, 7]


def test_an_optional_output_that_is_not_given_is_as_if_not_connected(tmp_path: Path) -> None:
    world = World(tmp_path)

    def halved(rows: int) -> Graph:
        return graph(
            {"a": ("numbers", {"rows": rows}), "h": ("halve", {}), "j": ("join", {})},
            "a.table > h.dataset",
            "h.first > j.first",
            "h.second > j.second",
        )

    assert world.values(world.run(halved(3)), "j.table") == [0, 1, 2]
    one = world.run(halved(1))
    assert world.values(one, "j.table") == [0]
    assert set(one.steps[NodeId("h")].outputs) == {"first"}
    assert set(statuses(world.run(halved(1))).values()) == {"reused"}


def test_a_needed_input_that_is_not_given_fails_the_step_that_needs_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    drawn = graph(
        {"a": ("numbers", {"rows": 1}), "h": ("halve", {}), "b": ("add", {})},
        "a.table > h.dataset",
        "h.second > b.dataset",
    )
    result = world.run(drawn)
    assert statuses(result) == {"a": "done", "h": "done", "b": "failed"}
    (failure,) = result.failures
    assert (failure.node, failure.code) == ("b", "empty-input")
    assert "h.second" in failure.message


def test_a_learner_whose_source_changed_is_trained_anew_though_it_looks_the_same(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    drawn = graph(
        {"l": ("learner", {}), "t": ("teach", {"counted": str(tmp_path)})},
        "l.untrained_model > t.learner",
    )
    first = world.run(drawn)
    world.library = library(other_parts.Learner)
    result = world.run(drawn)
    assert statuses(result) == {"l": "done", "t": "done"}
    assert codes(result, "l") == ["source-changed"]
    assert codes(result, "t") == ["input-changed"]
    assert result.steps[NodeId("l")].outputs == first.steps[NodeId("l")].outputs
    assert world.counted("teach") == 2


def test_a_mistake_of_the_user_fails_its_step_and_those_below(tmp_path: Path) -> None:
    world = World(tmp_path)
    drawn = graph(
        {
            "f": ("fail", {"how": "mistake"}),
            "b": ("add", {}),
            "c": ("clip", {}),
            "x": ("numbers", {}),
            "y": ("add", {}),
        },
        "f.table > b.dataset",
        "b.table > c.dataset",
        "x.table > y.dataset",
    )
    result = world.run(drawn)
    assert result.status == "failed"
    assert statuses(result) == {
        "f": "failed",
        "b": "skipped",
        "c": "skipped",
        "x": "done",
        "y": "done",
    }
    (failure,) = result.failures
    assert failure.to_json() == {
        "code": "empty-table",
        "message": 'The data on port "dataset" has too few rows: at least 5 rows needed. '
        "Look at the step before: a filter, a split or a cleaning step leaves too little.",
        "happened": 'The data on port "dataset" has too few rows: at least 5 rows needed.',
        "remedy": "Look at the step before: a filter, a split or a cleaning step leaves too little.",
        "fields": {"port": "dataset", "needed": 5},
        "node": "f",
        "reference": None,
    }
    assert type(failure.raised()).__name__ == "EmptyTable"
    assert result.steps[NodeId("c")].because == "f"


def test_a_fault_of_ours_shows_a_reference_and_the_log_has_the_traceback(tmp_path: Path) -> None:
    world = World(tmp_path)
    result = world.run(graph({"f": ("fail", {"how": "bug"})}))
    (failure,) = result.failures
    assert failure.code == "internal-error"
    assert failure.reference
    assert failure.reference in failure.message
    assert "a secret of the code" not in json.dumps(failure.to_json())
    log = result.steps[NodeId("f")].log
    assert log is not None
    text = log.read_text()
    assert text.startswith("about to fail: bug\n")
    assert f"reference {failure.reference}\n" in text
    assert "ZeroDivisionError: a secret of the code" in text


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ("exit", "step-exited", "exit status 3"),
        ("memory", "out-of-memory", "7.45 TiB"),
        ("disk", "disk-full", "No space left on device"),
    ],
)
def test_other_ends_of_a_step_are_told_in_words(
    tmp_path: Path, how: str, code: str, words: str
) -> None:
    (failure,) = World(tmp_path).run(graph({"f": ("fail", {"how": how})})).failures
    assert failure.code == code
    assert words in failure.message


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (("wrong", {"how": "text"}), 'gave a value of type str on port "table"; a "table" is'),
        (("wrong", {"how": "none"}), 'gave nothing on port "table"; a "table" is promised'),
        (("wrong", {"how": "frame"}), "gave a value of type DataFrame"),
        (("wrong-pair", {}), 'gave a "table"; a value for each of first, second is promised'),
    ],
)
def test_a_component_that_returns_something_else_fails_by_name(
    tmp_path: Path, node: tuple[str, dict[str, object]], words: str
) -> None:
    (failure,) = World(tmp_path).run(graph({"w": node})).failures
    assert failure.code == "wrong-result"
    assert words in failure.message


def test_a_result_that_cannot_be_saved_fails_its_step(tmp_path: Path) -> None:
    world = World(tmp_path)
    drawn = graph({"g": ("give-unsavable", {}), "b": ("add", {})}, "g.table > b.dataset")
    result = world.run(drawn)
    assert statuses(result) == {"g": "failed", "b": "skipped"}
    (failure,) = result.failures
    assert failure.code == "internal-error"
    log = result.steps[NodeId("g")].log
    assert log is not None
    assert "RuntimeError: cannot be saved" in log.read_text()
    assert set(statuses(world.run(drawn)).values()) == {"failed", "skipped"}


def test_a_disk_that_fails_is_told_in_its_words(tmp_path: Path) -> None:
    world = World(tmp_path)
    result = world.run(graph({"g": ("give-on-broken-disk", {})}))
    (failure,) = result.failures
    assert failure.code == "store-unavailable"
    assert "Input/output error" in failure.message


def test_what_is_logged_is_told_and_kept(tmp_path: Path) -> None:
    world = World(tmp_path)
    result = world.run(graph({"s": ("say", {"how": "print", "lines": 3})}))
    lines = [line for e in world.events if isinstance(e, StepLog) for line in e.lines]
    assert lines == [f"line {number} by print" for number in range(3)]
    log = result.steps[NodeId("s")].log
    assert log is not None
    assert log.read_text().splitlines() == lines
    key = result.steps[NodeId("s")].key
    assert key is not None
    record = world.store.result(key)
    assert record is not None
    assert record.log.splitlines() == lines
    assert record.notes["node"] == "s"


def test_progress_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run(graph({"r": ("report", {})}))
    told = [e.fraction for e in world.events if isinstance(e, StepProgress)]
    assert told == [0.0, 0.5, 1.0]


def test_a_steps_scratch_folder_is_gone_after_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    (folder,) = world.values(world.run(graph({"s": ("scratch", {})})), "s.table")
    assert not Path(folder).exists()
    assert not Path(folder).parent.exists()


def test_a_cancelled_run_begins_nothing_more(tmp_path: Path) -> None:
    world = World(tmp_path)
    cancel = threading.Event()

    def stop_after_the_first(event: Event) -> None:
        if event.kind == "step-done":
            cancel.set()

    result = world.run(CHAIN, on_event=stop_after_the_first, cancel=cancel)
    assert result.status == "cancelled"
    assert statuses(result)["a"] == "done"
    assert statuses(result)["c"] == "cancelled"
    assert world.kinds("c")[-1] == "step-cancelled"
    assert statuses(world.run(CHAIN))["a"] == "reused"


def test_a_listener_that_fails_ends_the_run(tmp_path: Path) -> None:
    def refuse(event: Event) -> None:
        if event.kind == "step-running":
            raise OSError("nobody listens")

    world = World(tmp_path)
    with pytest.raises(OSError, match="nobody listens"):
        world.run(CHAIN, on_event=refuse)
    assert world.run(CHAIN).status == "completed"


def test_a_log_that_cannot_be_written_fails_the_step(tmp_path: Path) -> None:
    world = World(tmp_path)

    def spoil(event: Event) -> None:
        if event.kind == "run-started":
            (folder,) = (tmp_path / "logs").iterdir()
            (folder / "a.log").mkdir()

    result = world.run(CHAIN, on_event=spoil)
    assert statuses(result) == {"a": "failed", "b": "skipped", "c": "skipped"}


def test_a_component_that_cannot_be_sent_is_told_of(tmp_path: Path) -> None:
    world = World(tmp_path)
    planned = world.plan(graph({"a": ("numbers", {})}))

    class Local(parts.Numbers, category="Test"):
        """Defined where no other process can find it."""

    object.__setattr__(planned.steps[0].task, "component", Local())
    result = Runner(world.target, logs=tmp_path / "logs").run(planned)
    (failure,) = result.failures
    assert failure.code == "component-not-sendable"


def test_a_result_is_told_as_json(tmp_path: Path) -> None:
    world = World(tmp_path)
    told = json.loads(json.dumps(world.run(graph({"f": ("fail", {"how": "mistake"})})).to_json()))
    assert told["status"] == "failed"
    assert told["counts"] == {"failed": 1}
    assert told["steps"][0]["failure"]["node"] == "f"
    assert told["steps"][0]["reasons"][0]["code"] == "never-run"
