"""What fits on an inference cluster, by figures and with real processes."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.serve.capacity import Ledger, Resources, Unschedulable
from modelwright.serve.endpoint import Endpoints
from modelwright.serve.keys import Keys
from modelwright.serve.ledgers import ledger_at
from modelwright.serve.status import EndpointStatus, State
from tests.inference.cars import car_request
from tests.waiting import until

KEYS = Keys.new()
AMOUNTS = st.floats(0.01, 50, allow_nan=False).map(lambda v: round(v, 2))
RESOURCES = st.builds(Resources, AMOUNTS, AMOUNTS)


@given(RESOURCES, RESOURCES)
@settings(max_examples=100)
def test_as_many_fit_as_are_not_short_of_anything(whole: Resources, each: Resources) -> None:
    many = whole.times(each)
    assert whole.short(each * many) == ()
    assert whole.short(each * (many + 1))


def test_rounding_takes_no_room_away() -> None:
    assert Resources(1.0, 10.0).times(Resources(0.1, 0.5)) == 10
    assert Resources(0.3, 10.0).times(Resources(0.1, 0.5)) == 3


def ledger(folder: Path, gone: set[str] | None = None) -> Ledger:
    return Ledger(folder, lambda name: name not in (gone or set()))


def test_what_one_endpoint_has_reserved_another_cannot_have(tmp_path: Path) -> None:
    each = Resources(1.0, 1.0)
    book = ledger(tmp_path)
    book.set_capacity(cpu_cores=4, memory_gb=100)
    assert book.reserve("a", each, 3, at_least=1) == 3
    assert book.reserve("b", each, 3, at_least=1) == 1
    assert book.reserve("c", each, 1, at_least=1) == 0
    assert "c" not in book.reserved()
    # It gives back what it does not need any more.
    assert book.reserve("a", each, 1, at_least=1) == 1
    assert book.reserve("b", each, 3, at_least=1, beside=Resources(1.0, 0.0)) == 2
    assert book.free_for("c") == Resources(0.0, 97.0)
    book.give_back("b")
    assert ledger(tmp_path).reserved() == {"a": each}
    assert ledger(tmp_path, gone={"a"}).free_for("c").cpu_cores == 4


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=12))
@settings(max_examples=30, deadline=None)
def test_never_more_is_reserved_than_there_is(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[str, int]]
) -> None:
    book = ledger(tmp_path_factory.mktemp("cluster"))
    book.set_capacity(cpu_cores=5, memory_gb=5)
    for name, replicas in asked:
        book.reserve(name, Resources(0.7, 0.3), replicas, at_least=0)
        whole = Resources()
        for taken in book.reserved().values():
            whole += taken
        assert Resources(5, 5).short(whole) == ()


def book_of(endpoints: Endpoints) -> Ledger:
    return ledger_at(endpoints.root.parent / "clusters" / "default", endpoints.root)


def test_the_fewest_replicas_must_fit_and_what_serves_goes_on(
    endpoints: Endpoints, cars: Path
) -> None:
    book_of(endpoints).set_capacity(cpu_cores=0.3, memory_gb=8)
    with pytest.raises(Unschedulable) as caught:
        endpoints.deploy("wide", cars, keys=KEYS, deployment={"min_replicas": 4})
    assert caught.value.fields["fit"] == 3
    assert caught.value.fields["short"] == [{"resource": "cpu_cores", "needed": 0.4, "free": 0.3}]
    assert endpoints.names() == ()
    endpoints.deploy("cars", cars, keys=KEYS, deployment={"min_replicas": 2})
    assert book_of(endpoints).reserved() == {"cars": Resources(0.2, 1.0)}
    with pytest.raises(Unschedulable):
        endpoints.change("cars", deployment={"min_replicas": 4})
    with pytest.raises(Unschedulable):
        endpoints.deploy("trucks", cars, keys=KEYS, deployment={"min_replicas": 2})
    assert endpoints.status("cars").state is State.HEALTHY
    assert endpoints.status("cars").deployment["min_replicas"] == 2
    endpoints.stop("cars")
    assert book_of(endpoints).reserved() == {}
    assert endpoints.deploy("trucks", cars, keys=KEYS, deployment={"min_replicas": 3}).state is (
        State.HEALTHY
    )
    with pytest.raises(Unschedulable):
        endpoints.start("cars")


def flood(status: EndpointStatus, over: threading.Event) -> None:
    headers = {"Authorization": f"Bearer {KEYS.primary}"}
    with httpx.Client(headers=headers, timeout=30) as client:
        while not over.is_set():
            client.post(status.scoring_url, content=car_request())


def test_an_endpoint_grows_no_further_than_there_is_room(endpoints: Endpoints, cars: Path) -> None:
    book_of(endpoints).set_capacity(cpu_cores=0.2, memory_gb=8)
    busy = {"max_replicas": 6, "target_utilization": 2, "refresh_period_s": 0.2}
    status = endpoints.deploy("cars", cars, keys=KEYS, deployment=busy)
    over = threading.Event()
    callers = [threading.Thread(target=flood, args=(status, over)) for _ in range(3)]
    for caller in callers:
        caller.start()
    try:
        until(lambda: "no room" in endpoints.status("cars").message)
        assert len(endpoints.status("cars").replicas) == 2
        # Where there is more room it grows at once.
        book_of(endpoints).set_capacity(cpu_cores=0.3, memory_gb=8)
        until(lambda: len(endpoints.status("cars").replicas) == 3)
    finally:
        over.set()
        for caller in callers:
            caller.join()


def test_what_could_not_start_says_why_until_it_does(endpoints: Endpoints, cars: Path) -> None:
    endpoints.deploy("cars", cars, keys=KEYS)
    endpoints.stop("cars")
    book_of(endpoints).set_capacity(cpu_cores=0.05, memory_gb=8)
    with pytest.raises(Unschedulable):
        endpoints.start("cars")
    waiting = endpoints.status("cars")
    assert waiting.state is State.UNSCHEDULABLE
    assert "0.1 processor cores are needed and 0.05 are free" in waiting.message
    assert [s.state for s in endpoints.ensure_running()] == [State.UNSCHEDULABLE]
    book_of(endpoints).set_capacity(cpu_cores=None, memory_gb=None)
    assert [s.state for s in endpoints.ensure_running()] == [State.HEALTHY]
    assert endpoints.status("cars").message == ""


def test_replicas_that_fall_again_and_again_make_an_endpoint_unhealthy(
    endpoints: Endpoints, cars: Path
) -> None:
    endpoints.deploy("cars", cars, keys=KEYS)
    deadline = time.monotonic() + 40
    while endpoints.status("cars").state is not State.UNHEALTHY:
        assert time.monotonic() < deadline
        for pid in endpoints.status("cars").replicas:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    assert "again and again" in endpoints.status("cars").message
    # Left alone it recovers.
    until(lambda: endpoints.status("cars").state is State.HEALTHY, 40)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system tells nothing")
def test_a_replica_is_held_to_its_threads(endpoints: Endpoints, cars: Path) -> None:
    reserve = {"cpu_reserve": 2.0}
    status = endpoints.deploy("cars", cars, keys=KEYS, deployment=reserve)
    (replica,) = status.replicas
    text = Path(f"/proc/{replica}/environ").read_bytes().decode()
    environment = dict(one.partition("=")[::2] for one in text.split("\0") if one)
    wanted = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    assert {environment[name] for name in wanted} == {"2"}
