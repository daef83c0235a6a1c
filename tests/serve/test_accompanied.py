"""A replica without a controller shares its requests among deployments and has shadows of its own."""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from modelwright.data.errors import ModelwrightError
from modelwright.serve.control import tell
from modelwright.serve.shadow import taken_together
from tests.serve.callers import calling, widths
from tests.serve.replicas import Running, package, running
from tests.waiting import until

SCRIPT = """
def azureml_main(a=None, b=None):
    return a[["make", "Scored Labels"]]
"""


def part(path: Path, share: int, shadow: int = 0, **settings: Any) -> dict[str, Any]:
    """A deployment as a replica is told of it."""
    settings = {"autoscale": False, "min_replicas": 1, "max_replicas": 1, **settings}
    whole = {"package": str(path), "settings": settings, "share": share, "shadow": shadow}
    return {**whole, "nursery": None}


def apply(replica: Running, **parts: Any) -> None:
    deployments = {name[1:]: told for name, told in parts.items()}
    tell(replica.control, {"do": "apply", "deployments": deployments}, seconds=120)


def shadow_of(replica: Running, number: int) -> dict[str, Any]:
    shadows = tell(replica.control, {"do": "status"})["shadows"]
    return next((s["compared"] or {} for s in shadows if s["number"] == number), {})


def shadow_processes(replica: Running) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(replica.process.pid).children():
        # One that has just ended has no command line any more.
        with suppress(psutil.NoSuchProcess):
            if "modelwright.serve.shadow_process" in process.cmdline():
                found.append(process)
    return found


def test_shares_promotion_and_rollback_lose_no_request(
    tmp_path: Path, cars: Path, labels: Path
) -> None:
    both = {"1": part(cars, 70), "2": part(labels, 30)}
    with running(package(tmp_path), deployments=both) as replica:
        url = f"{replica.url}/score"
        assert Counter(widths(url, 100)) == {25: 70, 1: 30}
        with calling(url) as statuses:
            for share in (10, 50, 100):
                apply(replica, n1=part(cars, 100 - share), n2=part(labels, share))
            apply(replica, n2=part(labels, 100))
            assert set(widths(url, 5)) == {1}
            apply(replica, n1=part(cars, 100))
            assert set(widths(url, 5)) == {25}
        assert len(statuses) > 20
        assert set(statuses) == {200}


def test_a_shadow_gets_copies_only_and_another_follows_on_one_that_is_killed(
    tmp_path: Path, cars: Path, labels: Path
) -> None:
    both = {"1": part(cars, 100), "2": part(labels, 0, 50)}
    with running(package(tmp_path), deployments=both) as replica:
        url = f"{replica.url}/score"

        def copied() -> bool:
            return widths(url, 2) == [25, 25] and shadow_of(replica, 2).get("copies", 0) > 0

        until(copied)
        before = shadow_of(replica, 2)["copies"]
        assert set(widths(url, 20)) == {25}
        until(lambda: shadow_of(replica, 2)["copies"] >= before + 10)
        found = shadow_of(replica, 2)
        assert found["copies"] <= before + 11
        assert (found["different"], found["failed"]) == (found["copies"], 0)
        (shadow,) = shadow_processes(replica)
        os.kill(shadow.pid, signal.SIGKILL)
        until(lambda: [p.pid for p in shadow_processes(replica)] not in ([], [shadow.pid]))
        until(copied)
        (second,) = shadow_processes(replica)
        apply(replica, n1=part(cars, 100))
        assert shadow_processes(replica) == []
        assert not second.is_running()
        assert set(widths(url, 3)) == {25}


def test_a_shadow_that_cannot_score_is_refused_and_the_one_there_goes_on(
    tmp_path: Path, cars: Path
) -> None:
    here = tmp_path / "here"
    here.touch()
    script = f"""
import os
def azureml_main(a=None, b=None):
    assert os.path.exists({str(here)!r})
    return a
"""
    broken = package(tmp_path, "broken", script=script)
    here.unlink()
    both = {"1": part(cars, 100), "2": part(cars, 0, 100)}
    with running(package(tmp_path), deployments=both) as replica:
        (shadow,) = shadow_processes(replica)
        for parts in (
            {"n1": part(cars, 100), "n2": part(broken, 0, 100)},
            {"n1": part(cars, 50), "n3": part(broken, 50)},
        ):
            with pytest.raises(ModelwrightError):
                apply(replica, **parts)
        assert shadow_processes(replica) == [shadow]
        assert set(widths(f"{replica.url}/score", 4)) == {25}
        assert shadow_of(replica, 2)["copies"] >= 0


def test_a_script_gets_processes_with_its_new_bound_when_that_changes(tmp_path: Path) -> None:
    scripted = package(tmp_path, "scripted", script=SCRIPT)
    with running(package(tmp_path), deployments={"1": part(scripted, 100)}) as replica:
        workers = tell(replica.control, {"do": "status"})["workers"]
        apply(replica, n1=part(scripted, 100))
        assert tell(replica.control, {"do": "status"})["workers"] == workers
        apply(replica, n1=part(scripted, 100, memory_reserve_gb=0.7))
        assert {*tell(replica.control, {"do": "status"})["workers"]}.isdisjoint(workers)
        assert set(widths(f"{replica.url}/score", 2)) == {2}


def test_what_the_shadows_of_several_replicas_found_is_added_up() -> None:
    one = {
        **{"copies": 4, "failed": 1, "different": 1, "rows_different": 2},
        **{"largest": 0.5, "example": "", "mean_ms": 2.0},
    }
    two = {**one, "copies": 2, "failed": 1, "largest": 0.25, "example": "b", "mean_ms": 6.0}
    assert taken_together([one, two]) == {
        **{"copies": 6, "failed": 2, "different": 2, "rows_different": 4},
        **{"largest": 0.5, "example": "b", "mean_ms": 3.0},
    }
    assert taken_together([one, {**two, "largest": None}])["largest"] is None
    none = {**one, "copies": 0, "failed": 0, "mean_ms": None}
    assert taken_together([none])["mean_ms"] is None
