from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelwright.actions.background import BackgroundRuns
from modelwright.actions.logs import read_log_piece
from modelwright.actions.run_pipeline import begin_run
from modelwright.api.shapes.graph import Graph
from modelwright.api.streams import CLOSED
from tests.actions.homes import open_home
from tests.api.pipelines import script, typed
from tests.api.servers import Running, fault, messages, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path) as server:
        yield server


def waiting(gate: Path) -> Any:
    """A script that says so and then waits for a file, and a step behind it."""
    graph = script(
        "import pathlib, time, pandas\n"
        "print('waiting', flush=True)\n"
        f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n"
        "return pandas.DataFrame({'a': [1]}),"
    )
    after = {"id": "after", "component": "select-columns-in-dataset"}
    graph["nodes"].append({**after, "parameters": {"columns": "all"}})
    graph["wires"] = [{"source": "script.results_dataset_1", "target": "after.dataset"}]
    return graph


def test_a_submitted_run_works_in_the_background_and_is_kept_with_all_it_left(
    server: Running,
) -> None:
    draft = server.post("/api/drafts", {"graph": typed(), "name": "Rows"})
    asked = {"draft_id": draft["id"], "experiment": "First", "name": "One", "tags": {"a": "b"}}
    submitted = server.post("/api/runs", asked)
    assert submitted["status"] in ("queued", "running", "completed")
    run = server.finished(submitted["id"])
    assert run["status"] == "completed"
    assert (run["experiment"], run["name"], run["tags"]) == ("First", "One", {"a": "b"})
    assert (run["draft_id"], run["draft_revision"], run["person"]) == (draft["id"], 1, "owner")
    assert run["counts"] == {"done": 2}
    assert run["graph"]["nodes"] == draft["graph"]["nodes"]
    last = run["steps"][-1]
    assert (last["node"], last["title"]) == ("chosen", "Select Columns in Dataset")
    output = last["outputs"]["results_dataset"]
    assert (output["kind"], output["rows"], output["columns"]) == ("table", 3, 1)
    (listed,) = server.get("/api/runs", draft_id=draft["id"])["items"]
    assert listed["id"] == run["id"]
    (experiment,) = server.get("/api/experiments")["items"]
    assert (experiment["name"], experiment["runs"]) == ("First", 1)


def test_the_tutorial_s_figures_and_curves_are_on_its_run(server: Running) -> None:
    draft = server.post("/api/drafts", {"sample": "automobile-price"})
    run = server.finished(server.post("/api/runs", {"draft_id": draft["id"]})["id"])
    (table,) = run["metrics"]
    figures = {row["name"]: row["values"] for row in table["rows"]}
    assert table["node"] == "evaluate-model"
    assert 0.8 < figures["Coefficient_of_Determination"][0] < 0.97
    assert run["layout"]["positions"] == draft["layout"]["positions"]
    found = server.get(f"/api/runs/{run['id']}/steps/evaluate-model/evaluation")
    (scored,) = found["scored"]
    assert (scored["port"], scored["title"]) == ("scored_dataset", "Score Model")
    assert found["metrics"] == table
    pairs = scored["plots"]["predicted_actual"]
    assert len(pairs["actual"]) == len(pairs["predicted"]) == 58
    nothing = server.client.get(f"/api/runs/{run['id']}/steps/split-data/evaluation")
    assert fault(nothing, 422)["code"] in ("no-score-columns", "not-evaluated")


def test_an_evaluation_by_groups_tells_each_group_beside_all_rows(server: Running) -> None:
    draft = server.post("/api/drafts", {"sample": "automobile-price"})
    graph = draft["graph"]
    (evaluate,) = (n for n in graph["nodes"] if n["component"] == "evaluate-model")
    evaluate["parameters"]["group_by_column"] = "fuel-type"
    run = server.finished(server.post("/api/runs", {"graph": graph})["id"])
    found = server.get(f"/api/runs/{run['id']}/steps/evaluate-model/evaluation")
    groups = found["groups"]
    assert groups["column"] == "fuel-type"
    figures = {row["name"]: row["values"][0] for row in found["metrics"]["rows"]}
    (whole,) = groups["whole"]
    assert figures.pop("Number of rows") == whole["rows"]
    assert groups["metrics"] == list(figures)
    assert whole["values"] == list(figures.values())
    assert set(figures) - set(groups["losses"]) == {"Coefficient_of_Determination"}
    assert [g["name"] for g in groups["groups"]] == ["diesel", "gas"]
    assert sum(g["rows"] for g in groups["groups"]) == whole["rows"] == 58
    # The mean absolute error of all rows is that of the groups, by their rows.
    sums = sum(g["rows"] * g["values"][0] for g in groups["groups"])
    assert sums / whole["rows"] == pytest.approx(whole["values"][0])


def test_a_run_with_a_failing_step_tells_why_and_on_which_node(server: Running) -> None:
    run = server.post("/api/runs", {"graph": script("raise ValueError('no such luck')")})
    run = server.finished(run["id"])
    assert run["status"] == "failed"
    (step,) = run["steps"]
    assert step["status"] == "failed"
    assert step["error"]["node"] == run["error"]["node"] == "script"
    assert "no such luck" in step["error"]["message"]
    log = server.get(f"/api/runs/{run['id']}/steps/script/log")
    assert log["complete"] is True


def test_a_pipeline_with_problems_is_not_entered(server: Running) -> None:
    bad = server.client.post("/api/runs", json={"graph": typed(columns=("nope",))})
    assert fault(bad, 422)["fields"]["problems"][0]["node"] == "chosen"
    elsewhere = server.client.post("/api/runs", json={"graph": typed(), "target": "moon"})
    assert fault(elsewhere, 422)["code"] == "unknown-target"
    assert server.get("/api/runs")["total"] == 0


def test_events_are_told_live_and_again_from_where_a_reader_left_off(server: Running) -> None:
    run = server.post("/api/runs", {"graph": typed()})
    address = f"/api/runs/{run['id']}/events/stream"
    with server.client.stream("GET", address) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        live = list(messages(response))
    numbers = [number for number, _ in live if number is not None]
    assert numbers == list(range(1, len(numbers) + 1))
    assert live[0][1]["kind"] == "run-started"
    assert [d["kind"] for _, d in live[-2:]] == ["run-finished", CLOSED]

    server.here.runs.join(run["id"], 30)
    for since in (0, 3, len(numbers)):
        headers = {"Last-Event-ID": str(since)}
        with server.client.stream("GET", address, headers=headers) as response:
            again = [m for m in messages(response) if m[0] is not None]
        assert again == [m for m in live if m[0] is not None and m[0] > since]
    kept = server.get(f"/api/runs/{run['id']}/events", since=2)["items"]
    assert [e["seq"] for e in kept] == numbers[2:]
    assert kept[-1]["event"]["kind"] == "run-finished"


def test_a_stream_from_a_place_that_is_none_is_refused(server: Running) -> None:
    run = server.post("/api/runs", {"graph": typed()})
    address = f"/api/runs/{run['id']}/events/stream"
    for place in ("x", "-1", "9" * 30):
        wrong = server.client.get(address, headers={"Last-Event-ID": place})
        assert fault(wrong, 400)["code"] == "invalid-range"
    assert fault(server.client.get("/api/runs/run-0/events/stream"), 404)
    server.here.runs.join(run["id"], 30)


def test_lines_of_a_log_come_as_they_are_written_and_from_any_place(
    server: Running, tmp_path: Path
) -> None:
    gate = tmp_path / "go"
    code = (
        "import pathlib, time\n"
        "print('first line é')\n"
        f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n"
        "print('second line')\n"
        "import pandas\n"
        "return pandas.DataFrame({'a': [1]}),"
    )
    run = server.post("/api/runs", {"graph": script(code)})
    address = f"/api/runs/{run['id']}/steps/script/log"
    with server.client.stream("GET", f"{address}/stream") as response:
        told = messages(response)
        place, first = next(told)
        assert first == {"kind": "log", "text": "first line é\n"}
        gate.touch()
        rest = list(told)
    assert [d["text"] for _, d in rest[:-1]] == ["second line\n"]
    assert rest[-1][1] == {"kind": CLOSED}
    run = server.finished(run["id"])
    assert run["status"] == "completed", run["error"]
    whole = server.get(address)
    assert whole["text"] == "first line é\nsecond line\n"
    assert server.get(address, offset=place)["text"] == "second line\n"
    # A piece that ends within a letter leaves it to the next one.
    cut = server.get(address, limit=len(b"first line ") + 1)
    assert (cut["text"], cut["next"]) == ("first line ", 11)


def test_a_cancelled_run_ends_and_says_so(server: Running, tmp_path: Path) -> None:
    gate = tmp_path / "go"
    run = server.post("/api/runs", {"graph": waiting(gate)})
    with server.client.stream("GET", f"/api/runs/{run['id']}/steps/script/log/stream") as response:
        assert next(messages(response))[1]["text"] == "waiting\n"
        server.post(f"/api/runs/{run['id']}/cancel")
        gate.touch()
    run = server.finished(run["id"])
    assert run["status"] == "cancelled"
    assert run["steps"][-1]["status"] == "cancelled"
    assert run["cancel_asked_at"] is not None
    again = server.post(f"/api/runs/{run['id']}/cancel")
    assert again["status"] == "cancelled"


def test_two_runs_are_compared_by_settings_and_figures(server: Running) -> None:
    draft = server.post("/api/drafts", {"sample": "automobile-price"})
    ids = []
    for seed in (0, 3):
        asked = {"draft_id": draft["id"], "parameters": {"split-data.seed": seed}}
        ids.append(server.post("/api/runs", asked)["id"])
        server.here.runs.join(ids[-1], 60)
    compared = server.get("/api/runs/compare", left=ids[0], right=ids[1])
    (node,) = compared["nodes"]
    assert (node["node"], node["change"], node["wires"]) == ("split-data", "changed", False)
    assert node["settings"] == [{"parameter": "seed", "left": 0, "right": 3}]
    figures = {m["name"]: (m["left"], m["right"]) for m in compared["metrics"]}
    left, right = figures["Coefficient_of_Determination"]
    assert left != right
    assert compared["left"]["id"] == ids[0]


def test_a_run_becomes_a_draft_again(server: Running) -> None:
    layout = {"positions": {"typed": [5.0, 6.0], "chosen": [5.0, 90.0]}, "notes": [], "groups": []}
    draft = server.post("/api/drafts", {"graph": typed(), "layout": layout})
    run = server.finished(server.post("/api/runs", {"draft_id": draft["id"]})["id"])
    clone = server.post("/api/drafts", {"run": run["id"], "name": "Clone"})
    assert clone["graph"]["nodes"] == draft["graph"]["nodes"]
    assert clone["layout"] == layout
    assert (clone["parent_draft_id"], clone["parent_run_id"]) == (draft["id"], run["id"])


def test_a_run_that_has_ended_can_be_deleted(server: Running) -> None:
    run = server.finished(server.post("/api/runs", {"graph": typed()})["id"])
    logs = server.home.run_logs / run["id"]
    assert logs.exists()
    assert server.client.delete(f"/api/runs/{run['id']}").status_code == 200
    assert not logs.exists()
    assert fault(server.client.get(f"/api/runs/{run['id']}"), 404)["code"] == "not-found"


def test_runs_that_go_on_when_the_server_ends_are_told_as_interrupted(tmp_path: Path) -> None:
    gate = tmp_path / "go"
    with open_home(tmp_path / "home") as home:
        background = BackgroundRuns(home)
        run = begin_run(home, Graph.model_validate(waiting(gate)).read())
        background.work_on(run)
        while not read_log_piece(home, run.record.id, "script").text:
            time.sleep(0.01)
        stopper = threading.Thread(target=background.stop)
        stopper.start()
        # Its end is entered before the step in work is waited for.
        while not home.workspace.runs.get(run.record.id).status.finished:
            time.sleep(0.01)
        gate.touch()
        stopper.join(30)
        kept = home.workspace.runs.get(run.record.id)
        assert kept.status == "failed"
        assert kept.error is not None
        assert kept.error["code"] == "run-interrupted"
        steps = {s.node: s.status for s in home.workspace.runs.steps.list(kept.id)}
        # What was done is done, and will be reused.
        assert steps == {"script": "done", "after": "cancelled"}
        assert background.ids() == ()


def test_a_server_that_ends_does_not_wait_for_its_readers(tmp_path: Path) -> None:
    gate = tmp_path / "go"
    with running(tmp_path / "home") as server, server.anyone() as reader:
        run = server.post("/api/runs", {"graph": waiting(gate)})
        reader.headers.update(server.client.headers)
        with reader.stream("GET", f"/api/runs/{run['id']}/events/stream") as response:
            told = messages(response)
            next(told)
            server.here.stopping.set()
            assert list(told)[-1][1] == {"kind": CLOSED}
        gate.touch()
        server.here.runs.join(run["id"], 30)


def test_pipeline_parameters_are_set_at_submission_checked_and_kept(server: Running) -> None:
    graph = typed()
    graph["parameters"] = [{"name": "which", "default": ["a"], "sets": ["chosen.columns"]}]
    by_default = server.finished(server.post("/api/runs", {"graph": graph})["id"])
    assert by_default["parameters"] == {"which": ["a"]}
    asked = {"graph": graph, "parameters": {"which": ["b"]}}
    run = server.finished(server.post("/api/runs", asked)["id"])
    assert run["parameters"] == {"which": ["b"]}
    digest = run["steps"][-1]["outputs"]["results_dataset"]["digest"]
    columns = server.get(f"/api/artifacts/{digest}")["content"]["columns"]
    assert [c["name"] for c in columns] == ["b"]
    wrong = server.client.post("/api/runs", json={**asked, "parameters": {"which": 7}})
    assert fault(wrong, 422)["code"] == "wrong-pipeline-parameter"
    unknown = server.client.post("/api/runs", json={**asked, "parameters": {"witch": 7}})
    assert fault(unknown, 422)["code"] == "unknown-pipeline-parameter"
