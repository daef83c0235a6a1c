"""Who uses which dataset, model or transformation."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from modelwright.workspace import tables
from modelwright.workspace.records.assets import AssetKind, AssetReference, Use

_U = tables.asset_uses.c


def set_uses(connection: Connection, kind: str, id: str, assets: Sequence[AssetReference]) -> None:
    """Say what a draft, run or endpoint uses, in place of what it used before."""
    forget_uses(connection, kind, id)
    rows = [
        {
            "asset_kind": asset.kind,
            "asset_name": asset.name,
            "asset_version": asset.version or 0,
            "user_kind": kind,
            "user_id": id,
        }
        for asset in dict.fromkeys(assets)
    ]
    if rows:
        connection.execute(insert(tables.asset_uses), rows)


def forget_uses(connection: Connection, kind: str, id: str) -> None:
    """Say that a draft, run or endpoint uses nothing any more."""
    connection.execute(delete(tables.asset_uses).where(_U.user_kind == kind, _U.user_id == id))


def uses_of(connection: Connection, kinds: Sequence[AssetKind], name: str) -> tuple[Use, ...]:
    """Who uses an asset, those that need it now first, then by kind and title."""
    of_asset = (_U.asset_kind.in_(kinds), _U.asset_name == name)
    drafts, runs, endpoints = tables.drafts.c, tables.runs.c, tables.endpoints.c
    found = [
        Use("draft", row.id, row.name, row.asset_version or None, row.deleted_at is None)
        for row in connection.execute(
            select(drafts.id, drafts.name, drafts.deleted_at, _U.asset_version).where(
                *of_asset, _U.user_kind == "draft", _U.user_id == drafts.id
            )
        )
    ]
    found += [
        Use("run", row.id, row.name, row.asset_version or None, not row.status.finished)
        for row in connection.execute(
            select(runs.id, runs.name, runs.status, _U.asset_version).where(
                *of_asset, _U.user_kind == "run", _U.user_id == runs.id
            )
        )
    ]
    found += [
        Use("endpoint", row.name, row.name, row.asset_version or None, active=True)
        for row in connection.execute(
            select(endpoints.name, _U.asset_version).where(
                *of_asset, _U.user_kind == "endpoint", _U.user_id == endpoints.name_key
            )
        )
    ]
    return tuple(sorted(found, key=lambda use: (not use.active, use.kind, use.title, use.id)))
