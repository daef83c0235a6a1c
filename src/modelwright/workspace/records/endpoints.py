"""Deployed pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class DesiredState(StrEnum):
    """What an endpoint is wanted to be."""

    RUNNING = "running"
    STOPPED = "stopped"


class EndpointState(StrEnum):
    """What an endpoint or a deployment is; `stopped` when nothing is wanted of it."""

    TRANSITIONING = "transitioning"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNSCHEDULABLE = "unschedulable"
    FAILED = "failed"
    STOPPED = "stopped"


class KeyName(StrEnum):
    """Which of an endpoint's two keys."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True, slots=True)
class EndpointKeys:
    """The two keys of an endpoint; either opens it."""

    primary: str = field(repr=False)
    secondary: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A name that answers requests.

    desired: what people want.  state, message, address: what its controller last saw;
    address holds host, port, process id and the like, as JSON.  cluster: where it runs.
    owner: the person who made it; None where nobody was logged in.
    """

    name: str
    description: str
    tags: Mapping[str, str]
    desired: DesiredState
    state: EndpointState
    message: str
    address: Mapping[str, Any] | None
    cluster: str
    owner: str | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class DeploymentLineage:
    """Where a deployment came from."""

    draft_id: str | None = None
    inference_run_id: str | None = None
    training_run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A packaged pipeline under an endpoint, with its settings and its share of the requests.

    number: from 1, never used again.  package: path of the package, relative to the home.
    package_digest: names its content.  traffic: percent, 0 to 100.  shadow: percent of the requests
    to the others of which it gets a copy, its answers being thrown away.  tags: what people say of it.
    """

    endpoint: str
    number: int
    package: str
    package_digest: str
    settings: Mapping[str, Any]
    tags: Mapping[str, str]
    state: EndpointState
    traffic: int
    shadow: int
    message: str
    lineage: DeploymentLineage
    created_at: datetime
    changed_at: datetime
