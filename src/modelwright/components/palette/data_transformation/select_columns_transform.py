"""Select Columns Transform: the columns of a table, to be selected elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from modelwright.components.contract import Component, Titled
from modelwright.components.outline import Outline, TransformOutline
from modelwright.components.palette.column_flow import table_outline
from modelwright.data.expression import Formula, Keep
from modelwright.data.fitted import Transform
from modelwright.data.table import Table


class SelectColumnsTransform(Component, category="Data Transformation"):
    """Remember which columns a table has, so that the same ones can be selected elsewhere.

    Apply Transformation then reduces another table to these columns, in this order; each of them must
    be there.  Put it after a step whose choice of columns depends on the data, such as Filter Based
    Feature Selection.
    """

    def run(
        self, dataset_with_desired_columns: Table
    ) -> Annotated[Transform, Titled("Columns selection transformation")]:
        schema = dataset_with_desired_columns.schema
        return Transform(
            Formula(Keep(schema.names)) if len(schema) else Formula(),
            schema,
            learnt={"columns": list(schema.names)},
            made_by=self.__component__.title,
        )

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = table_outline(inputs, "dataset_with_desired_columns")
        if table is None:
            return super().outline(**inputs)
        return {"columns_selection_transformation": TransformOutline(table.schema.names, table)}
