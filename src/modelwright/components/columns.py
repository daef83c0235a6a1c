"""Choosing columns: by rules that name them, or by position, type or role."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from modelwright.components.errors import ComponentError, EmptySelection
from modelwright.data.schema import Column, ColumnType, Role, Schema

_RANGES = re.compile(r"\s*\d+(\s*-\s*\d+)?\s*(,\s*\d+(\s*-\s*\d+)?\s*)*")

TypeRule = Literal["Numeric", "String", "Integer", "Double", "Boolean", "DateTime", "Categorical"]
RoleRule = Literal["Features", "Labels", "Scores", "Weights"]


class ColumnRangeError(ComponentError):
    """A rule by position goes past the last column."""

    code = "column-position-out-of-range"

    def __init__(self, position: int, count: int, port: str) -> None:
        super().__init__(
            f'Column number {position} is asked for; the data on port "{port}" has {count} columns.',
            remedy="Positions start at 1; use one that is there, or choose the column by name.",
            position=position,
            count=count,
            port=port,
        )


class ColumnRule(BaseModel):
    """One line of a selection: include or exclude the columns that it matches.

    Exactly one of the ways to match is given.  names: exact names.  positions: numbers from 1 with
    ranges, as in "1-3, 8".  types: any of these types.  roles: any of these roles.  pattern: a
    regular expression found anywhere in the name.  all: every column.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Literal["include", "exclude"] = "include"
    names: tuple[str, ...] | None = None
    positions: str | None = None
    types: tuple[TypeRule, ...] | None = None
    roles: tuple[RoleRule, ...] | None = None
    pattern: str | None = None
    all: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.names, self.positions, self.types, self.roles, self.pattern, self.all]
        if sum(way is not None for way in ways) != 1:
            raise ValueError(
                "a rule needs exactly one of names, positions, types, roles, pattern, all"
            )
        if self.positions is not None and not _RANGES.fullmatch(self.positions):
            raise ValueError('positions are numbers and closed ranges, such as "1-3, 8"')
        for part in (self.positions or "").split(","):
            first, _, last = part.partition("-")
            if last and int(first) > int(last):
                raise ValueError(
                    f'the range "{part.strip()}" falls; write the smaller number first'
                )
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"the pattern is no regular expression: {error}") from None
        return self

    def matches(self, schema: Schema, *, port: str) -> tuple[str, ...]:
        """The columns it speaks of, in the order of the rule where it lists them.

        Raises MissingColumn for a name and ColumnRangeError for a position that is not there.
        """
        if self.names is not None:
            return tuple(schema.column(name, port=port).name for name in self.names)
        if self.positions is not None:
            return tuple(self._by_position(schema, port))
        return tuple(c.name for c in schema if self._holds(c))

    def _by_position(self, schema: Schema, port: str) -> Iterable[str]:
        for part in (self.positions or "").split(","):
            first, _, last = part.partition("-")
            for position in range(int(first), int(last or first) + 1):
                if not 1 <= position <= len(schema):
                    raise ColumnRangeError(position, len(schema), port)
                yield schema.columns[position - 1].name

    def _holds(self, column: Column) -> bool:
        if self.all:
            return True
        if self.pattern is not None:
            return re.search(self.pattern, column.name) is not None
        if self.types is not None:
            return any(_is_type(column, wanted) for wanted in self.types)
        roles = {
            "Features": Role.FEATURE,
            "Labels": Role.LABEL,
            "Scores": Role.SCORE,
            "Weights": Role.WEIGHT,
        }
        return any(column.role is roles[wanted] for wanted in self.roles or ())


class ColumnSelection(BaseModel):
    """Which columns a step works on.

    begin: the starting set.  rules: applied in order, each adding or taking away columns.
    keep_order: columns come in the order in which the rules name them instead of the table's.
    In a file it may be written short: a list of names, "all" or "none".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    begin: Literal["all", "none"] = "none"
    rules: Annotated[tuple[ColumnRule, ...], Field()] = ()
    keep_order: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if value in ("all", "none"):
            return {"begin": value}
        if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
            return {"rules": [{"names": list(value)}] if value else []}
        return value

    @classmethod
    def of(cls, *names: str) -> Self:
        """Just these columns."""
        return cls(rules=(ColumnRule(names=names),)) if names else cls()

    @classmethod
    def everything(cls, *, but: tuple[str, ...] = ()) -> Self:
        """All columns, save those named."""
        rules = (ColumnRule(rule="exclude", names=but),) if but else ()
        return cls(begin="all", rules=rules)

    @classmethod
    def typed(cls, *types: TypeRule) -> Self:
        """All columns of these types."""
        return cls(rules=(ColumnRule(types=types),))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was chosen, so that a component may fall back on its default."""
        return self.begin == "none" and not self.rules

    def resolve(
        self, schema: Schema, *, parameter: str, port: str = "dataset", allow_none: bool = False
    ) -> tuple[str, ...]:
        """The chosen columns: in the table's order, or in the rules' order with `keep_order`.

        Raises MissingColumn, ColumnRangeError, and EmptySelection unless `allow_none`.
        """
        chosen: dict[str, None] = dict.fromkeys(schema.names if self.begin == "all" else ())
        for rule in self.rules:
            for name in rule.matches(schema, port=port):
                if rule.rule == "include":
                    chosen[name] = None
                else:
                    chosen.pop(name, None)
        if not chosen and not allow_none:
            raise EmptySelection(parameter, port, schema.names)
        return tuple(chosen) if self.keep_order else tuple(n for n in schema.names if n in chosen)

    def resolve_typed(
        self,
        schema: Schema,
        *,
        parameter: str,
        wanted: tuple[ColumnType, ...],
        port: str = "dataset",
    ) -> tuple[str, ...]:
        """As `resolve`, and every chosen column must be of a wanted type.

        Raises ColumnTypeError for the first that is not.
        """
        from modelwright.components.errors import ColumnTypeError

        names = self.resolve(schema, parameter=parameter, port=port)
        for name in names:
            column = schema.column(name)
            if column.type not in wanted:
                needed = " or ".join(t.value for t in wanted)
                raise ColumnTypeError(name, column.type.value, needed, port=port)
        return names

    def without(self, column: str, schema: Schema) -> ColumnSelection:
        """The selection for data that lack a column; empty when it chose nothing else.

        schema: of the data with the column.  Positions become names, as they would shift.
        """
        rules = []
        for rule in self.rules:
            names = rule.names
            if rule.positions is not None:
                names = rule.matches(schema, port="dataset")
            if names is None:
                rules.append(rule)
            elif left := tuple(n for n in names if n != column):
                rules.append(ColumnRule(rule=rule.rule, names=left))
        changed = self.model_copy(update={"rules": tuple(rules)})
        rest = schema.drop([column])
        chosen = changed.resolve(rest, parameter="", allow_none=True) if len(rest) else ()
        return changed if chosen else ColumnSelection()

    def __str__(self) -> str:
        """The selection in words, as the settings pane shows it."""
        words = ["All columns" if self.begin == "all" else ""]
        for rule in self.rules:
            way = next(
                f"{kind}: {', '.join(value) if isinstance(value, tuple) else value}"
                for kind in ("names", "positions", "types", "roles", "pattern", "all")
                if (value := getattr(rule, kind)) is not None
            )
            words.append(f"{rule.rule} {way}")
        return "; ".join(word for word in words if word) or "No columns"


def _is_type(column: Column, wanted: TypeRule) -> bool:
    if wanted == "Numeric":
        return column.type.is_numeric
    if wanted == "Categorical":
        return column.categorical
    return column.type.value == wanted
