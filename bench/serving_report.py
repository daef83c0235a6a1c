"""The page docs/benchmarks/serving.md, written from a run of bench/serving.py."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).resolve().parents[1] / "docs/benchmarks/serving.md"

_HEAD = """# Serving

How fast an endpoint answers, on {cores} cores, the servers on one and the load on the other:

    python bench/serving.py --rounds {rounds} --seconds {seconds:g}            # --json, --only w1|w2
    python bench/serving.py --rounds {rounds} --seconds {seconds:g} --write    # and this page anew

W1 is the tutorial's pipeline: 25 columns in, one dropped, rows with missing values handled, text one-hot, a linear model, all columns and
Scored Labels out. W2 is a LightGBM regressor of 100 trees on 30 numbers. The echo is an application on the same HTTP stack that only
parses the JSON and writes it again; the usual service is FastAPI, pandas and scikit-learn (W2: LightGBM), written by hand, one process.
All of them are up at the same time and are loaded in turn; figures are medians of the rounds.

For the 99th percentile requests are sent at random moments, on average at half of the rate that 16 connections got answered, over 256
connections, by a loop that never sleeps (`bench/serving_pace.lua`); time counts from the moment at which each was due, and nothing is
shown of a run in which requests were sent late. A server that does not have its core answers nobody, whoever wrote it: tenths of a second
in which the kernel kept it or the load waiting for more than 1.5 ms, and the tenths after those, are told apart, and how much is left.
Beside it stands the same for the echo at half of its own rate: what the HTTP stack and the machine have of a tail without any scoring.

Measured on {day}. {load}

| what | measured | promised |
|---|---:|---:|
"""


_LATE_US = 100
_CALM = 0.2


class Promise(NamedTuple):
    """A figure by its name, what it is, what it must reach, and how it is written."""

    name: str
    what: str
    bound: float | None
    unit: str = " x"
    least: bool = False

    def line(self, figure: float) -> str:
        """The line of the table."""
        shown = f"{figure:.0f}" if figure >= 100 else f"{figure:.2f}"
        kind = "at least" if self.least else "at most"
        goal = "" if self.bound is None else f"{kind} {self.bound:g}{self.unit}"
        met = self.bound is None or (figure >= self.bound if self.least else figure <= self.bound)
        return f"| {self.what} | {shown}{self.unit}{'' if met else ' (not reached)'} | {goal} |"


def _of(workload: str, p50: float, echo: float, usual: float, many: float) -> list[Promise]:
    upper = workload.upper()
    return [
        Promise(
            f"{workload}_p50_vs_echo", f"{upper}, a row, median at 1 connection, to the echo", p50
        ),
        *(
            Promise(
                f"{workload}_rps{n}_vs_echo",
                f"{upper}, a row, {n} connections, to the echo",
                echo,
                least=True,
            )
            for n in (16, 64)
        ),
        *(
            Promise(
                f"{workload}_rps{n}_vs_usual",
                f"{upper}, a row, {n} connections, to the usual service",
                usual,
                least=True,
            )
            for n in (16, 64)
        ),
        Promise(
            f"{workload}_rows100_vs_usual",
            f"{upper}, 100 rows, to the usual service",
            many,
            least=True,
        ),
        Promise(
            f"{workload}_p99_vs_p50", f"{upper}, 99th percentile at half load, to the median", 5.0
        ),
        *(
            Promise(f"{workload}_{name}", f"{what} in {upper}", None, unit)
            for name, what, unit in (
                ("calm", "the part of the time that this is of,", ""),
                ("p99_vs_p50_all", "the same of all the time,", " x"),
                ("echo_p99_vs_p50", "the same of the echo, at half of its load,", " x"),
                ("echo_calm", "the part of the time that this is of,", ""),
                ("echo_p99_vs_p50_all", "the same of the echo and of all the time,", " x"),
            )
        ),
    ]


PROMISES = (
    *_of("w1", 1.2, 0.75, 120, 15),
    *_of("w2", 1.35, 0.6, 50, 8),
    Promise("cold_start_s", "from the start of a replica to its first answer", 0.5, " s"),
    Promise("further_replica_s", "a further replica, until it answers", 0.1, " s"),
    Promise("further_replica_mb", "what a further replica has of its own", 20, " MB"),
    Promise("rss_mb", "resident memory of a replica of W1", 60, " MB"),
)


def _told(promise: Promise, figures: Mapping[str, float]) -> str:
    """A line of the table; no tail is shown by requests that were not sent on time, nor of no time at all."""
    side, tail, _ = promise.name.partition("_p99_vs_p50")
    why = ""
    if tail and figures[f"{side}_sent_late_us"] > _LATE_US:
        why = f"requests were sent {figures[f'{side}_sent_late_us'] / 1000:.1f} ms late"
    elif tail and figures[f"{side}_calm"] < _CALM:
        why = "other processes were on the core nearly all the time"
    if not why:
        return promise.line(figures[promise.name])
    goal = "" if promise.bound is None else f"at most {promise.bound:g}{promise.unit}"
    return f"| {promise.what} | not shown: {why} | {goal} |"


def write(
    figures: Mapping[str, float], tables: Sequence[str], *, rounds: int, seconds: float, load: str
) -> None:
    """Write the page.  Raises KeyError when the run was not of everything."""
    now = datetime.now().astimezone()
    head = _HEAD.format(
        cores=os.cpu_count(),
        rounds=rounds,
        seconds=seconds,
        day=f"{now.day} {now:%B %Y}",
        load=load,
    )
    lines = [_told(promise, figures) for promise in PROMISES]
    plain = "\n".join(tables).strip("\n")
    text = f"{head}{chr(10).join(lines)}\n\nMedian latencies and requests per second:\n\n```\n{plain}\n```\n"
    PAGE.write_text(text, encoding="utf-8")
