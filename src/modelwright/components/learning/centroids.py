"""K-means: groups of rows around centroids, refined pass by pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modelwright.components.learning.design import Block, Design
from modelwright.components.learning.encoding import Floats

Groups = NDArray[Any]
"""(rows,) numbers of centroids, in a small type."""

CELLS = 131_072
"""Numbers of a block of rows: what a pass makes of them stays in the cache beside them."""


@dataclass(frozen=True)
class Clusters:
    """centroids: (k, width) of the design's columns.

    passes: over all rows.  settled: the last pass moved no row to another cluster.
    """

    centroids: Floats
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
    lengths = design.squared_lengths()
    distance = np.full(design.rows, np.inf)
    _approach(design, chosen[0], lengths, distance)
    while len(chosen) < count and (total := distance.sum()) > 0:
        drawn = int(chance.choice(design.rows, p=distance / total))
        chosen.append(design.dense(drawn, drawn + 1)[0])
        if len(chosen) < count:
            _approach(design, chosen[-1], lengths, distance)
    return np.array(chosen)


def _approach(design: Design, centroid: Floats, lengths: Floats, distance: Floats) -> None:
    """Bring each row's squared distance down to that from another centroid, where it is nearer."""
    weights = np.ascontiguousarray(centroid[:, None])
    tables, own = design.tables(weights), float((centroid**2).sum())
    for block in design.blocks():
        found = design.times_block(block, weights, tables)[:, 0]
        found *= -2.0
        found += lengths[block.rows]
        found += own
        np.maximum(found, 0.0, out=found)
        here = distance[block.rows]
        np.minimum(here, found, out=here)


def refine(
    design: Design, centroids: Floats, *, passes: int, progress: Callable[[float], None]
) -> Clusters:
    """Lloyd's algorithm: rows go to the nearest centroid, which goes to the mean of its rows.

    A centroid that loses all its rows falls away, so there may be fewer in the end.
    """
    group: Groups | None = None
    done, settled = 0, False
    for done in range(1, passes + 1):
        found, sums, counts = _gathered(design, centroids)
        if group is not None and np.array_equal(found, group):
            settled = True
            break
        held = counts > 0
        group = found if held.all() else (np.cumsum(held) - 1)[found]
        centroids = sums[held] / counts[held, None]
        progress(done / passes)
    return Clusters(centroids, done, settled)


def nearest_rows(design: Design, centroids: Floats) -> Groups:
    """(k,) the row nearest to each centroid."""
    found: Groups = squared_distances(design, centroids).argmin(axis=0)
    return found


def squared_distances(design: Design, centroids: Floats) -> Floats:
    """(rows, k) squared Euclidean distances, never below 0."""
    return _distances(design, centroids, design.squared_lengths())


def _distances(design: Design, centroids: Floats, lengths: Floats) -> Floats:
    products = design.times(np.ascontiguousarray(centroids.T))
    distances = lengths[:, None] - 2 * products + (centroids**2).sum(axis=1)
    found: Floats = np.maximum(distances, 0.0)
    return found


def _gathered(design: Design, centroids: Floats) -> tuple[Groups, Floats, Floats]:
    """For each row the nearest centroid, and for each centroid the sum and the count of its rows."""
    weights = np.ascontiguousarray(centroids.T)
    tables = [table.T for table in design.tables(weights)]
    # Of the distance only what differs between centroids, halved.
    offsets = (centroids**2).sum(axis=1)[:, None] / 2
    group = np.zeros(design.rows, dtype=np.min_scalar_type(len(centroids)))
    numbers = [group.dtype.type(at) for at in range(len(centroids))]
    sums = np.zeros_like(centroids)
    for block in design.blocks():
        near = weights[: design.numbers].T @ block.numbers.T
        near -= offsets
        for table, code in zip(tables, block.codes, strict=True):
            near += table[:, code]
        here = group[block.rows]
        best = near[0].copy()
        for at, other in zip(numbers[1:], near[1:], strict=True):
            # The last number that was better is the largest of them.
            np.maximum(here, (other > best) * at, out=here)
            np.maximum(best, other, out=best)
        _add(design, block, here, sums)
    counts = np.bincount(group, minlength=len(centroids)).astype(np.float64)
    return group, sums, counts


def _means(design: Design, group: Groups, count: int) -> Floats:
    sums = np.zeros((count, design.width))
    for block in design.blocks():
        _add(design, block, group[block.rows], sums)
    means: Floats = sums / np.bincount(group, minlength=count)[:, None]
    return means


def _add(design: Design, block: Block, group: Groups, sums: Floats) -> None:
    """Add the rows of a block to the sums of their groups, (k, width)."""
    count = len(sums)
    member = (group == np.arange(count, dtype=group.dtype)[:, None]).astype(np.float64)
    sums[:, : design.numbers] += member @ block.numbers
    if design.sizes:
        group = group.astype(np.intp, copy=False)
    for start, size, code in zip(design.starts, design.sizes, block.codes, strict=True):
        pairs = np.bincount(group * (size + 1) + code, minlength=count * (size + 1))
        sums[:, start : start + size] += pairs.reshape(count, size + 1)[:, :size]
