"""Filling the gaps of one column from the other ones."""

from __future__ import annotations

import numpy as np
import polars as pl

from modelwright.components.learning.design import Design, Scaling
from modelwright.components.learning.encoding import is_category, learn_encoding
from modelwright.components.learning.generalised_linear import (
    Penalties,
    fit_weights,
    multiclass_loss,
)
from modelwright.components.learning.learner import Working
from modelwright.components.learning.least_squares import ridge
from modelwright.components.learning.scores import first_largest, largest
from modelwright.components.learning.weights import LinearWeights
from modelwright.data.expression import Compute, Expression, Formula, column
from modelwright.data.expression.table import named
from modelwright.data.schema import Column, Schema

_PENALTY = 0.001


def filled(
    frame: pl.DataFrame, wanted: Column, others: Schema, working: Working
) -> tuple[pl.DataFrame, Expression]:
    """The frame with the column's gaps filled, and the expression that fills them.

    A number is predicted by least squares from the other columns, a category by multinomial logistic
    regression.  A column without gaps stays as it is.
    """
    mine = column(wanted.name)
    values = frame[wanted.name]
    gaps = values.is_null()
    if values.dtype.is_float():
        gaps |= values.is_nan().fill_null(value=False)
    known = frame.filter(~gaps)
    if not gaps.any() or known.height < 2 or not len(others):
        return frame, mine
    encoded = learn_encoding(known, others).encode(known)
    target = known[wanted.name]
    if is_category(wanted) and target.n_unique() > 1:
        names = target.unique().sort().to_list()
        numbers = target.replace_strict(names, range(len(names)), return_dtype=pl.Int64)
        design = Design(encoded, Scaling.standard(encoded.encoding.numbers), keep=True)
        found, _ = fit_weights(
            design,
            multiclass_loss(numbers.to_numpy().astype(np.intp)),
            penalties=Penalties(0.0, 1.0),
            memory=10,
            tolerance=1e-6,
            start=np.zeros((design.width + 1, len(names))),
        )
        each = [LinearWeights.of_scaled(design, w[:-1], float(w[-1])) for w in found.T]
        sums = working.columns([w.expression() for w in each])
        guess = first_largest(names, sums, largest(sums, working))
    elif is_category(wanted):
        return frame.with_columns(named(wanted.name).fill_null(target[0])), mine.fill_missing(
            target[0]
        )
    else:
        numbers_of = target.cast(pl.Float64).to_numpy()
        guess = ridge(encoded, numbers_of, penalty=_PENALTY, intercept=True).expression()
    guess = working.column(mine.fill_missing(guess))
    formula = Formula(*working.steps, Compute({wanted.name: guess}))
    return formula.apply(frame).drop(working.names), guess
