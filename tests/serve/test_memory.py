"""The memory of replicas is bounded: by a control group where there can be one, else by a limit."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import httpx
import pytest

from modelwright.serve import groups
from modelwright.serve.endpoint import Endpoints
from modelwright.serve.groups import usual_places
from modelwright.serve.keys import Keys
from modelwright.serve.limits import memory_bound
from modelwright.serve.status import EndpointStatus, State
from tests.inference.cars import car_request
from tests.serve.replicas import AUTHORIZED, PRIMARY, SECONDARY, package
from tests.waiting import until

KEYS = Keys(PRIMARY, SECONDARY)

GREEDY = """
import os
def azureml_main(a=None, b=None):
    if os.path.exists({greedy!r}):
        try:
            held = bytearray(900_000_000)
        except MemoryError:
            raise ValueError("there is no room")
        held[::4096] = bytes(len(held[::4096]))
    return a
"""


def can_have_groups() -> bool:
    """Whether a process of this user can have a group of its own, tried in a process that ends."""
    pid = os.fork()
    if pid == 0:
        os._exit(0 if groups.join(500_000_000) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.fixture(params=["as the machine allows", "without groups"])
def kept_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By what memory is bounded: both ways where the machine has groups, else the limit twice."""
    if request.param == "without groups":
        monkeypatch.setenv(groups.SETTING, "none")
    return "cgroup" if can_have_groups() else "rlimit"


def bytes_allowed(pid: int, kept_by: str) -> int:
    """What the kernel says the process may have."""
    if kept_by == "rlimit":
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
        (line,) = [one for one in lines if one.startswith("Max data size")]
        return int(line.split()[3])
    group = groups.of(pid)
    assert group is not None
    assert str(pid) in (group.folder / "cgroup.procs").read_text().split()
    names = ("memory.max", "memory.limit_in_bytes")
    (file,) = [group.folder / n for n in names if (group.folder / n).exists()]
    return int(file.read_text())


def score(status: EndpointStatus) -> httpx.Response:
    return httpx.post(status.scoring_url, content=car_request(), headers=AUTHORIZED, timeout=60)


def test_a_replica_is_bounded_and_the_status_says_by_what(
    endpoints: Endpoints, tmp_path: Path, kept_by: str
) -> None:
    cars = package(tmp_path)
    status = endpoints.deploy("cars", cars, keys=KEYS, deployment={"memory_reserve_gb": 0.5})
    assert status.memory == {"by": kept_by, "gb": 0.5}
    assert status.to_json()["memory"] == {"by": kept_by, "gb": 0.5}
    (replica,) = status.replicas
    before = bytes_allowed(replica, kept_by)
    status = endpoints.change("cars", deployment={"memory_reserve_gb": 0.75})
    assert status.memory == {"by": kept_by, "gb": 0.75}
    more = bytes_allowed(replica, kept_by) - before
    assert more == pytest.approx(0.25e9, abs=8192)
    endpoints.stop("cars")
    assert groups.of(replica) is None


def test_a_script_that_takes_too_much_fails_alone(
    endpoints: Endpoints, tmp_path: Path, kept_by: str
) -> None:
    greedy = tmp_path / "greedy"
    scripted = package(tmp_path, script=GREEDY.format(greedy=str(greedy)))
    # Two processes, so that another request can be answered meanwhile.
    settings = {"memory_reserve_gb": 0.6, "max_concurrent_requests": 2, "autoscale": False}
    status = endpoints.deploy("cars", scripted, keys=KEYS, deployment=settings)
    assert score(status).status_code == 200
    greedy.touch()
    failed = score(status)
    greedy.unlink()
    assert failed.status_code == 400, failed.text
    said = failed.json()["error"]
    if kept_by == "cgroup":
        assert said["details"]["code"] == "scoring-out-of-memory"
        assert "0.6 GB" in said["message"]
    else:
        # The script was told that there is no more, and told its caller.
        assert "there is no room" in failed.text
    # The other process answers, and what was ended is replaced.
    answers = [score(status) for _ in range(6)]
    assert {answer.status_code for answer in answers} == {200}
    after = endpoints.status("cars")
    assert (after.state, after.replicas) == (State.HEALTHY, status.replicas)


def large(status: EndpointStatus, body: bytes) -> httpx.Response | None:
    """The answer to a large request; None where the connection ends without one."""
    try:
        return httpx.post(status.scoring_url, content=body, headers=AUTHORIZED, timeout=120)
    except httpx.TransportError:
        return None


def test_a_formula_that_takes_too_much_fails_with_its_request_alone(
    endpoints: Endpoints, tmp_path: Path, kept_by: str
) -> None:
    cars = package(tmp_path)
    status = endpoints.deploy("cars", cars, keys=KEYS, deployment={"memory_reserve_gb": 0.15})
    (row,) = json.loads(car_request())["Inputs"]["WebServiceInput0"]
    body = car_request(*[row] * 120_000)
    answers = []
    # By a limit of its own it is told in some of its work, and ends in some.
    for _ in range(1 if kept_by == "cgroup" else 4):
        answers.append(large(status, body))
        # A replica that was ended over it is replaced, while callers wait.
        assert score(status).status_code == 200
    told = [answer.json()["error"] for answer in answers if answer is not None]
    assert {error["details"]["code"] for error in told} <= {"scoring-out-of-memory"}
    if kept_by == "cgroup":
        assert answers == [None]
        log = endpoints.logs("cars")[-1].read_text(encoding="utf-8")
        assert "went over the memory it may have" in log
    else:
        assert told
        assert "0.15 GB" in told[0]["message"]
    until(lambda: endpoints.status("cars").state is State.HEALTHY)


def test_others_are_answered_while_one_takes_too_much(endpoints: Endpoints, tmp_path: Path) -> None:
    greedy = tmp_path / "greedy"
    scripted = package(tmp_path, "scripted", script=GREEDY.format(greedy=str(greedy)))
    bad = endpoints.deploy("bad", scripted, keys=KEYS, deployment={"memory_reserve_gb": 0.6})
    good = endpoints.deploy("good", package(tmp_path), keys=KEYS)
    greedy.touch()
    answers: list[int] = []
    caller = threading.Thread(target=lambda: answers.append(score(bad).status_code))
    caller.start()
    others = [score(good).status_code for _ in range(10)]
    caller.join()
    greedy.unlink()
    assert answers == [400]
    assert set(others) == {200}
    until(lambda: score(bad).status_code == 200)


def test_a_folder_that_is_no_control_group_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(groups.SETTING, str(tmp_path))
    assert groups.join(500_000_000) is None
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv(groups.SETTING, str(tmp_path / "not there"))
    assert groups.join(500_000_000) is None


def test_this_process_is_not_bounded_unless_it_says_so() -> None:
    assert memory_bound() == {"by": "none", "gb": 0.0}


V1 = "36 25 0:31 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n"
V2 = "30 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
CONTAINED = "30 23 0:27 /docker/a1 /sys/fs/cgroup ro - cgroup2 cgroup2 ro\n"


@pytest.mark.parametrize(
    ("mounts", "membership", "expected"),
    [
        (V1, "4:memory:/user/one\n1:cpu:/\n", ["/sys/fs/cgroup/memory/user/one"]),
        (V1, "4:memory:/user/modelwright-12\n", ["/sys/fs/cgroup/memory/user"]),
        (V2, "0::/app.slice/a.scope\n", ["app.slice/a.scope", "app.slice"]),
        (V2, "0::/\n", [""]),
        (CONTAINED, "0::/docker/a1/b\n", ["b", ""]),
        (CONTAINED, "0::/elsewhere\n", []),
        ("", "0::/a\n", []),
    ],
)
def test_groups_are_made_beside_or_below_the_own_one(
    mounts: str, membership: str, expected: list[str]
) -> None:
    found = usual_places(mounts, membership)
    assert list(found) == [Path("/sys/fs/cgroup") / one for one in expected]
