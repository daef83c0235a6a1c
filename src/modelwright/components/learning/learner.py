"""The contract of a learner: a component that stands for a model still to be trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import TypeAdapter, ValidationInfo, field_validator
from pydantic import ValidationError as PydanticError

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.learning.contributions import Explains
from modelwright.components.learning.encoding import Encoded, Floats
from modelwright.components.learning.errors import WrongLearner
from modelwright.components.outline import LearnerOutline, Outline
from modelwright.components.parameters import Range
from modelwright.data.expression import Compute, Drop, Expression, Formula, column
from modelwright.data.fitted import Model, UntrainedModel
from modelwright.data.native import Native
from modelwright.data.schema import Column, Schema, Task
from modelwright.data.table import Table

TrainerMode = Literal["SingleParameter", "ParameterRange"]

REGRESSION = "Machine Learning Algorithms / Regression"
CLASSIFICATION = "Machine Learning Algorithms / Classification"
CLUSTERING = "Machine Learning Algorithms / Clustering"
ANOMALY_DETECTION = "Anomaly Detection"

_RANGE = "_range"
_MODES = {"create_trainer_mode", "training_mode"}

Class = str | int | float | bool


class Working:
    """Columns that a model computes on the way to its scores and then drops."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self.steps: list[Compute] = []
        self.names: list[str] = []

    def columns(self, expressions: Sequence[Expression]) -> list[Expression]:
        """The values as columns of their own, for expressions that use each several times."""
        first = len(self.names)
        names = [f"⟨{self._prefix}working {first + at}⟩" for at in range(len(expressions))]
        self.steps.append(Compute(dict(zip(names, expressions, strict=True))))
        self.names += names
        return [column(name) for name in names]

    def column(self, expression: Expression) -> Expression:
        """One value as a column of its own."""
        return self.columns([expression])[0]

    def absorb(self, other: Working | None) -> None:
        """Take over the columns of another, whose names are all different."""
        if other is not None:
            self.steps += other.steps
            self.names += other.names


@dataclass(frozen=True)
class TrainingData:
    """What a learner is fitted to: rows with a label, as numbers.

    target: (rows,) the label, or for a classifier the number of its class; empty without a label.
    classes: label values in sorted order; for two classes the positive one is the last.
    features: the columns that were encoded.  prefix: of names, for a learner that is one of many in
    a model.  labels: for clustering, the label of each row where there is one.  sources: what stands
    for a feature instead of its column, with the working columns that it needs in `prepared`.
    """

    encoded: Encoded
    features: Schema
    target: Floats
    label: Column | None = None
    classes: tuple[Class, ...] = ()
    prefix: str = ""
    labels: Sequence[Class | None] = ()
    sources: Mapping[str, Expression] = field(default_factory=dict)
    prepared: Working | None = None

    def source(self, feature: str) -> Expression:
        """The value of a feature: its column, or what stands for it."""
        return self.sources.get(feature, column(feature))

    def native(self, name: str) -> str:
        """The name of a native value of this learner, its own even within a model of many."""
        return self.prefix + name

    def working(self) -> Working:
        """Working columns of this learner, its own even within a model of many."""
        return self.prepared or Working(self.prefix)

    @property
    def rows(self) -> int:
        """How many rows there are to learn from."""
        return self.encoded.rows


@dataclass(frozen=True)
class Fitted:
    """What a learner gives: score columns, each with the expression that computes it.

    working: columns that the expressions read beside the features.  explains: exact contributions of
    the features to the scores, where the model allows it.
    learnt: weights, importance … for people, as JSON.  libraries: packages whose version matters.
    """

    scores: tuple[tuple[Column, Expression], ...]
    natives: Mapping[str, Native] = field(default_factory=dict)
    learnt: Mapping[str, Any] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    working: Working | None = None
    explains: Explains | None = None

    @property
    def formula(self) -> Formula:
        """From feature columns to score columns."""
        scores = Compute({column.name: expression for column, expression in self.scores})
        if self.working is None or not self.working.steps:
            return Formula(scores)
        return Formula(*self.working.steps, scores, Drop(self.working.names))


class Learner(Component):
    """A component that stands for a model still to be trained.

    A subclass says its `task` and writes `fit`.  A parameter x that a sweep may vary has a companion
    x_range, shown in ParameterRange mode; Train Model then takes the first value of each range.
    """

    task: ClassVar[Task]

    def run(self) -> Annotated[UntrainedModel, Titled("Untrained model")]:
        """The learner with its settings, as data."""
        return self.as_data()

    def as_data(self) -> UntrainedModel:
        """What `of` reads back."""
        spec = self.__component__
        return UntrainedModel(self.task, spec.id, spec.version, self.settings())

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        """Task and title are known at once."""
        found = LearnerOutline(self.task, self.__component__.title, self.further_scores())
        return {"untrained_model": found}

    @property
    def label_is_feature(self) -> bool:
        """Whether a learner that predicts nothing uses the label as a feature."""
        return False

    def further_scores(self) -> Schema:
        """Score columns beside those of every model for the task, as far as settings tell them."""
        return Schema()

    def fit(self, data: TrainingData, context: Context) -> Fitted:
        """Learn from the rows.  Each learner overrides this."""
        raise NotImplementedError(type(self).__name__)

    @classmethod
    def of(cls, untrained: UntrainedModel) -> Learner:
        """The configured learner that a value on a wire stands for.

        Raises UnknownComponent, NewerComponent, InvalidParameter, and WrongLearner when the
        component is no learner.
        """
        from modelwright.components.library import library

        found = library().find(untrained.component)
        if not issubclass(found, Learner):
            title = found.__component__.title
            raise WrongLearner(title, "no learner", "a learner of Machine Learning Algorithms")
        values = library().upgrade(untrained.component, untrained.version, untrained.parameters)
        return found.configured(values)

    @classmethod
    def configured(cls, parameters: Mapping[str, Any]) -> Learner:
        """The learner with these settings; a wrapper of another learner overrides this."""
        parsed = cls.parse(parameters)
        assert isinstance(parsed, Learner)  # noqa: S101  # `parse` gives an instance of its class
        return parsed

    @property
    def inner(self) -> Learner:
        """The learner whose settings a sweep varies: itself, or the one that it wraps."""
        return self

    def ranges(self) -> dict[str, tuple[Any, ...]]:
        """The values a sweep tries, by parameter; empty in SingleParameter mode."""
        modes = {getattr(self, name, None) for name in _MODES}
        return self.swept() if "ParameterRange" in modes else {}

    def swept(self) -> dict[str, tuple[Any, ...]]:
        """The values of every range, by parameter, whatever the mode."""
        found: dict[str, tuple[Any, ...]] = {}
        for name, value in self:
            if isinstance(value, Range):
                parameter = name.removesuffix(_RANGE)
                adapter = _adapter(type(self), parameter)
                points = _points(type(self), parameter, value)
                found[parameter] = tuple(adapter.validate_python(p) for p in points)
        return found

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """The learner in SingleParameter mode with some parameters set."""
        settings = {**self.model_dump(mode="json"), **values}
        settings |= dict.fromkeys(settings.keys() & _MODES, "SingleParameter")
        return self.model_validate(settings)

    def single(self) -> Self:
        """The learner to train once: in ParameterRange mode the first value of each range."""
        ranges = self.ranges()
        return self.with_values({name: points[0] for name, points in ranges.items()})

    @field_validator("*", mode="after")
    @classmethod
    def _range_fits(cls, value: Any, info: ValidationInfo) -> Any:
        """Each value of a range must be one that the parameter itself allows."""
        if isinstance(value, Range) and info.field_name:
            parameter = info.field_name.removesuffix(_RANGE)
            adapter = _adapter(cls, parameter)
            for point in _points(cls, parameter, value):
                try:
                    adapter.validate_python(point)
                except PydanticError as error:
                    raise ValueError(f"{point}: {error.errors()[0]['msg']}") from None
        return value


class RowsLearner(Learner):
    """A learner that trains on the rows as they are, not on numbers made of them."""

    def train_on(
        self, dataset: Table, label: Column, features: Schema, context: Context, *, port: str
    ) -> Model:
        """A model that predicts the label from the features.  Each such learner overrides this."""
        raise NotImplementedError(type(self).__name__)


def _points(cls: type[Learner], parameter: str, values: Range) -> list[float]:
    """The values of a range; those that a span is cut into are whole where the parameter is."""
    points = values.points()
    if values.values or cls.model_fields[parameter].annotation is not int:
        return list(points)
    return list(dict.fromkeys(round(point) for point in points))


def _adapter(cls: type[Learner], parameter: str) -> TypeAdapter[Any]:
    """Validates a value as the parameter of that name does."""
    field_info = cls.model_fields[parameter]
    annotation: Any = field_info.annotation
    if field_info.metadata:
        annotation = Annotated[annotation, *field_info.metadata]
    return TypeAdapter(annotation)
