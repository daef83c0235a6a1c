"""How `decide` follows load: requests come by chance at the rates of a shape, and replicas take time to start.

Run as `python bench/autoscaling.py [--json]`; it takes seconds, needs no server, and gives the same figures
every time.  The rates are recorded below, one a second; requests come at them by a seeded chance.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections import deque
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from modelwright.serve.lanes import PATIENCE
from modelwright.serve.scaling import Load, Policy, Seen, decide
from modelwright.serve.workers import LOOKS_APART_S

SECONDS = 900
SERVICE_S = 0.2
"""How long a replica works on a request."""
START_S = 0.3
"""How long a further replica takes until it answers."""
WAIT_S = 0.5
REFRESH_S = 1.0
_TICK = 0.01

SHAPES: Mapping[str, Callable[[int], float]] = {
    # Requests a second, of which a replica answers five.
    "step": lambda second: 2.0 if second < 300 else 28.0,
    "spike": lambda second: 28.0 if second % 300 in range(150, 155) else 2.0,
    "sine": lambda second: 15.0 + 13.0 * math.sin(second / 60),
    "flood": lambda second: 2.0 if second < 60 else 500.0,
    "quiet": lambda second: 28.0 if second < 60 else 0.0,
}


class Outcome(NamedTuple):
    """What callers and operators saw.

    refused: share of requests that nobody took within the wait.  waited_s: the 99th percentile of the
    wait of the others.
    replicas: mean number.  needed: mean number that would keep utilization at the target.
    """

    requests: int
    refused: float
    waited_s: float
    replicas: float
    most: int
    needed: float


def simulate(shape: Callable[[int], float], policy: Policy, *, seed: int = 1) -> Outcome:
    """Play a shape through."""
    chance = random.Random(seed)
    seen = Seen(max(1, policy.minimum))
    ready, starting = seen.replicas, deque[float]()
    queue, working, waits = deque[float](), list[float](), list[float]()
    requests = refused = most = 0
    spent = used = needed = 0.0
    next_arrival, looked, averaged = 0.0, 0.0, 0.0
    for tick in range(round(SECONDS / _TICK)):
        now = tick * _TICK
        rate = shape(int(now))
        if tick % round(1 / _TICK) == 0:
            needed += min(
                max(math.ceil(rate * SERVICE_S / policy.target), policy.minimum), policy.maximum
            )
            # The chance has no memory, so a new rate begins anew.
            next_arrival = now + chance.expovariate(rate) if rate else math.inf
        while next_arrival <= now:
            requests += 1
            queue.append(next_arrival)
            next_arrival += chance.expovariate(rate)
        while starting and starting[0] <= now:
            starting.popleft()
            ready += 1
        while working and working[0] <= now:
            heappop(working)
        while queue and now - queue[0] > WAIT_S:
            queue.popleft()
            refused += 1
        while queue and len(working) < ready * policy.concurrency:
            waits.append(now - queue.popleft())
            heappush(working, now + SERVICE_S)
        spent += len(working) * _TICK
        used += ready * _TICK
        most = max(most, ready)
        in_vain = bool(queue) and now - queue[0] >= WAIT_S * PATIENCE
        if now - looked >= (LOOKS_APART_S if in_vain else REFRESH_S) - _TICK / 2:
            looked, busy = now, float(len(working))
            if now - averaged >= REFRESH_S / 2:
                busy, spent, averaged = spent / (now - averaged), 0.0, now
            seen = decide(seen, Load(busy, len(queue)), policy, now)
            for _ in range(seen.replicas - ready - len(starting)):
                starting.append(now + START_S)
            ready = min(ready, seen.replicas)
    waits.sort()
    return Outcome(
        requests,
        refused / max(1, requests),
        waits[int(len(waits) * 0.99)],
        used / SECONDS,
        most,
        needed / SECONDS,
    )


def main() -> None:
    """Play every shape with the default policy and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object of outcomes by shape")
    as_json = parser.parse_args().json
    found = {name: simulate(shape, Policy()) for name, shape in SHAPES.items()}
    if as_json:
        print(json.dumps({k: v._asdict() for k, v in found.items()}, indent=1))
        return
    print("shape   requests  refused  p99 wait  mean replicas  most  needed")
    for name, o in found.items():
        print(
            f"{name:7} {o.requests:8}  {o.refused:6.2%}  {o.waited_s:6.2f} s"
            f"  {o.replicas:13.2f}  {o.most:4}  {o.needed:6.2f}"
        )


if __name__ == "__main__":
    main()
