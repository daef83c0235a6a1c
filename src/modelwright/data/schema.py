"""What is known of a table without its rows: columns, their types and their roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from modelwright.data.errors import ModelwrightError, suggestion

if TYPE_CHECKING:
    import polars as pl


class ColumnType(StrEnum):
    """The types a column can have; every Polars type is brought to one of them."""

    STRING = "String"
    INTEGER = "Integer"
    DOUBLE = "Double"
    BOOLEAN = "Boolean"
    DATETIME = "DateTime"
    OTHER = "Other"

    @property
    def is_numeric(self) -> bool:
        """Whether values can be counted with: whole or fractional numbers."""
        return self in (ColumnType.INTEGER, ColumnType.DOUBLE)

    @property
    def dtype(self) -> pl.DataType:
        """The Polars type that holds it.  Raises KeyError for OTHER, which has none of its own."""
        import polars as pl

        held: dict[ColumnType, pl.DataType] = {
            ColumnType.STRING: pl.String(),
            ColumnType.INTEGER: pl.Int64(),
            ColumnType.DOUBLE: pl.Float64(),
            ColumnType.BOOLEAN: pl.Boolean(),
            ColumnType.DATETIME: pl.Datetime("us"),
        }
        return held[self]


class Role(StrEnum):
    """What a column is for."""

    FEATURE = "feature"
    LABEL = "label"
    WEIGHT = "weight"
    SCORE = "score"
    NONE = "none"


class Task(StrEnum):
    """What a model predicts."""

    REGRESSION = "regression"
    QUANTILE_REGRESSION = "quantile-regression"
    TWO_CLASS = "two-class"
    MULTICLASS = "multiclass"
    CLUSTERING = "clustering"
    ANOMALY = "anomaly"


@dataclass(frozen=True, slots=True)
class Score:
    """How a score column came about.

    content: "label", "probability", "assignment", "distance", "quantile" …
    label: the label column it predicts, if any.  of: the class, cluster or quantile it speaks of;
    for the probability of a two-class model, the positive class.
    """

    task: Task
    content: str
    label: str | None = None
    of: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name, type and marks."""

    name: str
    type: ColumnType
    role: Role = Role.FEATURE
    categorical: bool = False
    score: Score | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it carries no mark beyond name and type."""
        return self.role is Role.FEATURE and not self.categorical and self.score is None

    def to_json(self) -> dict[str, Any]:
        """The column as JSON; marks that are at their default are left out."""
        out: dict[str, Any] = {"name": self.name, "type": self.type.value}
        if self.role is not Role.FEATURE:
            out["role"] = self.role.value
        if self.categorical:
            out["categorical"] = True
        if self.score:
            score = self.score
            out["score"] = {"task": score.task.value, "content": score.content}
            if score.label is not None:
                out["score"]["label"] = score.label
            if score.of is not None:
                out["score"]["of"] = score.of
        return out

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Column:
        """Read what `to_json` wrote."""
        score = value.get("score")
        return cls(
            value["name"],
            ColumnType(value["type"]),
            Role(value.get("role", Role.FEATURE)),
            bool(value.get("categorical", False)),
            Score(Task(score["task"]), score["content"], score.get("label"), score.get("of"))
            if score
            else None,
        )


class MissingColumn(ModelwrightError):
    """A column that is asked for is not there."""

    code = "missing-column"

    def __init__(self, column: str, known: Iterable[str], *, port: str | None = None) -> None:
        names = tuple(known)
        place = f'the data on port "{port}"' if port else "the data"
        super().__init__(
            f'Column "{column}" is not in {place}.',
            remedy=f"{suggestion(column, names)}Choose a column that is there.",
            column=column,
            port=port,
            near=list(names[:50]),
        )


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in order; names are unique."""

    columns: tuple[Column, ...] = ()

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return any(c.name == name for c in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(c.name for c in self.columns)

    @property
    def labels(self) -> tuple[Column, ...]:
        """The columns that carry the label mark."""
        return tuple(c for c in self.columns if c.role is Role.LABEL)

    def column(self, name: str, *, port: str | None = None) -> Column:
        """The column of that name.  Raises MissingColumn with the nearest names."""
        for column in self.columns:
            if column.name == name:
                return column
        raise MissingColumn(name, self.names, port=port)

    def keep(self, names: Iterable[str]) -> Schema:
        """Only those columns, in the given order."""
        by_name = {c.name: c for c in self.columns}
        return Schema(tuple(by_name[n] for n in names))

    def drop(self, names: Iterable[str]) -> Schema:
        """All but those columns."""
        gone = set(names)
        return Schema(tuple(c for c in self.columns if c.name not in gone))

    def put(self, *columns: Column) -> Schema:
        """With these columns: one of a known name is replaced in place, another is added last."""
        new = {c.name: c for c in columns}
        kept = tuple(new.pop(c.name, c) for c in self.columns)
        return Schema(kept + tuple(new.values()))

    def rename(self, names: Mapping[str, str]) -> Schema:
        """With columns renamed; marks stay."""
        return Schema(
            tuple(replace(c, name=names[c.name]) if c.name in names else c for c in self.columns)
        )

    def to_json(self) -> list[dict[str, Any]]:
        """The schema as a JSON list, a column each."""
        return [c.to_json() for c in self.columns]

    @classmethod
    def from_json(cls, value: Iterable[Mapping[str, Any]]) -> Schema:
        """Read what `to_json` wrote."""
        return cls(tuple(Column.from_json(c) for c in value))
