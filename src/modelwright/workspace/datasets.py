"""Datasets: named data with versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelwright.data.artifact import Digest
from modelwright.workspace.assets import PLAIN_COLUMNS, Assets, lineage_of
from modelwright.workspace.records.assets import AssetKind, Dataset, Lineage
from modelwright.workspace.rows import AnyRow


class Datasets(Assets[Dataset]):
    """The datasets of a workspace."""

    shelf = "datasets"
    noun = "dataset"
    kinds = (AssetKind.DATASET,)

    def add(
        self,
        name: str,
        *,
        digest: Digest,
        rows: int | None = None,
        columns: int | None = None,
        schema: Any = None,
        description: str = "",
        origin: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        lineage: Lineage | None = None,
        force: bool = False,
    ) -> Dataset:
        """Add a version and give it, or give the latest when it holds the same content.

        force: add a version even then.
        """
        return self._add(
            name,
            AssetKind.DATASET,
            digest=digest,
            description=description,
            tags=tags,
            lineage=lineage,
            details={
                "rows": rows,
                "columns": columns,
                "schema": schema,
                "origin": dict(origin or {}),
            },
            force=force,
        )

    def _record(self, row: AnyRow) -> Dataset:
        plain = {name: row._mapping[name] for name in PLAIN_COLUMNS}
        return Dataset(name=row.name, lineage=lineage_of(row), **plain, **row.details)
