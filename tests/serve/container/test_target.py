"""Endpoints as real containers of a real engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from modelwright.actions.clusters import create_cluster, delete_cluster
from modelwright.actions.conversions import convert_pipeline
from modelwright.actions.endpoints import (
    delete_endpoint,
    deploy_endpoint,
    endpoint_log,
    regenerate_key,
    start_endpoint,
    stop_endpoint,
)
from modelwright.actions.run_pipeline import run_pipeline
from modelwright.actions.scoring import sample_rows, score_rows
from modelwright.inference.package import Package, write
from modelwright.inference.scorer import Scorer
from modelwright.serve.capacity import Unschedulable
from modelwright.serve.container.engine import connected, files_of
from modelwright.serve.container.target import ContainerTarget, container_target
from modelwright.serve.errors import (
    DeploymentFailed,
    EndpointBusy,
    InvalidSetting,
    UnknownEndpoint,
)
from modelwright.serve.keys import Keys
from modelwright.serve.logs import LARGEST
from modelwright.serve.status import EndpointStatus, State
from modelwright.serve.target import NotSupported, Offer, Place, make_target
from modelwright.workspace.records.endpoints import KeyName
from tests.actions.homes import open_home, tutorial
from tests.inference.cars import car_prices, car_request
from tests.serve.callers import calling, widths
from tests.serve.container.podman import podman_engine
from tests.serve.replicas import PRIMARY, SECONDARY
from tests.serve.test_tls import certificate, plainly, post, shown
from tests.waiting import until

KEYS = Keys(PRIMARY, SECONDARY)
SETTINGS = {"cpu_reserve": 1.0, "memory_reserve_gb": 0.5}


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with podman_engine() as address:
        yield address


@pytest.fixture(scope="module")
def target(engine: str, tmp_path_factory: pytest.TempPathFactory) -> ContainerTarget:
    folder = tmp_path_factory.mktemp("cluster")
    place = Place("boxes", folder, folder / "elsewhere", {"engine_url": engine})
    made = make_target("container", place)
    assert isinstance(made, ContainerTarget)
    return made


@pytest.fixture(scope="module")
def cars(target: ContainerTarget, tmp_path_factory: pytest.TempPathFactory) -> EndpointStatus:
    path = tmp_path_factory.mktemp("cars") / "cars"
    write(car_prices(), path)
    return target.apply("cars", {1: Offer(path, SETTINGS)}, keys=KEYS)


def score(status: EndpointStatus, key: str = PRIMARY) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.post(status.scoring_url, content=car_request(), headers=headers, timeout=30)


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def container_of(engine: str, name: str) -> Any:
    (found,) = connected(engine).containers.list(filters={"label": f"modelwright.endpoint={name}"})
    return found


def log_bounds(most: int) -> str:
    """The command lines of Podman's monitors that begin a log anew after so many bytes."""
    lines = []
    for process in psutil.process_iter(["name", "cmdline"]):
        words = process.info["cmdline"] or []
        bound = words.index("--log-size-max") + 1 if "--log-size-max" in words else 0
        if process.info["name"] == "conmon" and bound and words[bound] == str(most):
            lines.append(" ".join(words))
    return "\n".join(lines)


def test_a_container_answers_with_its_limits_and_nothing_more(
    engine: str, target: ContainerTarget, cars: EndpointStatus
) -> None:
    assert cars.state is State.HEALTHY
    answer = score(cars)
    assert answer.content == Scorer(car_prices()).answer(car_request())
    assert score(cars, "x" * 20).status_code == 401
    assert score(cars, SECONDARY).status_code == 200
    found = container_of(engine, "cars").attrs
    assert "OMP_NUM_THREADS=1" in found["Config"]["Env"]
    assert "POLARS_MAX_THREADS=1" in found["Config"]["Env"]
    held = found["HostConfig"]
    assert held["Memory"] == 500_000_000
    assert held["NanoCpus"] == 1_000_000_000
    assert psutil.Process(cars.replicas[0]).uids().real == 10_001
    assert target.names() == ("cars",)
    assert target.status("cars").answered > 0
    assert any("answering on" in line for line in target.logs("cars")[0].read_text().splitlines())
    assert container_of(engine, "cars").id in log_bounds(LARGEST)


def test_what_a_container_does_is_counted_second_by_second(
    target: ContainerTarget, cars: EndpointStatus
) -> None:
    begun = time.time()
    answers = [score(cars), score(cars), score(cars, "x" * 20)]
    assert [a.status_code for a in answers] == [200, 200, 401]

    def counted() -> tuple[int, int]:
        samples = target.measurements("cars", begun - 1)
        return sum(s["requests"] for s in samples), sum(s["refused"] for s in samples)

    assert within(30, lambda: counted()[0] >= 3 and counted()[1] >= 1)
    last = target.measurements("cars")[-1]["at"]
    assert all(s["at"] > last for s in target.measurements("cars", last))
    assert [*target.status("cars").recent] == ["requests_per_s", "errors_per_s", "p50_ms", "p99_ms"]


def test_another_package_takes_over_without_a_pause(
    target: ContainerTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    write(car_prices(chosen=("Scored Labels",)), tmp_path / "short")
    status = target.apply("cars", {2: Offer(tmp_path / "short", SETTINGS)}, keys=KEYS)
    assert (status.replicas, status.port) == (cars.replicas, cars.port)
    (row,) = score(status).json()["Results"]["WebServiceOutput0"]
    assert [*row] == ["Scored Labels"]
    assert status.deployments[0]["number"] == 2
    assert status.package == Package.open(tmp_path / "short").digest


def test_new_keys_open_it_and_the_old_ones_do_not(
    target: ContainerTarget, cars: EndpointStatus
) -> None:
    new = Keys("another-primary-key-1", "another-secondary-key-2")
    target.set_keys("cars", new)
    assert score(cars).status_code == 401
    assert score(cars, new.primary).status_code == 200
    target.set_keys("cars", KEYS)
    assert score(cars).status_code == 200


def test_access_is_changed_while_it_serves(target: ContainerTarget, cars: EndpointStatus) -> None:
    status = target.change("cars", endpoint={"allowed_origins": ["https://shop.example"]})
    assert status.endpoint["allowed_origins"] == ["https://shop.example"]
    answer = httpx.get(f"{status.base_url}/healthz", headers={"Origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"


def test_stopped_and_started_it_keeps_address_and_package(
    target: ContainerTarget, cars: EndpointStatus
) -> None:
    before = target.status("cars")
    assert target.stop("cars").state is State.STOPPED
    with pytest.raises(httpx.TransportError):
        score(before)
    assert [s.state for s in target.ensure_running()] == [State.STOPPED]
    # Settings change what it begins with, so that its container is another one.
    target.change("cars", deployment={"max_queue_wait_ms": 600})
    after = target.start("cars")
    assert (after.state, after.port, after.package) == (State.HEALTHY, before.port, before.package)
    assert after.deployment["max_queue_wait_ms"] == 600
    assert score(after).status_code == 200
    former, present = (path.read_text() for path in target.logs("cars"))
    assert "answering on" in former
    assert "answering on" in present


def test_a_container_that_is_gone_is_made_anew_on_its_address(
    engine: str, target: ContainerTarget, cars: EndpointStatus
) -> None:
    before = target.status("cars")
    read = "".join(path.read_text() for path in target.logs("cars"))
    container_of(engine, "cars").remove(force=True)
    assert target.status("cars").state is State.UNHEALTHY
    (after,) = target.ensure_running()
    assert (after.state, after.port, after.package) == (State.HEALTHY, before.port, before.package)
    # What its log has told once goes on being told.
    for _ in "12":
        now = "".join(path.read_text() for path in target.logs("cars"))
        assert now.startswith(read)
        assert now[len(read) :].count("answering on") == 1


def test_what_cannot_be_made_leaves_what_served(
    engine: str, target: ContainerTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    write(car_prices(), tmp_path / "cars")
    before = target.status("cars")
    options = {"engine_url": engine, "base_image": "localhost/there-is-none:1"}
    groundless = container_target(Place("boxes", target._kept.root.parent, tmp_path, options))
    container_of(engine, "cars").stop(timeout=0)
    with pytest.raises(DeploymentFailed) as caught:
        groundless.apply("cars", {3: Offer(tmp_path / "cars", SETTINGS)}, keys=KEYS)
    assert "there-is-none" in str(caught.value)
    assert within(30, lambda: target.status("cars").state is State.HEALTHY)
    after = target.status("cars")
    assert (after.package, after.port) == (before.package, before.port)
    assert score(after).status_code == 200


def memory_of(pid: int) -> int:
    """Bytes that the kernel lets a process and its group have."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, kinds, group = line.split(":", 2)
        places = {"memory": f"memory{group}/memory.limit_in_bytes", "": f"{group}/memory.max"}
        path = Path("/sys/fs/cgroup") / places.get(kinds, "none").lstrip("/")
        if path.is_file() and (text := path.read_text().strip()).isdigit():
            return int(text)
    raise AssertionError("the kernel tells no bound of memory")


def test_a_canary_and_a_shadow_share_a_container_and_no_request_is_lost(
    target: ContainerTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    write(car_prices(), tmp_path / "cars")
    write(car_prices(chosen=("Scored Labels",)), tmp_path / "short")
    one, two = tmp_path / "cars", tmp_path / "short"
    small = {"cpu_reserve": 0.5, "memory_reserve_gb": 0.4}
    before = target.apply("cars", {4: Offer(one, SETTINGS)}, keys=KEYS)
    with calling(cars.scoring_url, 1) as statuses:
        both = {4: Offer(one, SETTINGS, 90), 5: Offer(two, small, 10)}
        status = target.apply("cars", both, keys=KEYS)
        assert status.replicas == before.replicas
        assert memory_of(status.replicas[0]) == pytest.approx(0.9e9, rel=1e-4)
        shadowed = {4: Offer(one, SETTINGS), 5: Offer(two, small, 0, 100)}
        status = target.apply("cars", shadowed, keys=KEYS)
        until(lambda: bool(target.status("cars").deployments[1]["compared"]))
        until(lambda: target.status("cars").deployments[1]["compared"]["copies"] > 0)
        # Promoted, and rolled back.
        status = target.apply("cars", {5: Offer(two, small)}, keys=KEYS)
        assert memory_of(status.replicas[0]) == pytest.approx(0.4e9, rel=1e-4)
        assert set(widths(cars.scoring_url, 3)) == {1}
        status = target.apply("cars", {4: Offer(one, SETTINGS)}, keys=KEYS)
    assert status.replicas == before.replicas
    assert len(statuses) > 20
    assert set(statuses) == {200}
    halves = {4: Offer(one, SETTINGS, 70), 5: Offer(two, small, 30)}
    status = target.apply("cars", halves, keys=KEYS)
    assert Counter(widths(status.scoring_url, 20)) == {25: 14, 1: 6}
    assert [(d["number"], d["share"]) for d in status.deployments] == [(4, 70), (5, 30)]
    # What ends unasked begins again with both.
    os.kill(status.replicas[0], signal.SIGKILL)
    assert within(30, lambda: target.status("cars").replicas not in ((), status.replicas))
    assert Counter(widths(status.scoring_url, 20)) == {25: 14, 1: 6}


def test_settings_of_a_deployment_change_while_its_container_serves(
    target: ContainerTarget, cars: EndpointStatus
) -> None:
    before = target.status("cars")
    change = {"memory_reserve_gb": 0.6, "max_queue_wait_ms": 900}
    status = target.change("cars", deployment=change, number=4)
    assert status.replicas == before.replicas
    assert [d["settings"]["max_queue_wait_ms"] for d in status.deployments] == [900, 500]
    assert memory_of(status.replicas[0]) == pytest.approx(1.0e9, rel=1e-4)
    with pytest.raises(InvalidSetting):
        target.change("cars", deployment={"memory_reserve_gb": -1}, number=4)
    assert target.status("cars").deployments == status.deployments


def test_a_certificate_is_shown_by_a_container_that_goes_on_and_a_renewed_one_too(
    engine: str, target: ContainerTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    before = target.status("cars")
    files = certificate(tmp_path / "served", "first")
    status = target.change("cars", endpoint=files)
    assert (status.replicas, status.port) == (before.replicas, before.port)
    assert status.scoring_url.startswith("https://")
    assert post(status.scoring_url, files, PRIMARY) == 200
    assert post(status.scoring_url, files, "x" * 20) == 401
    assert not plainly(status.host, status.port).startswith(b"HTTP/")
    inside = container_of(engine, "cars")
    look = "import os; s = os.stat('/run/modelwright/tls.key'); print(oct(s.st_mode), s.st_uid)"
    assert inside.exec_run(["python", "-S", "-c", look]).output.decode().split() == [
        "0o100400",
        "10001",
    ]
    # Half of the two is there: the former ones are shown.
    renewed = certificate(tmp_path / "renewed", "second")
    former = Path(files["tls_certificate"]).read_bytes().strip()
    after = Path(renewed["tls_certificate"]).read_bytes().strip()
    Path(renewed["tls_key"]).replace(files["tls_key"])
    target.tend()
    assert shown(status.host, status.port).strip() == former
    Path(renewed["tls_certificate"]).replace(files["tls_certificate"])
    target.tend()
    assert shown(status.host, status.port).strip() == after
    # Nothing of it is in the image.
    fresh = connected(engine).containers.create(inside.image.id, ["python"])
    assert not [name for name, _ in files_of(fresh, "/run/modelwright") if "tls" in name]
    fresh.remove()
    status = target.change("cars", endpoint=dict.fromkeys(files, ""))
    assert score(status).status_code == 200


def test_what_a_container_was_given_while_it_ran_is_there_after_an_end_that_nobody_asked_for(
    target: ContainerTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    files = certificate(tmp_path / "served", "given")
    number = target.status("cars").deployments[0]["number"]
    target.change("cars", endpoint=files)
    status = target.change("cars", deployment={"memory_reserve_gb": 0.7}, number=number)
    said = "".join(path.read_text() for path in target.logs("cars"))
    wanted = memory_of(status.replicas[0])
    assert wanted == pytest.approx(status.memory["gb"] * 1e9, rel=1e-4)
    os.kill(status.replicas[0], signal.SIGKILL)
    assert within(30, lambda: target.status("cars").replicas not in ((), status.replicas))
    assert post(status.scoring_url, files, PRIMARY) == 200
    before = status
    (status,) = target.ensure_running()
    assert (status.state, status.port) == (State.HEALTHY, before.port)
    assert status.package == before.package
    assert memory_of(status.replicas[0]) == wanted
    now = "".join(path.read_text() for path in target.logs("cars"))
    assert now.startswith(said)
    assert "answering on" in now[len(said) :]
    target.change("cars", endpoint=dict.fromkeys(files, ""))


def test_requests_and_replies_that_a_container_keeps_are_brought_here(
    target: ContainerTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    write(car_prices(), tmp_path / "cars")
    one = tmp_path / "cars"
    keeping = {**SETTINGS, "data_collection": True, "collection_files": 2}
    status = target.apply("cars", {6: Offer(one, keeping)}, keys=KEYS)
    folder = target._endpoints / "cars" / "collected"
    for _ in range(3):
        assert score(status).status_code == 200

    def kept() -> list[dict[str, Any]]:
        target.bring_collected("cars")
        texts = [p.read_text(encoding="utf-8") for p in sorted(folder.glob("6/*.jsonl"))]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    until(lambda: len(kept()) == 3)
    # So does whoever looks after it, now and then.
    shutil.rmtree(folder)
    target.tend()
    assert len([*folder.glob("6/*.jsonl")]) == 1
    shutil.rmtree(folder)
    target.tend()
    assert not folder.exists()
    first = kept()[0]
    assert first["request"] == json.loads(car_request())
    assert first["reply"] == score(status).json()
    assert first["deployment"] == 6
    # What was answered last before a stop is there as well.
    assert score(status).status_code == 200
    assert target.stop("cars").state is State.STOPPED
    texts = [p.read_text(encoding="utf-8") for p in sorted(folder.glob("6/*.jsonl"))]
    assert sum(len(text.splitlines()) for text in texts) == 5
    target.start("cars")
    # Parquet in files of a minute, and at the end; the oldest go.
    status = target.change("cars", deployment={"collection_format": "parquet"}, number=6)
    assert score(status).status_code == 200
    target.change("cars", deployment={"collection_format": "jsonl"}, number=6)
    assert score(status).status_code == 200
    until(lambda: kept() is not None and len([*folder.glob("6/*.parquet")]) == 1)
    until(lambda: len([*folder.glob("6/*")]) == 2)
    target.change("cars", deployment={"data_collection": False}, number=6)


def test_what_a_container_cannot_do_is_refused_with_what_to_do(
    target: ContainerTarget, cars: EndpointStatus, tmp_path: Path
) -> None:
    write(car_prices(), tmp_path / "cars")
    before = target.status("cars").deployments
    for unlike in ({"min_replicas": 2}, {"max_replicas": 3}, {"min_replicas": 0}):
        with pytest.raises(NotSupported) as caught:
            target.apply("cars", {6: Offer(tmp_path / "cars", unlike)}, keys=KEYS)
        assert "at 1, or use a local inference cluster or one of Ray" in str(caught.value)
    assert target.status("cars").deployments == before
    assert target.status("cars").deployment["max_replicas"] == 1


def test_one_change_at_a_time(target: ContainerTarget, cars: EndpointStatus) -> None:
    with target._kept.changing("cars"), pytest.raises(EndpointBusy):
        target.stop("cars")


def test_a_removed_endpoint_leaves_nothing(
    engine: str, target: ContainerTarget, cars: EndpointStatus
) -> None:
    target.remove("cars")
    assert target.names() == ()
    with pytest.raises(UnknownEndpoint):
        target.status("cars")
    client = connected(engine)
    assert client.containers.list(all=True) == []
    assert client.images.list("localhost/modelwright-endpoint-cars") == []


def test_a_trained_pipeline_is_deployed_to_a_cluster_of_containers(
    engine: str, tmp_path: Path
) -> None:
    with open_home(tmp_path) as home:
        run = run_pipeline(home, tutorial().graph).run
        graph = convert_pipeline(home, run.id).document.graph
        begun = time.monotonic()
        made = create_cluster(home, "boxes", kind="container", options={"engine_url": engine})
        # A fifth of a second, nearly all of which the engine takes to tell its capacity.
        assert time.monotonic() - begun < 2
        assert (made.state, made.record.kind) == ("ready", "container")
        assert made.capacity.cpu_cores >= 1
        too_much = {"cpu_reserve": 64.0, "memory_reserve_gb": 0.5}
        with pytest.raises(Unschedulable) as caught:
            deploy_endpoint(home, graph, name="wide", cluster="boxes", deployment=too_much)
        (short,) = caught.value.fields["short"]
        assert (short["resource"], short["needed"]) == ("cpu_cores", 64.0)
        delete_endpoint(home, "wide")
        report = deploy_endpoint(
            home, graph, name="prices", cluster="boxes", deployment=SETTINGS
        ).report
        try:
            assert (report.state, report.record.cluster) == (State.HEALTHY, "boxes")
            scored = score_rows(home, "prices", sample_rows(home, "prices"))
            assert len(scored.results["WebServiceOutput0"]) == 1
            assert any("answering on" in line for line in endpoint_log(home, "prices"))
            keys = regenerate_key(home, "prices", KeyName.PRIMARY)
            assert score_rows(home, "prices", sample_rows(home, "prices")).results
            assert keys.primary != PRIMARY
            assert stop_endpoint(home, "prices").state is State.STOPPED
            assert start_endpoint(home, "prices").state is State.HEALTHY
        finally:
            delete_endpoint(home, "prices")
        delete_cluster(home, "boxes")


def test_an_engine_that_is_not_there_is_told(tmp_path: Path) -> None:
    place = Place("none", tmp_path, tmp_path, {"engine_url": f"unix://{tmp_path}/no.sock"})
    assert "No container engine answers" in container_target(place).check()


def test_an_engine_is_spoken_to_in_the_version_that_it_tells(engine: str) -> None:
    with closing(connected(engine)) as client:
        assert client.api.api_version == client.version()["ApiVersion"]


def test_the_machine_of_the_engine_is_known(target: ContainerTarget) -> None:
    assert target.check() == ""
    assert target.capacity().cpu_cores >= 1
    assert target.capacity().memory_gb > 1
