"""Saved Transformation: a fitted transformation on the canvas."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelwright.components.contract import Component, Titled
from modelwright.data.fitted import Transform


class SavedTransformation(Component, category="Assets", hidden=True):
    """Brings in a fitted transformation that was saved from a run.

    The plan takes the stored transformation; nothing is run.
    """

    name: str = ""
    """Name shown on the node, such as "TD - draft - Normalize Data"."""

    digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    """Digest of the stored transformation."""

    def run(self) -> Annotated[Transform, Titled("Transformation")]:
        """Never called: the plan takes the stored transformation."""
        raise NotImplementedError
