"""Saved Model: a trained model on the canvas."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelwright.components.contract import Component, Titled
from modelwright.data.fitted import Model


class SavedModel(Component, category="Assets", hidden=True):
    """Brings in a trained model that was saved from a run.

    The plan takes the stored model; nothing is run.
    """

    name: str = ""
    """Name shown on the node, such as "MD - draft - Train Model"."""

    digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    """Digest of the stored model."""

    def run(self) -> Annotated[Model, Titled("Trained model")]:
        """Never called: the plan takes the stored model."""
        raise NotImplementedError
