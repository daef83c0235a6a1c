"""From how many rows on another form of a plan is faster, measured on its samples, bytes to bytes."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from modelwright.data.native import Native
from modelwright.inference.plan import NativePlace, ScoringPlan
from modelwright.inference.scorer import CompiledSteps, Scorer
from modelwright.inference.serving import RequestInput

_COUNTS = (4, 8, 16, 32, 64, 128, 256)
_SOME, _MANY = 256, 1024
_LARGEST = 1_000_000
_TRIES = 3
_WARM = 512


def with_crossovers(
    plan: ScoringPlan, inputs: Sequence[RequestInput], native: Callable[[NativePlace], Native]
) -> ScoringPlan:
    """The plan with what was measured; one that is more than formulas has nothing to choose.

    It takes a few tenths of a second.  Every input must have samples.
    """
    if not plan.is_compiled:
        return plan

    def scorer(*, crossover: int | None, together: int | None) -> Scorer:
        other = replace(plan, crossover=crossover, together=together)
        return Scorer.of(other, inputs, CompiledSteps(other, inputs, native))

    alone = scorer(crossover=None, together=None)
    together = None
    if any(chain.natives for chain in plan.chains or ()):
        both = scorer(crossover=None, together=1)
        mixed = [_mixed(i) for i in inputs]
        together = next(
            (n for n in _COUNTS if _warm(both, mixed, n) < _warm(alone, mixed, n)), None
        )
    rows = scorer(crossover=None, together=together)
    crossover = _meeting(rows, scorer(crossover=0, together=None), inputs)
    return replace(plan, crossover=crossover, together=together)


def _mixed(request_input: RequestInput) -> RequestInput:
    """The input with more samples, of values from several.

    A processor learns by heart how a few rows go through a tree, and is faster than with those of a service.
    """
    chance = random.Random(0)  # noqa: S311  # nothing is kept secret by it
    whole = [s for s in request_input.samples if None not in s.values()] or request_input.samples
    columns = whole[0].keys() if whole else ()
    samples = [{name: chance.choice(whole).get(name) for name in columns} for _ in range(_WARM)]
    return replace(request_input, samples=tuple(samples))


def _meeting(rows: Scorer, tables: Scorer, inputs: Sequence[RequestInput]) -> int | None:
    """Where the line of one form, through nothing, crosses the line of the other."""
    a_row = _seconds(rows, inputs, _SOME) / _SOME
    least, many = _seconds(tables, inputs, 1), _seconds(tables, inputs, _MANY)
    gained = a_row - max(0.0, many - least) / _MANY
    if gained <= 0 or (found := math.ceil(least / gained)) > _LARGEST:
        return None
    return max(1, found)


def _warm(scorer: Scorer, inputs: Sequence[RequestInput], count: int) -> float:
    """Seconds of a few rows as in a busy service, which takes so many tries to come to."""
    return _seconds(scorer, inputs, count, tries=max(_TRIES, _WARM // count))


def _seconds(
    scorer: Scorer, inputs: Sequence[RequestInput], count: int, *, tries: int = _TRIES
) -> float:
    """The shortest of some tries, since only disturbances make one longer."""
    found = []
    for number in range(tries):
        body = orjson.dumps({"Inputs": {i.name: _rows(i, count, number) for i in inputs}})
        start = time.perf_counter()
        scorer.answer(body)
        found.append(time.perf_counter() - start)
    return min(found)


def _rows(request_input: RequestInput, count: int, number: int) -> list[Mapping[str, Any]]:
    """So many of the samples; others for each number where there are enough."""
    samples = list(request_input.samples)
    first = number * count % len(samples) if len(samples) >= 2 * count else 0
    return (samples[first:] + samples * (count // max(1, len(samples)) + 1))[:count]
