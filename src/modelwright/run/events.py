"""What happens in a run, told as it happens: frozen records that become JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from modelwright.graph.graph import NodeId
from modelwright.run.failure import Failure
from modelwright.run.outputs import Output
from modelwright.run.reasons import Reason


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened.  `seq` counts from 1 in a run, without a gap."""

    kind: ClassVar[str]

    seq: int
    at: datetime

    def to_json(self) -> dict[str, Any]:
        """The event as JSON: kind, seq, at, and its own fields."""
        own = {name: _plain(value) for name, value in vars(self).items() if name != "at"}
        return {"kind": self.kind, "at": self.at.isoformat(), **own}


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """A run begins.  steps: the plan's steps, as `Step.to_json` gives them."""

    kind: ClassVar[str] = "run-started"

    run: str
    pipeline: str
    steps: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class StepEvent(Event):
    """Something that happened to a step."""

    node: NodeId


@dataclass(frozen=True, kw_only=True)
class StepQueued(StepEvent):
    """A step is certain to run; it waits for its inputs or for a worker."""

    kind: ClassVar[str] = "step-queued"

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True)
class StepRunning(StepEvent):
    """A step's work begins.  worker: the name of the worker."""

    kind: ClassVar[str] = "step-running"

    worker: str


@dataclass(frozen=True, kw_only=True)
class StepProgress(StepEvent):
    """How far a running step has come, from 0 to 1, by its own account."""

    kind: ClassVar[str] = "step-progress"

    fraction: float


@dataclass(frozen=True, kw_only=True)
class StepReport(StepEvent):
    """What a running step tells of its work so far, in addition to its reports before.

    report: JSON by the component; "about" says what it is, such as "sweep".
    """

    kind: ClassVar[str] = "step-report"

    report: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class StepLog(StepEvent):
    """Lines that a running step wrote.

    omitted: so many lines before them are left out here; the log file has them.
    """

    kind: ClassVar[str] = "step-log"

    lines: tuple[str, ...]
    omitted: int = 0


@dataclass(frozen=True, kw_only=True)
class StepReused(StepEvent):
    """A known result is taken, or a source's stored value."""

    kind: ClassVar[str] = "step-reused"

    reasons: tuple[Reason, ...]
    outputs: Mapping[str, Output] = field(default_factory=dict)
    key: str | None = None


@dataclass(frozen=True, kw_only=True)
class StepDone(StepEvent):
    """A step has run and its results are stored.

    seconds: of its own work, without storing.  peak_memory: bytes that its worker grew by while it
    ran; None where the system does not tell.
    """

    kind: ClassVar[str] = "step-done"

    outputs: Mapping[str, Output]
    seconds: float
    peak_memory: int | None = None
    key: str | None = None


@dataclass(frozen=True, kw_only=True)
class StepFailed(StepEvent):
    """A step could not do its work, or its results could not be stored."""

    kind: ClassVar[str] = "step-failed"

    failure: Failure
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class StepSkipped(StepEvent):
    """A step is not run, because a step that it needs has failed or was cancelled."""

    kind: ClassVar[str] = "step-skipped"

    because: NodeId


@dataclass(frozen=True, kw_only=True)
class StepCancelled(StepEvent):
    """A step was stopped, or is not begun, because the run was cancelled."""

    kind: ClassVar[str] = "step-cancelled"


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """Nothing more will happen.  status: "completed", "failed" or "cancelled"."""

    kind: ClassVar[str] = "run-finished"

    run: str
    status: str
    seconds: float
    counts: Mapping[str, int]


def _plain(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return value
