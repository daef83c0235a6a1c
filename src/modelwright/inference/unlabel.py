"""Take columns out of a formula that a request does not have, such as the label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from modelwright.data.expression import (
    Compute,
    Drop,
    Expression,
    Filter,
    Formula,
    Keep,
    Rename,
    Step,
)
from modelwright.data.expression.nodes import AllOf, AnyOf, Column, IsMissing, Literal, Not


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """A formula for rows that lack columns.

    lost: columns it can no longer compute, since they come from those.  filters: reasons of the
    filters it no longer applies, since they look at those.
    """

    formula: Formula
    lost: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()


def without_columns(formula: Formula, names: Iterable[str]) -> Unlabelled:
    """The formula for rows without some columns; otherwise it does the same.

    Whether an absent value is missing is not asked: a row without a label is not a row with a
    missing one.  What is computed from absent columns is absent too.
    """
    given = frozenset(names)
    absent, lost, filters = set(given), [], []
    steps: list[Step] = []
    for step in formula.steps:
        match step:
            case Compute(columns):
                kept: dict[str, Expression] = {}
                for name, written in columns.items():
                    expression = _present(written, absent)
                    if expression is not None:
                        kept[name] = expression
                    elif name not in absent:
                        lost.append(name)
                absent = (absent | (columns.keys() - kept.keys())) - kept.keys()
                if kept:
                    steps.append(Compute(kept))
            case Filter(condition, reason):
                expression = _present(condition, absent)
                if expression is None:
                    filters.append(reason)
                elif expression != Literal(True):
                    steps.append(Filter(expression, reason))
            case Keep(kept_names):
                if left := [n for n in kept_names if n not in absent]:
                    steps.append(Keep(left))
                absent &= set(kept_names)
            case Drop(dropped):
                if left := [n for n in dropped if n not in absent]:
                    steps.append(Drop(left))
                absent -= set(dropped)
            case Rename(pairs):
                renamed = dict(pairs)
                if left_pairs := {o: n for o, n in pairs if o not in absent}:
                    steps.append(Rename(left_pairs))
                absent = {renamed.get(n, n) for n in absent}
    return Unlabelled(Formula(*steps), tuple(lost), tuple(filters))


def _present(expression: Expression, absent: set[str]) -> Expression | None:
    """The expression as far as it does not read absent columns; None when it cannot do without."""
    if not expression.columns() & absent:
        return expression
    match expression:
        case IsMissing(Column(_)):
            return Literal(False)
        case Not(term):
            inner = _present(term, absent)
            return None if inner is None else _negated(inner)
        case AnyOf(terms) | AllOf(terms):
            parts = [_present(t, absent) for t in terms]
            found = [p for p in parts if p is not None]
            if len(found) < len(parts):
                return None
            return _joined(type(expression), found)
        case _:
            return None


def _negated(term: Expression) -> Expression:
    if isinstance(term, Literal) and isinstance(term.value, bool):
        return Literal(not term.value)
    return Not(term)


def _joined(kind: type[AnyOf] | type[AllOf], terms: list[Expression]) -> Expression:
    deciding = Literal(kind is AnyOf)
    neutral = Literal(kind is not AnyOf)
    if deciding in terms:
        return deciding
    left = [t for t in terms if t != neutral]
    if not left:
        return neutral
    return left[0] if len(left) == 1 else kind(tuple(left))
