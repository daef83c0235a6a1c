"""A few rows with the scores of a new model: whoever holds the model can tell that it still scores them so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import polars.selectors as cs

from modelwright.components.learning.explanation import sampled
from modelwright.data.expression.table import named
from modelwright.data.fitted import Model
from modelwright.data.table import Table

ROWS = 16
MOST_VALUES = 4_000


def with_sample(model: Model, table: Table) -> Model:
    """The model with a sample of rows and their scores among what it has learnt, under "sample".

    Drawn from the rows it was trained on, without their label, the same ones each time; fewer, or
    none, of tables with very many columns.
    """
    count = min(ROWS, MOST_VALUES // max(1, len(model.features)))
    if not count:
        return model
    frame = sampled(table.frame.select(named(n) for n in model.features.names), count)
    scored = model.score(Table(frame, model.features)).frame
    scored = scored.select(named(n) for n in (*model.features.names, *model.scores.names))
    lines: list[dict[str, Any]] = _without_nan(scored).to_dicts()
    return replace(model, learnt={**model.learnt, "sample": lines})


def _without_nan(frame: pl.DataFrame) -> pl.DataFrame:
    """JSON has no word for not-a-number, which counts as missing everywhere."""
    floats = cs.float()
    return frame.with_columns(pl.when(floats.is_finite()).then(floats))
