"""Inference clusters, and deployments of an endpoint, as bodies."""
# ruff: noqa: RUF012  # pydantic copies the defaults of fields

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from modelwright.actions.clusters import ClusterReport
from modelwright.actions.deployments import DeploymentPlan
from modelwright.api.shapes.shape import Asked, Count, Moment, Shape
from modelwright.serve.target import KINDS

Percent = Annotated[int, Field(ge=0, le=100)]
Cores = Annotated[float, Field(gt=0, le=100_000)]
Gigabytes = Annotated[float, Field(gt=0, le=10_000_000)]


class Resources(Shape):
    """Processor cores and gigabytes of memory."""

    cpu_cores: float
    memory_gb: float


class Cluster(Shape):
    """An inference cluster as it is found now."""

    name: str
    kind: str
    """See /api/clusters/kinds."""
    description: str
    state: str
    """ready, or unreachable."""
    message: str
    """Why it is not ready."""
    cpu_cores: float | None
    """How many may be reserved, as it was set; null for all there are."""
    memory_gb: float | None
    options: dict[str, Any]
    capacity: Resources
    reserved: Resources
    free: Resources
    endpoints: list[str]
    """What is deployed there."""
    created_at: Moment
    changed_at: Moment

    @classmethod
    def of(cls, report: ClusterReport) -> Cluster:
        """The body of a cluster."""
        record = report.record
        return cls.model_construct(
            name=record.name,
            kind=record.kind,
            description=record.description,
            state=report.state,
            message=report.message,
            cpu_cores=record.cpu_cores,
            memory_gb=record.memory_gb,
            options=dict(record.options),
            capacity=Resources(**report.capacity.to_json()),
            reserved=Resources(**report.taken.to_json()),
            free=Resources(**report.free.to_json()),
            endpoints=list(report.endpoints),
            created_at=record.created_at,
            changed_at=record.changed_at,
        )


class ClusterKind(Shape):
    """A kind of inference cluster."""

    name: str
    title: str
    options: dict[str, str]
    """What can be said of such a cluster, each in one line."""

    @classmethod
    def all(cls) -> list[ClusterKind]:
        """Every kind there is."""
        return [cls(name=n, title=k.title, options=dict(k.options)) for n, k in KINDS.items()]


class ClusterAsked(Asked):
    """An inference cluster to be made."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """2 to 24 letters, digits and "-", a letter first."""
    kind: str = "local"
    cpu_cores: Cores | None = None
    """How many may be reserved; all there are for null."""
    memory_gb: Gigabytes | None = None
    options: dict[str, Any] = {}
    description: Annotated[str, Field(max_length=10_000)] = ""


class ClusterSize(Asked):
    """How much of a cluster may be reserved; null for all there is."""

    cpu_cores: Cores | None
    memory_gb: Gigabytes | None


class DeploymentThoughtOf(Asked):
    """A deployment that is thought of."""

    name: str | None = None
    """Of the endpoint, new or known."""
    cluster: str | None = None
    """Of a new endpoint."""
    settings: dict[str, Any] | None = None
    beside: bool = False
    """The deployments that a known endpoint has stay."""


class Shortage(Shape):
    """A resource of which more is needed than is free: cpu_cores or memory_gb."""

    resource: str
    needed: float
    free: float


class PlannedDeployment(Shape):
    """What a deployment would take of its cluster, before it is taken."""

    cluster: str
    kind: str
    settings: dict[str, Any]
    """All of them, as they would be."""
    each: Resources
    """What one replica reserves."""
    replicas_min: int
    replicas_max: int
    fit: int
    """How many replicas have room."""
    fits: bool
    free: Resources
    """Without what the endpoint has already."""
    short: list[Shortage]
    """What the fewest replicas lack; nothing where it fits."""
    message: str
    """What will happen, in a sentence."""

    @classmethod
    def of(cls, plan: DeploymentPlan) -> PlannedDeployment:
        """The body of a plan."""
        return cls.model_validate(plan.to_json())


class Traffic(Asked):
    """How the requests of an endpoint are shared."""

    shares: dict[Count, Percent]
    """Percent by deployment number, 100 together; one with 0 stays ready, one left out ends."""


class ShadowAsked(Asked):
    """Of how many requests a deployment gets copies."""

    percent: Percent
    """0 ends it."""


class DeploymentChange(Asked):
    """What to change of a deployment while it serves; null leaves as it is."""

    settings: dict[str, Any] | None = None
    tags: dict[str, str] | None = None
    """What people say of it: all of them from now on."""
