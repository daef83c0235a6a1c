"""Deployments: what an endpoint serves, each with its share of the requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from modelwright.workspace import tables
from modelwright.workspace.clock import Clock
from modelwright.workspace.database import Database
from modelwright.workspace.errors import InvalidTraffic, NotFound, WrongState
from modelwright.workspace.records.assets import AssetReference
from modelwright.workspace.records.endpoints import Deployment, DeploymentLineage, EndpointState
from modelwright.workspace.rows import AnyRow, endpoint_row
from modelwright.workspace.uses import DEPLOYMENT, deployment_user, forget_uses, set_uses

_D = tables.deployments.c
_PLAIN = (
    "number",
    "package",
    "package_digest",
    "settings",
    "tags",
    "state",
    "traffic",
    "shadow",
    "message",
    "created_at",
    "changed_at",
)


class Deployments:
    """The deployments of every endpoint; former ones are kept, so that one can go back to them."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    def add(
        self,
        endpoint: str,
        *,
        package: str,
        package_digest: str,
        settings: Mapping[str, Any],
        lineage: DeploymentLineage | None = None,
        assets: Sequence[AssetReference] = (),
        tags: Mapping[str, str] | None = None,
    ) -> Deployment:
        """Add a deployment that gets no requests yet.  assets: what it uses.  Raises NotFound."""
        now = self._now()
        lineage = lineage or DeploymentLineage()
        with self._database.write() as connection:
            row = endpoint_row(connection, endpoint, lock=True)
            number = row.last_number + 1
            connection.execute(
                update(tables.endpoints)
                .where(tables.endpoints.c.id == row.id)
                .values(last_number=number, changed_at=now)
            )
            connection.execute(
                insert(tables.deployments),
                {
                    "endpoint_id": row.id,
                    "number": number,
                    "package": package,
                    "package_digest": package_digest,
                    "settings": dict(settings),
                    "tags": dict(tags or {}),
                    "state": EndpointState.TRANSITIONING,
                    "traffic": 0,
                    "shadow": 0,
                    "message": "",
                    "draft_id": lineage.draft_id,
                    "inference_run_id": lineage.inference_run_id,
                    "training_run_id": lineage.training_run_id,
                    "created_at": now,
                    "changed_at": now,
                },
            )
            set_uses(connection, DEPLOYMENT, deployment_user(row.name_key, number), assets)
            return _deployment(_get(connection, row, number), row.name)

    def get(self, endpoint: str, number: int) -> Deployment:
        """One deployment.  Raises NotFound."""
        with self._database.read() as connection:
            row = endpoint_row(connection, endpoint)
            return _deployment(_get(connection, row, number), row.name)

    def list(self, endpoint: str) -> tuple[Deployment, ...]:
        """The deployments of an endpoint, the newest first.  Raises NotFound."""
        with self._database.read() as connection:
            row = endpoint_row(connection, endpoint)
            found = connection.execute(
                select(tables.deployments)
                .where(_D.endpoint_id == row.id)
                .order_by(_D.number.desc())
            ).all()
        return tuple(_deployment(one, row.name) for one in found)

    def set_traffic(self, endpoint: str, shares: Mapping[int, int]) -> tuple[Deployment, ...]:
        """Share the requests: percent by deployment number; those not named get none.

        To roll back is to give a former deployment 100.  Raises InvalidTraffic and NotFound.
        """
        now = self._now()
        with self._database.write() as connection:
            row = endpoint_row(connection, endpoint, lock=True)
            if any(share < 0 for share in shares.values()) or sum(shares.values()) != 100:
                raise InvalidTraffic(row.name, dict(shares))
            found = {one.number: one for one in _all(connection, row)}
            for number in shares:
                if number not in found:
                    raise _missing(row, number, list(found))
            for number, one in found.items():
                share = shares.get(number, 0)
                if one.traffic != share:
                    _update(connection, row, number, {"traffic": share, "changed_at": now})
            return self.list(endpoint)

    def report(
        self, endpoint: str, number: int, state: EndpointState, *, message: str = ""
    ) -> Deployment:
        """Say what the controller sees of a deployment."""
        return self._change(endpoint, number, {"state": state, "message": message})

    def set_settings(self, endpoint: str, number: int, settings: Mapping[str, Any]) -> Deployment:
        """Replace the settings of a deployment; the controller takes them up."""
        return self._change(endpoint, number, {"settings": dict(settings)})

    def set_tags(self, endpoint: str, number: int, tags: Mapping[str, str]) -> Deployment:
        """Replace what people say of a deployment."""
        return self._change(endpoint, number, {"tags": dict(tags)})

    def set_shadow(self, endpoint: str, number: int, percent: int) -> Deployment:
        """Say of which share of the requests it gets copies; 0 for none."""
        return self._change(endpoint, number, {"shadow": percent})

    def delete(self, endpoint: str, number: int) -> None:
        """Forget a deployment for good.  Raises WrongState while it gets requests."""
        with self._database.write() as connection:
            row = endpoint_row(connection, endpoint, lock=True)
            found = _get(connection, row, number)
            if found.traffic:
                raise WrongState(
                    "deployment",
                    f"{row.name} #{number}",
                    f"getting {found.traffic} % of the requests",
                    "be deleted",
                    remedy="Give its share to another deployment first.",
                )
            forget_uses(connection, DEPLOYMENT, deployment_user(row.name_key, number))
            connection.execute(
                delete(tables.deployments).where(_D.endpoint_id == row.id, _D.number == number)
            )

    def _change(self, endpoint: str, number: int, values: Mapping[str, Any]) -> Deployment:
        with self._database.write() as connection:
            row = endpoint_row(connection, endpoint, lock=True)
            found = _get(connection, row, number)
            if any(found._mapping[key] != value for key, value in values.items()):
                _update(connection, row, number, {**values, "changed_at": self._now()})
            return _deployment(_get(connection, row, number), row.name)


def _all(connection: Connection, endpoint: AnyRow) -> list[AnyRow]:
    query = select(tables.deployments).where(_D.endpoint_id == endpoint.id)
    return list(connection.execute(query).all())


def _get(connection: Connection, endpoint: AnyRow, number: int) -> AnyRow:
    found = _all(connection, endpoint)
    for one in found:
        if one.number == number:
            return one
    raise _missing(endpoint, number, [one.number for one in found])


def _missing(endpoint: AnyRow, number: int, known: list[int]) -> NotFound:
    there = ", ".join(str(n) for n in sorted(known)) or "none"
    return NotFound(
        "deployment", f"{endpoint.name} #{number}", remedy=f"Its deployments are: {there}."
    )


def _update(
    connection: Connection, endpoint: AnyRow, number: int, values: Mapping[str, Any]
) -> None:
    connection.execute(
        update(tables.deployments)
        .where(_D.endpoint_id == endpoint.id, _D.number == number)
        .values(**values)
    )


def _deployment(row: AnyRow, endpoint: str) -> Deployment:
    return Deployment(
        endpoint=endpoint,
        lineage=DeploymentLineage(row.draft_id, row.inference_run_id, row.training_run_id),
        **{name: row._mapping[name] for name in _PLAIN},
    )
