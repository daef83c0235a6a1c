"""Execute Python Script: a function of the user's over up to two tables."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.outline import Outline
from modelwright.components.palette.python_language.pandas_frames import from_pandas, to_pandas
from modelwright.components.palette.python_language.script import (
    SCRIPT,
    ScriptError,
    call,
    compiled,
    running,
)
from modelwright.components.parameters import PythonCode
from modelwright.data.file_bundle import FileBundle
from modelwright.data.table import Table

_ENTRY = "azureml_main"
_SAMPLE = """# The tables of the first two ports arrive as pandas data frames; None where no wire ends.
# Files of the bundle lie in "./Script Bundle" and can be imported from there.
import pandas as pd


def azureml_main(dataframe1=None, dataframe2=None):
    # What is printed stands in the log of the step.
    print("Columns:", list(dataframe1.columns))

    # One or two data frames, a result port each.
    return (dataframe1,)
"""


class Results(NamedTuple):
    results_dataset_1: Annotated[Table, Titled("Results Dataset 1")]
    result_dataset_2: Annotated[Table | None, Titled("Result Dataset 2")]


class ExecutePythonScript(Component, category="Python Language"):
    """Run a Python function of your own over up to two tables.

    The script defines `azureml_main(dataframe1, dataframe2)`.  It gets pandas data frames, None for a
    port without a wire, and returns one data frame or a tuple or list of one or two.  When there is
    one, or None stands for the second, the second result port carries nothing.

    The files of the bundle lie in the folder "Script Bundle" below the working folder, and modules
    in it can be imported by name.  What the script prints stands in the step's log; an error
    names its line.  Each run starts afresh: nothing that one leaves in memory or in the working
    folder reaches the next.

    In pandas an Integer column with missing values is a column of floats.  Results keep the roles
    and flags of columns that have the same name in the first or second table; a data frame's index
    is left out, and NaN is a missing value.
    """

    script: Annotated[PythonCode, Field(title="Python script")] = _SAMPLE
    """Source of the script, which defines `azureml_main`."""

    def run(
        self,
        dataset1: Table | None = None,
        dataset2: Table | None = None,
        script_bundle: Annotated[FileBundle | None, Titled("Script Bundle")] = None,
        *,
        context: Context,
    ) -> Results:
        frames = to_pandas(dataset1), to_pandas(dataset2)
        with running(self.script, entry=_ENTRY, bundle=script_bundle, context=context) as main:
            line = _line_of(main)
            try:
                inspect.signature(main).bind(*frames)
            except (TypeError, ValueError) as error:
                why = f"azureml_main cannot be called with two data frames ({error})"
                remedy = "Declare it as azureml_main(dataframe1=None, dataframe2=None)."
                raise ScriptError(why, line=line, remedy=remedy) from None
            first, second = _results(call(main, *frames), line)
            self._warn_of_index(first, context)
            self._warn_of_index(second, context)
        given = (dataset1, dataset2)
        what = "what azureml_main returns"
        return Results(
            from_pandas(first, what=what, line=line, like=given),
            None
            if second is None
            else from_pandas(second, what=f"the second of {what}", line=line, like=given),
        )

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        compiled(self.script, entry=_ENTRY)
        return super().outline(**inputs)

    def _warn_of_index(self, frame: Any, context: Context) -> None:
        names = [name for name in getattr(getattr(frame, "index", None), "names", ()) if name]
        for name in names:
            context.log(
                f'The index "{name}" is left out of the table; reset_index() would keep it.'
            )


def _results(returned: Any, line: int | None) -> tuple[Any, Any]:
    """The one or two values that were returned.  Raises ScriptError for another number."""
    if not isinstance(returned, (tuple, list)):
        return returned, None
    if len(returned) not in (1, 2):
        raise ScriptError(
            f"azureml_main returns {len(returned)} values; one or two data frames are taken",
            line=line,
        )
    return returned[0], returned[1] if len(returned) == 2 else None


def _line_of(main: Any) -> int | None:
    code = getattr(main, "__code__", None)
    return code.co_firstlineno if code is not None and code.co_filename == SCRIPT else None
