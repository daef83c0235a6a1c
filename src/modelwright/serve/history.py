"""What an endpoint did in each of the last seconds, from what its replicas count."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from modelwright.serve.meters import Meter, total

KEPT = 900
"""Seconds that are remembered."""

RECENT = 10
"""Seconds over which the figures for lists are taken."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A second of an endpoint.

    at: its end, in seconds since 1970.  seconds: how long it was.  requests: answered in it; refused
    with a status of 4xx, failed with one of 5xx.  p50_ms and p99_ms: times to answer, right to within
    a quarter; None where nothing was answered.  busy, queued: requests in work and waiting at its end.
    deployments: requests by the number of the deployment, where there are several.  skipped: copies
    for shadows and records that were left out.
    """

    at: float
    seconds: float
    requests: int = 0
    refused: int = 0
    failed: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    replicas: int = 0
    wanted: int = 0
    busy: int = 0
    queued: int = 0
    skipped: int = 0
    deployments: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The sample as JSON."""
        return asdict(self)


class History:
    """The last seconds of an endpoint, kept by its controller.

    whole: all that was counted since it began, with the requests in work as they are now.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[Sample, Meter]] = deque(maxlen=KEPT)
        self._before: dict[object, list[Meter]] = {}
        self._at: float | None = None
        self.whole = Meter()

    def note(
        self,
        now: float,
        counted: Mapping[object, Sequence[Meter]],
        *,
        replicas: int,
        wanted: int,
        processes: int = 0,
    ) -> None:
        """Take note of what each replica has counted until now.

        now: seconds since 1970.  counted: meters by replica, which must never name another one.
        processes: scoring processes, which count as replicas where there are some.
        """
        parts: list[Meter] = []
        for replica, meters in counted.items():
            former = {m.number: m for m in self._before.get(replica, ())}
            parts += [meter.since(former.get(meter.number)) for meter in meters]
        self._before = {replica: list(meters) for replica, meters in counted.items()}
        # A clock that was set back must not make a second longer or shorter than it can be.
        seconds = min(60.0, max(0.001, now - self._at)) if self._at is not None else 1.0
        self._at = now
        whole = total(m for m in parts if m.number == 0)
        several: dict[str, int] = {}
        for meter in parts:
            if meter.number:
                several[str(meter.number)] = several.get(str(meter.number), 0) + meter.requests
        skipped = sum(m.skipped for m in parts)
        sample = Sample(
            round(now, 3),
            round(seconds, 3),
            whole.requests,
            whole.refused,
            whole.failed,
            _milliseconds(whole.quantile(0.5)),
            _milliseconds(whole.quantile(0.99)),
            processes or replicas,
            wanted,
            whole.busy,
            whole.queued,
            skipped,
            several,
        )
        self._samples.append((sample, whole))
        self.whole.add(whole)
        self.whole.busy, self.whole.queued = whole.busy, whole.queued

    def since(self, at: float) -> list[dict[str, Any]]:
        """The samples after a moment, oldest first."""
        return [sample.to_json() for sample, _ in self._samples if sample.at > at]

    def counted_since(self, at: float) -> list[dict[str, Any]]:
        """The same with what was counted, for `together`."""
        return [
            {"at": sample.at, "meter": asdict(meter)}
            for sample, meter in self._samples
            if sample.at > at
        ]

    def recent(self) -> dict[str, Any]:
        """The last seconds in one: requests and errors in a second, and times to answer."""
        return recent_of([self.last()])

    def last(self) -> dict[str, Any]:
        """How long the last seconds were together, and what was counted in them, for `recent_of`."""
        last = list(self._samples)[-RECENT:]
        seconds = sum(sample.seconds for sample, _ in last)
        return {"seconds": seconds, "meter": asdict(total(meter for _, meter in last))}


def recent_of(last: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The last seconds of replicas, what `History.last` gave of each, in one."""
    seconds = max((one["seconds"] for one in last), default=0.0) or 1.0
    whole = total(Meter(**one["meter"]) for one in last)
    return {
        "requests_per_s": round(whole.requests / seconds, 3),
        "errors_per_s": round((whole.refused + whole.failed) / seconds, 3),
        "p50_ms": _milliseconds(whole.quantile(0.5)),
        "p99_ms": _milliseconds(whole.quantile(0.99)),
    }


def together(
    counted: Sequence[Sequence[Mapping[str, Any]]], *, since: float, until: float
) -> list[dict[str, Any]]:
    """The samples of an endpoint whose replicas each keep a history of their own, oldest first.

    counted: of each replica what its `counted_since` gave.  Each sample is of a whole second between
    the two moments; until: before which all replicas have noted what they did.
    """
    seconds: dict[int, list[Meter]] = {}
    for of_one in counted:
        for entry in of_one:
            if since < int(entry["at"]) < int(until):
                seconds.setdefault(int(entry["at"]), []).append(Meter(**entry["meter"]))
    found = []
    for second, meters in sorted(seconds.items()):
        whole = total(meters)
        sample = Sample(
            float(second),
            1.0,
            whole.requests,
            whole.refused,
            whole.failed,
            _milliseconds(whole.quantile(0.5)),
            _milliseconds(whole.quantile(0.99)),
            len(meters),
            len(meters),
            whole.busy,
            whole.queued,
            whole.skipped,
        )
        found.append(sample.to_json())
    return found


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
