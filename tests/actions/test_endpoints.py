from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from modelwright.actions.conversions import convert_pipeline
from modelwright.actions.deployments import promote_deployment, rollback_endpoint, set_traffic
from modelwright.actions.endpoints import (
    EndpointReport,
    change_endpoint,
    delete_endpoint,
    deploy_endpoint,
    endpoint_keys,
    endpoint_log,
    endpoint_package,
    list_endpoints,
    regenerate_key,
    revive_endpoints,
    show_endpoint,
    start_endpoint,
    stop_endpoint,
)
from modelwright.actions.home import Home
from modelwright.actions.run_pipeline import run_pipeline
from modelwright.actions.scoring import (
    EndpointUnreachable,
    RequestRefused,
    UnreadableRequest,
    read_rows,
    sample_rows,
    score_rows,
)
from modelwright.actions.tokens import revoke_tokens
from modelwright.graph.edits import set_parameter
from modelwright.graph.graph import Graph, NodeId
from modelwright.inference.prepare import NotAnInferencePipeline
from modelwright.serve.capacity import Unschedulable
from modelwright.serve.endpoint_folder import EndpointFolder
from modelwright.serve.errors import EndpointBusy, InvalidSetting, UnknownSetting
from modelwright.serve.status import State
from modelwright.workspace.errors import InvalidName, InvalidTraffic, NotFound
from modelwright.workspace.records.endpoints import (
    DeploymentLineage,
    DesiredState,
    EndpointState,
    KeyName,
)
from tests.actions.homes import open_home, tutorial
from tests.serve.test_tls import certificate
from tests.waiting import until


@dataclass(frozen=True)
class World:
    """A home in which the tutorial has been trained and converted."""

    home: Home
    graph: Graph
    run_id: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_home(tmp_path_factory.mktemp("home")) as home:
        report = run_pipeline(home, tutorial().graph)
        converted = convert_pipeline(home, report.run.id)
        yield World(home, converted.document.graph, report.run.id)
        for name in home.replicas.names():
            home.replicas.remove(name)


@pytest.fixture(scope="module")
def deployed(world: World) -> str:
    lineage = DeploymentLineage(training_run_id=world.run_id)
    done = deploy_endpoint(world.home, world.graph, name="cars", lineage=lineage)
    assert done.is_new
    return "cars"


def pid_of(world: World, name: str) -> int:
    status = show_endpoint(world.home, name).status
    assert status is not None
    assert status.pid is not None
    return status.pid


def test_a_deployed_pipeline_answers_and_is_remembered(world: World, deployed: str) -> None:
    report = show_endpoint(world.home, deployed)
    assert report.state is State.HEALTHY
    assert report.scoring_url.endswith("/api/v1/service/cars/score")
    (deployment,) = report.deployments
    assert (deployment.number, deployment.traffic, deployment.state) == (
        1,
        100,
        EndpointState.HEALTHY,
    )
    assert deployment.lineage.training_run_id == world.run_id
    assert (world.home.folder / deployment.package / "serving.json").is_file()
    assert report.record.state is EndpointState.HEALTHY
    assert report.to_json()["settings"]["min_replicas"] == 1
    assert [r.record.name for r in list_endpoints(world.home)] == [deployed]
    assert "answering on" in "\n".join(endpoint_log(world.home, deployed))


def test_the_steps_of_a_deployment_are_told_in_their_order(world: World, deployed: str) -> None:
    steps: list[str] = []
    graph = set_parameter(world.graph, NodeId("md-train-model"), "name", "Same model")
    deploy_endpoint(world.home, graph, name="steps", on_step=steps.append)
    assert steps == ["package", "score", "start"]
    # An endpoint that serves goes through the same.
    steps.clear()
    deploy_endpoint(
        world.home, graph, name="steps", deployment={"max_replicas": 2}, on_step=steps.append
    )
    assert steps[0] == "package"
    assert steps[-1] == "start"
    delete_endpoint(world.home, "steps")


def test_rows_are_scored_as_in_the_training_run(world: World, deployed: str) -> None:
    scored = score_rows(world.home, deployed, sample_rows(world.home, deployed, 3))
    (rows,) = scored.results.values()
    assert len(rows) == 3
    assert all(3000 < row["Scored Labels"] < 60000 for row in rows)
    assert scored.to_json() == {"Results": {"WebServiceOutput0": rows}}


def test_the_same_pipeline_is_not_deployed_a_second_time(world: World, deployed: str) -> None:
    before = pid_of(world, deployed)
    again = deploy_endpoint(world.home, world.graph, name=deployed)
    assert not again.is_new
    assert len(again.report.deployments) == 1
    assert pid_of(world, deployed) == before


def test_another_pipeline_takes_over_at_the_same_address_with_the_same_keys(world: World) -> None:
    home = world.home
    first = deploy_endpoint(home, world.graph, name="trucks").report
    keys = endpoint_keys(home, "trucks")
    named = set_parameter(world.graph, NodeId("web-service-output"), "name", "price")
    second = deploy_endpoint(home, named, name="TRUCKS").report
    assert second.record.name == "trucks"
    assert second.scoring_url == first.scoring_url
    assert endpoint_keys(home, "trucks") == keys
    assert [(d.number, d.traffic, d.state.value) for d in second.deployments] == [
        (2, 100, "healthy"),
        (1, 0, "stopped"),
    ]
    assert list(score_rows(home, "trucks", sample_rows(home, "trucks")).results) == ["price"]
    assert [o.name for o in endpoint_package(home, "trucks").outputs] == ["price"]
    delete_endpoint(home, "trucks")


def test_a_deployment_is_transitioning_until_it_serves_while_the_former_one_does(
    world: World,
) -> None:
    home = world.home
    first: list[EndpointReport] = []

    def look(step: str) -> None:
        if step == "start":
            first.append(show_endpoint(home, "slow"))

    deploy_endpoint(home, world.graph, name="slow", on_step=look)
    (report,) = first
    assert report.state is State.TRANSITIONING
    assert [d.state for d in report.deployments] == [EndpointState.TRANSITIONING]
    assert show_endpoint(home, "slow").state is State.HEALTHY

    controller = pid_of(world, "slow")

    def hold(step: str) -> None:
        # Before it is told of anything: of later steps one hears while it goes on.
        if step == "package":
            os.kill(controller, signal.SIGSTOP)

    named = set_parameter(world.graph, NodeId("web-service-output"), "name", "price")
    with ThreadPoolExecutor(1) as pool:
        updating = pool.submit(deploy_endpoint, home, named, name="slow", on_step=hold)
        try:
            until(lambda: len(show_endpoint(home, "slow").deployments) == 2, seconds=120)
            report = show_endpoint(home, "slow")
            assert report.state is State.HEALTHY
            assert [(d.number, d.traffic, d.state) for d in report.deployments] == [
                (2, 0, EndpointState.TRANSITIONING),
                (1, 100, EndpointState.HEALTHY),
            ]
            rows = sample_rows(home, "slow")
            assert list(score_rows(home, "slow", rows).results) == ["WebServiceOutput0"]
            assert not updating.done()
        finally:
            os.kill(controller, signal.SIGCONT)
        done = updating.result().report
    assert [(d.number, d.traffic, d.state) for d in done.deployments] == [
        (2, 100, EndpointState.HEALTHY),
        (1, 0, EndpointState.STOPPED),
    ]
    assert list(score_rows(home, "slow", sample_rows(home, "slow")).results) == ["price"]
    delete_endpoint(home, "slow")


def test_what_cannot_be_deployed_leaves_nothing_behind(world: World) -> None:
    home = world.home
    with pytest.raises(NotAnInferencePipeline):
        deploy_endpoint(home, tutorial().graph, name="training")
    with pytest.raises(InvalidName):
        deploy_endpoint(home, world.graph, name="no name")
    with pytest.raises(UnknownSetting, match="min_replicas"):
        deploy_endpoint(home, world.graph, name="wrong", deployment={"min_replica": 1})
    names = {r.record.name for r in list_endpoints(home)}
    assert names.isdisjoint({"training", "no name", "wrong"})
    assert not (home.folder / "packages" / "wrong").exists()
    assert "wrong" not in home.replicas.names()
    assert not list(home.folder.glob("modelwright-*"))


def test_a_new_key_opens_it_and_the_former_one_no_more(world: World, deployed: str) -> None:
    before = endpoint_keys(world.home, deployed)
    after = regenerate_key(world.home, deployed, KeyName.PRIMARY)
    assert after.primary != before.primary
    assert after.secondary == before.secondary
    # Scoring uses the primary key.
    assert score_rows(world.home, deployed, sample_rows(world.home, deployed)).results


def test_what_an_endpoint_that_is_busy_refuses_leaves_all_as_it_was(
    world: World, deployed: str
) -> None:
    home = world.home
    before, signing = endpoint_keys(home, deployed), home.workspace.endpoints.signing_key(deployed)
    with EndpointFolder(home.folder / "endpoints", deployed).changing():
        for refused in (
            lambda: regenerate_key(home, deployed, KeyName.PRIMARY),
            lambda: revoke_tokens(home, deployed),
            lambda: stop_endpoint(home, deployed),
        ):
            with pytest.raises(EndpointBusy):
                refused()
    # The keys that people are shown are those that open it.
    assert endpoint_keys(home, deployed) == before
    assert home.workspace.endpoints.signing_key(deployed) == signing
    assert score_rows(home, deployed, sample_rows(home, deployed)).results
    record = show_endpoint(home, deployed).record
    assert (record.desired, record.state) == (DesiredState.RUNNING, EndpointState.HEALTHY)


def test_an_expired_certificate_is_refused_by_every_way_in(world: World, tmp_path: Path) -> None:
    home = world.home
    expired = certificate(tmp_path / "old", "old", days=-2)
    with pytest.raises(InvalidSetting, match="expired on"):
        deploy_endpoint(home, world.graph, name="tls", endpoint=expired)
    assert "tls" not in {r.record.name for r in list_endpoints(home)}
    deploy_endpoint(home, world.graph, name="tls")
    with pytest.raises(InvalidSetting, match="expired on"):
        change_endpoint(home, "tls", endpoint=expired)
    assert show_endpoint(home, "tls").scoring_url.startswith("http://")
    assert score_rows(home, "tls", sample_rows(home, "tls")).results
    delete_endpoint(home, "tls")


def test_one_goes_back_step_by_step_and_forward_again(world: World) -> None:
    home = world.home
    for seconds in (700, 800, 900):
        limits = {"scoring_timeout_ms": seconds}
        deploy_endpoint(home, world.graph, name="steps", deployment=limits)
    # One that never served is none to go back to.
    with pytest.raises(Unschedulable):
        deploy_endpoint(home, world.graph, name="steps", deployment={"cpu_reserve": 1000.0})

    def leading() -> tuple[int, int]:
        report = show_endpoint(home, "steps")
        (number,) = [d.number for d in report.deployments if d.traffic]
        assert score_rows(home, "steps", sample_rows(home, "steps")).results
        return number, report.to_json()["settings"]["scoring_timeout_ms"]

    found = [leading()]
    for _ in "12":
        rollback_endpoint(home, "steps")
        found.append(leading())
    assert found == [(3, 900), (2, 800), (1, 700)]
    with pytest.raises(NotFound):
        rollback_endpoint(home, "steps")
    promote_deployment(home, "steps", 3)
    assert leading() == (3, 900)
    for shares in ({3: 101}, {3: 100, 2: -0, 1: 1}, {3: 50, 2: -50, 1: 100}, {}, {3: 0}):
        with pytest.raises(InvalidTraffic):
            set_traffic(home, "steps", shares)
    # With no share it waits to take over, and what is not named ends.
    set_traffic(home, "steps", {3: 100, 1: 0})
    assert leading() == (3, 900)
    states = {d.number: d.state for d in show_endpoint(home, "steps").deployments}
    assert (states[3], states[2], states[1]) == (
        EndpointState.HEALTHY,
        EndpointState.STOPPED,
        EndpointState.HEALTHY,
    )
    delete_endpoint(home, "steps")


def test_settings_change_while_it_serves(world: World, deployed: str) -> None:
    before = pid_of(world, deployed)
    report = change_endpoint(world.home, deployed, deployment={"scoring_timeout_ms": 1234})
    assert report.to_json()["settings"]["scoring_timeout_ms"] == 1234
    assert report.deployments[0].settings["scoring_timeout_ms"] == 1234
    assert pid_of(world, deployed) == before


def test_a_stopped_endpoint_is_told_and_answers_again_when_started(
    world: World, deployed: str
) -> None:
    address = show_endpoint(world.home, deployed).scoring_url
    assert stop_endpoint(world.home, deployed).state is State.STOPPED
    assert [r.state for r in revive_endpoints(world.home)] == [State.STOPPED]
    with pytest.raises(EndpointUnreachable, match="stopped"):
        score_rows(world.home, deployed, sample_rows(world.home, deployed))
    report = start_endpoint(world.home, deployed)
    assert (report.state, report.scoring_url) == (State.HEALTHY, address)
    assert report.record.state is EndpointState.HEALTHY


def test_an_endpoint_whose_process_was_killed_is_revived_at_its_address(
    world: World, deployed: str
) -> None:
    before = show_endpoint(world.home, deployed)
    assert before.status is not None
    # The whole group at once, so that no replica forked this instant is left over.
    group = [psutil.Process(pid) for pid in (pid_of(world, deployed), *before.status.replicas)]
    os.killpg(group[0].pid, signal.SIGKILL)
    psutil.wait_procs(group, timeout=60)
    assert show_endpoint(world.home, deployed).state is State.UNHEALTHY
    with pytest.raises(EndpointUnreachable):
        score_rows(world.home, deployed, sample_rows(world.home, deployed))
    (after,) = revive_endpoints(world.home)
    assert (after.state, after.scoring_url) == (State.HEALTHY, before.scoring_url)
    assert score_rows(world.home, deployed, sample_rows(world.home, deployed)).results


def test_a_request_that_is_refused_is_told_in_the_words_of_the_endpoint(
    world: World, deployed: str
) -> None:
    with pytest.raises(RequestRefused, match="missing-request-columns") as caught:
        score_rows(world.home, deployed, {"WebServiceInput0": [{"make": "bmw"}]})
    assert caught.value.fields["status"] == 400
    assert caught.value.fields["details"]["row"] == 0


def test_rows_are_read_from_json_in_each_form_and_from_tables_in_the_wanted_types(
    world: World, deployed: str, tmp_path: Path
) -> None:
    import json

    rows = sample_rows(world.home, deployed)
    ((name, (row,)),) = rows.items()
    for value in ([row], {name: [row]}, {"Inputs": {name: [row]}, "GlobalParameters": {}}):
        path = tmp_path / "rows.json"
        path.write_text(json.dumps(value))
        assert read_rows(world.home, deployed, path) == rows
    table = tmp_path / "rows.csv"
    # Left to itself, a reader would take the maker for a number.
    table.write_text(
        ",".join(row) + "\n" + ",".join("7" if v is None else str(v) for v in row.values())
    )
    text = table.read_text().replace("alfa-romero", "7")
    table.write_text(text)
    ((read,),) = read_rows(world.home, deployed, table).values()
    assert read["make"] == "7"
    assert isinstance(read["bore"], float)


@pytest.mark.parametrize("text", ["{", '"rows"', '{"Inputs": 1}', '{"a": 1}'])
def test_a_file_that_holds_no_rows_is_told(
    world: World, deployed: str, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text)
    with pytest.raises(UnreadableRequest):
        read_rows(world.home, deployed, path)


def test_an_endpoint_that_is_deleted_leaves_no_process_and_no_file(world: World) -> None:
    home = world.home
    deploy_endpoint(home, world.graph, name="gone")
    process = psutil.Process(pid_of(world, "gone"))
    delete_endpoint(home, "gone")
    assert not process.is_running()
    assert not (home.folder / "packages" / "gone").exists()
    assert not (home.folder / "endpoints" / "gone").exists()
    with pytest.raises(NotFound):
        show_endpoint(home, "gone")


def test_an_endpoint_whose_files_are_gone_is_told_as_failed_and_can_be_deleted(
    world: World,
) -> None:
    home = world.home
    deploy_endpoint(home, world.graph, name="lost")
    home.replicas.remove("lost")
    report = show_endpoint(home, "lost")
    assert (report.state, report.scoring_url) == (State.FAILED, "")
    with pytest.raises(EndpointUnreachable, match="failed"):
        score_rows(home, "lost", sample_rows(home, "lost"))
    assert endpoint_log(home, "lost") == []
    delete_endpoint(home, "lost")
