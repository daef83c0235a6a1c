"""Web Service Output: where the rows of a reply leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from modelwright.components.columns import ColumnSelection
from modelwright.components.contract import Component, Titled
from modelwright.components.outline import Outline, TableOutline
from modelwright.components.parameters import Columns
from modelwright.data.schema import Schema
from modelwright.data.table import Table


class WebServiceOutput(Component, category="Web Service"):
    """Marks where the rows of a reply leave a real-time inference pipeline."""

    name: Annotated[str, Field(min_length=1, max_length=100)] = "WebServiceOutput0"
    """Key of these rows in a reply; unique within the pipeline."""

    columns: Annotated[ColumnSelection, Columns("data"), Field(title="Reply columns")] = (
        ColumnSelection.everything()
    )
    """The columns that a reply has: all of them, or only some, such as the predictions."""

    def run(self, data: Annotated[Table, Titled("Web service output")]) -> None:
        """Take the rows: in a run there is nothing more to do than to see that the columns are there."""
        self.chosen(data.schema)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        data = inputs.get("data")
        if isinstance(data, TableOutline) and data.complete:
            self.chosen(data.schema)
        return {}

    def chosen(self, schema: Schema) -> tuple[str, ...]:
        """The columns of a reply, in order.  Raises MissingColumn and EmptySelection."""
        return self.columns.resolve(schema, parameter="Reply columns", port="data")
