"""Numbers at places of a sorted column, which is not sorted for it.

A sample says about where each of them lies; then it is counted how many numbers lie below that, and the few
that lie within are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

_SAMPLE = 4096
# Standard deviations of a place in the sample that a number is looked for around it.
_AROUND = 4.0


@dataclass(frozen=True)
class _Range:
    """Numbers from `low` to `high`, both included, and the places wanted of them."""

    low: float
    high: float
    places: tuple[int, ...]


def at_places(numbers: pl.Series, places: Sequence[int]) -> list[float]:
    """The doubles at these places, from 0, if those that are there were sorted; none is not a number."""
    found: dict[int, float] = {}
    for part in _ranges(numbers, places):
        start = int((numbers < part.low).sum())
        own = numbers.filter(numbers.is_between(part.low, part.high))
        if part.places[0] < start or part.places[-1] >= start + len(own):
            # The sample was none, as with numbers that come back in its step.
            start, own = 0, numbers.drop_nulls()
        found |= {place: _nth(own, place - start) for place in part.places}
    return [found[place] for place in places]


def _ranges(numbers: pl.Series, places: Sequence[int]) -> list[_Range]:
    """Where the places are looked for, rising; what would overlap is one."""
    count = len(numbers) - numbers.null_count()
    some = numbers.gather_every(max(1, len(numbers) // _SAMPLE)).drop_nulls()
    sample = np.sort(some.to_numpy())
    ranges: list[_Range] = []
    for place in sorted(set(places)):
        share = (place + 0.5) / count
        middle = share * len(sample)
        spread = _AROUND * math.sqrt(middle * (1.0 - share)) + 2.0
        first, last = math.floor(middle - spread), math.ceil(middle + spread)
        low = float(sample[first]) if first >= 0 else -math.inf
        high = float(sample[last]) if last < len(sample) else math.inf
        if ranges and low <= ranges[-1].high:
            before = ranges.pop()
            ranges.append(_Range(before.low, max(high, before.high), (*before.places, place)))
        else:
            ranges.append(_Range(low, high, (place,)))
    return ranges


def _nth(numbers: pl.Series, place: int) -> float:
    found = numbers.quantile(place / max(1, len(numbers) - 1), interpolation="nearest")
    if found is None:
        raise ValueError("no number has that place")
    return found
