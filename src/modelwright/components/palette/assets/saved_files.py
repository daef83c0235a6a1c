"""Saved Files: files that a step of a run gave, on the canvas."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelwright.components.contract import Component, Titled
from modelwright.data.file_bundle import FileBundle


class SavedFiles(Component, category="Assets", hidden=True):
    """Brings in files that were saved from a run, such as the bundle of a script.

    The plan takes the stored files; nothing is run.
    """

    name: str = ""
    """Name shown on the node."""

    digest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    """Digest of the stored files."""

    def run(self) -> Annotated[FileBundle, Titled("Files")]:
        """Never called: the plan takes the stored files."""
        raise NotImplementedError
