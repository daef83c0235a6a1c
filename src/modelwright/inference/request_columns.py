"""What a request's columns are: those of the sample rows, as the rules of the input have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelwright.components.request_rules import RequestRule
from modelwright.data.errors import ModelwrightError, suggestion
from modelwright.data.schema import ColumnType, Schema
from modelwright.inference.errors import shown
from modelwright.inference.request import typed_value
from modelwright.inference.serving import RequestColumn, Use


class UnknownRequestColumn(ModelwrightError):
    """A rule of a Web Service Input speaks of a column that its rows do not have."""

    code = "unknown-request-column"

    def __init__(self, name: str, column: str, known: Sequence[str]) -> None:
        super().__init__(
            f'Web Service Input "{name}" has a rule for column "{column}", which is not in its rows.',
            remedy=f"{suggestion(column, tuple(known))}Take the rule away, or name another column.",
            input=name,
            column=column,
            near=list(known[:50]),
        )


class UnfitDefault(ModelwrightError):
    """The default of a column is not a value of the column's type."""

    code = "unfit-default"

    def __init__(self, name: str, column: str, value: Any, kind: ColumnType) -> None:
        super().__init__(
            f'The default of column "{column}" of Web Service Input "{name}" is {shown(value)}; '
            f"the column holds values of type {kind.value}.",
            remedy="Give a default of that type.",
            input=name,
            column=column,
            type=kind.value,
        )


def request_columns(
    name: str, schema: Schema, rules: Sequence[RequestRule]
) -> tuple[RequestColumn, ...]:
    """The columns of an input named `name`: those of `schema`, then the ignored ones.

    schema: of the sample rows, without the ignored columns.  Raises UnknownRequestColumn and
    UnfitDefault.
    """
    by_name = {rule.name: rule for rule in rules}
    for rule in rules:
        if rule.use != "ignored" and rule.name not in schema.names:
            raise UnknownRequestColumn(name, rule.name, schema.names)
    columns = []
    for column in schema:
        rule = by_name.get(column.name, RequestRule(name=column.name))
        try:
            typed_value(rule.default, column.type)
        except ValueError:
            raise UnfitDefault(name, column.name, rule.default, column.type) from None
        columns.append(
            RequestColumn(column.name, column.type, Use(rule.use), rule.default, rule.missing)
        )
    ignored = [r.name for r in rules if r.use == "ignored"]
    columns += [
        RequestColumn(n, ColumnType.OTHER, Use.IGNORED) for n in ignored if n not in schema.names
    ]
    return tuple(columns)
