"""What takes space on a server, and its clean-up."""

from __future__ import annotations

from typing import Any

from modelwright.client.connection import Connection


class Cleaning:
    """The clean-up of a server."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def space(self) -> dict[str, Any]:
        """What takes how many bytes, the largest first, as JSON."""
        found: dict[str, Any] = self._server.get("/api/clean-up/space")
        return found

    def plan(
        self, *, older_than_days: float | None = None, most_gb: float | None = None
    ) -> dict[str, Any]:
        """What a clean-up would take away, and which old runs stay and why, as JSON."""
        body = {"older_than_days": older_than_days, "most_gb": most_gb}
        found: dict[str, Any] = self._server.post("/api/clean-up/plan", body)
        return found

    def clean_up(
        self, *, older_than_days: float | None = None, most_gb: float | None = None
    ) -> dict[str, Any]:
        """Take away old runs, deleted drafts, and what nothing names any more; give what went."""
        body = {"older_than_days": older_than_days, "most_gb": most_gb}
        found: dict[str, Any] = self._server.post("/api/clean-up", body)
        return found
