"""What a graph may refer to: registered data sets and stored values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from modelwright.components.outline import Outline
from modelwright.data.artifact import Digest
from modelwright.data.errors import ModelwrightError, suggestion
from modelwright.data.schema import Schema


class UnknownDataset(ModelwrightError):
    """A data set, or a version of one, that is not registered."""

    code = "unknown-dataset"

    def __init__(self, name: str, version: int | None = None, known: tuple[str, ...] = ()) -> None:
        which = f'Version {version} of data set "{name}"' if version else f'Data set "{name}"'
        super().__init__(
            f"{which} is not registered.",
            remedy=f"{suggestion(name, known)}Add it with: modelwright dataset add FILE --name NAME.",
            name=name,
            version=version,
            near=list(known[:50]),
        )


class LostDataset(ModelwrightError):
    """A registered data set's rows are no longer in the store."""

    code = "lost-dataset"

    def __init__(self, name: str, version: int) -> None:
        super().__init__(
            f'The rows of version {version} of data set "{name}" are not in the store.',
            remedy=f'Add the file again with: modelwright dataset add FILE --name "{name}".',
            name=name,
            version=version,
        )


class UnknownArtifact(ModelwrightError):
    """A stored value that a node refers to is not in the store."""

    code = "unknown-artifact"

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"The stored value {digest[:19]}… is not in the store.",
            remedy="Convert the training pipeline again, or copy the value into this store.",
            digest=digest,
        )


@dataclass(frozen=True, slots=True)
class DatasetAsset:
    """A version of a registered data set."""

    name: str
    version: int
    digest: Digest
    schema: Schema
    rows: int


class Assets(Protocol):
    """Looks up what nodes refer to."""

    def dataset(self, name: str, version: int | None = None) -> DatasetAsset:
        """A data set's version, the latest one for None.  Raises UnknownDataset."""
        ...

    def outline(self, digest: Digest) -> Outline | None:
        """What is known of a stored value.  Raises UnknownArtifact."""
        ...


class FixedAssets:
    """Assets given in advance: for a packaged pipeline, and for tests."""

    def __init__(
        self,
        datasets: Mapping[str, DatasetAsset] | None = None,
        outlines: Mapping[Digest, Outline | None] | None = None,
    ) -> None:
        self._datasets = dict(datasets or {})
        self._outlines = dict(outlines or {})

    def dataset(self, name: str, version: int | None = None) -> DatasetAsset:
        """The data set of that name, if its version is the one asked for.  Raises UnknownDataset."""
        asset = self._datasets.get(name)
        if asset is None or version not in (None, asset.version):
            raise UnknownDataset(name, version, tuple(self._datasets))
        return asset

    def outline(self, digest: Digest) -> Outline | None:
        """The outline given for that digest.  Raises UnknownArtifact."""
        if digest not in self._outlines:
            raise UnknownArtifact(digest)
        return self._outlines[digest]
