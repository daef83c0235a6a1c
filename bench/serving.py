"""How fast an endpoint answers, against an echo on the same HTTP stack and the usual hand-written service.

Run as `python bench/serving.py [--json] [--write] [--rounds N] [--seconds S] [--only w1|w2]`.

W1 is the tutorial's inference pipeline: 25 columns in, one dropped, rows with missing values handled, text
one-hot, a linear model, all columns and Scored Labels out.  W2 is a LightGBM regressor of 100 trees on 30
numbers.  The echo is our own server with an application that parses the same JSON and writes it; the plain echo
is an ordinary application on the same uvicorn and httptools.  The usual service is FastAPI, pandas and
scikit-learn (W2: LightGBM), one process, as one writes it by hand; its predictions must be ours.

All sides are up at the same time and are loaded in turn, so that a disturbance meets all of them.  Servers are
pinned to one core, the load generator to another.  Load comes from wrk where it is installed, else from a small
generator in Python, which is said.  Figures are medians over the rounds; those with `cpu` in their names are
ratios of processor time per request, which say the same on a machine that does something else as well.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.serving_load import Served, Steady, closed_loop, open_loop
from bench.serving_report import write
from bench.serving_workloads import package, rows_of

CONNECTIONS = (1, 16, 64)
AGREEMENT = 1e-6
SERVER_CORE, LOAD_CORE = 0, 1
COLD_STARTS = 5
STEADY_RUNS, STEADY_S = 3, 2.0
"""At half of the load, for ours and the echo in turn, and seconds of each at the least."""

Figures = dict[str, float]


class Side(NamedTuple):
    """A server under test."""

    name: str
    port: int
    pid: int


class Load(NamedTuple):
    """What one run of the load generator found: seconds, requests per second, processor seconds per request."""

    p50: float
    rate: float
    spent: float


def main() -> None:
    """Run the benchmark and print its table or its JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object of named figures")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of load each")
    parser.add_argument("--only", choices=("w1", "w2"))
    parser.add_argument("--write", action="store_true", help="docs/benchmarks/serving.md anew")
    wanted = parser.parse_args()
    if wanted.write and wanted.only:
        parser.error("the page has the figures of both workloads: leave out --only")
    others = os.getloadavg()[0]
    figures: Figures = {}
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for workload in [wanted.only] if wanted.only else ["w1", "w2"]:
            measure(workload, Path(scratch), wanted.rounds, wanted.seconds, figures, lines)
    load = f"Load from {'wrk' if shutil.which('wrk') else 'a generator in Python (no wrk here)'}."
    load += f" Before the run {others:.1f} other processes were at work on the machine."
    if wanted.write:
        write(figures, lines, rounds=wanted.rounds, seconds=wanted.seconds, load=load)
    if wanted.json:
        print(json.dumps({k: round(v, 4) for k, v in figures.items()}, indent=1))
        return
    print(load)
    print("\n".join(lines))
    for name, value in figures.items():
        print(f"{name:28} {value:10.3f}")


def measure(
    workload: str, scratch: Path, rounds: int, seconds: float, figures: Figures, lines: list[str]
) -> None:
    """Load all sides with a workload in turn, and work out the figures."""
    packaged = package(workload, scratch)
    bodies = {1: _body(workload, 1), 100: _body(workload, 100)}
    with ExitStack() as stack:
        sides = [
            stack.enter_context(_running("ours", _ours(packaged), bodies[1])),
            stack.enter_context(_running("echo", _yardstick("echo"), bodies[1])),
            stack.enter_context(_running("plain echo", _yardstick("plain-echo"), bodies[1])),
            stack.enter_context(_running("usual", _yardstick(workload), bodies[1])),
        ]
        ours = sides[0]
        for count in bodies:
            _check_agreement(ours, sides[-1], bodies[count])
        runs = [(1, c) for c in CONNECTIONS] + [(100, 16)]
        found: dict[tuple[str, int, int], list[Load]] = {}
        for _ in range(rounds):
            for rows, connections in runs:
                for side in sides:
                    load = _load(side, bodies[rows], connections, seconds, scratch)
                    found.setdefault((side.name, rows, connections), []).append(load)
        middle = {k: Load(*map(statistics.median, zip(*v, strict=True))) for k, v in found.items()}
        steady: dict[str, list[Steady]] = {}
        lasting = max(seconds, STEADY_S)
        for _ in range(STEADY_RUNS):
            for side in sides[:2]:
                half = middle[side.name, 1, 16].rate / 2
                server = Served(side.port, side.pid)
                run = open_loop(server, bodies[1], rate=half, seconds=lasting, core=LOAD_CORE)
                steady.setdefault(side.name, []).append(run)
        _report(workload, middle, steady, figures)
        if workload == "w1":
            figures["rss_mb"] = _resident_mb(ours.pid)
        lines += _table(workload, runs, sides, middle)
    if workload == "w1":
        starts = [_cold_start(packaged, bodies[1]) for _ in range(COLD_STARTS)]
        figures["cold_start_s"] = statistics.median(starts)
        _further_replicas(packaged, scratch / "endpoints", bodies[1], figures)


Key = tuple[str, int, int]
"""Side, rows and connections."""


def _report(
    workload: str, found: dict[Key, Load], steady: dict[str, list[Steady]], figures: Figures
) -> None:
    for echo in ("echo", "plain_echo"):
        other = echo.replace("_", " ")
        figures[f"{workload}_p50_vs_{echo}"] = found["ours", 1, 1].p50 / found[other, 1, 1].p50
    for rows, connections in ((1, 16), (1, 64), (100, 16)):
        name = f"rps{connections}" if rows == 1 else f"rows{rows}"
        ours = found["ours", rows, connections]
        for other in ("echo", "plain echo", "usual"):
            if rows > 1 and other != "usual":
                continue
            theirs = found[other, rows, connections]
            if not theirs.rate:
                raise SystemExit(f"{other} answered nothing in time: give it more --seconds")
            told = f"{workload}_{name}_vs_{other.replace(' ', '_')}"
            figures[told] = ours.rate / theirs.rate
            figures[told.replace("_vs_", "_cpu_vs_")] = theirs.spent / ours.spent
    figures[f"{workload}_cpu_us"] = found["ours", 1, 16].spent * 1e6
    for name, runs in steady.items():
        told = workload if name == "ours" else f"{workload}_echo"
        figures[f"{told}_p99_vs_p50"] = statistics.median(run.p99 / run.p50 for run in runs)
        figures[f"{told}_p99_vs_p50_all"] = statistics.median(
            run.p99_all / run.p50_all for run in runs
        )
        figures[f"{told}_calm"] = statistics.mean(run.calm for run in runs)
        figures[f"{told}_sent_late_us"] = statistics.median(run.late for run in runs) * 1e6


def _table(
    workload: str, runs: list[tuple[int, int]], sides: list[Side], found: dict[Key, Load]
) -> list[str]:
    lines = [f"\n{workload}   rows connections" + "".join(f"{s.name:>26}" for s in sides)]
    for rows, connections in runs:
        loads = [found[s.name, rows, connections] for s in sides]
        cells = [f"{load.p50 * 1e6:10.0f} µs {load.rate:9.0f}/s" for load in loads]
        lines.append(f"{rows:9} {connections:11}" + "".join(f"{c:>26}" for c in cells))
    return [*lines, ""]


def _body(workload: str, count: int) -> bytes:
    rows = rows_of(workload, count)
    return json.dumps({"Inputs": {"WebServiceInput0": rows}, "GlobalParameters": {}}).encode()


def _ours(packaged: Path) -> Callable[[int], list[str]]:
    return lambda port: [
        *(sys.executable, "-m", "modelwright.serve.replica", str(packaged)),
        *("--auth", "none", "--port", str(port)),
    ]


def _yardstick(what: str) -> Callable[[int], list[str]]:
    service = Path(__file__).with_name("serving_usual.py")
    return lambda port: [sys.executable, str(service), what, str(port)]


@contextmanager
def _running(name: str, command: Callable[[int], list[str]], body: bytes) -> Iterator[Side]:
    port = _free_port()
    process = _started(command(port))
    try:
        _until_answered(process, port, body)
        yield Side(name, port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
    pinned = ["taskset", "-c", str(SERVER_CORE)] if shutil.which("taskset") else []
    return subprocess.Popen(
        [*pinned, *command], env={**os.environ, **threads}, stderr=subprocess.DEVNULL
    )


def _until_answered(process: subprocess.Popen[bytes], port: int, body: bytes) -> bytes:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            return _ask(port, body)
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None:
                raise SystemExit(f"a server ended with status {process.returncode}") from None
            time.sleep(0.002)
    raise SystemExit("a server did not come up")


def _ask(port: int, body: bytes) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/score", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310  # our own address
        answer: bytes = response.read()
    return answer


def _check_agreement(ours: Side, usual: Side, body: bytes) -> None:
    found = []
    for side in (ours, usual):
        rows = json.loads(_ask(side.port, body))["Results"]["WebServiceOutput0"]
        found.append([row["Scored Labels"] for row in rows])
    mine, theirs = found
    assert len(mine) == len(theirs) > 0
    for a, b in zip(mine, theirs, strict=True):
        assert abs(a - b) <= AGREEMENT * max(1.0, abs(b)), f"predictions differ: {a} and {b}"


def _load(side: Side, body: bytes, connections: int, seconds: float, scratch: Path) -> Load:
    before = _spent(side.pid)
    p50, rate, count = _loaded(side, body, connections, seconds, scratch)
    return Load(p50, rate, (_spent(side.pid) - before) / max(1, count))


def _spent(pid: int) -> float:
    """Processor seconds that a process has used."""
    import psutil

    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _loaded(
    side: Side, body: bytes, connections: int, seconds: float, scratch: Path
) -> tuple[float, float, int]:
    """Median latency, requests per second, and requests."""
    if not shutil.which("wrk"):
        found = closed_loop(side.port, body, connections, seconds=seconds, core=LOAD_CORE)
        return (*found, round(found[1] * seconds))
    script = scratch / "request.lua"
    (scratch / "body.json").write_bytes(body)
    script.write_text(
        f'local file = io.open("{scratch}/body.json", "rb")\n'
        'wrk.method = "POST"\nwrk.body = file:read("*a")\nfile:close()\n'
        'wrk.headers["Content-Type"] = "application/json"\n',
        encoding="utf-8",
    )
    command = [
        *(
            "taskset",
            "-c",
            str(LOAD_CORE),
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
        ),
        *("--latency", "-s", str(script), f"http://127.0.0.1:{side.port}/score"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in done, f"{side.name} refused requests: {done}"
    half = re.search(r"50%\s+([\d.]+)(us|ms|s)", done)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done)
    count = re.search(r"(\d+) requests in", done)
    assert half, done
    assert rate, done
    assert count, done
    median = float(half[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[half[2]]
    return median, float(rate[1]), int(count[1])


def _cold_start(packaged: Path, body: bytes) -> float:
    port = _free_port()
    started = time.perf_counter()
    process = _started(_ours(packaged)(port))
    try:
        _until_answered(process, port, body)
        return time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(20)


def _further_replicas(packaged: Path, root: Path, body: bytes, figures: Figures) -> None:
    """How soon a further replica answers, and what it has of its own.

    The only replica is killed, so that the next answer is the new one's: the time holds the noticing.
    """
    import psutil

    from modelwright.serve.endpoint import Endpoints
    from modelwright.serve.keys import Keys

    endpoints = Endpoints(root)
    settings = {"autoscale": False, "min_replicas": 1}
    status = endpoints.deploy(
        "bench", packaged, keys=Keys.new(), deployment=settings, endpoint={"auth": "none"}
    )
    try:
        taken, own = [], []
        for _ in range(COLD_STARTS):
            (pid,) = endpoints.status("bench").replicas
            _ask(status.port, body)
            own.append(psutil.Process(pid).memory_full_info().uss / 1e6)
            # One that ends young again and again would be replaced with a pause.
            time.sleep(5.5)
            os.kill(pid, signal.SIGKILL)
            started = time.perf_counter()
            _ask(status.port, body)
            taken.append(time.perf_counter() - started)
        figures["further_replica_s"] = statistics.median(taken)
        figures["further_replica_mb"] = statistics.median(own)
    finally:
        endpoints.remove("bench")


def _resident_mb(pid: int) -> float:
    import psutil

    return float(psutil.Process(pid).memory_info().rss) / 1e6


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
