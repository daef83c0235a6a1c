from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import text

from modelwright.workspace import Workspace
from modelwright.workspace.errors import (
    InvalidName,
    InvalidTraffic,
    NameTaken,
    NotFound,
    SecretKeyMismatch,
    WrongState,
)
from modelwright.workspace.records.endpoints import (
    Deployment,
    DeploymentLineage,
    DesiredState,
    EndpointState,
    KeyName,
)
from tests.workspace.conftest import FakeClock, OpenWorkspace


def deploy(workspace: Workspace, endpoint: str) -> Deployment:
    return workspace.endpoints.deployments.add(
        endpoint, package="endpoints/prices/1", package_digest="sha256:1", settings={}
    )


def test_an_endpoint_is_read_back_as_it_was_made(workspace: Workspace, clock: FakeClock) -> None:
    endpoint = workspace.endpoints.create(
        "Auto-Prices", description="Prices of cars", tags={"team": "sales"}
    )

    assert workspace.endpoints.get("Auto-Prices") == endpoint
    assert (endpoint.name, endpoint.description) == ("Auto-Prices", "Prices of cars")
    assert endpoint.tags == {"team": "sales"}
    assert (endpoint.desired, endpoint.state) == (
        DesiredState.RUNNING,
        EndpointState.TRANSITIONING,
    )
    assert (endpoint.address, endpoint.message) == (None, "")
    assert endpoint.created_at == endpoint.changed_at == clock.time


@pytest.mark.parametrize(
    "name", ["ab", "x" * 33, "1abc", "-abc", "a_b", "a b", "été", "abc\n", "", "a.b"]
)
def test_a_name_that_does_not_fit_an_address_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(InvalidName, match="3 to 32"):
        workspace.endpoints.create(name)


@pytest.mark.parametrize("name", ["abc", "x" * 32, "a-1", "ABC-"])
def test_a_name_that_fits_an_address_is_taken(workspace: Workspace, name: str) -> None:
    assert workspace.endpoints.create(name).name == name


def test_a_name_is_given_once_whatever_its_case(workspace: Workspace) -> None:
    workspace.endpoints.create("Prices")
    with pytest.raises(NameTaken, match="prices"):
        workspace.endpoints.create("prices")
    assert workspace.endpoints.get("PRICES").name == "Prices"
    workspace.endpoints.delete("prices")
    assert workspace.endpoints.create("prices").name == "prices"


def test_endpoints_are_listed_by_name(workspace: Workspace) -> None:
    for name in ("beta", "Alpha", "gamma"):
        workspace.endpoints.create(name)
    assert [one.name for one in workspace.endpoints.list()] == ["Alpha", "beta", "gamma"]


def test_what_is_wanted_and_what_is_seen_are_kept_apart(
    workspace: Workspace, clock: FakeClock
) -> None:
    workspace.endpoints.create("prices")
    seen = clock.move_on(seconds=1)
    reported = workspace.endpoints.report(
        "prices", EndpointState.HEALTHY, address={"host": "127.0.0.1", "port": 8001, "pid": 7}
    )
    assert (reported.state, reported.changed_at) == (EndpointState.HEALTHY, seen)
    assert reported.address == {"host": "127.0.0.1", "port": 8001, "pid": 7}

    stopped = workspace.endpoints.want("prices", DesiredState.STOPPED)
    assert (stopped.desired, stopped.state) == (DesiredState.STOPPED, EndpointState.HEALTHY)
    gone = workspace.endpoints.report("prices", EndpointState.STOPPED, message="as wanted")
    assert (gone.address, gone.message) == (None, "as wanted")


def test_a_report_of_nothing_new_is_no_change(workspace: Workspace, clock: FakeClock) -> None:
    endpoint = workspace.endpoints.create("prices")
    clock.move_on(seconds=1)
    assert workspace.endpoints.report("prices", EndpointState.TRANSITIONING) == endpoint


def test_description_and_tags_change_one_by_one(workspace: Workspace) -> None:
    workspace.endpoints.create("prices", description="old", tags={"a": "1"})
    changed = workspace.endpoints.describe("prices", description="new")
    assert (changed.description, changed.tags) == ("new", {"a": "1"})
    changed = workspace.endpoints.describe("prices", tags={})
    assert (changed.description, changed.tags) == ("new", {})


def test_each_key_is_renewed_by_itself(workspace: Workspace) -> None:
    workspace.endpoints.create("prices")
    first = workspace.endpoints.keys("prices")
    assert first.primary != first.secondary
    assert min(len(first.primary), len(first.secondary)) >= 32

    second = workspace.endpoints.regenerate_key("prices", KeyName.PRIMARY)
    assert (second.primary != first.primary, second.secondary) == (True, first.secondary)
    third = workspace.endpoints.regenerate_key("prices", KeyName.SECONDARY)
    assert (third.primary, third.secondary != first.secondary) == (second.primary, True)
    assert workspace.endpoints.keys("prices") == third


def test_keys_are_not_to_be_read_in_the_database_nor_in_logs(workspace: Workspace) -> None:
    workspace.endpoints.create("prices")
    keys = workspace.endpoints.keys("prices")
    with workspace.database.read() as connection:
        row = connection.execute(text("SELECT * FROM endpoints")).one()
    for key in (keys.primary, keys.secondary):
        assert key not in repr(row)
        assert key not in repr(keys)


def test_keys_sealed_with_a_lost_key_file_say_so(open_workspace: OpenWorkspace) -> None:
    workspace = open_workspace()
    workspace.endpoints.create("prices")
    (workspace.home / "secret.key").unlink()
    again = open_workspace()

    with pytest.raises(SecretKeyMismatch, match=r"prices.*secret\.key"):
        again.endpoints.keys("prices")


def test_deployments_are_numbered_and_begin_without_requests(
    workspace: Workspace, clock: FakeClock
) -> None:
    workspace.endpoints.create("prices")
    first = workspace.endpoints.deployments.add(
        "Prices",
        package="endpoints/prices/1",
        package_digest="sha256:1",
        settings={"min_replicas": 1, "scoring_timeout_ms": 60000},
        lineage=DeploymentLineage("draft-1", "run-2", "run-1"),
    )
    second = deploy(workspace, "prices")

    assert (first.endpoint, first.number, first.traffic) == ("prices", 1, 0)
    assert (first.package, first.package_digest) == ("endpoints/prices/1", "sha256:1")
    assert first.settings == {"min_replicas": 1, "scoring_timeout_ms": 60000}
    assert first.lineage == DeploymentLineage("draft-1", "run-2", "run-1")
    assert (first.state, first.created_at) == (EndpointState.TRANSITIONING, clock.time)
    assert workspace.endpoints.deployments.list("prices") == (second, first)
    assert workspace.endpoints.deployments.get("prices", 1) == first


def test_the_number_of_a_forgotten_deployment_is_not_given_again(workspace: Workspace) -> None:
    workspace.endpoints.create("prices")
    deploy(workspace, "prices")
    workspace.endpoints.deployments.delete("prices", 1)
    assert deploy(workspace, "prices").number == 2


def test_requests_are_shared_out_and_rolled_back(workspace: Workspace) -> None:
    workspace.endpoints.create("prices")
    for _ in range(3):
        deploy(workspace, "prices")
    deployments = workspace.endpoints.deployments

    def traffic() -> dict[int, int]:
        return {one.number: one.traffic for one in deployments.list("prices")}

    deployments.set_traffic("prices", {1: 100})
    assert traffic() == {1: 100, 2: 0, 3: 0}
    deployments.set_traffic("prices", {2: 90, 3: 10})
    assert traffic() == {1: 0, 2: 90, 3: 10}
    deployments.set_traffic("prices", {1: 100})
    assert traffic() == {1: 100, 2: 0, 3: 0}


@pytest.mark.parametrize("shares", [{}, {1: 99}, {1: 101}, {1: 150, 2: -50}, {1: 50, 2: 51}])
def test_shares_that_make_no_whole_are_refused(
    workspace: Workspace, shares: dict[int, int]
) -> None:
    workspace.endpoints.create("prices")
    deploy(workspace, "prices")
    deploy(workspace, "prices")
    workspace.endpoints.deployments.set_traffic("prices", {1: 100})

    with pytest.raises(InvalidTraffic, match="100"):
        workspace.endpoints.deployments.set_traffic("prices", shares)
    assert workspace.endpoints.deployments.get("prices", 1).traffic == 100


def test_requests_cannot_go_to_a_deployment_that_is_not_there(workspace: Workspace) -> None:
    workspace.endpoints.create("prices")
    deploy(workspace, "prices")
    with pytest.raises(NotFound, match="Its deployments are: 1"):
        workspace.endpoints.deployments.set_traffic("prices", {2: 100})
    assert workspace.endpoints.deployments.get("prices", 1).traffic == 0


def test_a_deployment_that_gets_requests_is_not_forgotten(workspace: Workspace) -> None:
    workspace.endpoints.create("prices")
    deploy(workspace, "prices")
    workspace.endpoints.deployments.set_traffic("prices", {1: 100})
    with pytest.raises(WrongState, match="100 %"):
        workspace.endpoints.deployments.delete("prices", 1)
    assert workspace.endpoints.deployments.get("prices", 1).number == 1


def test_state_and_settings_of_a_deployment_change(workspace: Workspace, clock: FakeClock) -> None:
    workspace.endpoints.create("prices")
    added = deploy(workspace, "prices")
    deployments = workspace.endpoints.deployments
    later = clock.move_on(seconds=1)

    failed = deployments.report("prices", 1, EndpointState.FAILED, message="the test score failed")
    assert failed == dataclasses.replace(
        added, state=EndpointState.FAILED, message="the test score failed", changed_at=later
    )
    assert deployments.set_settings("prices", 1, {"max_replicas": 3}).settings == {
        "max_replicas": 3
    }
    clock.move_on(seconds=1)
    same = deployments.report("prices", 1, EndpointState.FAILED, message="the test score failed")
    assert same.changed_at == later


def test_an_endpoint_is_forgotten_with_its_deployments(workspace: Workspace) -> None:
    workspace.endpoints.create("prices")
    deploy(workspace, "prices")
    workspace.endpoints.delete("prices")
    workspace.endpoints.create("prices")
    assert workspace.endpoints.deployments.list("prices") == ()


def test_an_unknown_endpoint_is_refused_with_the_nearest_name(workspace: Workspace) -> None:
    endpoints = workspace.endpoints
    endpoints.create("prices")
    for change in (
        lambda: endpoints.get("price"),
        lambda: endpoints.keys("price"),
        lambda: endpoints.regenerate_key("price", KeyName.PRIMARY),
        lambda: endpoints.want("price", DesiredState.STOPPED),
        lambda: endpoints.report("price", EndpointState.HEALTHY),
        lambda: endpoints.delete("price"),
        lambda: deploy(workspace, "price"),
        lambda: endpoints.deployments.list("price"),
    ):
        with pytest.raises(NotFound, match='Nearest: "prices"'):
            change()
