"""Fitting a learner to a small frame, and what holds for every model that comes of it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import polars as pl

from modelwright.components.context import Context
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.training import train
from modelwright.data.fitted import Model
from modelwright.data.table import Table

A = TypeVar("A")
B = TypeVar("B")


def fitted(learner: Learner, frame: pl.DataFrame, label: str = "y") -> Model:
    return train(learner, Table(frame), label, Context())


def scored(model: Model, frame: pl.DataFrame) -> pl.DataFrame:
    """The score columns alone."""
    return model.score(Table(frame)).frame.select(model.scores.names)


def scored_one_by_one(model: Model, frame: pl.DataFrame) -> pl.DataFrame:
    """The score columns, each row scored alone as in a request."""
    program = model.formula.compile_rows(model.features, natives=model.natives)
    asked = frame.select(model.features.names).rows(named=True)
    replies: list[Any] = [program.score(row) for row in asked]
    names = model.scores.names
    kinds = {c.name: c.type.dtype for c in model.scores}
    return pl.DataFrame([{n: reply[n] for n in names} for reply in replies], schema=kinds)


def with_gaps(frame: pl.DataFrame, *names: str, every: int = 7) -> pl.DataFrame:
    """The frame with each of the columns missing in every seventh row."""
    kept = pl.int_range(pl.len()) % every != 3
    return frame.with_columns(pl.when(kept).then(pl.col(name)) for name in names)


def elsewhere(
    function: Callable[[A], B],
    items: Iterable[A],
    *,
    heard: Callable[[int, B], None] | None = None,
) -> list[B]:
    """Items as other workers would do them: what goes there and back is pickled; the last one first."""
    sent = [pickle.dumps((function, item)) for item in items]
    results: dict[int, B] = {}
    for number in reversed(range(len(sent))):
        work, item = pickle.loads(sent[number])
        results[number] = pickle.loads(pickle.dumps(work(item)))
        if heard:
            heard(number, results[number])
    return [results[number] for number in range(len(sent))]
