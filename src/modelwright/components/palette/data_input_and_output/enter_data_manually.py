"""Enter Data Manually: a small table typed into the node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from modelwright.components.contract import Component, Titled
from modelwright.components.outline import Outline, TableOutline
from modelwright.components.palette.data_input_and_output.typed_text import (
    read_arff,
    read_delimited,
    read_svmlight,
)
from modelwright.components.parameters import LongText, Shown
from modelwright.data.table import Table


class EnterDataManually(Component, category="Data Input and Output"):
    """Make a small table of typed text.

    The text is read strictly: a line with too many or too few fields, or a value that its column
    cannot hold, is an error with its line number.  A cell left empty is missing.

    CSV and TSV: a value may stand in double quotes.  A column becomes Integer, Double or Boolean
    (true, false) when all its cells are, else String; dates stay text until Edit Metadata converts
    them.  Blank lines at the end are dropped; one between two records is a row of missing values.
    A header cell left empty, and every column when there is no header, is named Col1, Col2, …

    ARFF: numeric, real, integer, string, date and nominal attributes; nominal ones become
    categorical text; `?` is missing.

    SVMLight: one row a line as `label index:value …`, indexes from 1, `#` begins a comment.  The
    columns are Col1 … ColN and, last, Labels; an index that a line leaves out is 0.  Values stay as
    typed: rows are not scaled to unit length; Normalize Data scales where that is wanted.
    """

    data_format: Annotated[Literal["ARFF", "CSV", "SVMLight", "TSV"], Field(title="DataFormat")] = (
        "CSV"
    )
    """Format in which the text is written."""

    has_header: Annotated[bool, Field(title="HasHeader"), Shown(data_format=("CSV", "TSV"))] = True
    """Whether the first line holds the column names."""

    data: Annotated[LongText, Field(title="Data")] = ""
    """The rows, one record a line."""

    def run(self) -> Annotated[Table, Titled("Dataset")]:
        if self.data_format == "ARFF":
            return read_arff(self.data)
        if self.data_format == "SVMLight":
            return read_svmlight(self.data)
        delimiter = "," if self.data_format == "CSV" else "\t"
        return read_delimited(self.data, delimiter=delimiter, header=self.has_header)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        table = self.run()
        return {"dataset": TableOutline(table.schema, rows=table.rows)}
