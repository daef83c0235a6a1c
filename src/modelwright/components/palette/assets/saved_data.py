"""Saved Data: the result of a step of a run on the canvas."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelwright.components.contract import Component, Titled
from modelwright.data.table import Table


class SavedData(Component, category="Assets", hidden=True):
    """Brings in a table that was saved from a run, such as one folded to a constant.

    The plan takes the stored rows; nothing is run.
    """

    name: str = ""
    """Name shown on the node."""

    digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    """Digest of the stored table."""

    def run(self) -> Annotated[Table, Titled("Dataset")]:
        """Never called: the plan takes the stored rows."""
        raise NotImplementedError
