"""What an endpoint is found to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How an endpoint does."""

    TRANSITIONING = "transitioning"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNSCHEDULABLE = "unschedulable"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """An endpoint as it is now.

    message: why it is not healthy.  pid: its controller's process.  replicas: those that answer.
    package: digest of what it serves.
    deployment and endpoint: its settings, of several deployments those of the leading one.
    deployments: each with number, share and shadow.  recent: requests and errors in a second and times
    to answer, of the last seconds.  steps: the nodes at work, and whether each is compiled.
    memory: by what the memory of a replica is bounded (cgroup, rlimit, container, none), and at how many gb.
    """

    name: str
    state: State
    message: str = ""
    host: str = ""
    port: int = 0
    pid: int | None = None
    replicas: tuple[int, ...] = ()
    package: str | None = None
    deployment: Mapping[str, Any] = field(default_factory=dict)
    endpoint: Mapping[str, Any] = field(default_factory=dict)
    answered: int = 0
    busy: int = 0
    queued: int = 0
    steps: tuple[Mapping[str, Any], ...] = ()
    deployments: tuple[Mapping[str, Any], ...] = ()
    recent: Mapping[str, Any] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        """Where it listens, such as http://127.0.0.1:43210; empty when that is not known."""
        if not self.port:
            return ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "https" if self.endpoint.get("tls_certificate") else "http"
        return f"{scheme}://{host}:{self.port}"

    @property
    def scoring_url(self) -> str:
        """Where requests are sent; empty when that is not known."""
        return f"{self.base_url}/api/v1/service/{self.name}/score" if self.port else ""

    @property
    def swagger_url(self) -> str:
        """Where its requests and replies are described; empty when that is not known."""
        return self._page("swagger.json")

    @property
    def openapi_url(self) -> str:
        """The same in the newer form."""
        return self._page("openapi.json")

    def _page(self, page: str) -> str:
        # Several endpoints may share an address, each below its own path.
        return f"{self.base_url}/api/v1/service/{self.name}/{page}" if self.port else ""

    def to_json(self) -> dict[str, Any]:
        """The status as JSON."""
        return {
            "name": self.name,
            "state": self.state.value,
            "message": self.message,
            "scoring_url": self.scoring_url,
            "swagger_url": self.swagger_url,
            "host": self.host,
            "port": self.port,
            "pid": self.pid,
            "replicas": list(self.replicas),
            "package": self.package,
            "deployment": dict(self.deployment),
            "endpoint": dict(self.endpoint),
            "answered": self.answered,
            "busy": self.busy,
            "queued": self.queued,
            "steps": [dict(s) for s in self.steps],
            "deployments": [dict(d) for d in self.deployments],
            "recent": dict(self.recent),
            "memory": dict(self.memory),
        }
