"""What replicas count: requests, errors, and how long they took; shared through a mapped file."""

from __future__ import annotations

import mmap
import os
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct

BOUNDS = tuple(0.000_05 * 1.25**n for n in range(64))
"""Seconds up to which each bucket counts; the last one is for all that is longer (about a minute)."""

MOST_DEPLOYMENTS = 7
"""Deployments of an endpoint whose requests are counted apart."""

_RECORD = Struct(f"=QQQQQQQQ{len(BOUNDS)}Q")
_PLACES = 1 + MOST_DEPLOYMENTS
_SIZE = _RECORD.size * _PLACES


@dataclass(slots=True)
class Meter:
    """Counts since a replica began.

    number: the deployment; 0 for the whole endpoint.  refused: answers of the class 4xx, failed: 5xx.
    skipped: copies for a shadow or a record that were not made, since nobody took them fast enough.
    workers: scoring processes at work, of pipelines that need them.
    """

    number: int = 0
    requests: int = 0
    refused: int = 0
    failed: int = 0
    skipped: int = 0
    busy: int = 0
    queued: int = 0
    workers: int = 0
    took: list[int] = field(default_factory=lambda: [0] * len(BOUNDS))

    def count(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self.requests += 1
        if status >= 400:
            if status < 500:
                self.refused += 1
            else:
                self.failed += 1
        self.took[min(bisect_left(BOUNDS, seconds), len(BOUNDS) - 1)] += 1

    def add(self, other: Meter) -> None:
        """Take in what another has counted."""
        self.requests += other.requests
        self.refused += other.refused
        self.failed += other.failed
        self.skipped += other.skipped
        self.busy += other.busy
        self.queued += other.queued
        self.workers += other.workers
        self.took = [a + b for a, b in zip(self.took, other.took, strict=True)]

    def since(self, former: Meter | None) -> Meter:
        """What was counted after a former look; all of it where the counting began anew."""
        if former is None or former.requests > self.requests:
            return self
        return Meter(
            self.number,
            self.requests - former.requests,
            self.refused - former.refused,
            self.failed - former.failed,
            self.skipped - former.skipped,
            self.busy,
            self.queued,
            self.workers,
            [a - b for a, b in zip(self.took, former.took, strict=True)],
        )

    def quantile(self, share: float) -> float | None:
        """The seconds within which this share of the requests was answered; None for no request.

        Right to within a quarter: the middle of the bucket.
        """
        total = sum(self.took)
        if not total:
            return None
        due = share * total
        for index, many in enumerate(self.took):
            due -= many
            if due <= 0 and many:
                return BOUNDS[index] / 1.118
        return BOUNDS[-1]


class Meters:
    """The meters of all replicas of an endpoint: each writes its own, the controller reads all."""

    def __init__(self, path: Path, *, slots: int) -> None:
        size = slots * _SIZE
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # Sparse: what no replica writes takes no room.
            os.ftruncate(handle, size)
            self._memory = mmap.mmap(handle, size)
        finally:
            os.close(handle)

    def write(self, slot: int, meters: Sequence[Meter]) -> None:
        """Write a replica's meters, the one of the whole endpoint first."""
        for place in range(_PLACES):
            start = slot * _SIZE + place * _RECORD.size
            if place >= len(meters):
                # Marked as empty by its number.
                if place:
                    self._memory[start : start + 8] = bytes(8)
                continue
            m = meters[place]
            _RECORD.pack_into(
                self._memory,
                start,
                *(m.number, m.requests, m.refused, m.failed, m.skipped),
                *(m.busy, m.queued, m.workers),
                *m.took,
            )

    def read(self, slot: int) -> list[Meter]:
        """What a replica has written last, the meter of the whole endpoint first."""
        found = []
        for place in range(_PLACES):
            start = slot * _SIZE + place * _RECORD.size
            values = _RECORD.unpack_from(self._memory, start)
            if place and not values[0]:
                break
            found.append(_meter(values))
        return found

    def clear(self, slot: int) -> None:
        """Make a slot fit for a new replica."""
        self.write(slot, [Meter()])


def _meter(values: tuple[int, ...]) -> Meter:
    number, requests, refused, failed, skipped, busy, queued, workers, *took = values
    return Meter(number, requests, refused, failed, skipped, busy, queued, workers, took)


def total(meters: Iterable[Meter], number: int = 0) -> Meter:
    """All of them taken together."""
    found = Meter(number)
    for meter in meters:
        found.add(meter)
    return found
