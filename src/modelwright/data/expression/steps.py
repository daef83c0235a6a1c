"""The steps of a formula: each turns the columns and rows before it into those after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from modelwright.data.expression.errors import DuplicateColumn, InvalidExpression
from modelwright.data.expression.nodes import Expression, name_of
from modelwright.data.expression.typing_rules import Types
from modelwright.data.schema import Column, MissingColumn, Schema


@dataclass(frozen=True, slots=True, eq=False)
class Compute:
    """Adds columns, or replaces those of the same name in their place.

    All expressions read the values before the step.  The order of new columns is that of the mapping.
    """

    columns: Mapping[str, Expression]

    def __post_init__(self) -> None:
        columns = {name_of(n): e for n, e in self.columns.items()}
        if not columns:
            raise InvalidExpression("A compute step", "it computes no column")
        if not all(isinstance(e, Expression) for e in columns.values()):
            raise InvalidExpression("A compute step", "a column is not an expression")
        object.__setattr__(self, "columns", columns)

    def __eq__(self, other: object) -> bool:
        # Not that of mappings, because the order of new columns counts.
        return isinstance(other, Compute) and [*self.columns.items()] == [*other.columns.items()]

    def __hash__(self) -> int:
        return hash(tuple(self.columns.items()))


@dataclass(frozen=True, slots=True)
class Keep:
    """Keeps only these columns, in this order."""

    names: tuple[str, ...]

    def __init__(self, names: Iterable[str]) -> None:
        object.__setattr__(self, "names", _names(names))
        if not self.names:
            raise InvalidExpression("A keep step", "it keeps no column")
        for at, name in enumerate(self.names):
            if name in self.names[:at]:
                raise DuplicateColumn(name)


@dataclass(frozen=True, slots=True)
class Drop:
    """Drops these columns; one that is not there is no mistake."""

    names: tuple[str, ...]

    def __init__(self, names: Iterable[str]) -> None:
        object.__setattr__(self, "names", tuple(sorted({*_names(names)})))


@dataclass(frozen=True, slots=True)
class Rename:
    """Gives columns new names in their places; names may be swapped.

    names: pairs of old and new name, made from a mapping.
    """

    names: tuple[tuple[str, str], ...]

    def __init__(self, names: Mapping[str, str]) -> None:
        pairs = sorted((name_of(old), name_of(new)) for old, new in names.items())
        object.__setattr__(self, "names", tuple(pairs))
        taken: set[str] = set()
        for _, new in pairs:
            if new in taken:
                raise DuplicateColumn(new)
            taken.add(new)

    def __reduce__(self) -> tuple[type[Rename], tuple[dict[str, str]]]:
        return Rename, (dict(self.names),)


@dataclass(frozen=True, slots=True)
class Filter:
    """Keeps the rows for which the condition is true; not those for which it is null.

    reason: why a row is dropped, in words for the one who sent it.
    """

    condition: Expression
    reason: str

    def __post_init__(self) -> None:
        if not isinstance(self.condition, Expression):
            raise InvalidExpression("A filter", "its condition is not an expression")
        object.__setattr__(self, "reason", name_of(self.reason))


Step = Compute | Keep | Drop | Rename | Filter


def after(step: Step, schema: Schema) -> Schema:
    """The columns after a step; marks stay with the name, and follow a rename.

    Raises MissingColumn, DuplicateColumn, InvalidExpression and ExpressionTypeMismatch.
    """
    match step:
        case Compute(columns):
            types = Types({c.name: c.type for c in schema})
            marked = {c.name: c for c in schema}
            typed = {name: types.result(e, name) for name, e in columns.items()}
            return schema.put(
                *(replace(marked.get(n, Column(n, t)), type=t) for n, t in typed.items())
            )
        case Filter(condition):
            Types({c.name: c.type for c in schema}).condition(condition, "A filter")
            return schema
        case Keep(names):
            check_names(step, schema.names)
            return schema.keep(names)
        case Drop(names):
            check_names(step, schema.names)
            return schema.drop(names)
        case Rename(pairs):
            check_names(step, schema.names)
            return schema.rename(dict(pairs))


def check_names(step: Keep | Drop | Rename, columns: Iterable[str]) -> None:
    """Raise MissingColumn, DuplicateColumn or InvalidExpression if the step does not fit these."""
    known = dict.fromkeys(columns)
    if isinstance(step, Drop):
        if known and known.keys() <= {*step.names}:
            raise InvalidExpression("A drop step", "it leaves no column")
        return
    renamed = dict(step.names) if isinstance(step, Rename) else {}
    for name in renamed or step.names:
        if name not in known:
            raise MissingColumn(str(name), known)
    taken: set[str] = set()
    for name in known:
        new = renamed.get(name, name)
        if new in taken:
            raise DuplicateColumn(new)
        taken.add(new)


def _names(names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise InvalidExpression(f"The name {names!r}", "several names are wanted, in a list")
    return tuple(name_of(n) for n in names)
