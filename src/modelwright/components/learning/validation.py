"""Measuring a learner on rows that it was not trained on, fold by fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modelwright.components.context import Context
from modelwright.components.learning.errors import AllMissing, TooFewRows
from modelwright.components.learning.learner import Learner
from modelwright.components.learning.scoring import score
from modelwright.components.learning.training import train
from modelwright.data.fitted import UntrainedModel
from modelwright.data.folds import FoldedTable
from modelwright.data.schema import Column, Task
from modelwright.data.table import Table

Rows = NDArray[np.intp]

_CLASSES = (Task.TWO_CLASS, Task.MULTICLASS)


@dataclass(frozen=True)
class Trial:
    """A learner to be trained on the rows outside of a fold and tried on those inside.

    threads: that the training may use; None for all.
    """

    learner: UntrainedModel
    label: str
    inside: Rows
    threads: int | None = None


def folds_of(
    dataset: Table, label: Column, task: Task, *, count: int, seed: int, port: str = "dataset"
) -> tuple[Rows, ...]:
    """The numbers of the rows of each fold.

    Those that Partition and Sample assigned, if it did; else rows are dealt at random, for classes so
    that each fold has its share of every class.  Raises TooFewRows.
    """
    if isinstance(dataset, FoldedTable):
        return tuple(fold.to_numpy().astype(np.intp) for fold in dataset.folds)
    if dataset.rows < count:
        raise TooFewRows(port, dataset.rows, count, f"for {count} folds")
    chance = np.random.default_rng(seed)
    order = chance.permutation(dataset.rows)
    if task in _CLASSES:
        # Sorted by class, in random order within each, neighbours are dealt to different folds.
        ranks = dataset.frame[label.name].cast(pl.String).rank("dense").fill_null(0).to_numpy()
        order = order[np.argsort(ranks[order], kind="stable")]
    return tuple(np.sort(order[fold::count]) for fold in range(count))


def try_folds(
    learner: Learner, dataset: Table, label: str, folds: Sequence[Rows], context: Context
) -> list[Table]:
    """The rows of each fold, scored by a model of the other rows; in the order of the folds.

    Folds are tried on the target's workers where it has them.
    """
    untrained = learner.as_data()
    plain = Table(dataset.frame, dataset.schema)
    threads = context.within_item().threads
    trials = [Trial(untrained, label, inside, threads) for inside in folds]
    done = 0

    def heard(fold: int, scored: Table) -> None:
        nonlocal done
        done += 1
        context.progress(done / len(folds))

    return context.map(partial(try_fold, plain), trials, heard=heard)


def try_fold(dataset: Table, trial: Trial, *, port: str = "dataset") -> Table:
    """The rows inside the fold, scored by a model of those outside."""
    outside = np.ones(dataset.rows, dtype=bool)
    outside[trial.inside] = False
    learner = Learner.of(trial.learner)
    rows = dataset.of(dataset.frame.filter(pl.Series(outside)))
    try:
        model = train(learner, rows, trial.label, Context(threads=trial.threads), port=port)
    except AllMissing as error:
        # The column may well have values in the table that is looked at.
        raise AllMissing(error.fields["column"], port, outside_fold=True) from None
    return score(model, dataset.of(dataset.frame[trial.inside]), port=port)
