"""Execute R Script: a function of the user's in R over up to two tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import Field

from modelwright.components.context import Context
from modelwright.components.contract import Component, Titled
from modelwright.components.outline import Outline
from modelwright.components.parameters import RCode
from modelwright.data.file_bundle import FileBundle
from modelwright.data.table import Table

_SAMPLE = """# The tables of the first two ports arrive as data frames; NULL where no wire ends.
# Files of the bundle lie in "./Script Bundle".
azureml_main <- function(dataframe1, dataframe2) {
  # What is printed stands in the log of the step.
  print(names(dataframe1))

  # One or two data frames, a result port each.
  list(dataset1 = dataframe1, dataset2 = dataframe2)
}
"""


class Results(NamedTuple):
    result_dataset1: Annotated[Table, Titled("Result dataset1")]
    result_dataset2: Annotated[Table | None, Titled("Result dataset2")]
    plots: Annotated[FileBundle | None, Titled("Plots")]


class ExecuteRScript(Component, category="R Language", title="Execute R Script"):
    """Run an R function of your own over up to two tables.

    The script defines `azureml_main(dataframe1, dataframe2)`.  It gets data frames, NULL for a port
    without a wire, and returns a list with the elements dataset1 and dataset2, each a data frame; a bare
    data frame counts as dataset1, and without dataset2 the second result port carries nothing.

    The files of the bundle lie in the folder "Script Bundle" below the working folder.  What the script
    prints stands in the step's log; an error names its line.  Plots are images on the port Plots.

    R has to be installed where the step runs.  It works in a process of its own, afresh in each run; an
    endpoint keeps it: the top of the script is run once, and `azureml_main` for each request.  Packages
    are those that R finds; a script may install more, which lasts as long as R's library does.

    Text marked as categorical is a factor in R, and a factor is categorical text.  R's whole numbers have
    31 bits; a column with larger ones is a column of doubles there, exact up to 2^53.  NA is a missing
    value, and NaN stays NaN.  A text loses zero bytes, which R cannot hold.
    """

    script: Annotated[RCode, Field(title="R script")] = _SAMPLE
    """Source of the script, which defines `azureml_main`."""

    random_seed: Annotated[int, Field(ge=0, le=2**31 - 1, title="Random Seed")] | None = None
    """Start of R's random numbers, as set.seed before the script; by chance when empty."""

    time_limit: Annotated[float, Field(gt=0)] | None = None
    """Seconds after which the script is stopped; none when empty."""

    memory_limit: Annotated[float, Field(gt=0)] | None = None
    """Gigabytes that R may have; none when empty."""

    def run(
        self,
        dataset1: Table | None = None,
        dataset2: Table | None = None,
        script_bundle: Annotated[FileBundle | None, Titled("Script Bundle")] = None,
        *,
        context: Context,
    ) -> Results:
        from modelwright.data.scripting.r_process import RProcess
        from modelwright.data.scripting.residents import borrowed

        def make() -> RProcess:
            return RProcess(
                self.script,
                seed=self.random_seed,
                bundle=script_bundle,
                memory_gb=self.memory_limit,
                time_s=self.time_limit,
                # What stays must outlive the step's own folder.
                scratch=None if context.resident else context.scratch,
                log=context.log,
            )

        with borrowed(
            make,
            named=("r", self.script, self.random_seed, self.memory_limit),
            of=(script_bundle,),
            log=context.log,
            keep=context.resident,
        ) as process:
            first, second, plots = process.call(
                (dataset1, dataset2), time_s=self.time_limit, plots=not context.resident
            )
        return Results(first, second, FileBundle(plots) if plots else None)

    def outline(self, **inputs: Outline | None) -> Mapping[str, Outline | None]:
        from modelwright.data.scripting.r_process import r_program

        r_program()
        return super().outline(**inputs)
