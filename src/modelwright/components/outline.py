"""What is known of a value on a wire before any run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelwright.data.schema import Column, Schema, Task

if TYPE_CHECKING:
    from modelwright.data.fitted import Transform


@dataclass(frozen=True, slots=True)
class TableOutline:
    """A table that is to come: its columns, as far as they are known.

    complete: no further columns can appear.  rows: how many, where that is certain.
    folds: how many its rows are in, where that is known.
    """

    schema: Schema
    complete: bool = True
    rows: int | None = None
    folds: int | None = None


@dataclass(frozen=True, slots=True)
class ModelOutline:
    """A model that is to come: its task, its label, and the columns it will read and add."""

    task: Task
    label: Column | None = None
    features: Schema | None = None
    scores: Schema | None = None


@dataclass(frozen=True, slots=True)
class LearnerOutline:
    """A learner that is to come: its task and its component's title.

    further: score columns that its models add beside those of every model for the task.
    scores_known: whether its models give the score columns of every model for the task.
    """

    task: Task
    title: str
    further: Schema = field(default_factory=Schema)
    scores_known: bool = True


@dataclass(frozen=True, slots=True)
class TransformOutline:
    """A fitted transformation that is to come: the columns it reads, and the table it makes of one.

    reads: names it must find.  gives: the outline of the table it was fitted on, after it.
    fitted: the transformation itself, where it is there already.
    """

    reads: tuple[str, ...] = ()
    gives: TableOutline | None = None
    fitted: Transform | None = field(default=None, compare=False, repr=False)


Outline = TableOutline | ModelOutline | LearnerOutline | TransformOutline


def outline_of(value: Any) -> Outline | None:
    """The outline of an artifact that is already there."""
    from modelwright.data.fitted import Model, Transform, UntrainedModel
    from modelwright.data.folds import FoldedTable
    from modelwright.data.table import Table

    if isinstance(value, Table):
        folds = value.count if isinstance(value, FoldedTable) else None
        return TableOutline(value.schema, rows=value.rows, folds=folds)
    if isinstance(value, Model):
        return ModelOutline(value.task, value.label, value.features, value.scores)
    if isinstance(value, Transform):
        return TransformOutline(tuple(sorted(value.formula.required())), fitted=value)
    if isinstance(value, UntrainedModel):
        return LearnerOutline(value.task, value.component)
    return None
