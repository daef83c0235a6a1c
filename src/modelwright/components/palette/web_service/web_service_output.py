"""Web Service Output: where the rows of a reply leave."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelwright.components.contract import Component, Titled
from modelwright.data.table import Table


class WebServiceOutput(Component, category="Web Service"):
    """Marks where the rows of a reply leave a real-time inference pipeline."""

    name: Annotated[str, Field(min_length=1, max_length=100)] = "WebServiceOutput0"
    """Key of these rows in a reply; unique within the pipeline."""

    def run(self, data: Annotated[Table, Titled("Web service output")]) -> None:
        """Take the rows: in a run there is nothing more to do."""
