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
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.chaos_callers import Callers, calling
from bench.serving_workloads import package, rows_of, sleeping

from modelwright.serve.endpoint import Endpoints
from modelwright.serve.endpoint_folder import EndpointFolder
from modelwright.serve.keys import Keys
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
    folder = EndpointFolder(stage.endpoints.root, "chaos")
    taken, others = [], 0
    for _ in range(5):
        await until(partial(_has_no_process, folder))
        clock, begun = time.time(), time.perf_counter()
        caller = Callers(status.port, stage.body, 1.0)
        assert await caller.answer() == 200
        taken.append(time.perf_counter() - begun)
        caller.hang_up()
        found = folder.found()
        fronts = found.fronts.values() if found else ()
        # Who answered must have begun after the request was sent; its start is told in hundredths.
        others += sum(front.started < clock - 0.05 for front in fronts)
    return [
        Finding("first answer from zero, longest of 5", max(taken), 1.0, "s"),
        Finding("replicas that were there before the request", others, 0),
    ]


def _has_no_process(folder: EndpointFolder) -> bool:
    """Whether no replica is there, not even one that was told to leave."""
    found = folder.found()
    return found is not None and not found.fronts


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


SHIFTED = """
import time

real = time.time

def shifted():
    with open({path!r}) as file:
        return real() + float(file.read() or 0)

time.time = shifted
"""


async def clock_jump(stage: Stage) -> list[Finding]:
    """The clock of the machine jumps an hour ahead, two days back, and about."""
    with tempfile.TemporaryDirectory() as name:
        # Python runs such a file when it starts: the processes of the endpoint read another clock.
        jump = Path(name) / "jump"
        jump.write_text("0")
        (Path(name) / "sitecustomize.py").write_text(SHIFTED.format(path=str(jump)))
        former = os.environ.get("PYTHONPATH", "")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [name, former]))
        try:
            status = await stage.deploy("w1", refresh_period_s=0.1)
        finally:
            os.environ["PYTHONPATH"] = former
        async with calling(status.port, stage.body, 100.0) as callers:
            for seconds in (3600.0, -172_800.0, 5.0, 86_400.0, 0.0):
                draft = Path(name) / "draft"
                draft.write_text(str(seconds))
                draft.replace(jump)
                await until(partial(_is_ahead, status, seconds))
                await asyncio.sleep(2)
        now = stage.status()
        await asyncio.to_thread(stage.endpoints.remove, "chaos")
    stayed = (now.state, now.pid, now.replicas) == (State.HEALTHY, status.pid, status.replicas)
    return [
        Finding(f"lost of {len(callers.calls)}", callers.lost, 0),
        Finding("not the same healthy processes", float(not stayed), 0),
    ]


def _is_ahead(status: EndpointStatus, seconds: float) -> bool:
    with urllib.request.urlopen(f"http://{status.host}:{status.port}/healthz") as said:
        ahead = parsedate_to_datetime(said.headers["date"]).timestamp() - time.time()
    return abs(ahead - seconds) < 60


async def kill_studio(stage: Stage) -> list[Finding]:
    """The server with the studio and the API, which deployed the endpoint, is killed and started again."""
    program = str(Path(sys.executable).with_name("modelwright"))
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        environment = {**os.environ, "MODELWRIGHT_HOME": home, "PYTHONUNBUFFERED": "1"}

        def begun(*words: str) -> subprocess.Popen[bytes]:
            """A server that is up."""
            command = [program, *words, "--port", "0"]
            made = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
            stack.enter_context(made)
            stack.callback(made.kill)
            if not any(b"log in at" in line for line in made.stdout or ()):
                raise SystemExit("the server did not come up")
            return made

        def told(*words: str) -> Any:
            command = [program, "endpoint", *words]
            said = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
            return json.loads(said) if "--json" in words else None

        name = "automobile-price"
        server = await asyncio.to_thread(begun, "demo", "--serve")
        try:
            before = await asyncio.to_thread(told, "show", name, "--json")
            key = (await asyncio.to_thread(told, "keys", name, "--json"))["primary"]
            body = json.dumps(before["example"]).encode()
            port = urllib.parse.urlsplit(before["scoring_url"]).port
            assert port is not None
            async with calling(port, body, 100.0, key=key) as callers:
                for _ in range(3):
                    server.kill()
                    await asyncio.to_thread(server.wait)
                    server = await asyncio.to_thread(begun, "up")
            after = await asyncio.to_thread(told, "show", name, "--json")
        finally:
            server.kill()
            await asyncio.to_thread(told, "delete", name)
    stayed = (after["state"], after["pid"]) == ("healthy", before["pid"])
    return [
        Finding(f"lost of {len(callers.calls)}", callers.lost, 0),
        Finding("not the same healthy controller", float(not stayed), 0),
    ]


PARTS: dict[str, Callable[[Stage], Awaitable[list[Finding]]]] = {
    "step": step,
    "from-zero": from_zero,
    "updates": updates,
    "kill-replica": kill_replica,
    "kill-controller": kill_controller,
    "random-kills": random_kills,
    "rude-clients": rude_clients,
    "full-disk": full_disk,
    "clock-jump": clock_jump,
    "kill-studio": kill_studio,
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


PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "chaos.md"

HEAD = """# What an endpoint goes through

Each part deploys an endpoint of its own, loads it at a steady rate that leaves room, does the harm, and compares what its callers saw with
the promise. Measured alone on a machine of two cores, the callers on the same two, a part at a time:

    python bench/chaos.py --only PART --write

`tests/serve/test_chaos.py` has the same in short form; what the parts do is said in `bench/chaos.py`.

| part | what | found | at most | kept | on |
| --- | --- | ---: | ---: | --- | --- |
"""


def write(found: Mapping[str, list[Finding]]) -> None:
    """Put findings into the page in the place of those that the same parts had before."""
    rows: dict[str, list[str]] = {name: [] for name in PARTS}
    if PAGE.exists():
        for line in PAGE.read_text(encoding="utf-8").splitlines():
            part = line.strip("| ").partition(" ")[0]
            if line.startswith("|") and part in rows:
                rows[part].append(line)
    today = datetime.now(UTC).date()
    for name, findings in found.items():
        rows[name] = [
            f"| {name} | {f.what} | {f.found:.3g} {f.unit}".rstrip()
            + f" | {f.most:.4g} {f.unit}".rstrip()
            + f" | {'yes' if f.holds else '**no**'} | {today} |"
            for f in findings
        ]
    lines = [line for part in rows.values() for line in part]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    """Play the parts and print what was found; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object of findings by part")
    parser.add_argument("--write", action="store_true", help=f"put them into {PAGE.name}")
    parser.add_argument("--seconds", type=float, default=30.0, help="of random kills")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = asyncio.run(play(chosen.only.split(","), Path(scratch), chosen.seconds))
    if chosen.write:
        write(found)
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
