"""Endpoints on a real Ray cluster of two nodes."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from modelwright.actions.clusters import create_cluster, delete_cluster
from modelwright.actions.conversions import convert_pipeline
from modelwright.actions.endpoints import delete_endpoint, deploy_endpoint
from modelwright.actions.run_pipeline import run_pipeline
from modelwright.actions.scoring import sample_rows, score_rows
from modelwright.inference.package import Package, write
from modelwright.inference.scorer import Scorer
from modelwright.serve import groups
from modelwright.serve.capacity import Unschedulable
from modelwright.serve.errors import DeploymentFailed, InvalidSetting, UnknownEndpoint
from modelwright.serve.keys import Keys
from modelwright.serve.on_ray.link import RayUnreachable, link_to
from modelwright.serve.on_ray.target import RayTarget, options_for, ray_target
from modelwright.serve.settings import DeploymentSettings
from modelwright.serve.status import EndpointStatus, State
from modelwright.serve.target import Offer, Place, make_target
from tests.actions.homes import open_home, tutorial
from tests.inference.cars import car_prices, car_request, car_rows
from tests.inference.cars import cars as cars_table
from tests.ray_cluster import RayCluster, on_loopback
from tests.serve.callers import calling, widths
from tests.serve.replicas import PRIMARY, SECONDARY
from tests.serve.test_tls import certificate, plainly, post, shown
from tests.waiting import until

pytestmark = pytest.mark.together

KEYS = Keys(PRIMARY, SECONDARY)
SETTINGS = {"cpu_reserve": 0.2, "memory_reserve_gb": 0.3, "calm_s": 1.0}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


# In every process of the cluster: the first replica that comes to be while there is such a file stands still.
STANDING_STILL = """
import importlib.abc, os, signal, sys

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "modelwright.serve.on_ray.replica":
            try:
                os.rename({still!r}, {still!r} + "-" + str(os.getpid()))
            except OSError:
                return None
            os.kill(os.getpid(), signal.SIGSTOP)
        return None

sys.meta_path.insert(0, Finder())
"""


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that has the next replica stand still; afterwards its name ends with its process."""
    return tmp_path_factory.mktemp("still") / "still"


@pytest.fixture(scope="module")
def cluster(still: Path) -> Iterator[RayCluster]:
    (still.parent / "sitecustomize.py").write_text(STANDING_STILL.format(still=str(still)))
    # One of its own: Ray Serve stays on a cluster, and takes of its processors.  Without tokens,
    # since a head would ask for one as soon as a file in the user's folder has one.
    open_to_all = {"RAY_AUTH_MODE": "disabled", "PYTHONPATH": str(still.parent)}
    with pytest.MonkeyPatch.context() as patch, on_loopback():
        patch.setenv("RAY_AUTH_MODE", "disabled")
        with RayCluster.started(object_store_mb=80, environment=open_to_all) as found:
            processes = [node.process for node in found.nodes]
            yield found
            link_to(found.address).close()
        for process in processes:
            process.wait(20)


@pytest.fixture(scope="module")
def place(cluster: RayCluster, tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("ray")
    options = {"address": cluster.address, "http_port": free_port()}
    return Place("rays", folder, folder / "elsewhere", options)


@pytest.fixture(scope="module")
def target(place: Place) -> RayTarget:
    made = make_target("ray", place)
    assert isinstance(made, RayTarget)
    return made


@pytest.fixture(scope="module")
def cars(target: RayTarget, tmp_path_factory: pytest.TempPathFactory) -> EndpointStatus:
    path = tmp_path_factory.mktemp("cars") / "cars"
    write(car_prices(), path)
    return target.apply("cars", {1: Offer(path, SETTINGS)}, keys=KEYS)


def score(status: EndpointStatus, key: str = PRIMARY) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.post(status.scoring_url, content=car_request(), headers=headers, timeout=60)


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def test_an_endpoint_answers_by_the_contract_with_its_keys(
    target: RayTarget, cars: EndpointStatus
) -> None:
    assert cars.state is State.HEALTHY
    answer = score(cars)
    assert answer.content == Scorer(car_prices()).answer(car_request())
    assert score(cars, SECONDARY).status_code == 200
    refused = score(cars, "x" * 20)
    assert (refused.status_code, refused.json()["error"]["details"]["code"]) == (401, "wrong-key")
    bad = httpx.post(cars.scoring_url, content=b"{", headers={"Authorization": f"Bearer {PRIMARY}"})
    assert bad.json()["error"]["details"]["code"] == "malformed-json"
    prefix = cars.scoring_url.removesuffix("/score")
    assert httpx.get(f"{prefix}/v2/models/cars/ready").json() == {"name": "cars", "ready": True}
    assert target.names() == ("cars",)
    status = target.status("cars")
    assert len(status.replicas) == 1
    assert status.answered >= 4


def test_what_replicas_do_is_counted_second_by_second(
    target: RayTarget, cars: EndpointStatus
) -> None:
    begun = time.time()
    answers = [score(cars), score(cars), score(cars, "x" * 20)]
    assert [a.status_code for a in answers] == [200, 200, 401]

    def counted() -> tuple[int, int]:
        samples = target.measurements("cars", begun - 2)
        return sum(s["requests"] for s in samples), sum(s["refused"] for s in samples)

    assert within(60, lambda: counted()[0] >= 3 and counted()[1] >= 1)
    assert within(30, lambda: target.status("cars").recent["requests_per_s"] > 0)
    last = target.measurements("cars")[-1]["at"]
    assert all(s["at"] > last for s in target.measurements("cars", last))


def test_new_keys_and_settings_reach_replicas_that_go_on(
    target: RayTarget, cars: EndpointStatus
) -> None:
    new = Keys("another-primary-key-1", "another-secondary-key-2")
    target.set_keys("cars", new)
    assert score(cars).status_code == 401
    assert score(cars, new.primary).status_code == 200
    target.set_keys("cars", KEYS)
    status = target.change("cars", endpoint={"allowed_origins": ["https://shop.example"]})
    answer = httpx.get(
        status.scoring_url.removesuffix("score") + "healthz",
        headers={"Origin": "https://shop.example"},
    )
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert status.replicas == cars.replicas


def test_a_killed_replica_is_replaced(target: RayTarget, cars: EndpointStatus) -> None:
    before = target.status("cars").replicas
    os.kill(before[0], signal.SIGKILL)
    assert within(
        60,
        lambda: (
            not {*before} & {*target.status("cars").replicas}
            and bool(target.status("cars").replicas)
        ),
    )
    assert within(30, lambda: score(cars).status_code == 200)


def test_another_package_takes_over_on_the_same_address(
    target: RayTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    write(car_prices(chosen=("Scored Labels",)), tmp_path / "short")
    status = target.apply("cars", {2: Offer(tmp_path / "short", SETTINGS)}, keys=KEYS)
    assert status.scoring_url == cars.scoring_url
    (row,) = score(status).json()["Results"]["WebServiceOutput0"]
    assert [*row] == ["Scored Labels"]
    assert status.package == Package.open(tmp_path / "short").digest
    assert any("endpoint cars is ready" in p.read_text() for p in target.logs("cars"))


def test_what_has_no_room_is_refused_and_what_served_serves_on(
    target: RayTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    write(car_prices(), tmp_path / "cars")
    before = target.status("cars")
    for unlike in ({"cpu_reserve": 4.0}, {"min_replicas": 30, "max_replicas": 30}):
        offer = Offer(tmp_path / "cars", {**SETTINGS, **unlike})
        with pytest.raises(Unschedulable) as caught:
            target.apply("cars", {3: offer}, keys=KEYS)
        assert caught.value.fields["short"][0]["resource"] == "cpu_cores"
        assert "processor cores are needed" in str(caught.value)
    assert target.status("cars").package == before.package
    assert score(cars).status_code == 200


def test_a_replica_that_ray_never_begins_is_ordered_anew_while_the_former_serves(
    target: RayTarget,
    cars: EndpointStatus,
    still: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(car_prices(), tmp_path / "whole")
    monkeypatch.setattr("modelwright.serve.on_ray.target.BEGIN_S", 10.0)
    still.touch()
    single = {**SETTINGS, "max_replicas": 1}
    with calling(cars.scoring_url, 1) as statuses:
        target.apply("cars", {3: Offer(tmp_path / "whole", single)}, keys=KEYS)
    assert set(statuses) == {200}
    assert set(widths(cars.scoring_url, 3)) == {25}
    (stood,) = still.parent.glob("still-*")
    # What replaced it is not taken for another package later on.
    before = target.status("cars").replicas
    target.set_keys("cars", KEYS)
    assert target.status("cars").replicas == before
    until(lambda: not psutil.pid_exists(int(stood.name.removeprefix("still-"))))


def test_a_successor_that_ray_never_begins_is_ordered_anew_by_who_looks_after_endpoints(
    target: RayTarget, cars: EndpointStatus, still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modelwright.serve.on_ray.target.BEGIN_S", 10.0)
    (before,) = target.status("cars").replicas
    still.touch()
    os.kill(before, signal.SIGKILL)
    until(lambda: not still.exists())

    def tended() -> bool:
        target.tend()
        return bool({*target.status("cars").replicas} - {before})

    until(tended)
    assert score(cars).status_code == 200


def test_a_canary_and_a_shadow_share_replicas_and_no_request_is_lost(
    target: RayTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    write(car_prices(), tmp_path / "cars")
    write(car_prices(chosen=("Scored Labels",)), tmp_path / "short")
    one, two = tmp_path / "cars", tmp_path / "short"
    # Turns are counted by each replica.
    single = {**SETTINGS, "max_replicas": 1}
    with calling(cars.scoring_url, 1) as statuses:
        both = {4: Offer(one, single, 90), 5: Offer(two, single, 10)}
        status = target.apply("cars", both, keys=KEYS)
        before = status.replicas
        both = {4: Offer(one, single, 70), 5: Offer(two, single, 30)}
        status = target.apply("cars", both, keys=KEYS)
        # Shares are changed in replicas that go on.
        assert status.replicas == before
    assert len(statuses) > 10
    assert set(statuses) == {200}
    assert Counter(widths(cars.scoring_url, 20)) == {25: 14, 1: 6}
    with calling(cars.scoring_url, 1) as statuses:
        shadowed = {4: Offer(one, single), 5: Offer(two, single, 0, 100)}
        assert target.apply("cars", shadowed, keys=KEYS).replicas == before
        until(lambda: bool(target.status("cars").deployments[1]["compared"]))
        until(lambda: target.status("cars").deployments[1]["compared"]["copies"] > 0)
        found = target.status("cars").deployments[1]["compared"]
        assert (found["different"], found["failed"]) == (found["copies"], 0)
        assert set(widths(cars.scoring_url, 3)) == {25}
        # Promoted, and rolled back.
        target.apply("cars", {5: Offer(two, single)}, keys=KEYS)
        assert set(widths(cars.scoring_url, 3)) == {1}
        target.apply("cars", {4: Offer(one, single)}, keys=KEYS)
        assert set(widths(cars.scoring_url, 3)) == {25}
    assert len(statuses) > 10
    assert set(statuses) == {200}


def test_settings_of_a_deployment_change_while_its_replicas_go_on(
    target: RayTarget, cars: EndpointStatus
) -> None:
    before = target.status("cars")
    status = target.change("cars", deployment={"scoring_timeout_ms": 9000}, number=4)
    assert status.deployment["scoring_timeout_ms"] == 9000
    assert status.replicas == before.replicas
    with pytest.raises(Unschedulable):
        target.change("cars", deployment={"cpu_reserve": 8.0}, number=4)
    assert target.status("cars").deployment == status.deployment


def test_numeric_threads_of_a_replica_are_bounded_by_its_reserve(
    target: RayTarget, cars: EndpointStatus
) -> None:
    (replica,) = target.status("cars").replicas
    text = Path(f"/proc/{replica}/environ").read_bytes().decode()
    found = dict(one.partition("=")[::2] for one in text.split("\0") if one)
    assert found["POLARS_MAX_THREADS"] == found["OPENBLAS_NUM_THREADS"] == "1"


SCRIPT = """
def azureml_main(a=None, b=None):
    print("a script has printed this")
    if a["make"].iloc[0] == "greedy":
        bytearray(600_000_000)
    return a
"""


def test_a_replica_is_held_to_its_memory(target: RayTarget, cars: EndpointStatus) -> None:
    until(lambda: target.status("cars").memory["by"] != "none")
    status = target.status("cars")
    assert status.memory["gb"] == 0.3
    (replica,) = status.replicas
    group = groups.of(replica)
    if status.memory["by"] == "cgroup":
        assert group is not None
        assert str(replica) in (group.folder / "cgroup.procs").read_text().split()
    else:
        assert psutil.Process(replica).rlimit(resource.RLIMIT_DATA)[0] < 4e9


def test_a_formula_that_takes_too_much_memory_ends_its_replica_and_another_follows(
    target: RayTarget, cars: EndpointStatus
) -> None:
    before = target.status("cars").replicas
    body = car_request(*car_rows(cars_table()[2:3]) * 150_000)
    headers = {"Authorization": f"Bearer {PRIMARY}"}
    try:
        answer = httpx.post(cars.scoring_url, content=body, headers=headers, timeout=120)
        code = answer.status_code
    except httpx.TransportError:
        code = 0
    assert code != 200
    if target.status("cars").memory["by"] == "cgroup":
        until(lambda: not {*before} & {*target.status("cars").replicas})
    until(lambda: score(cars).status_code == 200)
    assert score(cars).content == Scorer(car_prices()).answer(car_request())


def test_what_replicas_and_scripts_write_is_one_log_that_grows(
    target: RayTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    write(car_prices(script=SCRIPT), tmp_path / "scripted")
    talking = {**SETTINGS, "diagnostics": True}
    target.apply("cars", {6: Offer(tmp_path / "scripted", talking)}, keys=KEYS)

    def text() -> str:
        return target.logs("cars")[-1].read_text(encoding="utf-8")

    before = text()
    assert score(cars).status_code == 200
    until(lambda: "POST" in text()[len(before) :])
    until(lambda: "a script has printed this" in text()[len(before) :])
    # What was read once stays, and nothing is there twice.
    assert text().startswith(before)
    lines = text().splitlines()
    assert sum("endpoint cars is ready" in line for line in lines) == len(
        {line for line in lines if "endpoint cars is ready" in line}
    )


def test_a_script_that_takes_too_much_memory_fails_with_its_request_alone(
    target: RayTarget, cars: EndpointStatus
) -> None:
    before = target.status("cars").replicas
    greedy = car_request({**car_rows(cars_table()[2:3])[0], "make": "greedy"})
    headers = {"Authorization": f"Bearer {PRIMARY}"}
    answer = httpx.post(cars.scoring_url, content=greedy, headers=headers, timeout=60)
    code = answer.json()["error"]["details"]["code"]
    assert (answer.status_code, code) == (400, "scoring-out-of-memory")
    assert score(cars).status_code == 200
    assert target.status("cars").replicas == before


def test_a_package_that_fails_there_leaves_what_served(
    target: RayTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    script = "import os\ndef azureml_main(a=None, b=None):\n    "
    only_here = (
        f"assert os.getppid() and os.path.exists({str(tmp_path)!r} + '/here')\n    return a\n"
    )
    (tmp_path / "here").touch()
    write(car_prices(script=script + only_here), tmp_path / "package")
    (tmp_path / "here").unlink()
    before = score(cars).content
    target.change("cars", deployment={"max_replicas": 1})
    until(lambda: len(target.status("cars").replicas) == 1)
    replicas = target.status("cars").replicas
    with calling(cars.scoring_url, 1) as statuses:
        with pytest.raises(DeploymentFailed):
            target.apply("cars", {6: Offer(tmp_path / "package", SETTINGS)}, keys=KEYS)
        so_far = len(statuses)
        until(lambda: len(statuses) > so_far + 3)
    assert set(statuses) == {200}
    assert score(cars).content == before
    # New ones begin before former ones end, so there were always some.
    assert target.status("cars").replicas == replicas


def test_requests_and_replies_are_brought_here_also_before_a_stop_and_the_address_stays(
    target: RayTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    write(car_prices(), tmp_path / "cars")
    keeping = {**SETTINGS, "data_collection": True, "collection_share": 50}
    status = target.apply("cars", {8: Offer(tmp_path / "cars", keeping)}, keys=KEYS)
    folder = target._endpoints / "cars" / "collected" / "8"
    for _ in range(6):
        assert score(status).status_code == 200

    def kept() -> list[dict[str, Any]]:
        target.bring_collected("cars")
        texts = [p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.jsonl"))]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    until(lambda: len(kept()) == 3)
    assert {one["deployment"] for one in kept()} == {8}
    assert kept()[0]["request"] == json.loads(car_request())
    assert kept()[0]["reply"] == score(status).json()
    assert score(status).status_code == 200
    # What a replica had in its hands when it was told to end is there as well.
    assert target.stop("cars").state is State.STOPPED
    assert len(kept()) == 4
    assert score(cars).status_code == 404
    assert [s.state for s in target.ensure_running()] == [State.STOPPED]
    status = target.start("cars")
    assert (status.state, status.scoring_url) == (State.HEALTHY, cars.scoring_url)
    target.change("cars", deployment={"data_collection": False}, number=8)
    assert score(status).status_code == 200
    assert len(kept()) == 4


def test_an_endpoint_with_a_certificate_answers_over_tls_alone(
    target: RayTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    before = target.status("cars")
    files = certificate(tmp_path / "served", "first")
    status = target.change("cars", endpoint=files)
    assert status.replicas == before.replicas
    assert status.scoring_url.startswith("https://127.0.0.1:")
    assert post(status.scoring_url, files, PRIMARY) == 200
    assert post(status.scoring_url, files, "x" * 20) == 401
    assert not plainly(status.host, status.port).startswith(b"HTTP/")
    # Ray's own proxy, which has no certificate, knows it no more.
    assert within(30, lambda: score(before).status_code == 404)
    context = ssl.create_default_context(cafile=files["tls_certificate"])
    whole = httpx.post(
        status.scoring_url,
        content=car_request(),
        headers={"Authorization": f"Bearer {PRIMARY}"},
        verify=context,
    )
    assert whole.content == Scorer(car_prices()).answer(car_request())
    # Renewed in the same files, half of them first.
    renewed = certificate(tmp_path / "renewed", "second")
    former = Path(files["tls_certificate"]).read_bytes().strip()
    after = Path(renewed["tls_certificate"]).read_bytes().strip()
    Path(renewed["tls_key"]).replace(files["tls_key"])
    target.tend()
    assert shown(status.host, status.port).strip() == former
    Path(renewed["tls_certificate"]).replace(files["tls_certificate"])
    target.tend()
    assert shown(status.host, status.port).strip() == after
    assert target.status("cars").replicas == before.replicas
    # What ends unasked begins again, on its port and with its certificate.
    (door,) = (p for p in psutil.process_iter() if is_door(p))
    door.kill()
    until(lambda: shows(status, after))
    assert post(status.scoring_url, files, PRIMARY) == 200
    status = target.change("cars", endpoint=dict.fromkeys(files, ""))
    assert status.scoring_url == before.scoring_url
    assert within(30, lambda: score(status).status_code == 200)


def is_door(process: psutil.Process) -> bool:
    """Whether a process is the door of an endpoint."""
    try:
        return "ServeReplica:modelwright-cars:door" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def shows(status: EndpointStatus, certificate: bytes) -> bool:
    """Whether new connections are shown a certificate; not while nobody takes them."""
    try:
        return shown(status.host, status.port).strip() == certificate
    except OSError:
        return False


def test_a_removed_endpoint_leaves_nothing(target: RayTarget, cars: EndpointStatus) -> None:
    target.remove("cars")
    assert target.names() == ()
    with pytest.raises(UnknownEndpoint):
        target.status("cars")
    assert score(cars).status_code == 404


def test_the_cluster_is_known(target: RayTarget) -> None:
    assert target.check() == ""
    assert target.capacity().cpu_cores == 2.0


def test_a_trained_pipeline_is_deployed_to_a_cluster_of_ray(place: Place, tmp_path: Path) -> None:
    with open_home(tmp_path) as home:
        run = run_pipeline(home, tutorial().graph).run
        graph = convert_pipeline(home, run.id).document.graph
        # As for somebody who has not spoken to the cluster yet; half a second where nothing else runs.
        link_to(place.options["address"]).close()
        begun = time.monotonic()
        made = create_cluster(home, "rays", kind="ray", options=place.options)
        assert time.monotonic() - begun < 10
        assert (made.state, made.record.kind) == ("ready", "ray")
        assert made.capacity.cpu_cores == 2.0
        report = deploy_endpoint(
            home, graph, name="prices", cluster="rays", deployment=SETTINGS
        ).report
        try:
            assert (report.state, report.record.cluster) == (State.HEALTHY, "rays")
            scored = score_rows(home, "prices", sample_rows(home, "prices"))
            assert len(scored.results["WebServiceOutput0"]) == 1
        finally:
            delete_endpoint(home, "prices")
        delete_cluster(home, "rays")


def test_a_cluster_that_is_not_there_is_told(tmp_path: Path) -> None:
    absent = ray_target(Place("none", tmp_path, tmp_path, {"address": f"127.0.0.1:{free_port()}"}))
    assert "No Ray cluster answers" in absent.check()
    with pytest.raises(RayUnreachable):
        absent.capacity()
    for wrong in ({}, {"address": "127.0.0.1:6379", "http_port": "80 80"}):
        with pytest.raises(InvalidSetting):
            ray_target(Place("none", tmp_path, tmp_path, wrong))


def test_settings_are_those_of_ray_serve() -> None:
    settings = DeploymentSettings(max_concurrent_requests=4, target_utilization=50, calm_s=9.0)
    options = options_for(settings)
    assert options["max_ongoing_requests"] == 4
    scaling = options["autoscaling_config"]
    assert (scaling["min_replicas"], scaling["max_replicas"]) == (1, 10)
    assert (scaling["target_ongoing_requests"], scaling["downscale_delay_s"]) == (2.0, 9.0)
    fixed = options_for(DeploymentSettings(autoscale=False, min_replicas=3))
    assert fixed["num_replicas"] == 3
    assert "autoscaling_config" not in fixed
