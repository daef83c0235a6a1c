"""The type of every expression, known before there are rows."""

from __future__ import annotations

from collections.abc import Mapping

from modelwright.data.expression.errors import ExpressionTypeMismatch
from modelwright.data.expression.functions import Form, function
from modelwright.data.expression.nodes import (
    AllOf,
    AnyOf,
    Bucket,
    Call,
    Column,
    Dot,
    Expression,
    FillMissing,
    IsMissing,
    Literal,
    Lookup,
    NativeCall,
    Not,
    When,
)
from modelwright.data.expression.scalars import fits, scalar_type, unified
from modelwright.data.schema import ColumnType, MissingColumn

_KEYS = "keys of the type of the column"


class Types:
    """Finds the types of expressions over columns of known types; each is worked out once."""

    def __init__(self, columns: Mapping[str, ColumnType]) -> None:
        self.columns = columns
        self._known: dict[Expression, ColumnType | None] = {}
        self._forms: dict[Call, Form] = {}

    def of(self, expression: Expression) -> ColumnType | None:
        """Its type; None for a bare missing value, which fits every type.

        Raises MissingColumn and ExpressionTypeMismatch.
        """
        if expression not in self._known:
            self._known[expression] = self._find(expression)
        return self._known[expression]

    def result(self, expression: Expression, column: str) -> ColumnType:
        """The type of a column computed by it, which cannot be left open."""
        found = self.of(expression)
        if found is None:
            raise ExpressionTypeMismatch(
                f'Column "{column}"', ["a bare missing value"], "a value of one type"
            )
        return found

    def form(self, call: Call) -> Form:
        """The form of the function that fits the arguments."""
        if call not in self._forms:
            types = [self.of(a) for a in call.arguments]
            self._forms[call] = function(call.function).form(types)
        return self._forms[call]

    def condition(self, expression: Expression, what: str) -> None:
        """Raise ExpressionTypeMismatch unless it is true or false."""
        found = self.of(expression)
        if found not in (None, ColumnType.BOOLEAN):
            raise ExpressionTypeMismatch(what, [str(found)], "Boolean")

    def _number(self, expression: Expression, what: str) -> None:
        found = self.of(expression)
        if not fits(found, ColumnType.DOUBLE):
            raise ExpressionTypeMismatch(what, [str(found)], "numbers, true and false")

    def _find(self, expression: Expression) -> ColumnType | None:
        match expression:
            case Column(name):
                if name not in self.columns:
                    raise MissingColumn(name, self.columns)
                return self.columns[name]
            case Literal(value):
                return scalar_type(value)
            case Call():
                return self.form(expression).gives
            case Not() | AllOf() | AnyOf():
                for term in expression.parts:
                    self.condition(term, f'A logical "{expression.tag}"')
                return ColumnType.BOOLEAN
            case IsMissing(term):
                self.of(term)
                return ColumnType.BOOLEAN
            case FillMissing(term, value):
                return unified((self.of(term), self.of(value)), "Filling missing values")
            case When(condition, then, otherwise):
                self.condition(condition, "A condition")
                return unified((self.of(then), self.of(otherwise)), "A choice of two values")
            case Lookup(term, entries, default):
                given = self.of(term)
                for kind in {scalar_type(key) for key, _ in entries}:
                    if given is ColumnType.OTHER or (given and kind and not fits(kind, given)):
                        raise ExpressionTypeMismatch("A lookup", [given, str(kind)], _KEYS)
                values = (*(scalar_type(v) for _, v in entries), scalar_type(default))
                return unified(values, "A lookup")
            case Bucket(term, _, _, labels):
                self._number(term, "A bucket")
                if not labels:
                    return ColumnType.INTEGER
                return unified(map(scalar_type, labels), "A bucket")
            case Dot(terms):
                for term, _ in terms:
                    self._number(term, "A weighted sum")
                return ColumnType.DOUBLE
            case NativeCall(name, inputs):
                for term in inputs:
                    self._number(term, f'The native value "{name}"')
                return ColumnType.DOUBLE
        raise TypeError(f"no type rule for {type(expression).__name__}")
