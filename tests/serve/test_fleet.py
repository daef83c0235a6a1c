"""What a controller takes for load, on real processes."""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwright.serve.endpoint_folder import EndpointFolder
from modelwright.serve.fleet import Fleet, Member
from modelwright.serve.meters import Meter, Meters
from modelwright.serve.processes import Process
from modelwright.serve.slots import MOST


@pytest.fixture
def spinning() -> Iterator[Process]:
    """A process that uses a processor all the time."""
    program = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    yield Process.of(program.pid)
    program.kill()
    program.wait()


@pytest.fixture
def folder(tmp_path: Path) -> EndpointFolder:
    found = EndpointFolder(tmp_path, "cars")
    found.path.mkdir()
    return found


def test_processor_time_is_load_only_of_replicas_that_were_asked_something(
    folder: EndpointFolder, spinning: Process
) -> None:
    meters = Meters(folder.meters, slots=MOST)
    meters.write(0, [Meter(requests=7)])
    with socket.socket() as listener, selectors.DefaultSelector() as selector:
        fleet = Fleet(folder, listener, selector, lambda: None)
        fleet.adopt({0: spinning})

        def looked() -> float:
            """The load of a time in which processor time was used."""
            before = spinning.cpu_seconds()
            while spinning.cpu_seconds() < before + 0.05:
                pass
            return fleet.look()

        # An endpoint of which nobody wants anything is not woken by what its replicas use.
        assert [looked() for _ in range(5)] == [0.0] * 5
        meters.write(0, [Meter(requests=8)])
        assert looked() > 0
        meters.write(0, [Meter(requests=8, busy=1)])
        assert looked() > 0


def test_the_first_that_ends_is_replaced_at_once_and_the_next_ones_less_and_less_eagerly(
    folder: EndpointFolder, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as listener, selectors.DefaultSelector() as selector:
        fleet = Fleet(folder, listener, selector, lambda: None)
        for _ in range(10):
            fleet.lost(Member(0, Process(1 << 30, 0.0), time.monotonic()))
        assert fleet.is_falling
    pauses = [float(said.rpartition(" in ")[2].removesuffix(" s")) for said in caplog.messages]
    assert pauses == [0.0, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0, 10.0]


def test_a_request_too_quick_for_the_clock_of_processor_time_is_load(
    folder: EndpointFolder,
) -> None:
    idle = subprocess.Popen(["sleep", "600"])
    meters = Meters(folder.meters, slots=MOST)
    try:
        with socket.socket() as listener, selectors.DefaultSelector() as selector:
            fleet = Fleet(folder, listener, selector, lambda: None)
            fleet.adopt({0: Process.of(idle.pid)})
            assert fleet.look() == 0
            meters.write(0, [Meter(requests=1)])
            assert fleet.look() > 0
    finally:
        idle.kill()
        idle.wait()
