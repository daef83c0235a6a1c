"""Inference drafts of a server: compared with training, updated, put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from modelwright.client.connection import Connection, segment

Choices = Mapping[str, Literal["mine", "theirs"]]


class Inference:
    """The inference drafts of a server; `runs.convert` makes them."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def parity(self, draft_id: str) -> dict[str, Any] | None:
        """Whether a draft, as it is now, scores as its training run did, as JSON."""
        found: dict[str, Any] | None = self._server.get(self._path(draft_id, "parity"))["parity"]
        return found

    def training(self, draft_id: str) -> dict[str, Any]:
        """Where a draft came from, as JSON; `newer` is a later run with other results."""
        found: dict[str, Any] = self._server.get(self._path(draft_id, "training"))
        return found

    def preview_update(
        self, draft_id: str, *, run_id: str | None = None, choices: Choices | None = None
    ) -> dict[str, Any]:
        """What a later run would change, as JSON; the latest unless given.

        choices: whose change counts, by the key of a clash; that made by hand unless said.
        """
        body = {"run_id": run_id, "choices": dict(choices or {})}
        found: dict[str, Any] = self._server.post(self._path(draft_id, "update/preview"), body)
        return found

    def update(
        self,
        draft_id: str,
        *,
        revision: int,
        run_id: str | None = None,
        choices: Choices | None = None,
    ) -> int:
        """Update model and all transformations at once; give the new revision.  Raises Conflict."""
        body = {"revision": revision, "run_id": run_id, "choices": dict(choices or {})}
        found: int = self._server.post(self._path(draft_id, "update"), body)["revision"]
        return found

    def reset(self, draft_id: str, *, revision: int) -> int:
        """Put a draft back to what the conversion made; give the new revision.  Raises Conflict."""
        found: int = self._server.post(self._path(draft_id, "reset"), {"revision": revision})[
            "revision"
        ]
        return found

    def snippets(self, endpoint: str) -> dict[str, str]:
        """Programs that call an endpoint, by language; YOUR_KEY stands where a key belongs."""
        address = f"/api/endpoints/{segment(endpoint)}/snippets"
        found: dict[str, str] = self._server.get(address)["snippets"]
        return found

    def freshness(self, endpoint: str) -> dict[str, Any]:
        """Whether an endpoint serves what its training pipeline has learnt last, as JSON."""
        found: dict[str, Any] = self._server.get(f"/api/endpoints/{segment(endpoint)}/training")
        return found

    def _path(self, draft_id: str, what: str) -> str:
        return f"/api/drafts/{segment(draft_id)}/{what}"
