"""Who uses which dataset, model or transformation."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, String, case, cast, delete, func, insert, or_, select

from modelwright.workspace import tables
from modelwright.workspace.records.assets import AssetKind, AssetReference, Use
from modelwright.workspace.records.endpoints import EndpointState

_U = tables.asset_uses.c

DEPLOYMENT = "deployment"
"""Kind of user whose id is made by `deployment_user`."""


def deployment_user(endpoint_key: str, number: int) -> str:
    """How a deployment is named as a user.  endpoint_key: the endpoint's name in lower case."""
    return f"{endpoint_key}#{number}"


def set_uses(connection: Connection, kind: str, id: str, assets: Sequence[AssetReference]) -> None:
    """Say what a draft, run or deployment uses, in place of what it used before."""
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
    """Say that a draft, run or deployment uses nothing any more."""
    connection.execute(delete(tables.asset_uses).where(_U.user_kind == kind, _U.user_id == id))


def forget_uses_of_endpoint(connection: Connection, endpoint_key: str) -> None:
    """Say that no deployment of an endpoint uses anything any more."""
    connection.execute(
        delete(tables.asset_uses).where(
            _U.user_kind == DEPLOYMENT,
            _U.user_id.startswith(f"{endpoint_key}#", autoescape=True),
        )
    )


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
    made = tables.deployments.c
    # One that could serve again holds its own values; one that serves is what a deletion would surprise.
    serving = or_(made.traffic > 0, made.shadow > 0, made.state == EndpointState.HEALTHY)
    active = func.max(case((serving, 1), else_=0))
    found += [
        Use("endpoint", row.name, row.name, row.asset_version or None, bool(row.active))
        for row in connection.execute(
            select(endpoints.name, _U.asset_version, active.label("active"))
            .join_from(tables.endpoints, tables.deployments, made.endpoint_id == endpoints.id)
            .join(
                tables.asset_uses,
                _U.user_id == endpoints.name_key + "#" + cast(made.number, String),
            )
            .where(*of_asset, _U.user_kind == DEPLOYMENT)
            .group_by(endpoints.name, _U.asset_version)
        )
    ]
    return tuple(sorted(found, key=lambda use: (not use.active, use.kind, use.title, use.id)))
