"""Values that travel on a wire: they can be saved, loaded, digested and looked at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, NewType, Self

from modelwright.data.errors import ModelwrightError

Digest = NewType("Digest", str)
"""Names content: "sha256:" and 64 hexadecimal digits over the saved form."""


class Artifact(ABC):
    """A value on a wire.  A port's type is a subclass; `kind` is its name in files and messages.

    `save` writes any files into an empty folder, `load` reads them back; the digest is taken over
    those files, so `save` must write equal bytes for equal values.  Values are never changed after
    they are made: a component that changes one makes a new one.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    kinds: ClassVar[dict[str, type[Artifact]]] = {}

    def __init_subclass__(cls) -> None:
        """Register the kind, so that the store can load what it saved."""
        super().__init_subclass__()
        if "kind" in cls.__dict__:
            Artifact.kinds[cls.kind] = cls

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the value as files into `folder`, which exists and is empty."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.  Raises CorruptArtifact when the files cannot be that."""

    def summary(self) -> dict[str, Any]:
        """A few figures for lists and logs as JSON, such as rows and columns; cheap."""
        return {}

    @property
    def size(self) -> int:
        """Bytes it takes in memory, roughly; what a worker keeps is bounded by it."""
        return 0


class CorruptArtifact(ModelwrightError):
    """A stored value cannot be read back."""

    code = "corrupt-artifact"

    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            f"The stored {what} cannot be read: {why}.",
            remedy="Run the step that made it again with --rerun, add the data set's file again, "
            "or restore the store from a backup.",
            what=what,
            why=why,
        )
