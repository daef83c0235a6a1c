"""Learners for several classes that are made of a learner for two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

from modelwright.components.context import Context
from modelwright.components.contract import Titled
from modelwright.components.errors import InvalidParameter
from modelwright.components.learning.errors import WrongLearner
from modelwright.components.learning.learner import Fitted, Learner, TrainingData, Working
from modelwright.components.outline import LearnerOutline, Outline
from modelwright.data.expression import Expression
from modelwright.data.fitted import UntrainedModel
from modelwright.data.native import Native
from modelwright.data.schema import Task

_BASE = "learner"


@dataclass(frozen=True)
class Part:
    """A two-class model to be fitted: which rows are positive.

    name: the beginning of the names of its natives.  rows: the numbers of the rows to learn from, to
    which `positive` refers; all when None.
    """

    name: str
    positive: NDArray[np.bool_]
    rows: NDArray[np.intp] | None = None


@dataclass
class Parts:
    """Two-class models inside one model: the probability each gives, and what they need and learnt."""

    working: Working
    likely: list[Expression] = field(default_factory=list)
    natives: dict[str, Native] = field(default_factory=dict)
    learnt: list[Mapping[str, Any]] = field(default_factory=list)
    libraries: tuple[str, ...] = ()


class TwoClassWrapper(Learner):
    """Wraps a two-class learner, with all its settings, into one for several classes."""

    task: ClassVar[Task] = Task.MULTICLASS

    _base: Learner | None = PrivateAttr(default=None)

    def run(  # type: ignore[override]  # a wrapper has an input port, which other learners lack
        self,
        untrained_binary_classification_model: Annotated[
            UntrainedModel, Titled("Untrained binary classification model")
        ],
    ) -> Annotated[UntrainedModel, Titled("Untrained model")]:
        """The wrapped learner, as data."""
        wrapped = Learner.of(untrained_binary_classification_model)
        _refuse_other(wrapped.task, wrapped.__component__.title)
        return self.around(wrapped).as_data()

    def as_data(self) -> UntrainedModel:
        """The wrapper and what it wraps."""
        wrapped = self.base.as_data()
        spec = self.__component__
        inner = {
            "component": wrapped.component,
            "version": wrapped.version,
            "parameters": dict(wrapped.parameters),
        }
        return UntrainedModel(self.task, spec.id, spec.version, {_BASE: inner})

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        """Known at once; what cannot be wrapped is refused."""
        wrapped = inputs.get("untrained_binary_classification_model")
        if isinstance(wrapped, LearnerOutline):
            _refuse_other(wrapped.task, wrapped.title)
        return {"untrained_model": LearnerOutline(self.task, self.__component__.title)}

    @classmethod
    def configured(cls, parameters: Mapping[str, Any]) -> Learner:
        """The wrapper around the learner that its parameters describe.  Raises InvalidParameter."""
        inner = parameters.get(_BASE)
        if not isinstance(inner, Mapping):
            raise InvalidParameter(_BASE, inner, "no learner is wrapped")
        untrained = UntrainedModel(
            Task.TWO_CLASS, inner["component"], inner["version"], inner["parameters"]
        )
        return cls().around(Learner.of(untrained))

    def around(self, base: Learner) -> Self:
        """The same wrapper around a learner."""
        wrapper = self.model_copy()
        wrapper._base = base
        return wrapper

    @property
    def base(self) -> Learner:
        """The learner inside.  Raises InvalidParameter before there is one."""
        if self._base is None:
            raise InvalidParameter(_BASE, None, "no learner is wrapped")
        return self._base

    @property
    def inner(self) -> Learner:
        """The learner inside."""
        return self.base

    def settings(self) -> dict[str, Any]:
        """The settings of the learner inside, once there is one; the wrapper has none."""
        if self._base is None:
            return {}
        return {_BASE: self._base.__component__.id, **self._base.settings()}

    def swept(self) -> dict[str, tuple[Any, ...]]:
        """The ranges of the learner inside."""
        return self.base.swept()

    def ranges(self) -> dict[str, tuple[Any, ...]]:
        """The ranges of the learner inside, in its mode."""
        return self.base.ranges()

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """The wrapper around the learner with some parameters set."""
        return self.around(self.base.with_values(values))

    def fit_parts(
        self, data: TrainingData, asked: Sequence[Part], context: Context
    ) -> tuple[Parts, list[Expression]]:
        """Fit the learner inside to each part, on the target's workers where it has them.

        Gives what the models need and learnt, and the probability that each gives.
        """
        done = 0

        def heard(number: int, fitted: Fitted) -> None:
            nonlocal done
            done += 1
            context.progress(done / len(asked))

        work = partial(_fitted, self.base, data, context.within_item().threads)
        parts = Parts(data.working())
        for fitted in context.map(work, asked, heard=heard):
            parts.working.absorb(fitted.working)
            parts.natives |= fitted.natives
            parts.learnt.append(fitted.learnt)
            parts.libraries = fitted.libraries
            # A column, since several comparisons will ask for it.
            parts.likely.append(parts.working.column(fitted.scores[1][1]))
        return parts, parts.likely


def _fitted(base: Learner, data: TrainingData, threads: int | None, part: Part) -> Fitted:
    rows = data.encoded if part.rows is None else data.encoded.rows_at(part.rows)
    two_classes = replace(
        data,
        encoded=rows,
        target=part.positive.astype(np.float64),
        classes=(False, True),
        prefix=f"{data.prefix}{part.name}-",
    )
    return base.fit(two_classes, Context(threads=threads))


def _refuse_other(task: Task, title: str) -> None:
    if task is not Task.TWO_CLASS:
        raise WrongLearner(title, task.value, "a two-class learner on this port")
