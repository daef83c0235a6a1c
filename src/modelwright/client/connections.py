"""Connections that Import Data and Export Data know by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelwright.client.connection import Connection, segment


class Connections:
    """The connections of a server; their secret values are never sent back."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def all(self) -> list[dict[str, Any]]:
        """Every connection as JSON, by name."""
        found: list[dict[str, Any]] = self._server.get("/api/connections")["items"]
        return found

    def put(
        self, name: str, url: str, *, values: Mapping[str, str] | None = None, description: str = ""
    ) -> dict[str, Any]:
        """Keep a connection, in place of one that has the name, and give it as JSON.

        values: secrets such as a password or keys, by what the kind of address calls them.
        """
        body = {"url": url, "values": dict(values or {}), "description": description}
        found: dict[str, Any] = self._server.put(f"/api/connections/{segment(name)}", body)
        return found

    def delete(self, name: str) -> None:
        """Forget a connection for good."""
        self._server.delete(f"/api/connections/{segment(name)}")
