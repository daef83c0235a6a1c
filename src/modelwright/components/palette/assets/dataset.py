"""Dataset: a registered data set on the canvas."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelwright.components.contract import Component, Titled
from modelwright.components.parameters import Control
from modelwright.data.table import Table


class Dataset(Component, category="Assets", hidden=True):
    """Brings in a registered data set.

    The plan looks the data set up and takes its stored rows; nothing is run.
    """

    name: Annotated[str, Field(min_length=1), Control("dataset")]
    """Name under which the data set is registered."""

    version: Annotated[int, Field(ge=1)] | None = None
    """Version of the data set; the latest one when empty."""

    def run(self) -> Annotated[Table, Titled("Dataset")]:
        """Never called: the plan takes the stored rows."""
        raise NotImplementedError
