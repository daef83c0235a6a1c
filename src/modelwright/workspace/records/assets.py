"""Registered things with versions: datasets, models and transformations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from modelwright.data.artifact import Digest


class AssetKind(StrEnum):
    """What is registered."""

    DATASET = "dataset"
    MODEL = "model"
    TRANSFORMATION = "transformation"


@dataclass(frozen=True, slots=True)
class AssetReference:
    """An asset as a draft, run or endpoint names it; version None means the latest."""

    kind: AssetKind
    name: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """Who needs an asset.

    kind: "draft", "run" or "endpoint".  title: its name as people see it.
    version: the version it names, None for the latest.
    active: it would break without the asset: a draft that is not deleted, a run that has not
    finished, an endpoint one of whose deployments serves with it.
    """

    kind: str
    id: str
    title: str
    version: int | None
    active: bool


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where an asset came from: a port of a run's node, and the draft that was run."""

    run_id: str | None = None
    node: str | None = None
    port: str | None = None
    draft_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One version of a dataset; name and version name the same content for ever.

    origin: how the content came here, such as the file's name and how it was read.
    schema: the columns, as JSON.
    """

    name: str
    version: int
    digest: Digest
    description: str
    origin: Mapping[str, Any]
    rows: int | None
    columns: int | None
    schema: Any
    tags: Mapping[str, str]
    lineage: Lineage
    created_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One version of a registered model or transformation.

    metrics: how good it was when it was registered, as JSON.
    """

    name: str
    version: int
    kind: AssetKind
    digest: Digest
    description: str
    metrics: Mapping[str, Any]
    tags: Mapping[str, str]
    lineage: Lineage
    created_at: datetime
    deleted_at: datetime | None
