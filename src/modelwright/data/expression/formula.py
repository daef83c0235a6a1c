"""Formula: what a fitted transformation or a model is, as steps over columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from modelwright.data.expression import prune, rows
from modelwright.data.expression.codec import formula_from_json, formula_to_json
from modelwright.data.expression.errors import InvalidExpression
from modelwright.data.expression.nodes import Expression, NativeCall
from modelwright.data.expression.rows import RecordReply, Records, RowProgram
from modelwright.data.expression.steps import Compute, Drop, Filter, Keep, Rename, Step, after
from modelwright.data.expression.tracking import Tracked
from modelwright.data.native import Native
from modelwright.data.schema import Schema

if TYPE_CHECKING:
    import polars as pl

_NONE: Mapping[str, Native] = {}


@dataclass(frozen=True, slots=True)
class Formula:
    """Steps in order, from the columns of a table to other columns.

    natives, wherever it is an argument: the values that native calls name.
    """

    steps: tuple[Step, ...] = ()

    def __init__(self, *steps: Step) -> None:
        if not all(isinstance(s, Compute | Keep | Drop | Rename | Filter) for s in steps):
            raise InvalidExpression("A formula", "one of its parts is not a step")
        object.__setattr__(self, "steps", steps)

    def __reduce__(self) -> tuple[type[Formula], tuple[Step, ...]]:
        return Formula, self.steps

    def then(self, other: Formula) -> Formula:
        """Both in turn: the other one works on what this one gives."""
        return Formula(*self.steps, *other.steps)

    def expressions(self) -> tuple[Expression, ...]:
        """The expressions of all steps, in order."""
        found: list[Expression] = []
        for step in self.steps:
            match step:
                case Compute(columns):
                    found += columns.values()
                case Filter(condition):
                    found.append(condition)
        return tuple(found)

    def natives(self) -> frozenset[str]:
        """Names of the native values it calls."""
        nodes = (n for e in self.expressions() for n in e.walk())
        return frozenset(n.name for n in nodes if isinstance(n, NativeCall))

    def required(self) -> frozenset[str]:
        """The columns that must be there before it; those it only drops are not among them."""
        needed: set[str] = set()
        made: set[str] = set()
        for step in self.steps:
            match step:
                case Compute(columns):
                    needed.update(*(e.columns() - made for e in columns.values()))
                    made |= columns.keys()
                case Filter(condition):
                    needed |= condition.columns() - made
                case Keep(names):
                    needed |= {*names} - made
                case Rename(pairs):
                    needed |= {old for old, _ in pairs} - made
                    made |= {new for _, new in pairs}
                case Drop():
                    pass
        return frozenset(needed)

    def renamed(self) -> dict[str, str]:
        """Old and new name of each column that comes through it under another name."""
        now: dict[str, str] = {}
        for step in self.steps:
            match step:
                case Rename(pairs):
                    new_names = dict(pairs)
                    now = {o: o for o in new_names if o not in now.values()} | now
                    now = {old: new_names.get(name, name) for old, name in now.items()}
                case Drop(names):
                    now = {old: name for old, name in now.items() if name not in names}
                case Keep(names):
                    now = {old: name for old, name in now.items() if name in names}
        return {old: new for old, new in now.items() if old != new}

    def outputs(self, schema: Schema) -> Schema:
        """The columns after it; marks stay with the name, and follow a rename.

        Raises MissingColumn, DuplicateColumn, InvalidExpression and ExpressionTypeMismatch.
        """
        for step in self.steps:
            schema = after(step, schema)
        return schema

    def prune(self, wanted: Sequence[str]) -> Formula:
        """The least that gives exactly the wanted columns, in that order."""
        return Formula(*prune.pruned(self.steps, tuple(wanted)))

    def apply(self, frame: pl.DataFrame, *, natives: Mapping[str, Native] = _NONE) -> pl.DataFrame:
        """The frame after it, by the Table form.  Raises as `outputs`, and MissingNative.

        What does not fit into memory is made part by part and mapped from a file.
        """
        from modelwright.data.expression import frames

        of_rows = [at for at, s in enumerate(self.steps) if isinstance(s, Compute | Filter)]
        last = of_rows[-1] + 1 if of_rows else 0

        def applied(rows: pl.DataFrame) -> pl.DataFrame:
            return frames.arranged(
                frames.carried_out(rows, self.steps[:last], natives), self.steps[last:]
            )

        return frames.in_parts(frame, applied) if last else frames.arranged(frame, self.steps)

    def extend(self, lazy: pl.LazyFrame, *, natives: Mapping[str, Native] = _NONE) -> pl.LazyFrame:
        """The lazy frame with this formula added to its plan; for data larger than memory."""
        from modelwright.data.expression import frames

        return frames.extended(lazy, self.steps, natives)

    def apply_tracked(
        self, frame: pl.DataFrame, *, natives: Mapping[str, Native] = _NONE
    ) -> Tracked:
        """Like `apply`, with what became of each row."""
        from modelwright.data.expression import frames

        return frames.tracked(frame, self.steps, natives)

    def compile_rows(
        self,
        reads: Schema,
        *,
        natives: Mapping[str, Native] = _NONE,
        plain: bool = False,
    ) -> RowProgram:
        """The row form for rows of these columns.  Raises as `outputs`, and MissingNative.

        plain: for rows without nulls, whose numbers are all finite; it is faster for them.
        """
        return rows.compile_rows(self.steps, reads, natives, plain=plain)

    def compile_records(
        self,
        reads: Schema,
        reply: RecordReply,
        *,
        natives: Mapping[str, Native] = _NONE,
        plain: bool = False,
    ) -> Records:
        """The row form for rows that are records with the fields c0, c1 … in the order of `reads`.

        It gives a Dropped like the other.  Raises as `outputs`, and MissingNative.
        """
        return rows.compile_records(self.steps, reads, natives, reply, plain=plain)

    def to_json(self) -> dict[str, Any]:
        """The formula as one JSON object."""
        return formula_to_json(self.steps)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read what `to_json` wrote.  Raises MalformedFormula."""
        return cls(*formula_from_json(value))

    def digest(self) -> str:
        """SHA-256 of its canonical JSON: equal formulas have equal digests on every machine."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()
