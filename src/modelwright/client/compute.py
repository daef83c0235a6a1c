"""Compute clusters of a server: where runs can be worked on."""

from __future__ import annotations

from typing import Any, Literal

from modelwright.client.connection import Connection, segment


class Compute:
    """The compute clusters of a server; each is given as JSON, as GET /api/compute/NAME has it."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def list(self) -> tuple[dict[str, Any], ...]:
        """Every compute cluster as it is now; the one called local first."""
        return tuple(self._server.get("/api/compute")["targets"])

    def get(self, name: str) -> dict[str, Any]:
        """One compute cluster, with what runs there and what waits and why.  Raises UnknownTarget."""
        found: dict[str, Any] = self._server.get(f"/api/compute/{segment(name)}")
        return found

    def create(
        self, name: str, *, kind: Literal["local", "ray"] = "local", **settings: Any
    ) -> dict[str, Any]:
        """Define a compute cluster.

        settings: min_workers, max_workers, idle_s, worker_memory, address, retries, longest_step_s,
        description.
        Raises InvalidCompute and NameTaken.
        """
        body = {"name": name, "kind": kind, **settings}
        made: dict[str, Any] = self._server.post("/api/compute", body)
        return made

    def change(self, name: str, **settings: Any) -> dict[str, Any]:
        """Change a compute cluster.  Raises UnknownTarget, InvalidCompute and ComputeBusy."""
        found: dict[str, Any] = self._server.patch(f"/api/compute/{segment(name)}", settings)
        return found

    def delete(self, name: str) -> None:
        """Forget a compute cluster.  Raises UnknownTarget, InvalidCompute and ComputeBusy."""
        self._server.delete(f"/api/compute/{segment(name)}")
