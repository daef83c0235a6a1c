"""Stored values, their rows, and what is learnt in them, as bodies."""
# ruff: noqa: RUF012  # pydantic copies the defaults of fields

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from modelwright.actions.contents import Content
from modelwright.actions.evaluations import Evaluation as EvaluationRecord
from modelwright.actions.evaluations import Groups as GroupsRecord
from modelwright.actions.stored_files import media_type_of
from modelwright.actions.table_difference import ColumnChange
from modelwright.actions.table_difference import ColumnDifference as ColumnDifferenceRecord
from modelwright.actions.table_difference import TableDifference as TableDifferenceRecord
from modelwright.actions.table_rows import Filter as FilterRecord
from modelwright.actions.table_rows import Operator
from modelwright.actions.table_rows import Rows as RowsRecord
from modelwright.actions.table_rows import Sorting as SortingRecord
from modelwright.api.shapes.graph import Column, columns_of
from modelwright.api.shapes.runs import MetricTable
from modelwright.api.shapes.shape import Asked, Shape
from modelwright.data.file_bundle import FileBundle
from modelwright.data.fitted import Model, Transform, UntrainedModel
from modelwright.data.schema import ColumnType, Role, Task
from modelwright.data.table import Table

Digest = str


class Sorting(Asked):
    """A column to sort by; missing values come last either way."""

    column: str
    descending: bool = False


class Filter(Asked):
    """A condition that rows must meet."""

    column: str
    operator: Operator
    value: str | float | int | bool | list[str | float | int | bool] | None = None
    """Of the column's type, times as ISO text; a list for "one-of"; none for "missing", "present"."""


class RowsAsked(Asked):
    """Which rows to give."""

    offset: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=0, le=5000)] = 100
    columns: list[str] | None = None
    """Only these, in this order."""
    sort: Annotated[list[Sorting], Field(max_length=20)] = []
    filters: Annotated[list[Filter], Field(max_length=50)] = []
    """All must be met."""

    def sorting(self) -> tuple[SortingRecord, ...]:
        """The columns to sort by."""
        return tuple(SortingRecord(s.column, s.descending) for s in self.sort)

    def conditions(self) -> tuple[FilterRecord, ...]:
        """The conditions."""
        return tuple(
            FilterRecord(
                f.column, f.operator, tuple(f.value) if isinstance(f.value, list) else f.value
            )
            for f in self.filters
        )


class Rows(Shape):
    """Some rows of a table."""

    total: int
    """Rows that meet the filters."""
    offset: int
    columns: list[Column]
    numbers: list[int]
    """Place of each row in the whole table, from 0."""
    rows: list[list[Any]]
    """Null where missing; {"isNan": true} and {"isInfinite": ±1}; times as ISO text; whole numbers
    beyond 2^53 as text."""
    cut: int
    """How many long texts were shortened."""

    @classmethod
    def of(cls, found: RowsRecord) -> Rows:
        """The body of some rows."""
        return cls.model_construct(
            total=found.total,
            offset=found.offset,
            columns=[Column.of(c) for c in found.columns],
            numbers=found.numbers,
            rows=found.rows,
            cut=found.cut,
        )


class TableContent(Shape):
    """A table; its rows have an address of their own."""

    kind: Literal["table"] = "table"
    rows: int
    columns: list[Column]


class ModelContent(Shape):
    """A trained model, and what it learnt."""

    kind: Literal["model"] = "model"
    task: Task
    made_by: str
    label: Column | None
    features: list[Column]
    scores: list[Column]
    classes: list[str | int | float | bool]
    """Label values in order; the positive one last when there are two."""
    learnt: dict[str, Any]
    """Weights, trees, importance … as its learner has them."""


class TransformContent(Shape):
    """A fitted transformation, and what it learnt."""

    kind: Literal["transform"] = "transform"
    made_by: str
    columns: list[Column]
    """Of the data it was fitted on."""
    reads: list[str]
    """Columns it must find."""
    learnt: dict[str, Any]


class LearnerContent(Shape):
    """A learner with its settings."""

    kind: Literal["untrained-model"] = "untrained-model"
    task: Task
    component: str
    version: int
    parameters: dict[str, Any]


class File(Shape):
    """One of several files; its bytes are under /api/artifacts/DIGEST/files/NAME."""

    name: str
    size: int
    media_type: str
    """image/png for a plot of a script."""


class FilesContent(Shape):
    """Files that travel together, such as the plots of a script."""

    kind: Literal["files"] = "files"
    files: list[File]


class OtherContent(Shape):
    """A value of which only the figures of its summary are shown."""

    kind: Literal["other"] = "other"


class Artifact(Shape):
    """A stored value, named by its content."""

    digest: Digest
    kind: str
    title: str
    """Of its kind."""
    size: int
    """Bytes of its files."""
    summary: dict[str, Any]
    content: Annotated[
        TableContent
        | ModelContent
        | TransformContent
        | LearnerContent
        | FilesContent
        | OtherContent,
        Field(discriminator="kind"),
    ]

    @classmethod
    def of(cls, found: Content) -> Artifact:
        """The body of a stored value."""
        return cls.model_construct(
            digest=found.digest,
            kind=found.kind,
            title=found.title,
            size=found.size,
            summary=found.summary,
            content=_content(found.value),
        )


def _content(
    value: object,
) -> TableContent | ModelContent | TransformContent | LearnerContent | FilesContent | OtherContent:
    match value:
        case FileBundle():
            files = [
                File(name=name, size=len(content), media_type=media_type_of(name))
                for name, content in value.files.items()
            ]
            return FilesContent(files=files)
        case Table():
            return TableContent(rows=value.rows, columns=columns_of(value.schema))
        case Model():
            return ModelContent(
                task=value.task,
                made_by=value.made_by,
                label=Column.of(value.label) if value.label else None,
                features=columns_of(value.features),
                scores=columns_of(value.scores),
                classes=list(value.classes),
                learnt=dict(value.learnt),
            )
        case Transform():
            return TransformContent(
                made_by=value.made_by,
                columns=columns_of(value.schema),
                reads=sorted(value.formula.required()),
                learnt=dict(value.learnt),
            )
        case UntrainedModel():
            return LearnerContent(
                task=value.task,
                component=value.component,
                version=value.version,
                parameters=dict(value.parameters),
            )
        case _:
            return OtherContent()


class ScoredRows(Shape):
    """One set of scored rows and the curves drawn of it."""

    port: str
    """The input of the evaluating step."""
    source: str
    """The output it came from, as "node.port"."""
    title: str
    """Of that node."""
    digest: Digest
    plots: dict[str, Any]
    """By the task: two-class has roc, precision_recall, lift, thresholds; regression has residuals,
    predicted_actual."""


class GroupFigures(Shape):
    """What was measured of some rows of a dataset.  values: by metric."""

    port: str
    """Of their dataset."""
    name: str
    rows: int
    values: list[float | None]


class Groups(Shape):
    """The figures of each group of rows that have the same value in a column."""

    column: str
    metrics: list[str]
    losses: list[str]
    """The metrics that are better when they are smaller."""
    whole: list[GroupFigures]
    """Of all rows of each dataset."""
    groups: list[GroupFigures]

    @classmethod
    def of(cls, found: GroupsRecord) -> Groups:
        """The body of the figures by group."""
        return cls.model_construct(
            column=found.column,
            metrics=list(found.metrics),
            losses=sorted(found.losses),
            whole=[GroupFigures.of(g) for g in found.whole],
            groups=[GroupFigures.of(g) for g in found.groups],
        )


class Evaluation(Shape):
    """All sets of scored rows that a step evaluated, and the figures it measured."""

    scored: list[ScoredRows]
    metrics: MetricTable | None
    groups: Groups | None
    """Where a column to group by was given."""

    @classmethod
    def of(cls, found: EvaluationRecord) -> Evaluation:
        """The body of an evaluation."""
        return cls.model_construct(
            scored=[ScoredRows.of(s) for s in found.scored],
            metrics=MetricTable.of(found.metrics) if found.metrics else None,
            groups=Groups.of(found.groups) if found.groups else None,
        )


class Plots(Shape):
    """The curves of scored rows, as `ScoredRows` has them."""

    plots: dict[str, Any]


class Spread(Shape):
    """Figures of one side of a column; null where they make no sense for its type."""

    rows: int
    missing: int
    distinct: int
    mean: float | None
    deviation: float | None
    smallest: str | int | float | bool | None
    largest: str | int | float | bool | None


class Shares(Shape):
    """How values are spread on both sides, on one scale."""

    edges: list[float]
    """Of numbers, one more than counts."""
    levels: list[str]
    """Of other values, the commonest of both sides."""
    left: list[int]
    right: list[int]


class ColumnDifference(Shape):
    """How a column of the right table differs from that of the left."""

    name: str
    change: ColumnChange
    left: Column | None
    right: Column | None
    left_spread: Spread | None
    right_spread: Spread | None
    shares: Shares | None
    cells: int | None
    """Rows in which the values differ; null unless both tables have as many rows."""

    @classmethod
    def of(cls, found: ColumnDifferenceRecord) -> ColumnDifference:
        """The body of a column's difference."""
        return cls.model_construct(
            name=found.name,
            change=found.change,
            left=Column.of(found.left) if found.left else None,
            right=Column.of(found.right) if found.right else None,
            left_spread=Spread.of(found.left_spread) if found.left_spread else None,
            right_spread=Spread.of(found.right_spread) if found.right_spread else None,
            shares=Shares.of(found.shares) if found.shares else None,
            cells=found.cells,
        )


class TableDifference(Shape):
    """The right table as it differs from the left one; columns of the left first."""

    left_rows: int
    right_rows: int
    columns: list[ColumnDifference]

    @classmethod
    def of(cls, found: TableDifferenceRecord) -> TableDifference:
        """The body of a difference."""
        return cls.model_construct(
            left_rows=found.left_rows,
            right_rows=found.right_rows,
            columns=[ColumnDifference.of(c) for c in found.columns],
        )


class Bin(Shape):
    """Values from `start` up to, but not with, `end`; the last bin has its end too."""

    start: Any
    end: Any
    count: int


class TopValue(Shape):
    """A frequent value and how often it occurs; a long text is cut."""

    value: Any
    count: int


class ColumnProfile(Shape):
    """What is in one column; figures that its type has not, or that no value gives, are null."""

    name: str
    type: ColumnType
    role: Role
    categorical: bool
    count: int
    """Values that are there."""
    missing: int
    infinite: int
    """Counted, and left out of all figures below."""
    unique: int | None
    minimum: Any
    maximum: Any
    mean: float | None
    median: Any
    deviation: float | None
    """Standard deviation of a sample."""
    variance: float | None
    skewness: float | None
    kurtosis: float | None
    quantiles: dict[str, Any]
    """By percent."""
    histogram: list[Bin]
    """Of numbers, dates and times."""
    top: list[TopValue]
    """Of text and truth values, the most frequent first."""


class Profile(Shape):
    """What is in a table, column by column."""

    rows: int
    columns: list[ColumnProfile]
