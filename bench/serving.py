"""How fast an endpoint answers, against an echo on the same HTTP stack and the usual hand-written service.

Run as `python bench/serving.py [--json] [--rounds N] [--seconds S] [--only w1|w2]`.

W1 is the tutorial's inference pipeline: 25 columns in, one dropped, rows with missing values handled, text
one-hot, a linear model, all columns and Scored Labels out.  W2 is a LightGBM regressor of 100 trees on 30
numbers.  The echo parses the same JSON and writes it.  The usual service is FastAPI, pandas and scikit-learn
(W2: LightGBM), one process, as one writes it by hand; its predictions must be ours.

All sides are up at the same time and are loaded in turn, so that a disturbance meets all of them.  Servers are
pinned to one core, the load generator to another.  Load comes from wrk where it is installed, else from a small
generator in Python, which is said.  Figures are medians over the rounds.
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

from bench.serving_load import closed_loop, open_loop
from bench.serving_workloads import package, rows_of

CONNECTIONS = (1, 16, 64)
AGREEMENT = 1e-6
SERVER_CORE, LOAD_CORE = 0, 1
COLD_STARTS = 5

Figures = dict[str, float]


class Side(NamedTuple):
    """A server under test."""

    name: str
    port: int
    pid: int


class Load(NamedTuple):
    """What one run of the load generator found; seconds and requests per second."""

    p50: float
    rate: float


def main() -> None:
    """Run the benchmark and print its table or its JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object of named figures")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of load each")
    parser.add_argument("--only", choices=("w1", "w2"))
    wanted = parser.parse_args()
    figures: Figures = {}
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for workload in [wanted.only] if wanted.only else ["w1", "w2"]:
            measure(workload, Path(scratch), wanted.rounds, wanted.seconds, figures, lines)
    if wanted.json:
        print(json.dumps({k: round(v, 4) for k, v in figures.items()}, indent=1))
        return
    print(f"load from {'wrk' if shutil.which('wrk') else 'a generator in Python (no wrk here)'}")
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
            stack.enter_context(_running("usual", _yardstick(workload), bodies[1])),
        ]
        ours = sides[0]
        for count in bodies:
            _check_agreement(ours, sides[2], bodies[count])
        runs = [(1, c) for c in CONNECTIONS] + [(100, 16)]
        found: dict[tuple[str, int, int], list[Load]] = {}
        for _ in range(rounds):
            for rows, connections in runs:
                for side in sides:
                    load = _load(side, bodies[rows], connections, seconds, scratch)
                    found.setdefault((side.name, rows, connections), []).append(load)
        p50 = {k: statistics.median(x.p50 for x in v) for k, v in found.items()}
        rate = {k: statistics.median(x.rate for x in v) for k, v in found.items()}
        half = rate["ours", 1, 16] / 2
        late = [
            open_loop(ours.port, bodies[1], rate=half, seconds=seconds, core=LOAD_CORE)
            for _ in range(rounds)
        ]
        _report(workload, p50, rate, late, figures)
        if workload == "w1":
            figures["rss_mb"] = _resident_mb(ours.pid)
        lines += _table(workload, runs, sides, p50, rate)
    if workload == "w1":
        starts = [_cold_start(packaged, bodies[1]) for _ in range(COLD_STARTS)]
        figures["cold_start_s"] = statistics.median(starts)


def _report(
    workload: str,
    p50: dict[tuple[str, int, int], float],
    rate: dict[tuple[str, int, int], float],
    late: list[tuple[float, float]],
    figures: Figures,
) -> None:
    figures[f"{workload}_p50_vs_echo"] = p50["ours", 1, 1] / p50["echo", 1, 1]
    for connections in (16, 64):
        for other in ("echo", "usual"):
            figures[f"{workload}_rps{connections}_vs_{other}"] = (
                rate["ours", 1, connections] / rate[other, 1, connections]
            )
    figures[f"{workload}_rows100_vs_usual"] = rate["ours", 100, 16] / rate["usual", 100, 16]
    figures[f"{workload}_p99_vs_p50_half_load"] = statistics.median(b / a for a, b in late)


def _table(
    workload: str,
    runs: list[tuple[int, int]],
    sides: list[Side],
    p50: dict[tuple[str, int, int], float],
    rate: dict[tuple[str, int, int], float],
) -> list[str]:
    lines = [f"\n{workload}   rows connections" + "".join(f"{s.name:>26}" for s in sides)]
    for rows, connections in runs:
        cells = [
            f"{p50[s.name, rows, connections] * 1e6:10.0f} µs {rate[s.name, rows, connections]:9.0f}/s"
            for s in sides
        ]
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
    if not shutil.which("wrk"):
        return Load(*closed_loop(side.port, body, connections, seconds=seconds, core=LOAD_CORE))
    script = scratch / "request.lua"
    (scratch / "body.json").write_bytes(body)
    script.write_text(
        f'local file = io.open("{scratch}/body.json", "rb")\n'
        'wrk.method = "POST"\nwrk.body = file:read("*a")\nfile:close()\n'
        'wrk.headers["Content-Type"] = "application/json"\n',
        encoding="utf-8",
    )
    command = [
        *("taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s"),
        *("--latency", "-s", str(script), f"http://127.0.0.1:{side.port}/score"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in done, f"{side.name} refused requests: {done}"
    half = re.search(r"50%\s+([\d.]+)(us|ms|s)", done)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done)
    assert half, done
    assert rate, done
    return Load(float(half[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[half[2]], float(rate[1]))


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


def _resident_mb(pid: int) -> float:
    import psutil

    return float(psutil.Process(pid).memory_info().rss) / 1e6


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


if __name__ == "__main__":
    main()
