"""A feed-forward network with one hidden layer, learnt by stochastic gradient descent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelwright.components.context import Context
from modelwright.components.learning.design import BLOCK, Scaling
from modelwright.components.learning.encoding import Encoded, Floats
from modelwright.components.learning.errors import Diverged
from modelwright.data.openers.network import packed

Levels = NDArray[np.int64]

NATIVE = "network"
MOST_AT_ONCE = 200
STEPS = 50
"""An epoch has at least so many steps, each on so many examples that no step has more than above."""

DEVIATION = 1.0
"""Numbers are scaled to it; it and the penalty were chosen on other data than those of docs/learners.md."""

RARE = 4
"""Levels are moved when they are asked for, if there are so many times more than a step has."""

MANY_INPUTS = 10
"""Where an example has more inputs, starting weights are smaller, so that no node begins at its limits."""

AVERAGED = 0.25
"""The weights are the mean of those after each of the last passes, this share of all: they tremble."""

PENALTY = 1.0
"""Times the sum of squared weights is added to the loss, summed over the examples."""


@dataclass(frozen=True)
class Course:
    """How a network is learnt.

    nodes: of the hidden layer.  rate: of the mean gradient of some examples.  epochs: passes over all
    examples.  diameter: starting weights lie within it, around 0, of few inputs.  momentum: share of
    the last step that is made again.
    """

    nodes: int
    rate: float
    epochs: int
    diameter: float
    momentum: float
    shuffle: bool
    seed: int


class _Layers:
    """Weights, and the last step of each.

    decay: the slope of the penalty, as a share of a weight; biases are free.  inputs: of an example,
    which has one for each category.  The rows of `levels` that
    a step has nothing to say about are moved when they are next asked for, all steps at once, if
    `rarely` so: of very many levels only a few are in the examples of a step.
    """

    def __init__(
        self,
        shapes: dict[str, tuple[int, ...]],
        course: Course,
        decay: float,
        *,
        inputs: int = 1,
        rarely: bool = False,
    ) -> None:
        chance = np.random.default_rng(course.seed)
        half = course.diameter / 2 * min(1.0, math.sqrt(MANY_INPUTS / max(1, inputs)))
        self.weights = {name: chance.uniform(-half, half, s) for name, s in shapes.items()}
        self._steps = {name: np.zeros(s) for name, s in shapes.items()}
        self._course = course
        self._decay = dict.fromkeys(("hidden", "levels", "output"), decay)
        self._done = 0
        self._moved = np.zeros(shapes["levels"][0], dtype=np.int64) if rarely else None
        # A weight and its last step after n steps without a slope are the n-th power of this times both.
        shrink = course.rate * decay
        self._still = np.array([[1.0 - shrink, course.momentum], [-shrink, course.momentum]])
        self._powers = np.eye(2)[None]

    def levels(self, asked: Levels) -> tuple[Levels, Levels]:
        """The rows of `levels` that these are about, brought up to date, and where each stands among them."""
        if self._moved is None:
            return np.arange(len(self.weights["levels"])), asked
        rows, places = np.unique(asked, return_inverse=True)
        self._catch_up(rows)
        return rows, places.reshape(asked.shape)

    def catch_up(self) -> None:
        """Bring all rows of `levels` up to date."""
        if self._moved is not None:
            self._catch_up(np.arange(len(self._moved)))

    def add_to(self, sums: dict[str, Floats]) -> None:
        """Add the weights of now, those of all levels too."""
        self.catch_up()
        for name, weights in self.weights.items():
            sums[name] = sums[name] + weights if name in sums else weights.copy()

    def _catch_up(self, rows: Levels) -> None:
        assert self._moved is not None  # noqa: S101  # asked for by those who keep it
        missed = self._done - self._moved[rows]
        while len(self._powers) <= int(missed.max(initial=0)):
            grown = self._powers @ np.linalg.matrix_power(self._still, len(self._powers))
            self._powers = np.concatenate([self._powers, grown])
        power = self._powers[missed]
        weights, steps = self.weights["levels"][rows], self._steps["levels"][rows]
        self.weights["levels"][rows] = power[:, 0, :1] * weights + power[:, 0, 1:] * steps
        self._steps["levels"][rows] = power[:, 1, :1] * weights + power[:, 1, 1:] * steps
        self._moved[rows] = self._done

    def move(self, slopes: dict[str, Floats], rows: Levels | None = None) -> None:
        """One step down the slopes; with `rows` that of `levels` is of these rows, as `levels` gave them."""
        self._done += 1
        for name, slope in slopes.items():
            step, weights = self._steps[name], self.weights[name]
            if name != "levels" or self._moved is None:
                self._move(name, weights, step, slope)
                continue
            some_weights, some_steps = weights[rows], step[rows]
            self._move(name, some_weights, some_steps, slope)
            weights[rows], step[rows] = some_weights, some_steps
            self._moved[rows] = self._done

    def _move(self, name: str, weights: Floats, step: Floats, slope: Floats) -> None:
        step *= self._course.momentum
        step -= self._course.rate * slope
        if decay := self._decay.get(name):
            step -= self._course.rate * decay * weights
        weights += step


def learn(
    data: Encoded, target: Floats, *, outputs: int, course: Course, context: Context, learner: str
) -> bytes:
    """The arrays of the network that `modelwright.data.openers.network` opens.

    target: (rows,) numbers for one output and squared error, or else class numbers for softmax
    and logarithmic loss.  Numbers are scaled to a deviation of 1 around their mean; the hidden
    nodes are hyperbolic tangents.  Raises Diverged.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    encoding = data.encoding
    scaling = Scaling.standard(encoding.numbers, deviation=DEVIATION)
    sizes = [len(c.levels) for c in encoding.categories]
    starts = np.cumsum([0, *sizes])[:-1]
    width, nodes = len(encoding.numbers), course.nodes
    at_once = int(np.clip(data.rows // STEPS, 1, MOST_AT_ONCE))
    layers = _Layers(
        {
            "hidden": (width, nodes),
            "levels": (sum(sizes) + 1, nodes),
            "bias": (nodes,),
            "output": (nodes, outputs),
            "output_bias": (outputs,),
        },
        course,
        2 * PENALTY / max(1, data.rows),
        inputs=width + len(sizes),
        rarely=sum(sizes) > RARE * at_once * len(sizes),
    )
    layers.weights["levels"][-1] = 0.0
    # Nothing is learnt of a number that never changes, so another one may not move the answer.
    layers.weights["hidden"][encoding.still] = 0.0
    numbers = _numbers(data, scaling)
    levels = np.empty((data.rows, len(sizes)), dtype=np.int64)
    for at, (codes, start) in enumerate(zip(data.codes, starts, strict=True)):
        levels[:, at] = codes + start
    last = max(1, round(AVERAGED * course.epochs))
    sums: dict[str, Floats] = {}
    order = np.arange(data.rows)
    chance = np.random.default_rng(course.seed)
    # Products this small are slower with several threads, and much slower on a busy machine.
    with threadpool_limits(limits=1, user_api="blas"):
        for epoch in range(course.epochs):
            if course.shuffle:
                chance.shuffle(order)
            for first in range(0, data.rows, at_once):
                rows = order[first : first + at_once]
                _step(layers, numbers[rows], levels[rows], target[rows], outputs)
            if not np.isfinite(layers.weights["output"]).all():
                raise Diverged(learner, "Learning rate")
            if epoch >= course.epochs - last:
                layers.add_to(sums)
            context.progress((epoch + 1) / course.epochs)
    return packed(
        {
            **{name: summed / last for name, summed in sums.items()},
            "shift": scaling.shift,
            "scale": scaling.scale,
            "start": starts,
            "size": np.array(sizes, dtype=np.int64),
        }
    )


def _numbers(data: Encoded, scaling: Scaling) -> Floats:
    held = np.empty((data.rows, len(scaling.shift)))
    for start in range(0, data.rows, BLOCK):
        block = data.block(start, start + BLOCK)
        block -= scaling.shift
        block /= scaling.scale
        np.copyto(block, 0.0, where=np.isnan(block))
        held[start : start + BLOCK] = block
    return held


def _step(layers: _Layers, numbers: Floats, levels: Levels, target: Floats, outputs: int) -> None:
    weights = layers.weights
    rows = len(target)
    inside, held, of_levels = None, None, weights["levels"]
    if levels.shape[1]:
        held, places = layers.levels(levels)
        inside = _indicators(places, len(held))
        if len(held) < len(of_levels):
            of_levels = of_levels[held]
    # A step that goes too far is told from its end, not from each overflow on the way.
    with np.errstate(all="ignore"):
        sums = numbers @ weights["hidden"]
        if inside is not None:
            sums += inside @ of_levels
        sums += weights["bias"]
        hidden = np.tanh(sums, out=sums)
        found = hidden @ weights["output"] + weights["output_bias"]
        if outputs == 1:
            off = found - target[:, None]
        else:
            powers = np.exp(found - found.max(axis=1, keepdims=True))
            off = powers / powers.sum(axis=1, keepdims=True)
            off[np.arange(rows), target.astype(np.int64)] -= 1.0
        off /= rows
        back = off @ weights["output"].T
        slopes = {"output": hidden.T @ off, "output_bias": off.sum(axis=0)}
        np.square(hidden, out=hidden)
        back *= np.subtract(1.0, hidden, out=hidden)
        slopes |= {"hidden": numbers.T @ back, "bias": back.sum(axis=0)}
        if inside is not None:
            slopes["levels"] = inside.T @ back
        layers.move(slopes, held)


def _indicators(levels: Levels, count: int) -> Any:
    """(rows, count) with ones at the levels of each row, sparse."""
    from scipy.sparse import csr_matrix

    rows, categories = levels.shape
    ends = np.arange(rows + 1) * categories
    return csr_matrix((np.ones(levels.size), levels.ravel(), ends), shape=(rows, count))
