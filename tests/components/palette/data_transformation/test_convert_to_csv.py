from __future__ import annotations

import polars as pl
import pytest

from modelwright.components.errors import ColumnTypeError
from modelwright.components.outline import TableOutline
from modelwright.components.palette.data_transformation.convert_to_csv import ConvertToCSV
from modelwright.data.schema import Role
from modelwright.data.table import Table


def test_a_table_passes_with_its_marks() -> None:
    table = Table(pl.DataFrame({"a": [1, None], "b": ["x", "y"]})).mark("b", role=Role.LABEL)

    result = ConvertToCSV().run(table)

    assert result.frame.equals(table.frame)
    assert result.schema == table.schema
    assert ConvertToCSV().outline(dataset=TableOutline(table.schema, rows=2)) == {
        "results_dataset": TableOutline(table.schema, rows=2)
    }


def test_a_nested_column_is_refused_before_and_in_a_run() -> None:
    table = Table(pl.DataFrame({"a": [[1, 2]]}))

    with pytest.raises(ColumnTypeError, match='"a"'):
        ConvertToCSV().run(table)
    with pytest.raises(ColumnTypeError):
        ConvertToCSV().outline(dataset=TableOutline(table.schema))
