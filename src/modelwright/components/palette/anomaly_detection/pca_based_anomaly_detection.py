"""PCA-Based Anomaly Detection: rows that the main directions of the data do not explain."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.errors import InvalidParameter
from modelwright.components.learning.design import Design, Scaling
from modelwright.components.learning.encoding import Floats
from modelwright.components.learning.learner import (
    ANOMALY_DETECTION,
    Fitted,
    Learner,
    TrainerMode,
    TrainingData,
    Working,
)
from modelwright.components.learning.scores import normal_scores, outline_scores
from modelwright.components.learning.subspace import principal_components
from modelwright.components.parameters import Range, Shown
from modelwright.data.expression import Expression, Scalar, call, column, dot, literal, lookup
from modelwright.data.schema import Schema, Task

_SINGLE = Shown(training_mode="SingleParameter")
_RANGES = Shown(training_mode="ParameterRange")
_SEED = 0
USUAL = 0.99
_LEAST = 1e-12


class PCABasedAnomalyDetection(
    Learner, category=ANOMALY_DETECTION, title="PCA-Based Anomaly Detection"
):
    """Learns in which directions normal rows spread, and finds rows that lie far from those.

    Train it on rows that are nearly all normal.  A row is projected onto the principal components, and
    its error is its squared distance from where it lands.  The error that 99 of 100 rows of training
    stay below is the usual one; Scored Probabilities is usual / (usual + error), so that a row as far
    off gets 0.5.  Scored Labels is 1 for normal rows, from 0.5 on, and 0 for anomalies, so that Evaluate
    Model can compare it with a label coded alike.  A category has a column of 0 and 1 per level; a
    missing number counts as the mean of training.  Columns in larger units weigh more: bring them to
    one scale with Normalize Data.
    """

    task: ClassVar[Task] = Task.ANOMALY

    training_mode: TrainerMode = "SingleParameter"
    """Fixed values, or ranges of which the first value is used."""

    number_of_components: Annotated[
        int, Field(ge=1, title="Number of components to use in PCA"), _SINGLE
    ] = 2
    """Directions to keep; fewer than there are columns of numbers and levels."""

    number_of_components_range: Annotated[
        Range, Field(title="Range for number of PCA components"), _RANGES
    ] = Range(values=(2, 4, 6, 8, 10))
    """Numbers of directions."""

    oversampling: Annotated[
        int, Field(ge=1, title="Oversampling parameter for randomized PCA"), _SINGLE
    ] = 2
    """Random directions tried beside those kept; more come closer to the exact components."""

    oversampling_range: Annotated[
        Range, Field(title="Range for the oversampling parameter used in randomized PCA"), _RANGES
    ] = Range(values=(2, 4, 6, 8, 10))
    """Numbers of random directions."""

    enable_input_feature_mean_normalization: bool = True
    """Shift every feature to a mean of 0 before training and scoring."""

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        centre = self.enable_input_feature_mean_normalization
        numbers = data.encoded.encoding.numbers
        design = Design(data.encoded, Scaling.none(numbers, centre=centre), keep=True)
        count = self.number_of_components
        if count >= design.width:
            raise InvalidParameter(
                "Number of components to use in PCA",
                count,
                f"the features make up {design.width} columns, and fewer components are needed",
            )
        means = design.means() if centre else np.zeros(design.width)
        components = principal_components(
            design, means, count=count, oversampling=self.oversampling, seed=_SEED
        )
        working = data.working()
        usual = _usual_error(design, means, components)
        probability = _normality(data, design, means, components, usual, working)
        return Fitted(
            normal_scores(working.column(probability)),
            learnt={
                "usual_error": usual,
                "components": [_told(design, c) for c in components],
            },
            working=working,
        )

    def further_scores(self) -> Schema:
        return outline_scores(Task.ANOMALY, None)


def _usual_error(design: Design, means: Floats, components: Floats) -> float:
    """The squared distance from the components that most rows of training stay below; above 0."""
    held = design.times(components.T) - means @ components.T
    shares = means[design.numbers :]
    lengths = np.empty(design.rows)
    for block in design.blocks():
        found = np.einsum("ij,ij->i", block.numbers, block.numbers)
        for code, start, size in zip(block.codes, design.starts, design.sizes, strict=True):
            of_levels = shares[start - design.numbers : start - design.numbers + size]
            none = float((of_levels**2).sum())
            far = np.append(none - of_levels**2 + (1.0 - of_levels) ** 2, none)
            found = found + far[code]
        lengths[block.rows] = found
    lost = np.maximum(lengths - np.einsum("ij,ij->i", held, held), 0.0)
    least = _LEAST * max(float(lengths.mean()), 1.0)
    return max(float(np.quantile(lost, USUAL)), least)


def _normality(
    data: TrainingData,
    design: Design,
    means: Floats,
    components: Floats,
    usual: float,
    working: Working,
) -> Expression:
    """How the usual error compares with what of a row the components do not hold, from 0 to 1."""
    encoding = data.encoded.encoding
    scaling = design.scaling
    shifted = [
        column(n.name).fill_missing(n.mean) - float(scaling.shift[at])
        for at, n in enumerate(encoding.numbers)
    ]

    def along(direction: Floats) -> Expression:
        added = [(v, w) for v, w in zip(shifted, direction.tolist(), strict=False) if w]
        for category, start in zip(encoding.categories, design.starts, strict=True):
            weights = direction[start : start + len(category.levels)].tolist()
            held: dict[Scalar, Scalar] = dict(zip(category.levels, weights, strict=True))
            added.append((lookup(column(category.name), held, 0.0), 1.0))
        return dot(added, -float(means[design.numbers :] @ direction[design.numbers :]))

    squares: list[tuple[Expression, float]] = [(v * v, 1.0) for v in shifted]
    for category, start in zip(encoding.categories, design.starts, strict=True):
        shares = means[start : start + len(category.levels)]
        none = float((shares**2).sum())
        far: dict[Scalar, Scalar] = {
            level: none - float(s) ** 2 + (1.0 - float(s)) ** 2
            for level, s in zip(category.levels, shares, strict=True)
        }
        squares.append((lookup(column(category.name), far, none), 1.0))
    length = working.column(dot(squares))
    held_parts = working.columns([along(c) for c in components])
    kept = dot([(part * part, 1.0) for part in held_parts])
    lost = call("maximum", length - kept, 0.0)
    return literal(usual) / (lost + usual)


def _told(design: Design, component: Floats) -> list[dict[str, object]]:
    """A component for people, its largest weights first."""
    lines: list[dict[str, object]] = []
    for at in np.argsort(-np.abs(component), kind="stable"):
        term = design.terms[at]
        level = {"level": term.level} if term.is_level else {}
        lines.append({"feature": term.feature, **level, "weight": float(component[at])})
    return lines
