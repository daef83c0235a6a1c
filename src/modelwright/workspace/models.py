"""Registered models and transformations: fitted values with names and versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelwright.data.artifact import Digest
from modelwright.workspace.assets import PLAIN_COLUMNS, Assets, lineage_of
from modelwright.workspace.records.assets import AssetKind, Lineage, Model
from modelwright.workspace.rows import AnyRow


class Models(Assets[Model]):
    """The models and transformations of a workspace; they share their names."""

    shelf = "models"
    noun = "model"
    kinds = (AssetKind.MODEL, AssetKind.TRANSFORMATION)

    def add(
        self,
        name: str,
        *,
        digest: Digest,
        kind: AssetKind = AssetKind.MODEL,
        description: str = "",
        metrics: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        lineage: Lineage | None = None,
        force: bool = False,
    ) -> Model:
        """Add a version and give it, or give the latest when it holds the same content.

        force: add a version even then.  Raises NameTaken when the name belongs to the other kind.
        """
        if kind not in self.kinds:
            raise ValueError(f"{kind} does not belong here")
        return self._add(
            name,
            kind,
            digest=digest,
            description=description,
            tags=tags,
            lineage=lineage,
            details={"metrics": dict(metrics or {})},
            force=force,
        )

    def _record(self, row: AnyRow) -> Model:
        plain = {name: row._mapping[name] for name in PLAIN_COLUMNS}
        return Model(
            name=row.name,
            kind=row.kind,
            lineage=lineage_of(row),
            metrics=row.details["metrics"],
            **plain,
        )
