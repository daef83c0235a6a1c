"""Inference clusters of a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelwright.client.connection import Connection, segment


class Clusters:
    """The inference clusters of a server, as JSON."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def list(self) -> tuple[dict[str, Any], ...]:
        """Every cluster as it is now, by name; the one called "default" is always there."""
        return tuple(self._server.get("/api/clusters")["items"])

    def get(self, name: str) -> dict[str, Any]:
        """One cluster as it is now.  Raises NotFound."""
        found: dict[str, Any] = self._server.get(f"/api/clusters/{segment(name)}")
        return found

    def create(
        self,
        name: str,
        *,
        kind: str = "local",
        cpu_cores: float | None = None,
        memory_gb: float | None = None,
        options: Mapping[str, Any] | None = None,
        description: str = "",
    ) -> dict[str, Any]:
        """Add a cluster of which so much may be reserved; None for all there is.

        Raises InvalidName, NameTaken, UnknownClusterKind and InvalidSetting.
        """
        body = {
            "name": name,
            "kind": kind,
            "cpu_cores": cpu_cores,
            "memory_gb": memory_gb,
            "options": dict(options or {}),
            "description": description,
        }
        found: dict[str, Any] = self._server.post("/api/clusters", body)
        return found

    def resize(
        self, name: str, *, cpu_cores: float | None, memory_gb: float | None
    ) -> dict[str, Any]:
        """Change how much may be reserved.  Raises WrongState when more is reserved than would be left."""
        body = {"cpu_cores": cpu_cores, "memory_gb": memory_gb}
        found: dict[str, Any] = self._server.patch(f"/api/clusters/{segment(name)}", body)
        return found

    def detach(self, name: str) -> None:
        """Forget a cluster and leave alone what it is made of.  Raises InUse and WrongState."""
        self._server.post(f"/api/clusters/{segment(name)}/detach")

    def delete(self, name: str) -> None:
        """Forget a cluster and delete what was kept for it.  Raises InUse and WrongState."""
        self._server.delete(f"/api/clusters/{segment(name)}")
