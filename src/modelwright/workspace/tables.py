"""Every table.  A change here needs a migration; a test compares the two."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    MetaData,
    Named,
    PrimaryKeyConstraint,
    Table,
    TypedColumns,
    UniqueConstraint,
)

from modelwright.workspace.column_types import Choice, Figure, Json, RowNumber, Utc, Words
from modelwright.workspace.records.assets import AssetKind
from modelwright.workspace.records.drafts import DraftKind
from modelwright.workspace.records.endpoints import DesiredState, EndpointState
from modelwright.workspace.records.runs import RunStatus, StepStatus

# Migrations can only change what has a name.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class _Settings(TypedColumns):
    name: Named[str] = Column(Words, primary_key=True)
    value: Named[Any] = Column(Json, nullable=True)
    changed_at: Named[datetime] = Column(Utc)


class _Secrets(TypedColumns):
    name: Named[str] = Column(Words, primary_key=True)
    kind: Named[str] = Column(Words)
    description: Named[str] = Column(Words)
    public: Named[Any] = Column(Json, nullable=False)
    sealed_keys: Named[Any] = Column(Json, nullable=False)
    sealed: Named[str] = Column(Words)
    created_at: Named[datetime] = Column(Utc)
    changed_at: Named[datetime] = Column(Utc)


class _People(TypedColumns):
    id: Named[int] = Column(RowNumber, primary_key=True)
    name: Named[str] = Column(Words, unique=True)
    owner: Named[bool] = Column(Boolean)
    created_at: Named[datetime] = Column(Utc)


class _Tokens(TypedColumns):
    id: Named[int] = Column(RowNumber, primary_key=True)
    hash: Named[str] = Column(Words, unique=True)
    kind: Named[str] = Column(Words)
    person_id: Named[int] = Column(RowNumber, ForeignKey("people.id", ondelete="CASCADE"))
    name: Named[str] = Column(Words)
    created_at: Named[datetime] = Column(Utc)
    expires_at: Named[datetime | None] = Column(Utc)
    last_used_at: Named[datetime | None] = Column(Utc)


class _Assets(TypedColumns):
    id: Named[int] = Column(RowNumber, primary_key=True)
    shelf: Named[str] = Column(Words)
    name: Named[str] = Column(Words)


class _AssetVersions(TypedColumns):
    id: Named[int] = Column(RowNumber, primary_key=True)
    asset_id: Named[int] = Column(RowNumber, ForeignKey("assets.id", ondelete="CASCADE"))
    version: Named[int]
    kind: Named[AssetKind] = Column(Choice(AssetKind))
    digest: Named[str] = Column(Words)
    description: Named[str] = Column(Words)
    tags: Named[Any] = Column(Json, nullable=False)
    # No foreign keys: what was registered outlives the run and the draft it came from.
    run_id: Named[str | None] = Column(Words)
    node: Named[str | None] = Column(Words)
    port: Named[str | None] = Column(Words)
    draft_id: Named[str | None] = Column(Words)
    details: Named[Any] = Column(Json, nullable=False)
    search_key: Named[str] = Column(Words)
    created_at: Named[datetime] = Column(Utc)
    deleted_at: Named[datetime | None] = Column(Utc)


class _AssetUses(TypedColumns):
    asset_kind: Named[AssetKind] = Column(Choice(AssetKind))
    asset_name: Named[str] = Column(Words)
    asset_version: Named[int]  # 0 for the latest
    user_kind: Named[str] = Column(Words)
    user_id: Named[str] = Column(Words)


class _Drafts(TypedColumns):
    id: Named[str] = Column(Words, primary_key=True)
    name: Named[str] = Column(Words)
    kind: Named[DraftKind] = Column(Choice(DraftKind))
    document: Named[str] = Column(Words)
    layout: Named[Any] = Column(Json, nullable=True)
    history: Named[Any] = Column(Json, nullable=True)
    revision: Named[int]
    parent_draft_id: Named[str | None] = Column(Words)
    parent_run_id: Named[str | None] = Column(Words)
    search_key: Named[str] = Column(Words)
    created_at: Named[datetime] = Column(Utc)
    changed_at: Named[datetime] = Column(Utc)
    deleted_at: Named[datetime | None] = Column(Utc)


class _DraftRevisions(TypedColumns):
    draft_id: Named[str] = Column(Words, ForeignKey("drafts.id", ondelete="CASCADE"))
    revision: Named[int]
    document: Named[str] = Column(Words)
    layout: Named[Any] = Column(Json, nullable=True)
    saved_at: Named[datetime] = Column(Utc)


class _Runs(TypedColumns):
    id: Named[str] = Column(Words, primary_key=True)
    experiment: Named[str] = Column(Words)
    name: Named[str] = Column(Words)
    draft_id: Named[str | None] = Column(Words)
    draft_revision: Named[int | None]
    graph: Named[str] = Column(Words)
    parameters: Named[Any] = Column(Json, nullable=False)
    target: Named[str] = Column(Words)
    status: Named[RunStatus] = Column(Choice(RunStatus))
    person: Named[str | None] = Column(Words)
    tags: Named[Any] = Column(Json, nullable=False)
    error: Named[Any] = Column(Json, nullable=True)
    runner: Named[Any] = Column(Json, nullable=True)
    search_key: Named[str] = Column(Words)
    last_event: Named[int]
    created_at: Named[datetime] = Column(Utc)
    started_at: Named[datetime | None] = Column(Utc)
    finished_at: Named[datetime | None] = Column(Utc)
    cancel_asked_at: Named[datetime | None] = Column(Utc)


class _Steps(TypedColumns):
    run_id: Named[str] = Column(Words, ForeignKey("runs.id", ondelete="CASCADE"))
    node: Named[str] = Column(Words)
    position: Named[int]
    component: Named[str] = Column(Words)
    key: Named[str | None] = Column(Words)
    status: Named[StepStatus] = Column(Choice(StepStatus))
    reason: Named[str] = Column(Words)
    started_at: Named[datetime | None] = Column(Utc)
    finished_at: Named[datetime | None] = Column(Utc)
    duration_s: Named[float | None] = Column(Figure)
    outputs: Named[Any] = Column(Json, nullable=False)
    error: Named[Any] = Column(Json, nullable=True)
    log: Named[str | None] = Column(Words)


class _Metrics(TypedColumns):
    id: Named[int] = Column(RowNumber, primary_key=True)
    run_id: Named[str] = Column(Words, ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    node: Named[str] = Column(Words)
    name: Named[str] = Column(Words)
    value: Named[float | None] = Column(Figure)
    labels: Named[Any] = Column(Json, nullable=False)


class _Events(TypedColumns):
    run_id: Named[str] = Column(Words, ForeignKey("runs.id", ondelete="CASCADE"))
    seq: Named[int]
    kind: Named[str] = Column(Words)
    data: Named[Any] = Column(Json, nullable=False)
    at: Named[datetime] = Column(Utc)


class _Endpoints(TypedColumns):
    id: Named[int] = Column(RowNumber, primary_key=True)
    name: Named[str] = Column(Words)
    name_key: Named[str] = Column(Words, unique=True)
    description: Named[str] = Column(Words)
    tags: Named[Any] = Column(Json, nullable=False)
    primary_key: Named[str] = Column(Words)
    secondary_key: Named[str] = Column(Words)
    desired: Named[DesiredState] = Column(Choice(DesiredState))
    state: Named[EndpointState] = Column(Choice(EndpointState))
    message: Named[str] = Column(Words)
    address: Named[Any] = Column(Json, nullable=True)
    last_number: Named[int]
    created_at: Named[datetime] = Column(Utc)
    changed_at: Named[datetime] = Column(Utc)
    cluster: Named[str] = Column(Words)
    owner: Named[str | None] = Column(Words)
    signing_key: Named[str | None] = Column(Words)


class _Clusters(TypedColumns):
    name: Named[str] = Column(Words)
    name_key: Named[str] = Column(Words, primary_key=True)
    kind: Named[str] = Column(Words)
    cpu_cores: Named[float | None] = Column(Figure)
    memory_gb: Named[float | None] = Column(Figure)
    options: Named[Any] = Column(Json, nullable=False)
    description: Named[str] = Column(Words)
    created_at: Named[datetime] = Column(Utc)
    changed_at: Named[datetime] = Column(Utc)


class _Deployments(TypedColumns):
    endpoint_id: Named[int] = Column(RowNumber, ForeignKey("endpoints.id", ondelete="CASCADE"))
    number: Named[int]
    package: Named[str] = Column(Words)
    package_digest: Named[str] = Column(Words)
    settings: Named[Any] = Column(Json, nullable=False)
    state: Named[EndpointState] = Column(Choice(EndpointState))
    traffic: Named[int]
    message: Named[str] = Column(Words)
    draft_id: Named[str | None] = Column(Words)
    inference_run_id: Named[str | None] = Column(Words)
    training_run_id: Named[str | None] = Column(Words)
    created_at: Named[datetime] = Column(Utc)
    changed_at: Named[datetime] = Column(Utc)
    shadow: Named[int]
    tags: Named[Any] = Column(Json, nullable=False)


settings = Table("settings", metadata, _Settings)
secrets = Table("secrets", metadata, _Secrets)
people = Table("people", metadata, _People)
# A number is never used again, so that revoking twice cannot hit another token.
tokens = Table("tokens", metadata, _Tokens, sqlite_autoincrement=True)
assets = Table("assets", metadata, _Assets, UniqueConstraint("shelf", "name"))
asset_versions = Table(
    "asset_versions",
    metadata,
    _AssetVersions,
    UniqueConstraint("asset_id", "version"),
    Index(None, "run_id"),
)
asset_uses = Table(
    "asset_uses",
    metadata,
    _AssetUses,
    PrimaryKeyConstraint("asset_kind", "asset_name", "asset_version", "user_kind", "user_id"),
    Index(None, "user_kind", "user_id"),
)
drafts = Table(
    "drafts", metadata, _Drafts, Index(None, "changed_at"), Index(None, "parent_draft_id")
)
draft_revisions = Table(
    "draft_revisions", metadata, _DraftRevisions, PrimaryKeyConstraint("draft_id", "revision")
)
runs = Table(
    "runs",
    metadata,
    _Runs,
    Index(None, "created_at"),
    Index(None, "experiment", "created_at"),
    Index(None, "draft_id"),
    Index(None, "status"),
)
steps = Table("steps", metadata, _Steps, PrimaryKeyConstraint("run_id", "node"))
metrics = Table("metrics", metadata, _Metrics)
events = Table("events", metadata, _Events, PrimaryKeyConstraint("run_id", "seq"))
clusters = Table("clusters", metadata, _Clusters)
endpoints = Table("endpoints", metadata, _Endpoints)
deployments = Table(
    "deployments", metadata, _Deployments, PrimaryKeyConstraint("endpoint_id", "number")
)
