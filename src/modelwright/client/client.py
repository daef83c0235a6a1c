"""A client of a Modelwright server."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from modelwright.client.cleaning import Cleaning
from modelwright.client.clusters import Clusters
from modelwright.client.compute import Compute
from modelwright.client.connection import Connection
from modelwright.client.connections import Connections
from modelwright.client.datasets import Datasets
from modelwright.client.drafts import Drafts
from modelwright.client.endpoints import Endpoints
from modelwright.client.inference import Inference
from modelwright.client.models import Models
from modelwright.client.runs import Runs


class Client:
    """What can be done with a server, sorted by what it is done to.

        with Client("http://127.0.0.1:8765", token) as server:
            outcome = server.runs.run(pipeline)

    Errors are raised as they are without a server, and ServerUnreachable.
    token: an API token, made under Settings in the studio or by POST /api/tokens.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = 300.0) -> None:
        self.connection = Connection(url, token, timeout_s=timeout_s)
        self.drafts = Drafts(self.connection)
        self.runs = Runs(self.connection)
        self.connections = Connections(self.connection)
        self.datasets = Datasets(self.connection)
        self.models = Models(self.connection)
        self.clusters = Clusters(self.connection)
        self.compute = Compute(self.connection)
        self.inference = Inference(self.connection)
        self.endpoints = Endpoints(self.connection)
        self.cleaning = Cleaning(self.connection)

    def session(self) -> dict[str, Any]:
        """Whom the token belongs to, and the server's version, as JSON."""
        found: dict[str, Any] = self.connection.get("/api/session")
        return found

    def components(self) -> list[dict[str, Any]]:
        """The components that the server has, as JSON."""
        found: list[dict[str, Any]] = self.connection.get("/api/library")["items"]
        return found

    def close(self) -> None:
        """End the connection."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
