"""Expressions that are the same in every row, and their value."""

from __future__ import annotations

from modelwright.data.expression.nodes import Expression, Literal
from modelwright.data.expression.scalars import Scalar


def constant(expression: Expression) -> Scalar:
    """The value of a constant expression, by its row form, in the expression's type."""
    if isinstance(expression, Literal):
        return expression.value
    # The row form needs this module for the constants within expressions.
    from modelwright.data.expression.row_source import evaluate_constant

    return evaluate_constant(expression)
