"""Execute Python Script: a function of the user's over up to two tables."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.outline import Outline
from modelwright.components.parameters import LongText, PythonCode
from modelwright.data.file_bundle import FileBundle
from modelwright.data.scripting.script import compiled
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
    plots: Annotated[FileBundle | None, Titled("Plots")]


class ExecutePythonScript(Component, category="Python Language", version=2):
    """Run a Python function of your own over up to two tables.

    The script defines `azureml_main(dataframe1, dataframe2)`.  It gets pandas data frames, None for a
    port without a wire, and returns one data frame or a tuple or list of one or two.  When there is
    one, or None stands for the second, the second result port carries nothing.

    The files of the bundle lie in the folder "Script Bundle" below the working folder, and modules
    in it can be imported by name.  What the script prints stands in the step's log; an error
    names its line.  Figures of matplotlib that are open at the end are images on the port Plots.

    The script has a process of its own.  Each run starts afresh: nothing that one leaves in memory or
    in the working folder reaches the next.  An endpoint keeps the process: the top of the script is run
    once, and `azureml_main` for each request, so what takes long belongs to the top.

    Packages that the requirements name are installed once for each set of requirements, come before
    those of this installation, and leave it as it is.  Conversion pins them to the versions that were
    installed for training.

    In pandas an Integer column with missing values is a column of floats.  Results keep the roles
    and flags of columns that have the same name in the first or second table; a data frame's index
    is left out, and NaN is a missing value.
    """

    script: Annotated[PythonCode, Field(title="Python script")] = _SAMPLE
    """Source of the script, which defines `azureml_main`."""

    requirements: LongText = ""
    """Packages that the script needs beside those that are there, one a line as in requirements.txt."""

    time_limit: Annotated[float, Field(gt=0)] | None = None
    """Seconds after which the script is stopped; none when empty."""

    memory_limit: Annotated[float, Field(gt=0)] | None = None
    """Gigabytes that the script may have beside its libraries; none when empty."""

    @classmethod
    def from_v1(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Version 1 had the script only."""
        return values

    def as_frozen(self) -> Self:
        """The script with its packages pinned to what training had."""
        from modelwright.data.scripting.environment import pinned

        return self.model_copy(update={"requirements": pinned(self.requirements)})

    def run(
        self,
        dataset1: Table | None = None,
        dataset2: Table | None = None,
        script_bundle: Annotated[FileBundle | None, Titled("Script Bundle")] = None,
        *,
        context: Context,
    ) -> Results:
        from modelwright.data.scripting.environment import packages_for
        from modelwright.data.scripting.process import ScriptProcess
        from modelwright.data.scripting.residents import borrowed

        compiled(self.script, entry=_ENTRY)

        def make() -> ScriptProcess:
            return ScriptProcess(
                self.script,
                entry=_ENTRY,
                bundle=script_bundle,
                packages=packages_for(self.requirements, log=context.log),
                memory_gb=self.memory_limit,
                time_s=self.time_limit,
                # What stays must outlive the step's own folder.
                scratch=None if context.resident else context.scratch,
                log=context.log,
            )

        settings = (self.script, self.requirements, self.memory_limit)
        with (
            borrowed(
                make,
                named=("python", *settings),
                of=(script_bundle,),
                log=context.log,
                keep=context.resident,
            ) as process,
            tempfile.TemporaryDirectory(dir=context.scratch) as folder,
        ):
            work = Path(folder)
            gave = process.ask(
                {
                    "do": "call",
                    "inputs": [
                        _saved(t, work / f"{n}") for n, t in enumerate((dataset1, dataset2))
                    ],
                    "out": folder,
                    "plots": not context.resident,
                },
                time_s=self.time_limit,
            )
            for note in gave["notes"]:
                context.log(note)
            first, second = (Table.load(Path(p)) if p else None for p in gave["tables"])
            plots = {name: (work / name).read_bytes() for name in gave["plots"]}
        assert first is not None  # noqa: S101  # the process sees to it
        return Results(first, second, FileBundle(plots) if plots else None)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        compiled(self.script, entry=_ENTRY)
        return super().outline(**inputs)


def _saved(table: Table | None, folder: Path) -> str | None:
    if table is None:
        return None
    folder.mkdir()
    table.save(folder)
    return str(folder)
