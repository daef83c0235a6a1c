"""Endpoints of a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from modelwright.client.connection import Connection, segment
from modelwright.client.endpoint import Endpoint, Row
from modelwright.client.pipeline import Pipeline
from modelwright.client.wire_forms import graph_to_json


class Endpoints:
    """The endpoints of a server."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def list(self) -> tuple[Endpoint, ...]:
        """Every endpoint as it is now, by name."""
        return tuple(self._endpoint(e) for e in self._server.get("/api/endpoints")["items"])

    def get(self, name: str) -> Endpoint:
        """One endpoint as it is now.  Raises NotFound."""
        return self._endpoint(self._server.get(f"/api/endpoints/{segment(name)}"))

    def deploy(
        self,
        pipeline: Pipeline,
        name: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Endpoint:
        """Serve an inference pipeline under a name, new or known, and wait until it answers.

        Raises PipelineProblems, NotAnInferencePipeline, InvalidSetting and DeploymentFailed; then what
        served before serves on.
        """
        body = {"graph": graph_to_json(pipeline.graph)}
        return self._deploy(body, name, description, tags, settings)

    def deploy_draft(
        self,
        draft_id: str,
        name: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Endpoint:
        """Serve the inference pipeline of a draft, as `deploy` does; it must score as its run did."""
        return self._deploy({"draft_id": draft_id}, name, description, tags, settings)

    def score(self, name: str, inputs: Mapping[str, Sequence[Row]]) -> Mapping[str, Sequence[Row]]:
        """Send rows, by input, through the server, and give the rows of the reply, by output.

        Raises NotFound, EndpointUnreachable and RequestRefused.
        """
        rows = {key: [dict(row) for row in value] for key, value in inputs.items()}
        found = self._server.post(f"/api/endpoints/{segment(name)}/score", {"inputs": rows})
        results: Mapping[str, Sequence[Row]] = found["results"]
        return results

    def schema(self, name: str) -> dict[str, Any]:
        """What an endpoint asks for and answers, with sample rows, as JSON."""
        found: dict[str, Any] = self._server.get(f"/api/endpoints/{segment(name)}/schema")
        return found

    def keys(self, name: str) -> dict[str, str]:
        """The keys of an endpoint by "primary" and "secondary"; either opens it."""
        found: dict[str, str] = self._server.get(f"/api/endpoints/{segment(name)}/keys")
        return found

    def regenerate_key(self, name: str, which: Literal["primary", "secondary"]) -> dict[str, str]:
        """Replace one key; the former one opens nothing from now on."""
        address = f"/api/endpoints/{segment(name)}/keys/{which}/regenerate"
        found: dict[str, str] = self._server.post(address)
        return found

    def change(self, name: str, settings: Mapping[str, Any]) -> Endpoint:
        """Change some settings while it serves.  Raises InvalidSetting and UnknownSetting."""
        address = f"/api/endpoints/{segment(name)}"
        return self._endpoint(self._server.patch(address, {"settings": dict(settings)}))

    def activate(self, name: str, deployment: int) -> Endpoint:
        """Go back to a former deployment by its number: it gets all requests."""
        address = f"/api/endpoints/{segment(name)}/deployments/{deployment}/activate"
        return self._endpoint(self._server.post(address))

    def stop(self, name: str) -> Endpoint:
        """Have it answer no more, until `start`."""
        return self._endpoint(self._server.post(f"/api/endpoints/{segment(name)}/stop"))

    def start(self, name: str) -> Endpoint:
        """Have it answer again."""
        return self._endpoint(self._server.post(f"/api/endpoints/{segment(name)}/start"))

    def log(self, name: str, *, lines: int = 200) -> tuple[str, ...]:
        """The last lines that it has written."""
        address = f"/api/endpoints/{segment(name)}/log"
        return tuple(self._server.get(address, lines=lines)["lines"])

    def delete(self, name: str) -> None:
        """Stop it and forget it with its keys and deployments."""
        self._server.delete(f"/api/endpoints/{segment(name)}")

    def _deploy(
        self,
        source: Mapping[str, Any],
        name: str,
        description: str,
        tags: Mapping[str, str] | None,
        settings: Mapping[str, Any] | None,
    ) -> Endpoint:
        body = {
            **source,
            "name": name,
            "description": description,
            "tags": dict(tags or {}),
            "settings": dict(settings) if settings is not None else None,
        }
        return self._endpoint(self._server.post("/api/endpoints", body)["endpoint"])

    def _endpoint(self, found: dict[str, Any]) -> Endpoint:
        name = found["name"]
        return Endpoint(
            name,
            found["state"],
            found["scoring_url"],
            found["settings"],
            lambda inputs: self.score(name, inputs),
        )
