"""Pipelines that were run, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from modelwright.data.artifact import Digest

RunId = NewType("RunId", str)


class RunStatus(StrEnum):
    """How far a run has come."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Nothing more will happen to it."""
        return self in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED)


class StepStatus(StrEnum):
    """How far a step has come."""

    QUEUED = "queued"
    RUNNING = "running"
    REUSED = "reused"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Nothing more will happen to it."""
        return self not in (StepStatus.QUEUED, StepStatus.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A pipeline handed in to be run.

    graph: the pipeline as it was then, as YAML text.  runner: the process that works on it, as
    JSON, so that a run whose process is gone can be told.  cancel_asked_at: when someone asked for
    its end; the runner looks.
    """

    id: RunId
    experiment: str
    name: str
    draft_id: str | None
    draft_revision: int | None
    graph: str
    parameters: Mapping[str, Any]
    target: str
    status: RunStatus
    person: str | None
    tags: Mapping[str, str]
    error: Mapping[str, Any] | None
    runner: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Experiment:
    """A named group of runs."""

    name: str
    runs: int
    last_run_at: datetime


@dataclass(frozen=True, slots=True)
class Output:
    """What a step left on a port; rows and columns when it is a table."""

    digest: Digest
    rows: int | None = None
    columns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A step as the plan has it.

    reason: why it will run or is reused.
    """

    node: str
    component: str
    key: str | None = None
    status: StepStatus = StepStatus.QUEUED
    reason: str = ""
    outputs: Mapping[str, Output] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChange:
    """What became of a step; None leaves a value as it is.

    A step that begins or ends without a time gets the present one.
    """

    node: str
    status: StepStatus | None = None
    key: str | None = None
    reason: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_s: float | None = None
    outputs: Mapping[str, Output] | None = None
    error: Mapping[str, Any] | None = None
    log: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One node's part of a run, in the order of the plan.

    duration_s: seconds of work; from start to finish when the runner gave none.
    error: code, message and fields, as JSON.  log: the path of its log, relative to the home.
    """

    node: str
    component: str
    key: str | None
    status: StepStatus
    reason: str
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None
    outputs: Mapping[str, Output]
    error: Mapping[str, Any] | None
    log: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure that a node measured; value None when it is undefined (not a number)."""

    node: str
    name: str
    value: float | None
    labels: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happened in a run, as JSON."""

    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run; `seq` counts from 1 without a gap."""

    seq: int
    kind: str
    data: Mapping[str, Any]
    at: datetime
