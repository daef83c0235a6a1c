"""K-means: groups of rows around centroids, refined pass by pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modelwright.components.learning.design import Design
from modelwright.components.learning.encoding import Floats

Groups = NDArray[np.intp]


@dataclass(frozen=True)
class Clusters:
    """centroids: (k, width) of the design's columns.  nearest: the row nearest to each.

    passes: over all rows.  settled: the last pass moved no row to another cluster.
    """

    centroids: Floats
    nearest: Groups
    passes: int
    settled: bool


def first_rows(design: Design, count: int, chance: np.random.Generator) -> Floats:
    """The first rows that differ from one another."""
    chosen = np.unique(design.dense(0, count), axis=0, return_index=True)[1]
    return design.dense(0, count)[np.sort(chosen)]


def random_partition(design: Design, count: int, chance: np.random.Generator) -> Floats:
    """The means of groups that rows are put into at random, each at least one."""
    group = chance.permutation(np.arange(design.rows) % count)
    return _means(design, group, count)


def plus_plus(design: Design, count: int, chance: np.random.Generator) -> Floats:
    """Rows drawn with a chance that grows with their squared distance from those drawn before.

    Source: Arthur & Vassilvitskii 2007.
    """
    first = int(chance.integers(design.rows))
    chosen = [design.dense(first, first + 1)[0]]
    distance = squared_distances(design, np.array(chosen))[:, 0]
    while len(chosen) < count and distance.sum() > 0:
        drawn = int(chance.choice(design.rows, p=distance / distance.sum()))
        chosen.append(design.dense(drawn, drawn + 1)[0])
        distance = np.minimum(distance, squared_distances(design, np.array(chosen[-1:]))[:, 0])
    return np.array(chosen)


def refine(
    design: Design, centroids: Floats, *, passes: int, progress: Callable[[float], None]
) -> Clusters:
    """Lloyd's algorithm: rows go to the nearest centroid, which goes to the mean of its rows.

    A centroid that loses all its rows falls away, so there may be fewer in the end.
    """
    group: Groups | None = None
    done, settled = 0, False
    for done in range(1, passes + 1):
        found: Groups = squared_distances(design, centroids).argmin(axis=1)
        if group is not None and np.array_equal(found, group):
            settled = True
            break
        held, group = np.unique(found, return_inverse=True)
        centroids = _means(design, group, len(held))
        progress(done / passes)
    distance = squared_distances(design, centroids)
    return Clusters(centroids, distance.argmin(axis=0), done, settled)


def squared_distances(design: Design, centroids: Floats) -> Floats:
    """(rows, k) squared Euclidean distances, never below 0."""
    lengths = np.empty(design.rows)
    for block in design.blocks():
        known = sum((c < s).astype(float) for c, s in zip(block.codes, design.sizes, strict=True))
        lengths[block.rows] = (block.numbers**2).sum(axis=1) + known
    products = design.times(np.ascontiguousarray(centroids.T))
    distances = lengths[:, None] - 2 * products + (centroids**2).sum(axis=1)
    found: Floats = np.maximum(distances, 0.0)
    return found


def _means(design: Design, group: Groups, count: int) -> Floats:
    sums = np.zeros((count, design.width))
    for block in design.blocks():
        here = group[block.rows]
        for column in range(design.numbers):
            sums[:, column] += np.bincount(here, block.numbers[:, column], minlength=count)
        for start, size, code in zip(design.starts, design.sizes, block.codes, strict=True):
            pairs = np.bincount(here * (size + 1) + code, minlength=count * (size + 1))
            sums[:, start : start + size] += pairs.reshape(count, size + 1)[:, :size]
    means: Floats = sums / np.bincount(group, minlength=count)[:, None]
    return means
