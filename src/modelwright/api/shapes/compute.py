"""Compute clusters for runs as bodies."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from modelwright.actions.compute import TargetState
from modelwright.actions.compute_settings import ComputeSettings
from modelwright.api.shapes.shape import Asked, Shape

Workers = Annotated[int, Field(ge=0, le=10_000)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
LongestStep = Annotated[float, Field(gt=0, le=30 * 86_400)]
Bytes = Annotated[int, Field(ge=1, le=2**60)]
Retries = Annotated[int, Field(ge=0, le=10)]
Address = Annotated[str, Field(max_length=300)]
Words = Annotated[str, Field(max_length=10_000)]


class ComputeAsked(Asked):
    """A compute cluster to be defined."""

    name: Annotated[str, Field(max_length=200)]
    kind: Literal["local", "ray"] = "local"
    min_workers: Workers = 0
    """How many are kept even when nothing is to be done."""
    max_workers: Workers | None = None
    """How many there may be at a time; as many as there are cores unless given."""
    idle_s: Seconds = 120.0
    """Seconds after which a worker that has nothing to do is ended."""
    worker_memory: Bytes | None = None
    """Bytes that a worker may take; no bound unless given."""
    address: Address = ""
    """Of a Ray cluster, as HOST:PORT; one is started and stopped as needed unless given."""
    retries: Retries = 0
    """How often a step is begun again after its worker crashed."""
    longest_step_s: LongestStep | None = None
    """Seconds after which a step is given up; never unless given."""
    description: Words = ""

    def settings(self) -> ComputeSettings:
        """The cluster, not checked yet."""
        return ComputeSettings(**self.model_dump())


class ComputeChange(Asked):
    """What is to change; what is not sent stays as it is."""

    min_workers: Workers = 0
    max_workers: Workers | None = None
    idle_s: Seconds = 120.0
    worker_memory: Bytes | None = None
    address: Address = ""
    retries: Retries = 0
    longest_step_s: LongestStep | None = None
    description: Words = ""


class ComputeStep(Shape):
    """A step of a run on a compute cluster."""

    run: str
    node: str
    reason: str
    """Why it waits, or why it runs."""


class Target(Shape):
    """A compute cluster: a place where steps run."""

    name: str
    kind: str
    """local: processes of this machine; ray: a Ray cluster."""
    description: str
    min_workers: int
    max_workers: int | None
    """As it was defined; null for as many as there are cores."""
    idle_s: float
    worker_memory: int | None
    address: str
    retries: int
    longest_step_s: float | None
    state: Literal["off", "idle", "busy"]
    most: int | None
    """Workers it may have; null while that is not known."""
    workers: list[str]
    """Those that are there now."""
    cores: int | None
    memory: int | None
    """Bytes, of this machine or of all nodes; null while that is not known."""
    memory_free: int | None
    nodes: list[dict[str, Any]]
    """Of a Ray cluster that is connected: name, cpus, gpus, memory, object_store."""
    running: list[ComputeStep]
    waiting: list[ComputeStep]

    @classmethod
    def of(cls, state: TargetState) -> Target:
        """The body of a compute cluster as it is now."""
        return cls.model_construct(
            **state.settings.to_json(),
            state=state.state,
            most=state.most,
            workers=list(state.workers),
            cores=state.cores,
            memory=state.memory,
            memory_free=state.memory_free,
            nodes=[dict(node) for node in state.nodes],
            running=[ComputeStep.of(step) for step in state.running],
            waiting=[ComputeStep.of(step) for step in state.waiting],
        )


class Compute(Shape):
    """Where runs can be worked on, and what is worked on there."""

    targets: list[Target]
    """The one called local, this machine, first."""
    runs: list[str]
    """Ids of the runs that this server works on."""
