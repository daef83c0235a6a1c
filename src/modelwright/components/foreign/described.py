"""A model from elsewhere as one of ours: its features, its task, and the columns that scoring adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import polars as pl

from modelwright.components.foreign.errors import UnreadableModel
from modelwright.components.learning.learner import Class, Fitted, Working
from modelwright.components.learning.scores import (
    multiclass_scores,
    number_column,
    two_class_scores,
)
from modelwright.data.expression import Expression, Scalar, column, lookup, native
from modelwright.data.fitted import Model
from modelwright.data.native import Native
from modelwright.data.schema import Column, ColumnType, Schema, Task
from modelwright.data.table import Table

NATIVE = "model"


@dataclass(frozen=True)
class Said:
    """What a file does not tell of its model, as far as somebody says it.

    label: name of the column it predicts.  names: of its features, in their order, whatever the file
    calls them.  classes: in the order of its answers.  sample: rows such as it was trained on, from
    which types and the values of text columns are known.  signed: names that stand beside the file,
    for one that has none inside.
    """

    label: str = "label"
    names: tuple[str, ...] = ()
    classes: tuple[Class, ...] = ()
    sample: Table | None = None
    signed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Feature:
    """A column that the model reads.  levels: the values of a text column, which it gets by number."""

    name: str
    type: ColumnType = ColumnType.DOUBLE
    levels: tuple[str, ...] = ()

    @property
    def input(self) -> Expression:
        """The column as the number that the model is given."""
        if self.type is not ColumnType.STRING:
            return column(self.name)
        numbers: dict[Scalar, Scalar] = {level: float(n) for n, level in enumerate(self.levels)}
        return lookup(column(self.name), numbers)

    def note(self) -> dict[str, Any]:
        """What the opener needs to know of it."""
        text = self.type is ColumnType.STRING
        return {"name": self.name, "levels": list(self.levels) if text else None}


def features_of(
    count: int, said: Said, *, file: str, known: Sequence[str] = (), texts: Sequence[int] = ()
) -> tuple[Feature, ...]:
    """The features in the model's order.

    known: their names as the file tells them.  texts: the places of those that must be text.
    Raises UnreadableModel, and MissingColumn when the sample lacks one.
    """
    names = said.names or tuple(known) or said.signed
    if not names and said.sample is not None:
        names = tuple(n for n in said.sample.schema.names if n != said.label)
    names = names or tuple(f"x{number}" for number in range(count))
    if len(names) != count:
        raise UnreadableModel(
            file,
            f"it reads {count} columns, and {len(names)} are named",
            "Name its features in their order, or give a sample with just these columns.",
        )
    return tuple(_feature(name, at in texts, said, file) for at, name in enumerate(names))


def _feature(name: str, text: bool, said: Said, file: str) -> Feature:
    if said.sample is None:
        if text:
            raise UnreadableModel(
                file,
                f'column "{name}" is text, and the values it may have are not in the file',
                "Give a sample of rows such as the model was trained on.",
            )
        return Feature(name)
    kind = said.sample.schema.column(name, port="sample").type
    if kind is ColumnType.STRING:
        values = said.sample.frame[name].drop_nulls().unique().sort().to_list()
        return Feature(name, kind, tuple(values))
    if text or not (kind.is_numeric or kind is ColumnType.BOOLEAN):
        wanted = "text" if text else "a number, a boolean or text"
        raise UnreadableModel(
            file,
            f'column "{name}" of the sample is {kind.value}, and the model takes {wanted}',
            "Give a sample with the types that the model was trained on.",
        )
    return Feature(name, kind)


@dataclass(frozen=True)
class Answers:
    """What a model answers: a number, or a probability for each class.

    only_positive: whether of two classes only the probability of the last is answered.
    """

    classes: tuple[Class, ...] = ()
    only_positive: bool = False

    @property
    def task(self) -> Task:
        """What the model is for."""
        if not self.classes:
            return Task.REGRESSION
        return Task.TWO_CLASS if len(self.classes) == 2 else Task.MULTICLASS


def brought_in(
    inside: Native,
    features: Sequence[Feature],
    answers: Answers,
    said: Said,
    *,
    format: str,
    file: str,
    libraries: Sequence[str],
) -> Model:
    """The model, after it has scored a row, or the sample, without a fault.

    Raises UnreadableModel.
    """
    label = Column(said.label, _label_type(answers.classes))
    inputs = tuple(feature.input for feature in features)
    working = Working()
    count = len(answers.classes) or 1
    outputs = [native(NATIVE, inputs, at) for at in range(1 if answers.only_positive else count)]
    scores: tuple[tuple[Column, Expression], ...]
    if answers.task is Task.REGRESSION:
        scores = ((number_column(label), outputs[0]),)
    elif answers.task is Task.TWO_CLASS:
        scores = two_class_scores(label, answers.classes, outputs[-1])
    else:
        scores = multiclass_scores(label, answers.classes, outputs, working)
    fitted = Fitted(scores, natives={NATIVE: inside}, working=working)
    names = ("modelwright", *libraries)
    model = Model(
        task=answers.task,
        formula=fitted.formula,
        features=Schema(tuple(Column(f.name, f.type) for f in features)),
        scores=Schema(tuple(c for c, _ in scores)),
        label=label,
        classes=answers.classes,
        natives=fitted.natives,
        learnt={"imported": {"format": format, "file": file}, "libraries": _versions(names)},
        made_by=f"{format} model",
    )
    return _tried(model, said, file)


def _tried(model: Model, said: Said, file: str) -> Model:
    from modelwright.components.learning.sample import with_sample

    if said.sample is not None:
        rows = said.sample
    else:
        probe = {c.name: [""] if c.type is ColumnType.STRING else [0.0] for c in model.features}
        rows = Table(pl.DataFrame(probe))
    try:
        model.score(rows.of(rows.frame.head(2)))
    except Exception as error:  # whatever a foreign model raises, it cannot be used
        raise UnreadableModel(file, f"it cannot score a row ({error})") from error
    return with_sample(model, rows) if said.sample is not None else model


def _label_type(classes: tuple[Class, ...]) -> ColumnType:
    kinds = {type(c) for c in classes}
    if not kinds or kinds == {float} or kinds == {int, float}:
        return ColumnType.DOUBLE
    if kinds == {bool}:
        return ColumnType.BOOLEAN
    return ColumnType.INTEGER if kinds == {int} else ColumnType.STRING


def _versions(names: Sequence[str]) -> dict[str, str]:
    return {name: version(name) for name in names}
