"""Which settings a sweep of a learner tries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from modelwright.components.errors import ComponentError
from modelwright.components.learning.learner import Learner
from modelwright.components.parameters import Range, is_visible

Settings = dict[str, Any]
Spans = Mapping[str, Range]

MOST = 10_000


class NothingToTune(ComponentError):
    """A learner has no setting that a sweep could vary."""

    code = "nothing-to-tune"

    def __init__(self, learner: str) -> None:
        super().__init__(
            f"{learner} has no parameter that a sweep can vary.",
            remedy="Train it with Train Model, or take a learner with ranges.",
            learner=learner,
        )


class GridTooLarge(ComponentError):
    """The ranges make up more combinations than anyone can wait for."""

    code = "grid-too-large"

    def __init__(self, learner: str, size: int) -> None:
        super().__init__(
            f"The ranges of {learner} make up {size} combinations; at most {MOST} are tried.",
            remedy="Give some ranges fewer values, or use a random sweep.",
            learner=learner,
            size=size,
        )


def values_of(learner: Learner) -> dict[str, tuple[Any, ...]]:
    """The values of each parameter that matters, in either mode.

    A learner in SingleParameter mode has the ranges it comes with.  Raises NothingToTune.
    """
    title = learner.__component__.title
    found = learner.swept()
    shown = _shown(learner)
    kept = {name: values for name, values in found.items() if name in shown}
    if not kept:
        raise NothingToTune(title)
    return kept


def entire_grid(learner: Learner) -> list[Settings]:
    """Every combination of the values.  Raises NothingToTune and GridTooLarge."""
    values = values_of(learner)
    size = math.prod(len(v) for v in values.values())
    if size > MOST:
        raise GridTooLarge(learner.__component__.title, size)
    return [dict(zip(values, point, strict=True)) for point in product(*values.values())]


def random_grid(learner: Learner, count: int, seed: int) -> list[Settings]:
    """Some combinations of the grid, none of them twice.  Raises as `entire_grid`."""
    grid = entire_grid(learner)
    chosen = np.random.default_rng(seed).permutation(len(grid))[:count]
    return [grid[at] for at in chosen]


def random_sweep(learner: Learner, count: int, seed: int) -> list[Settings]:
    """Settings drawn one by one: from a list one of its values, from a span any number in it.

    Raises NothingToTune.
    """
    values = values_of(learner)
    spans = spans_of(learner)
    chance = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        settings: Settings = {}
        for name, known in values.items():
            span = spans.get(name)
            if span is None or len(known) == 1:
                settings[name] = known[int(chance.integers(len(known)))]
            else:
                settings[name] = _between(span, float(chance.random()), known)
        drawn.append(settings)
    return drawn


def _shown(learner: Learner) -> set[str]:
    """The parameters that matter when the learner is trained once."""
    inner = learner.inner
    values = inner.with_values({}).model_dump(mode="json")
    return {p.name for p in inner.__component__.parameters if is_visible(p, values)}


def spans_of(learner: Learner) -> Spans:
    """The ranges that are spans and no lists, by parameter."""
    return {
        name.removesuffix("_range"): value
        for name, value in learner.inner
        if isinstance(value, Range) and not value.values
    }


def _between(span: Range, share: float, known: tuple[Any, ...]) -> Any:
    low, high = float(known[0]), float(known[-1])
    if span.scale == "log":
        value = low * (high / low) ** share
    else:
        value = low + share * (high - low)
    return round(value) if isinstance(known[0], int) else value
