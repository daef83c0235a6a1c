"""What nodes refer to, looked up in the workspace and in the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from modelwright.components.outline import Outline, outline_of
from modelwright.data.artifact import Digest
from modelwright.data.schema import Schema
from modelwright.data.store import Store
from modelwright.graph.assets import DatasetAsset, UnknownArtifact, UnknownDataset
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.assets import Dataset

if TYPE_CHECKING:
    from modelwright.workspace.datasets import Datasets


class RegisteredAssets:
    """The `Assets` of a home: datasets by name, stored values by digest.

    bring: registers a dataset of that name that is not there yet, if it can; whether it did.
    used: digests that a run took of some datasets; a look-up gives the version that has them, even
    one that has been deleted since, instead of the latest.
    """

    def __init__(
        self,
        datasets: Datasets,
        store: Store,
        *,
        bring: Callable[[str], bool] = lambda name: False,
        used: Mapping[str, Digest] | None = None,
    ) -> None:
        self._datasets = datasets
        self._bring = bring
        self._store = store
        self._used = dict(used or {})

    def as_of(self, used: Mapping[str, Digest]) -> RegisteredAssets:
        """The same assets as a run has used them: digest by name of the dataset."""
        return RegisteredAssets(self._datasets, self._store, bring=self._bring, used=used)

    def dataset(self, name: str, version: int | None = None) -> DatasetAsset:
        """A dataset's version, the latest one for None.  Raises UnknownDataset."""
        try:
            found = self._find(name, version)
        except NotFound:
            known = tuple(d.name for d in self._datasets.list())
            raise UnknownDataset(name, version, known) from None
        return DatasetAsset(
            found.name, found.version, found.digest, Schema.from_json(found.schema), found.rows or 0
        )

    def _find(self, name: str, version: int | None) -> Dataset:
        if version is None and name in self._used:
            for found in self._datasets.versions(name, deleted=True):
                if found.digest == self._used[name]:
                    return found
        try:
            return self._datasets.get(name, version=version)
        except NotFound:
            if not self._bring(name):
                raise
            return self._datasets.get(name, version=version)

    def outline(self, digest: Digest) -> Outline | None:
        """What is known of a stored value.  Raises UnknownArtifact."""
        if not self._store.has(digest):
            raise UnknownArtifact(digest)
        return outline_of(self._store.get(digest))
