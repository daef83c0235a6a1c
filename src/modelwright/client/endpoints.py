"""Endpoints of a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from modelwright.client.connection import Connection, segment
from modelwright.client.endpoint import Endpoint, Row
from modelwright.client.pipeline import Pipeline
from modelwright.client.wire_forms import graph_to_json


class Endpoints:
    """The endpoints of a server."""

    def __init__(self, connection: Connection) -> None:
        self._server = connection

    def list(self, *, tags: Mapping[str, str] | None = None) -> tuple[Endpoint, ...]:
        """Every endpoint as it is now, by name.

        tags: only those that have all of them, themselves or one of their deployments.
        """
        given = [f"{name}={value}" for name, value in (tags or {}).items()]
        found = self._server.get("/api/endpoints", tag=given)
        return tuple(self._endpoint(e) for e in found["items"])

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
        deployment_tags: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        cluster: str | None = None,
        share: int | None = None,
        shadow: int | None = None,
    ) -> Endpoint:
        """Serve an inference pipeline under a name, new or known, and wait until it answers.

        cluster: for a new name; the default one for None.  share: percent of the requests that it
        gets beside the deployments that are there; in their place for None.  shadow: percent of the
        requests of which it gets copies instead, its answers being thrown away.  tags: of a new
        endpoint; deployment_tags: of this deployment alone.
        Raises PipelineProblems, NotAnInferencePipeline, InvalidSetting, Unschedulable and
        DeploymentFailed; then what served before serves on.
        """
        body = {"graph": graph_to_json(pipeline.graph)}
        where: dict[str, Any] = {"cluster": cluster, "share": share, "shadow": shadow}
        where["deployment_tags"] = dict(deployment_tags or {})
        return self._deploy({**body, **where}, name, description, tags, settings)

    def deploy_draft(
        self,
        draft_id: str,
        name: str,
        *,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        deployment_tags: Mapping[str, str] | None = None,
        settings: Mapping[str, Any] | None = None,
        cluster: str | None = None,
        share: int | None = None,
        shadow: int | None = None,
    ) -> Endpoint:
        """Serve the inference pipeline of a draft, as `deploy` does; it must score as its run did."""
        where: dict[str, Any] = {"cluster": cluster, "share": share, "shadow": shadow}
        where["deployment_tags"] = dict(deployment_tags or {})
        body = {"draft_id": draft_id, **where}
        return self._deploy(body, name, description, tags, settings)

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

    def token(self, name: str, *, seconds: int = 3600) -> dict[str, str]:
        """A token that opens an endpoint as a key does, with expires_at and refresh_at, as JSON."""
        address = f"/api/endpoints/{segment(name)}/tokens"
        found: dict[str, str] = self._server.post(address, {"seconds": seconds})
        return found

    def revoke_tokens(self, name: str) -> None:
        """Have every token given out so far open nothing any more."""
        self._server.delete(f"/api/endpoints/{segment(name)}/tokens")

    def change(
        self,
        name: str,
        settings: Mapping[str, Any] | None = None,
        *,
        access: Mapping[str, Any] | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Endpoint:
        """Change some settings while it serves, who may call it, or what people say of it.

        tags: all of them from now on.  Raises InvalidSetting and UnknownSetting.
        """
        given = {"settings": settings, "access": access, "tags": tags, "description": description}
        body = {key: value for key, value in given.items() if value is not None}
        return self._endpoint(self._server.patch(f"/api/endpoints/{segment(name)}", body))

    def plan(
        self,
        name: str | None = None,
        *,
        cluster: str | None = None,
        settings: Mapping[str, Any] | None = None,
        beside: bool = False,
    ) -> dict[str, Any]:
        """What a deployment would take of its cluster, and whether there is room, as JSON.

        name: of the endpoint, new or known.  beside: the deployments that it has stay.
        """
        body = {
            "name": name,
            "cluster": cluster,
            "settings": dict(settings) if settings is not None else None,
            "beside": beside,
        }
        found: dict[str, Any] = self._server.post("/api/endpoints/plan", body)
        return found

    def set_traffic(self, name: str, shares: Mapping[int, int]) -> Endpoint:
        """Share the requests: percent by deployment number, present or former; not one is lost.

        One with 0 stays ready to take over; one that is not named ends.  Raises InvalidTraffic.
        """
        body = {"shares": {str(number): share for number, share in shares.items()}}
        return self._endpoint(self._server.put(f"/api/endpoints/{segment(name)}/traffic", body))

    def set_shadow(self, name: str, deployment: int, percent: int) -> Endpoint:
        """Have a deployment get copies of this share of the requests; 0 ends it."""
        address = f"/api/endpoints/{segment(name)}/deployments/{deployment}/shadow"
        return self._endpoint(self._server.put(address, {"percent": percent}))

    def activate(self, name: str, deployment: int) -> Endpoint:
        """Give a deployment, a canary or a former one, all requests."""
        address = f"/api/endpoints/{segment(name)}/deployments/{deployment}/activate"
        return self._endpoint(self._server.post(address))

    def rollback(self, name: str) -> Endpoint:
        """Give all requests to the deployment before the present one.  Raises NotFound."""
        return self._endpoint(self._server.post(f"/api/endpoints/{segment(name)}/rollback"))

    def change_deployment(
        self,
        name: str,
        deployment: int,
        settings: Mapping[str, Any] | None = None,
        *,
        tags: Mapping[str, str] | None = None,
    ) -> Endpoint:
        """Change some settings of one deployment while it serves, or what people say of it.

        tags: all of them from now on.
        """
        address = f"/api/endpoints/{segment(name)}/deployments/{deployment}"
        given = {"settings": settings, "tags": tags}
        body = {key: dict(value) for key, value in given.items() if value is not None}
        return self._endpoint(self._server.patch(address, body))

    def delete_deployment(self, name: str, deployment: int) -> Endpoint:
        """Forget a deployment that gets no requests, with its package.  Raises WrongState."""
        address = f"/api/endpoints/{segment(name)}/deployments/{deployment}"
        return self._endpoint(self._server.delete(address))

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

    def follow_log(self, name: str, *, lines: int = 200) -> Iterator[str]:
        """The last lines that it has written, then each as it is written, without end."""
        address = f"/api/endpoints/{segment(name)}/log/stream?lines={lines}"
        for _, message in self._server.events(address):
            if message["kind"] == "log":
                yield from message["text"].splitlines()

    def measurements(self, name: str, *, since: float = 0.0) -> tuple[dict[str, Any], ...]:
        """What it did in each second after a moment, of the last fifteen minutes, as JSON."""
        address = f"/api/endpoints/{segment(name)}/metrics"
        return tuple(self._server.get(address, since=since)["items"])

    def collected(self, name: str) -> tuple[dict[str, Any], ...]:
        """The files of requests and replies that its deployments have kept, as JSON."""
        return tuple(self._server.get(f"/api/endpoints/{segment(name)}/collected")["items"])

    def download_collected(self, name: str, deployment: int, file: str) -> bytes:
        """The content of one such file: JSON lines or Parquet."""
        place = f"{segment(name)}/collected/{deployment}/{segment(file)}"
        return self._server.content(f"/api/endpoints/{place}")

    def export(self, name: str, path: Path, *, format: Literal["zip", "onnx"] = "zip") -> Path:
        """Write what it serves to a file: a package that runs alone, or one ONNX model.

        Raises NotFound, NotInOnnx, OnnxDiffers and MissingLibrary.
        """
        content = self._server.content(f"/api/endpoints/{segment(name)}/export", format=format)
        path.write_bytes(content)
        return path

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
            found["cluster"],
            found["deployments"],
            lambda inputs: self.score(name, inputs),
            found["tags"],
            found["access"],
        )
