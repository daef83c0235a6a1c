"""What may happen to an endpoint under load, on real processes, and what was promised for it.

Run as `python bench/chaos.py [--json] [--seconds S] [--only NAME,…]`.  Each part deploys an endpoint of its
own, loads it at a steady rate that leaves room, does the harm, and compares what its callers saw with the
promise; the status is 1 when one is broken.  `--seconds` is how long the random kills go on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.serving_workloads import package, rows_of, sleeping

from modelwright.serve.endpoint import Endpoints
from modelwright.serve.keys import Keys
from modelwright.serve.processes import Process
from modelwright.serve.status import EndpointStatus, State

NAP_S = 0.2
"""How long the script of the scaling parts sleeps for a request."""

_NOTICED_S = 0.02


class Finding(NamedTuple):
    """A figure, and the most that was promised.  unit: of both."""

    what: str
    found: float
    most: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the promise was kept."""
        return self.found <= self.most


@dataclass
class Callers:
    """Requests sent when they are due, whatever became of those before.

    calls: of each answered request, seconds since the beginning, latency in seconds, and status.
    failed: what became of the others.
    """

    port: int
    body: bytes
    rate: float
    calls: list[tuple[float, float, int]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    begun: float = 0.0
    under_way: int = 0
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def run(self) -> None:
        """Call until cancelled; then wait for what is under way."""
        self.begun = due = time.perf_counter()
        async with asyncio.TaskGroup() as calls:
            try:
                while True:
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))
                    calls.create_task(self._call(due))
                    due += 1 / self.rate
            except asyncio.CancelledError:
                pass
        for _, writer in self._idle:
            writer.close()

    async def _call(self, due: float) -> None:
        self.under_way += 1
        try:
            status = await asyncio.wait_for(self.answer(), 30)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.failed.append(f"{time.perf_counter() - self.begun:.2f} s: {error!r}")
            return
        finally:
            self.under_way -= 1
        self.calls.append((due - self.begun, time.perf_counter() - due, status))

    async def answer(self) -> int:
        """The status of one more request, on a connection that lies idle if there is one."""
        reader, writer = await self._connection()
        head = f"POST /score HTTP/1.1\r\nHost: chaos\r\nContent-Length: {len(self.body)}\r\n\r\n"
        try:
            writer.write(head.encode() + self.body)
            said = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(said.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        if b"connection: close" in said:
            writer.close()
        else:
            self._idle.append((reader, writer))
        return int(said[9:12])

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            # As any client looks before it sends: the other side may have gone.
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self.port)

    @property
    def statuses(self) -> Counter[int]:
        """How many answers there were of each status."""
        return Counter(status for _, _, status in self.calls)

    @property
    def lost(self) -> int:
        """Requests without an answer, and answers that are not 200."""
        return len(self.failed) + sum(n for s, n in self.statuses.items() if s != 200)


@asynccontextmanager
async def calling(port: int, body: bytes, rate: float) -> AsyncIterator[Callers]:
    """Callers at work, and gone with all their answers at the end."""
    callers = Callers(port, body, rate)
    work = asyncio.create_task(callers.run())
    try:
        yield callers
    finally:
        work.cancel()
        await asyncio.wait([work])


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> float:
    """Seconds until it holds.  Raises SystemExit when it does not in time."""
    begun = time.perf_counter()
    while not await asyncio.to_thread(condition):
        if time.perf_counter() - begun > seconds:
            raise SystemExit(f"it did not happen within {seconds:g} s")
        await asyncio.sleep(0.01)
    return time.perf_counter() - begun


@dataclass
class Stage:
    """Where a part plays: an endpoint to be deployed, and a body to send to it."""

    endpoints: Endpoints
    packages: Mapping[str, Path]
    body: bytes
    seconds: float

    async def deploy(self, what: str, **deployment: Any) -> EndpointStatus:
        """The endpoint, answering without keys."""
        return await asyncio.to_thread(
            self.endpoints.deploy,
            "chaos",
            self.packages[what],
            keys=Keys.new(),
            deployment=deployment,
            endpoint={"auth": "none"},
        )

    def status(self) -> EndpointStatus:
        """What it is now."""
        return self.endpoints.status("chaos")

    async def half_load(self, port: int) -> float:
        """Half the requests per second that come back at eight connections, and no more than it can send."""
        done = 0
        until_ = time.perf_counter() + 1.0

        async def caller() -> None:
            nonlocal done
            one = Callers(port, self.body, 1.0)
            while time.perf_counter() < until_:
                await one.answer()
                done += 1

        await asyncio.gather(*(caller() for _ in range(8)))
        return min(400.0, done / 2)


async def step(stage: Stage) -> list[Finding]:
    """From nothing to eight replicas' worth at once, and back."""
    status = await stage.deploy("sleeping", min_replicas=1, max_replicas=12, calm_s=3.0)
    rate = 8 * 0.7 / NAP_S
    async with calling(status.port, stage.body, rate) as callers:
        await asyncio.sleep(10)
    at_level = [c for c in callers.calls if c[0] > 3]
    slow = [c for c in at_level if c[1] > 3 * NAP_S]
    late = sum(status != 200 for _, _, status in at_level)
    refused = callers.statuses[503]
    other = callers.lost - refused
    async with calling(status.port, stage.body, 2.0) as light:
        await asyncio.sleep(8)
    return [
        Finding("answers other than 200 and 503", other, 0),
        Finding("503 by the queue wait, in the first 3 s", refused, rate * 3),
        Finding("answers other than 200 after 3 s", late, 0),
        Finding("slow answers after 3 s, share", len(slow) / max(1, len(at_level)), 0.05),
        Finding("lost at scaling down", light.lost, 0),
    ]


async def from_zero(stage: Stage) -> list[Finding]:
    """The first request after all replicas were taken away."""
    sleepy = {"min_replicas": 0, "refresh_period_s": 0.1, "calm_s": 0.3}
    status = await stage.deploy("w1", **sleepy)
    taken = []
    for _ in range(5):
        former = [Process.of(pid) for pid in stage.status().replicas]
        await until(partial(_has_none, stage, former))
        begun = time.perf_counter()
        assert await Callers(status.port, stage.body, 1.0).answer() == 200
        taken.append(time.perf_counter() - begun)
    return [Finding("first answer from zero, median", statistics.median(taken), 1.0, "s")]


def _has_none(stage: Stage, former: list[Process]) -> bool:
    return not stage.status().replicas and not any(p.is_alive for p in former)


async def updates(stage: Stage) -> list[Finding]:
    """Ten deployments in a row at half load."""
    status = await stage.deploy("w1")
    rate = await stage.half_load(status.port)
    async with calling(status.port, stage.body, rate) as callers:
        for number in range(10):
            await stage.deploy("w1" if number % 2 else "w1 again")
    return [Finding(f"lost of {len(callers.calls)}", callers.lost, 0)]


async def kill_replica(stage: Stage) -> list[Finding]:
    """The only replica is killed, several times."""
    status = await stage.deploy("w1", autoscale=False)
    rate = await stage.half_load(status.port)
    gaps, kills = [], 4
    in_hands = 0
    async with calling(status.port, stage.body, rate) as callers:
        await asyncio.sleep(1)
        for _ in range(kills):
            (pid,) = stage.status().replicas
            # What is sent before the end is known comes into its hands as well.
            in_hands += callers.under_way + round(rate * _NOTICED_S)
            os.kill(pid, signal.SIGKILL)
            killed = time.perf_counter() - callers.begun
            await until(partial(_answered_since, callers, killed))
            gaps.append(time.perf_counter() - callers.begun - killed)
            # One that ends young again and again is replaced with a pause.
            await asyncio.sleep(5.5)
    return [
        Finding("restored, longest", max(gaps), 1.0, "s"),
        Finding(
            f"lost of {len(callers.calls)}, against those in its hands", callers.lost, in_hands
        ),
    ]


def _answered_since(callers: Callers, moment: float) -> bool:
    return any(at > moment and status == 200 for at, _, status in callers.calls[-50:])


async def kill_controller(stage: Stage) -> list[Finding]:
    """The controller is killed, several times."""
    status = await stage.deploy("w1")
    rate = await stage.half_load(status.port)
    adopted = []
    async with calling(status.port, stage.body, rate) as callers:
        for _ in range(3):
            pid = stage.status().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            adopted.append(await until(partial(_has_another_controller, stage, pid)))
    return [
        Finding("lost", callers.lost, 0),
        Finding("adopted, longest", max(adopted), 3.0, "s"),
    ]


def _has_another_controller(stage: Stage, former: int) -> bool:
    status = stage.status()
    return status.pid != former and status.state is State.HEALTHY


async def random_kills(stage: Stage) -> list[Finding]:
    """Replicas and controllers killed at random, for the given time."""
    status = await stage.deploy("w1", autoscale=False, min_replicas=3)
    chance = random.Random(5)
    held = 0
    async with calling(status.port, stage.body, 100.0) as callers:
        over = time.perf_counter() + stage.seconds
        while time.perf_counter() < over:
            await until(lambda: len(stage.status().replicas) == 3)
            now = stage.status()
            victim = chance.choice([*now.replicas, now.pid])
            held += callers.under_way + round(100 * _NOTICED_S) if victim in now.replicas else 0
            if victim is not None:
                os.kill(victim, signal.SIGKILL)
            await asyncio.sleep(chance.uniform(0.0, 2.0))
        whole = await until(lambda: len(stage.status().replicas) == 3)
    strange = sum(n for s, n in callers.statuses.items() if s != 200)
    return [
        Finding("answers other than 200", strange, 0),
        Finding(f"lost of {len(callers.calls)}, against those in hands", len(callers.failed), held),
        Finding("whole again", whole, 30.0, "s"),
    ]


async def rude_clients(stage: Stage) -> list[Finding]:
    """Slow and half-open connections, garbage, and a thousand that say nothing."""
    status = await stage.deploy("w1")
    chance = random.Random(7)
    open_: list[socket.socket] = []
    async with calling(status.port, stage.body, 50.0) as callers:
        for number in range(1000):
            rude = socket.create_connection(("127.0.0.1", status.port), timeout=10)
            open_.append(rude)
            if number % 5 == 1:
                rude.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Le")
            if number % 5 == 2:
                rude.sendall(chance.randbytes(200))
            if number % 5 == 3:
                rude.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{")
            if number % 5 == 4:
                rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                rude.close()
            if number % 50 == 0:
                await asyncio.sleep(0.01)
        await asyncio.sleep(3)
    for rude in open_:
        rude.close()
    return [
        Finding("lost", callers.lost, 0),
        Finding("slowest answer", max(c[1] for c in callers.calls), 3.0, "s"),
    ]


async def full_disk(stage: Stage) -> list[Finding]:
    """The disk is full: what serves goes on, and what dies is replaced."""
    room = Path(tempfile.mkdtemp(prefix="modelwright-chaos-"))
    mounted = await asyncio.to_thread(
        subprocess.run,
        ["mount", "-t", "tmpfs", "-o", "size=8m", "chaos", str(room)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        shutil.rmtree(room)
        return [Finding("not tried: no right to mount a small disk", 0, 0)]
    there = Stage(Endpoints(room / "endpoints"), stage.packages, stage.body, stage.seconds)
    filler = room / "filler"
    try:
        status = await there.deploy("w1", autoscale=False)
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65_536))
            except OSError:
                pass
        async with calling(status.port, there.body, 50.0) as callers:
            await asyncio.sleep(1)
            (pid,) = there.status().replicas
            os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(3)
        answered_late = sum(at > 3 and s == 200 for at, _, s in callers.calls)
        filler.unlink()
        back = await until(lambda: there.status().state is State.HEALTHY)
        return [
            Finding(
                "answers other than 200", sum(callers.statuses.values()) - callers.statuses[200], 0
            ),
            Finding("connections broken by the kill", len(callers.failed), 50),
            Finding("no answer 2 s after the kill", float(not answered_late), 0),
            Finding("healthy when there is room", back, 10.0, "s"),
        ]
    finally:
        filler.unlink(missing_ok=True)
        for left in there.endpoints.names():
            await asyncio.to_thread(there.endpoints.remove, left)
        await asyncio.to_thread(subprocess.run, ["umount", str(room)], check=True)
        await asyncio.to_thread(room.rmdir)


PARTS: dict[str, Callable[[Stage], Awaitable[list[Finding]]]] = {
    "step": step,
    "from-zero": from_zero,
    "updates": updates,
    "kill-replica": kill_replica,
    "kill-controller": kill_controller,
    "random-kills": random_kills,
    "rude-clients": rude_clients,
    "full-disk": full_disk,
}


async def play(wanted: list[str], scratch: Path, seconds: float) -> dict[str, list[Finding]]:
    """Every wanted part in turn."""
    packages = {
        "w1": package("w1", scratch),
        "w1 again": package("w1", scratch / "again"),
        "sleeping": sleeping(scratch, NAP_S),
    }
    body = json.dumps({"Inputs": {"WebServiceInput0": rows_of("w1", 1)}}).encode()
    found = {}
    for name in wanted:
        stage = Stage(Endpoints(scratch / name), packages, body, seconds)
        try:
            found[name] = await PARTS[name](stage)
        finally:
            for left in stage.endpoints.names():
                await asyncio.to_thread(stage.endpoints.remove, left)
    return found


def main() -> int:
    """Play the parts and print what was found; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object of findings by part")
    parser.add_argument("--seconds", type=float, default=30.0, help="of random kills")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = asyncio.run(play(chosen.only.split(","), Path(scratch), chosen.seconds))
    if chosen.json:
        print(json.dumps({k: [f._asdict() for f in v] for k, v in found.items()}, indent=1))
    else:
        for name, findings in found.items():
            for f in findings:
                kept = "kept" if f.holds else "BROKEN"
                print(
                    f"{name:16} {f.what:45} {f.found:9.3g} {f.unit:2} at most {f.most:<8.4g} {kept}"
                )
    return 0 if all(f.holds for v in found.values() for f in v) else 1


if __name__ == "__main__":
    sys.exit(main())
