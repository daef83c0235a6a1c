"""Web Service Input: where the rows of a request enter."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelwright.components.contract import Component, Titled
from modelwright.components.parameters import Control
from modelwright.components.request_rules import RequestRule
from modelwright.data.table import Table


class WebServiceInput(Component, category="Web Service"):
    """Marks where the rows of a request enter a real-time inference pipeline.

    It shares its target port with a data set or another step: that one gives the columns a request
    must have, and the rows on which the pipeline is tried when it is run as a whole.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)] = "WebServiceInput0"
    """Key of these rows in a request; unique within the pipeline."""

    columns: Annotated[
        tuple[RequestRule, ...], Control("request-columns", port="web_service_input")
    ] = ()
    """Which columns a request must have, may leave out, or may have without being read."""

    def run(self) -> Annotated[Table, Titled("Web service input")]:
        """Never called: a run takes the data that shares the port, a request brings its own."""
        raise NotImplementedError
