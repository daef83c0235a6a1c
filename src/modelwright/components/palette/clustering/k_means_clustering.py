"""K-Means Clustering: rows grouped around centroids."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.learning.centroids import (
    CELLS,
    Clusters,
    first_rows,
    nearest_rows,
    plus_plus,
    random_partition,
    refine,
)
from modelwright.components.learning.design import Design, Scaling
from modelwright.components.learning.errors import TooFewRows
from modelwright.components.learning.learner import CLUSTERING, Fitted, Learner, TrainingData
from modelwright.components.learning.scores import (
    assignment_column,
    distance_column,
    first_largest,
    largest,
    overwritten_column,
)
from modelwright.components.learning.seed import Seed
from modelwright.data.expression import Expression, Scalar, call, dot, lookup
from modelwright.data.schema import Task

LabelMode = Literal[
    "Ignore label column", "Fill missing values", "Overwrite from closest to center"
]


class KMeansClustering(Learner, category=CLUSTERING, title="K-Means Clustering"):
    """Groups rows so that each is near the mean of its group.

    A category has a column of 0 and 1 per level; a missing number counts as the mean of training.
    Rows are moved to the nearest centroid and centroids to the mean of their rows until nothing moves.
    A centroid that loses all its rows falls away, so there may be fewer clusters than asked for.
    """

    task: ClassVar[Task] = Task.CLUSTERING

    create_trainer_mode: Literal["SingleParameter"] = "SingleParameter"
    """Fixed values; there is no sweep of clusterings."""

    number_of_centroids: Annotated[int, Field(ge=2)] = 2
    """Clusters to start with."""

    initialization: Literal["First N", "Random", "K-Means++"] = "K-Means++"
    """Start from the first rows, from means of random groups, or from rows drawn far apart."""

    random_number_seed: Seed = 0
    """Draws the start; First N leaves nothing to chance."""

    metric: Literal["Euclidean"] = "Euclidean"
    """Distance: the root of the summed squared differences."""

    iterations: Annotated[int, Field(ge=1)] = 100
    """Passes over the rows, at most."""

    assign_label_mode: LabelMode = "Ignore label column"
    """Leave the label out; use it as a feature, its gaps filled; or replace it by its cluster's.

    To replace it, each cluster gets the label of the row nearest to its centroid."""

    normalize_features: bool = True
    """Scale numbers to an interval of length 1 before training."""

    @property
    def label_is_feature(self) -> bool:
        return self.assign_label_mode == "Fill missing values"

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        if data.rows < self.number_of_centroids:
            why = f"for {self.number_of_centroids} centroids"
            raise TooFewRows("dataset", data.rows, self.number_of_centroids, why)
        numbers = data.encoded.encoding.numbers
        scaling = Scaling.unit(numbers) if self.normalize_features else Scaling.none(numbers)
        design = Design(data.encoded, scaling, keep=True, cells=CELLS)
        start = {"First N": first_rows, "Random": random_partition, "K-Means++": plus_plus}
        chance = np.random.default_rng(self.random_number_seed)
        centroids = start[self.initialization](design, self.number_of_centroids, chance)
        found = refine(design, centroids, passes=self.iterations, progress=context.progress)
        count = len(found.centroids)
        context.log(f"{count} clusters after {found.passes} passes.")
        if not found.settled:
            context.log("Rows were still moving when the passes were over.")
        return self._fitted(data, design, found)

    def _fitted(self, data: TrainingData, design: Design, found: Clusters) -> Fitted:
        working = data.working()
        squares = working.columns(_squared_distances(design, found, data))
        distances = [call("sqrt", s) for s in squares]
        near = working.columns([-s for s in squares])
        clusters = tuple(range(len(squares)))
        nearest = first_largest(clusters, near, largest(near, working))
        scores = [(assignment_column(), nearest)]
        scores += [(distance_column(k), d) for k, d in zip(clusters, distances, strict=True)]
        if self.assign_label_mode == "Overwrite from closest to center" and data.label:
            rows = nearest_rows(design, found.centroids).tolist()
            names: list[Scalar] = [data.labels[row] for row in rows]
            chosen = working.column(nearest)
            labels: dict[Scalar, Scalar] = dict(zip(clusters, names, strict=True))
            scores.append((overwritten_column(data.label), lookup(chosen, labels)))
        return Fitted(
            tuple(scores),
            learnt={
                "centroids": [_told(design, c) for c in found.centroids],
                "passes": found.passes,
                "settled": found.settled,
            },
            working=working,
        )


def _squared_distances(design: Design, found: Clusters, data: TrainingData) -> list[Expression]:
    """The squared distance to each centroid, with no difference of large numbers."""
    scaling = design.scaling
    encoding = data.encoded.encoding
    given = [data.source(n.name).fill_missing(n.mean) for n in encoding.numbers]
    # What scaling does to a square is its weight.
    weights = (1.0 / scaling.scale**2).tolist()
    sums = []
    for centroid in found.centroids:
        middles = (centroid[: len(given)] * scaling.scale + scaling.shift).tolist()
        added: list[tuple[Expression, float]] = []
        for value, middle, weight in zip(given, middles, weights, strict=True):
            away = value - middle
            added.append((away * away, weight))
        for category, start, size in zip(
            encoding.categories, design.starts, design.sizes, strict=True
        ):
            shares = centroid[start : start + size]
            none = float((shares**2).sum())
            far: dict[Scalar, Scalar] = {
                level: none - float(share) ** 2 + (1.0 - float(share)) ** 2
                for level, share in zip(category.levels, shares, strict=True)
            }
            added.append((lookup(data.source(category.name), far, none), 1.0))
        sums.append(dot(added))
    return sums


def _told(design: Design, centroid: np.ndarray) -> list[dict[str, Any]]:
    """A centroid for people: numbers as they are, and the share of each level."""
    lines: list[dict[str, Any]] = []
    for at, (term, value) in enumerate(zip(design.terms, centroid.tolist(), strict=True)):
        if term.is_level:
            lines.append({"feature": term.feature, "level": term.level, "share": value})
        else:
            mean = value * float(design.scaling.scale[at]) + float(design.scaling.shift[at])
            lines.append({"feature": term.feature, "mean": mean})
    return lines
