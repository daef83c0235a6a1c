"""Endpoints that outlive who started them, on real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import httpx
import psutil
import pytest

from modelwright.inference.package import CorruptPackage
from modelwright.serve.control import tell
from modelwright.serve.endpoint import Endpoints
from modelwright.serve.endpoint_folder import EndpointFolder
from modelwright.serve.errors import (
    AddressTaken,
    DeploymentFailed,
    EndpointBusy,
    InvalidEndpointName,
    InvalidSetting,
    UnknownEndpoint,
    UnknownSetting,
)
from modelwright.serve.keys import Keys
from modelwright.serve.processes import Process
from modelwright.serve.settings import DeploymentSettings
from modelwright.serve.status import EndpointStatus, State
from tests.inference.cars import car_request
from tests.serve.replicas import package
from tests.waiting import until

KEYS = Keys.new()


def score(status: EndpointStatus, keys: Keys = KEYS, key: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key or keys.primary}"}
    return httpx.post(status.scoring_url, content=car_request(), headers=headers, timeout=30)


def columns(status: EndpointStatus) -> list[str]:
    (row,) = score(status).json()["Results"]["WebServiceOutput0"]
    return [*row]


def test_a_deployed_package_answers_at_its_address(endpoints: Endpoints, cars: Path) -> None:
    status = endpoints.deploy("cars", cars, keys=KEYS)
    assert status.state is State.HEALTHY
    assert status.scoring_url.endswith("/api/v1/service/cars/score")
    assert [s["compiled"] for s in status.steps] == [True, True, True]
    assert score(status).status_code == 200
    assert score(status, key="another").status_code == 401
    assert endpoints.status("cars").answered == 2
    assert endpoints.names() == ("cars",)


def test_keys_are_kept_as_digests_in_a_file_for_its_owner(endpoints: Endpoints, cars: Path) -> None:
    endpoints.deploy("cars", cars, keys=KEYS)
    path = endpoints.root / "cars" / "keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for file in (endpoints.root / "cars").rglob("*"):
        if file.is_file():
            assert KEYS.primary.encode() not in file.read_bytes()


DEPLOYING = """
import sys
from pathlib import Path
from modelwright.serve.control import tell
from modelwright.serve.endpoint import Endpoints
from modelwright.serve.keys import Keys
from modelwright.serve.processes import Process
from modelwright.serve.settings import DeploymentSettings
status = Endpoints(Path(sys.argv[1])).deploy("cars", Path(sys.argv[2]), keys=Keys(*sys.argv[3:5]))
print(status.pid)
"""


def test_an_endpoint_goes_on_when_the_program_that_deployed_it_ends(
    endpoints: Endpoints, cars: Path
) -> None:
    arguments = [str(endpoints.root), str(cars), KEYS.primary, KEYS.secondary]
    done = subprocess.run(
        [sys.executable, "-c", DEPLOYING, *arguments], capture_output=True, text=True, check=True
    )
    status = endpoints.status("cars")
    assert status.state is State.HEALTHY
    assert status.pid == int(done.stdout)
    assert os.getsid(status.pid) == status.pid
    assert score(status).status_code == 200


def test_redeploying_keeps_address_and_process_and_changes_what_is_served(
    endpoints: Endpoints, cars: Path, labels: Path
) -> None:
    first = endpoints.deploy("cars", cars, keys=KEYS)
    assert len(columns(first)) > 20
    second = endpoints.deploy("cars", labels, keys=KEYS)
    assert (second.port, second.pid) == (first.port, first.pid)
    assert second.package != first.package
    assert columns(second) == ["Scored Labels"]
    assert len(list((endpoints.root / "cars" / "packages").iterdir())) == 1


def test_redeploying_under_load_loses_no_request(
    endpoints: Endpoints, cars: Path, labels: Path
) -> None:
    status = endpoints.deploy("cars", cars, keys=KEYS)
    over = threading.Event()
    statuses: list[int] = []

    def call() -> None:
        headers = {"Authorization": f"Bearer {KEYS.primary}"}
        with httpx.Client(headers=headers, timeout=30) as client:
            while not over.is_set():
                statuses.append(client.post(status.scoring_url, content=car_request()).status_code)

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    for n in range(4):
        endpoints.deploy("cars", labels if n % 2 == 0 else cars, keys=KEYS)
    over.set()
    for caller in callers:
        caller.join()
    assert len(statuses) > 20
    assert set(statuses) == {200}


def test_a_deployment_that_fails_keeps_the_old_one_serving(
    endpoints: Endpoints, cars: Path, tmp_path: Path
) -> None:
    status = endpoints.deploy("cars", cars, keys=KEYS)
    hopeless = package(
        tmp_path, "hopeless", script="def azureml_main(a=None, b=None):\n    return a"
    )
    graph = hopeless / "graph.yaml"
    graph.write_text("broken", encoding="utf-8")
    with pytest.raises(CorruptPackage):
        endpoints.deploy("cars", hopeless, keys=KEYS)
    again = endpoints.status("cars")
    assert (again.pid, again.package) == (status.pid, status.package)
    assert score(again).status_code == 200


def test_a_pipeline_that_fails_at_its_start_is_told_and_leaves_nothing(
    endpoints: Endpoints, tmp_path: Path
) -> None:
    # It scores its samples to be packaged, and not after that.
    marker = tmp_path / "packaged"
    script = (
        "import os\n"
        "def azureml_main(a=None, b=None):\n"
        f"    if os.path.exists({str(marker)!r}):\n"
        "        raise ValueError('no more')\n"
        "    return a\n"
    )
    once = package(tmp_path, "once-only", script=script)
    marker.touch()
    with pytest.raises(DeploymentFailed, match="no more"):
        endpoints.deploy("cars", once, keys=KEYS)
    assert endpoints.names() == ()


def kill_all(status: EndpointStatus) -> None:
    """What a power cut does: every process of the endpoint at once, one that was forked this instant too."""
    assert status.pid is not None
    os.killpg(status.pid, signal.SIGKILL)


def test_after_a_power_cut_an_endpoint_comes_back_at_the_same_address(
    endpoints: Endpoints, cars: Path
) -> None:
    first = endpoints.deploy("cars", cars, keys=KEYS)
    kill_all(first)
    until(lambda: endpoints.status("cars").state is State.UNHEALTHY)
    assert "modelwright up" in endpoints.status("cars").message
    (second,) = endpoints.ensure_running()
    assert second.state is State.HEALTHY
    assert second.port == first.port
    assert second.pid != first.pid
    assert score(second).status_code == 200


def test_a_number_that_belongs_to_another_process_by_now_is_not_taken_for_the_endpoint(
    endpoints: Endpoints, cars: Path
) -> None:
    kill_all(endpoints.deploy("cars", cars, keys=KEYS))
    until(lambda: endpoints.status("cars").state is State.UNHEALTHY)
    state = endpoints.root / "cars" / "state.json"
    noted = json.loads(state.read_text(encoding="utf-8"))
    mine = [os.getpid(), noted["controller"][1]]
    state.write_text(json.dumps({**noted, "controller": mine, "fronts": {"0": mine}}))
    assert endpoints.status("cars").state is State.UNHEALTHY
    endpoints.stop("cars")
    assert psutil.pid_exists(os.getpid())


def test_a_killed_replica_is_replaced_without_a_pause_by_one_that_begins_in_moments(
    endpoints: Endpoints, cars: Path
) -> None:
    status = endpoints.deploy("cars", cars, keys=KEYS)
    (replica,) = status.replicas
    os.kill(replica, signal.SIGKILL)
    # The listening socket lives on: a client that comes meanwhile waits instead of being refused.
    assert score(status).status_code == 200
    (other,) = endpoints.status("cars").replicas
    assert other != replica
    (log,) = endpoints.logs("cars")
    said = log.read_text(encoding="utf-8")
    assert f"replica {replica} ended and is replaced in 0.0 s" in said
    # Of its own it takes hundredths of a second; how long others keep the processors is not told.
    assert Process.of(other).cpu_seconds() < 0.5


def test_when_its_controller_is_killed_the_replicas_go_on_and_another_adopts_them(
    endpoints: Endpoints, cars: Path
) -> None:
    first = endpoints.deploy("cars", cars, keys=KEYS)
    over = threading.Event()
    statuses: list[int] = []

    def call() -> None:
        headers = {"Authorization": f"Bearer {KEYS.primary}"}
        with httpx.Client(headers=headers, timeout=30) as client:
            while not over.is_set():
                statuses.append(client.post(first.scoring_url, content=car_request()).status_code)

    caller = threading.Thread(target=call)
    caller.start()
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: endpoints.status("cars").pid != first.pid)
    second = endpoints.status("cars")
    time.sleep(0.2)
    over.set()
    caller.join()
    assert second.state is State.HEALTHY
    assert second.replicas == first.replicas
    assert len(statuses) > 20
    assert set(statuses) == {200}
    # The new one is a full controller: it replaces a replica, too.
    os.kill(second.replicas[0], signal.SIGKILL)
    assert score(second).status_code == 200


def test_a_running_endpoint_is_left_alone(endpoints: Endpoints, cars: Path) -> None:
    first = endpoints.deploy("cars", cars, keys=KEYS)
    (second,) = endpoints.ensure_running()
    assert second.pid == first.pid
    assert endpoints.start("cars").pid == first.pid


def test_a_stopped_endpoint_stays_stopped_until_it_is_started(
    endpoints: Endpoints, cars: Path
) -> None:
    first = endpoints.deploy("cars", cars, keys=KEYS)
    assert endpoints.stop("cars").state is State.STOPPED
    with pytest.raises(httpx.ConnectError):
        score(first)
    assert [s.state for s in endpoints.ensure_running()] == [State.STOPPED]
    again = endpoints.start("cars")
    assert again.port == first.port
    assert score(again).status_code == 200


def test_an_endpoint_whose_port_was_taken_meanwhile_says_so(
    endpoints: Endpoints, cars: Path
) -> None:
    status = endpoints.deploy("cars", cars, keys=KEYS)
    endpoints.stop("cars")
    with socket.create_server((status.host, status.port)):
        with pytest.raises(AddressTaken):
            endpoints.start("cars")
        (found,) = endpoints.ensure_running()
        assert found.state is State.FAILED
        assert str(status.port) in found.message


def test_new_keys_count_at_once_and_old_ones_no_longer(endpoints: Endpoints, cars: Path) -> None:
    status = endpoints.deploy("cars", cars, keys=KEYS)
    changed = KEYS.regenerated("primary")
    endpoints.set_keys("cars", changed)
    assert score(status, key=KEYS.primary).status_code == 401
    assert score(status, key=changed.primary).status_code == 200
    assert score(status, key=KEYS.secondary).status_code == 200


def test_when_keys_are_asked_for_replicas_that_are_leaving_ask_for_them_too(
    endpoints: Endpoints, cars: Path
) -> None:
    fixed = {"min_replicas": 3, "autoscale": False, "refresh_period_s": 0.05}
    free = endpoints.deploy("cars", cars, keys=KEYS, deployment=fixed, endpoint={"auth": "none"})
    with ExitStack() as stack:
        lines = [
            stack.enter_context(closing(HTTPConnection(free.host, free.port))) for _ in range(30)
        ]
        assert {asked(line) for line in lines} == {200}
        endpoints.change("cars", deployment={"min_replicas": 1})
        # Two of three are told to leave; they still answer on the connections that they have.
        until(lambda: len(endpoints.status("cars").replicas) == 1)
        endpoints.change("cars", endpoint={"auth": "keys"})
        found = [asked(line) for line in lines]
        assert set(found) <= {401, None}
        lines.append(stack.enter_context(closing(HTTPConnection(free.host, free.port))))
        assert asked(lines[-1]) == 401


def test_a_replica_that_is_leaving_is_not_taken_back_by_the_next_controller(
    endpoints: Endpoints, cars: Path
) -> None:
    fixed = {"min_replicas": 3, "autoscale": False, "refresh_period_s": 0.05}
    first = endpoints.deploy("cars", cars, keys=KEYS, deployment=fixed, endpoint={"auth": "none"})
    with ExitStack() as stack:
        lines = [
            stack.enter_context(closing(HTTPConnection(first.host, first.port))) for _ in range(30)
        ]
        assert {asked(line) for line in lines} == {200}
        endpoints.change("cars", deployment={"min_replicas": 1})
        until(lambda: len(endpoints.status("cars").replicas) == 1)
        (stays,) = endpoints.status("cars").replicas
        # The others are there as long as their clients hold on to them, or for a while.
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: endpoints.status("cars").pid != first.pid)
        assert endpoints.status("cars").replicas == (stays,)
        assert score(first).status_code == 200


OTHER_VALUES: dict[str, object] = {
    "diagnostics": True,
    "scoring_timeout_ms": 1234,
    "autoscale": False,
    "min_replicas": 2,
    "max_replicas": 2,
    "target_utilization": 50,
    "refresh_period_s": 0.1,
    "calm_s": 1.0,
    "cpu_reserve": 0.2,
    "memory_reserve_gb": 0.4,
    "max_concurrent_requests": 3,
    "max_queue_wait_ms": 77,
    "data_collection": True,
    "collection_share": 50,
    "collection_format": "parquet",
    "collection_file_mb": 7,
    "collection_files": 3,
}


def test_every_setting_of_a_deployment_is_changed_while_it_serves(
    endpoints: Endpoints, cars: Path
) -> None:
    assert OTHER_VALUES.keys() == DeploymentSettings.read({}).to_json().keys()
    first = endpoints.deploy("cars", cars, keys=KEYS)
    changed = endpoints.change("cars", deployment=OTHER_VALUES, endpoint={"max_body_mb": 1})
    assert changed.pid == first.pid
    until(lambda: len(endpoints.status("cars").replicas) == 2)
    now = endpoints.status("cars")
    assert now.deployments[0]["settings"] == OTHER_VALUES
    # What was there goes on, by its new settings, beside one that began with them.
    assert set(first.replicas) < set(now.replicas)
    folder = EndpointFolder(endpoints.root, "cars")
    for slot in (0, 1):
        said = tell(folder.front_control(slot), {"do": "status"})
        assert {n: said["settings"][n] for n in OTHER_VALUES} == OTHER_VALUES
    key = {"Authorization": f"Bearer {KEYS.primary}"}
    assert httpx.post(now.scoring_url, content=bytes(1_000_001), headers=key).status_code == 413
    assert score(now).status_code == 200
    until(lambda: " 200 " in folder.log.read_text(encoding="utf-8"))


def asked(line: HTTPConnection) -> int | None:
    """The status of a request without a key; None when the connection is closed before it answers."""
    line.auto_open = int(line.sock is None)
    try:
        line.request("POST", "/score", body=car_request())
        with line.getresponse() as response:
            response.read()
            return response.status
    except (HTTPException, ConnectionError):
        return None


def test_settings_are_checked_and_changed_while_it_serves(endpoints: Endpoints, cars: Path) -> None:
    status = endpoints.deploy("cars", cars, keys=KEYS, deployment={"scoring_timeout_ms": 1000})
    assert status.deployment["scoring_timeout_ms"] == 1000
    changed = endpoints.change(
        "cars", deployment={"max_replicas": 3}, endpoint={"allowed_origins": ["https://a.example"]}
    )
    assert changed.pid == status.pid
    assert changed.deployment["scoring_timeout_ms"] == 1000
    assert changed.deployment["max_replicas"] == 3
    answer = httpx.options(status.scoring_url, headers={"Origin": "https://a.example"})
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    with pytest.raises(InvalidSetting):
        endpoints.change("cars", deployment={"target_utilization": 0})
    with pytest.raises(UnknownSetting, match="max_replicas"):
        endpoints.change("cars", deployment={"max_replica": 3})
    open_to_all = endpoints.change("cars", endpoint={"auth": "none"})
    assert httpx.post(open_to_all.scoring_url, content=car_request()).status_code == 200


def test_a_removed_endpoint_is_gone_with_all_that_belongs_to_it(
    endpoints: Endpoints, cars: Path
) -> None:
    status = endpoints.deploy("cars", cars, keys=KEYS)
    endpoints.remove("cars")
    assert endpoints.names() == ()
    assert not (endpoints.root / "cars").exists()
    assert status.pid is not None
    assert not psutil.pid_exists(status.pid)
    with pytest.raises(UnknownEndpoint):
        endpoints.status("cars")


def test_an_endpoint_that_is_being_changed_is_busy(endpoints: Endpoints, cars: Path) -> None:
    endpoints.deploy("cars", cars, keys=KEYS)
    with EndpointFolder(endpoints.root, "cars").changing(), pytest.raises(EndpointBusy):
        endpoints.stop("cars")


@pytest.mark.parametrize("name", ["", "../up", "1st", "a b", "x" * 64, "a/b"])
def test_names_that_cannot_stand_in_an_address_are_refused(
    endpoints: Endpoints, cars: Path, name: str
) -> None:
    with pytest.raises(InvalidEndpointName):
        endpoints.deploy(name, cars, keys=KEYS)


def test_an_unknown_endpoint_is_told_with_the_nearest(endpoints: Endpoints, cars: Path) -> None:
    endpoints.deploy("cars", cars, keys=KEYS)
    with pytest.raises(UnknownEndpoint, match='"cars"'):
        endpoints.status("car")


def test_the_log_is_kept_and_holds_what_scripts_print(endpoints: Endpoints, tmp_path: Path) -> None:
    script = "def azureml_main(a=None, b=None):\n    print('cars came')\n    return a\n"
    endpoints.deploy("cars", package(tmp_path, script=script), keys=KEYS)
    until(lambda: "cars came" in endpoints.logs("cars")[-1].read_text(encoding="utf-8"))
    assert "serving sha256:" in endpoints.logs("cars")[-1].read_text(encoding="utf-8")


def test_a_home_with_a_long_path_takes_commands_too(tmp_path: Path, cars: Path) -> None:
    endpoints = Endpoints(tmp_path / ("long" * 30) / "endpoints")
    status = endpoints.deploy("cars", cars, keys=KEYS)
    assert status.state is State.HEALTHY
    endpoints.remove("cars")
