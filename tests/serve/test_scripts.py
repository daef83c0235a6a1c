"""Pipelines with scripts: scored in processes of their own, which may hang, crash and be replaced."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from modelwright.serve.control import tell
from tests.inference.cars import car_request, car_rows, cars
from tests.serve.replicas import Running, package, running
from tests.waiting import until

# What a script does depends on the make of the first car, so that one endpoint shows all.
SCRIPT = """
import os, sys, time, tempfile

def azureml_main(a=None, b=None):
    print("scoring", len(a), "cars", tempfile.mkdtemp())
    make = a["make"].iloc[0]
    if make == "hang":
        while True:
            pass
    if make == "sleep":
        time.sleep(0.6)
    if make == "crash":
        os._exit(3)
    if make == "leave":
        sys.exit(4)
    if make == "gorge":
        everything = b"x" * 3_000_000_000
    if make == "fail":
        raise ValueError("no such make")
    return a[["make", "Scored Labels"]]
"""


def car(make: str) -> bytes:
    return car_request({**car_rows(cars()[2:3])[0], "make": make})


def score(replica: Running, make: str) -> httpx.Response:
    return replica.score(car(make))


def answers(replica: Running) -> bool:
    return score(replica, "bmw").status_code == 200


@pytest.fixture(scope="module")
def replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    packaged = package(tmp_path_factory.mktemp("scripts"), script=SCRIPT)
    limits = {"scoring_timeout_ms": 1500, "max_queue_wait_ms": 300, "autoscale": False}
    temporary = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TMPDIR", str(temporary))
        with running(packaged, deployment=limits) as found:
            yield found
    # Though its processes hung, crashed and were killed, nothing of theirs is left.
    until(lambda: not any(temporary.iterdir()))


def test_a_script_answers_and_its_prints_are_in_the_log(replica: Running) -> None:
    found = score(replica, "bmw")
    assert found.status_code == 200
    (row,) = found.json()["Results"]["WebServiceOutput0"]
    assert [*row] == ["make", "Scored Labels"]
    until(lambda: any("scoring 1 cars" in line for line in replica.log))


def test_a_script_that_raises_is_a_400_with_its_node_and_line(replica: Running) -> None:
    response = score(replica, "fail")
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["details"]["node"] == "script"
    assert "no such make" in error["message"]
    assert "Line 19" in error["message"]
    assert answers(replica)


def test_a_bad_request_is_told_as_without_scripts(replica: Running) -> None:
    response = replica.score(b"{")
    assert response.status_code == 400
    assert response.json()["error"]["details"]["code"] == "malformed-json"


def test_a_hanging_script_is_504_at_the_deadline_and_its_process_is_replaced(
    replica: Running,
) -> None:
    started = time.monotonic()
    response = score(replica, "hang")
    taken = time.monotonic() - started
    assert response.status_code == 504
    assert response.json()["error"]["details"]["code"] == "scoring-timeout"
    assert 1.4 < taken < 2.5
    assert httpx.get(f"{replica.url}/").text == "Healthy"
    until(lambda: answers(replica))


def test_a_crashing_script_takes_only_its_own_request(replica: Running) -> None:
    response = score(replica, "crash")
    assert response.status_code == 400
    assert "The process of the script ended" in response.json()["error"]["message"]
    assert answers(replica)


def test_a_script_that_wants_more_memory_than_is_kept_for_it_is_refused_it(
    replica: Running,
) -> None:
    response = score(replica, "gorge")
    assert response.status_code == 400
    # Where no control group ends it, the script is told in its own line.
    told = ("Line 17 of the script needs more memory", "took more memory than the 0.5 GB")
    assert any(words in response.json()["error"]["message"] for words in told)
    assert answers(replica)


def test_a_script_that_leaves_is_a_mistake_of_the_script(replica: Running) -> None:
    assert score(replica, "leave").status_code == 400
    assert answers(replica)


def test_a_killed_scoring_process_is_replaced(replica: Running) -> None:
    until(lambda: answers(replica))
    control = replica.control
    (worker,) = tell(control, {"do": "status"})["workers"]
    os.kill(worker, signal.SIGKILL)
    until(lambda: tell(control, {"do": "status"})["workers"] not in ([], [worker]))
    assert answers(replica)


def test_a_request_whose_scoring_process_is_killed_is_told_so(replica: Running) -> None:
    until(lambda: answers(replica))
    (worker,) = tell(replica.control, {"do": "status"})["workers"]
    with ThreadPoolExecutor(1) as pool:
        response = pool.submit(score, replica, "sleep")
        until(lambda: tell(replica.control, {"do": "status"})["busy"] == 1)
        os.kill(worker, signal.SIGKILL)
        told = response.result()
    assert told.status_code == 500
    assert told.json()["error"]["details"]["code"] == "scoring-process-died"
    until(lambda: answers(replica))


def test_limits_that_change_while_it_serves_count_for_the_next_request(replica: Running) -> None:
    until(lambda: answers(replica))
    before = tell(replica.control, {"do": "status"})["settings"]
    changed = {**before, "scoring_timeout_ms": 100, "diagnostics": True}
    tell(replica.control, {"do": "change", "settings": changed})
    try:
        assert score(replica, "sleep").status_code == 504
        until(lambda: any(" 504 " in line for line in replica.log))
    finally:
        tell(replica.control, {"do": "change", "settings": before})
    until(lambda: answers(replica))
    assert score(replica, "sleep").status_code == 200


def test_requests_beyond_the_wait_are_503_with_retry_after(replica: Running) -> None:
    until(lambda: answers(replica))
    statuses: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(score(replica, "sleep"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    by_status = sorted(r.status_code for r in statuses)
    assert by_status == [200, 503, 503, 503]
    refused = next(r for r in statuses if r.status_code == 503)
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error"]["details"]["code"] == "overloaded"


def test_more_processes_answer_more_requests_at_a_time(tmp_path: Path) -> None:
    packaged = package(tmp_path, script=SCRIPT)
    deployment = {"max_concurrent_requests": 3, "max_queue_wait_ms": 0}
    with running(packaged, deployment=deployment) as replica:
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda: found.append(score(replica, "sleep").status_code))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [200, 200, 200]


def workers_of(replica: Running) -> list[int]:
    found: list[int] = tell(replica.control, {"do": "status"})["workers"]
    return found


def together(count: int, call: Callable[[], httpx.Response]) -> list[int]:
    """Statuses of so many calls at a time."""
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(call().status_code)) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_processes_become_more_with_the_load(tmp_path: Path) -> None:
    packaged = package(tmp_path, script=SCRIPT)
    deployment = {"refresh_period_s": 0.1, "max_replicas": 4, "max_queue_wait_ms": 10_000}
    with running(packaged, deployment=deployment) as replica:
        assert len(workers_of(replica)) == 1
        assert together(4, lambda: score(replica, "sleep")) == [200] * 4
        until(lambda: len(workers_of(replica)) == 4)
        assert together(4, lambda: score(replica, "sleep")) == [200] * 4


def test_a_step_of_load_is_followed_before_the_next_look_at_it(tmp_path: Path) -> None:
    packaged = package(tmp_path, script=SCRIPT)
    # Nobody would look for a minute, were it not for those who wait.
    seldom = {"refresh_period_s": 60.0, "max_replicas": 8, "max_queue_wait_ms": 2_000}
    with running(packaged, deployment=seldom) as replica:
        assert len(workers_of(replica)) == 1
        begun = time.monotonic()
        while len(workers_of(replica)) < 8:
            assert time.monotonic() - begun < 50
            assert {*together(8, lambda: score(replica, "sleep"))} <= {200, 503}
        assert together(8, lambda: score(replica, "sleep")) == [200] * 8


def test_without_requests_none_is_left_and_the_next_request_wakes_one(tmp_path: Path) -> None:
    packaged = package(tmp_path, script=SCRIPT)
    with running(packaged, deployment={"min_replicas": 1, "refresh_period_s": 0.1}) as replica:
        zero = {"min_replicas": 0, "refresh_period_s": 0.1, "calm_s": 0.2}
        tell(replica.control, {"do": "change", "settings": zero})
        until(lambda: workers_of(replica) == [])
        started = time.monotonic()
        assert score(replica, "bmw").status_code == 200
        print(f"woken in {time.monotonic() - started:.2f} s")


def test_a_script_that_cannot_score_the_samples_does_not_start(tmp_path: Path) -> None:
    packaged = package(tmp_path, script=SCRIPT)
    script = packaged / "graph.yaml"
    broken = script.read_text(encoding="utf-8").replace("import os, sys, time", "import nowhere")
    script.write_text(broken, encoding="utf-8")
    reseal(packaged)
    with pytest.raises(AssertionError, match="nowhere"), running(packaged):
        pass


def reseal(packaged: Path) -> None:
    """Make a package whole again after a file of it was changed."""
    import json
    from hashlib import sha256

    manifest = json.loads((packaged / "serving.json").read_text(encoding="utf-8"))
    for name in manifest["files"]:
        manifest["files"][name] = sha256((packaged / name).read_bytes()).hexdigest()
    del manifest["checksum"]
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    manifest["checksum"] = sha256(text.encode()).hexdigest()
    (packaged / "serving.json").write_text(json.dumps(manifest), encoding="utf-8")
