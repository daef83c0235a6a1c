"""What became of a run and of each of its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from modelwright.graph.graph import NodeId, Pin
from modelwright.run.failure import Failure
from modelwright.run.outputs import Output
from modelwright.run.reasons import Reason

StepStatus = Literal["done", "reused", "failed", "skipped", "cancelled"]
RunStatus = Literal["completed", "failed", "cancelled"]


@dataclass(frozen=True)
class StepResult:
    """What became of a step.

    reasons: why it ran or was reused.  outputs: by port.  key: None when its result cannot be reused.
    seconds: of its own work.  peak_memory: bytes its worker grew by.  log: the file, if it ran.
    because: for a skipped step, the step that failed or was cancelled.
    """

    node: NodeId
    title: str
    component: str
    status: StepStatus
    reasons: tuple[Reason, ...] = ()
    key: str | None = None
    outputs: Mapping[str, Output] = field(default_factory=dict)
    seconds: float | None = None
    peak_memory: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    log: Path | None = None
    failure: Failure | None = None
    because: NodeId | None = None

    @property
    def reason(self) -> str:
        """All reasons as one text."""
        return " ".join(r.text for r in self.reasons)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON; times in ISO form."""
        return {
            "node": self.node,
            "title": self.title,
            "component": self.component,
            "status": self.status,
            "reason": self.reason,
            "reasons": [r.to_json() for r in self.reasons],
            "key": self.key,
            "outputs": {port: output.to_json() for port, output in self.outputs.items()},
            "seconds": self.seconds,
            "peak_memory": self.peak_memory,
            "started_at": self.started_at.isoformat() if self.started_at else None,
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "log": str(self.log) if self.log else None,
            "failure": self.failure.to_json() if self.failure else None,
            "because": self.because,
        }


@dataclass(frozen=True)
class RunResult:
    """What became of a run.  steps: in the order of the plan."""

    run: str
    pipeline: str
    status: RunStatus
    steps: Mapping[NodeId, StepResult]
    started_at: datetime
    finished_at: datetime
    seconds: float

    @property
    def counts(self) -> Mapping[str, int]:
        """How many steps ended in each way."""
        return dict(Counter(s.status for s in self.steps.values()))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Why steps failed, in the order of the plan."""
        return tuple(s.failure for s in self.steps.values() if s.failure)

    def output(self, pin: Pin) -> Output | None:
        """What a step left on a port; None when there is nothing."""
        step = self.steps.get(pin.node)
        return step.outputs.get(pin.port) if step else None

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "run": self.run,
            "pipeline": self.pipeline,
            "status": self.status,
            "seconds": self.seconds,
            "started_at": self.started_at.isoformat(),
            "finished_at": self.finished_at.isoformat(),
            "counts": dict(self.counts),
            "steps": [s.to_json() for s in self.steps.values()],
        }
