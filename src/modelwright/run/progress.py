"""Where each step of a run stands, while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from pathlib import Path

from modelwright.graph.graph import NodeId, Pin
from modelwright.run.failure import Failure
from modelwright.run.messages import Made
from modelwright.run.outputs import Output
from modelwright.run.plan import Plan, Step
from modelwright.run.reasons import Reason
from modelwright.run.result import StepResult, StepStatus
from modelwright.targets.contract import WorkerId


class State(Enum):
    """Where a step stands; the last five are final."""

    UNDECIDED = auto()
    QUEUED = auto()
    RUNNING = auto()
    STORING = auto()
    DONE = auto()
    REUSED = auto()
    FAILED = auto()
    SKIPPED = auto()
    CANCELLED = auto()


_FINAL: Mapping[State, StepStatus] = {
    State.DONE: "done",
    State.REUSED: "reused",
    State.FAILED: "failed",
    State.SKIPPED: "skipped",
    State.CANCELLED: "cancelled",
}
_LOST = (State.FAILED, State.SKIPPED, State.CANCELLED)
_KNOWN = (State.DONE, State.REUSED)


@dataclass(eq=False)
class Progress:
    """A step on its way.

    task: the number of the present attempt, or of the last one.  made: what it gave, by port, while
    it is only in the memory of `worker`.  outputs: what it gave, once stored; None before.
    judged: the inputs that the last verdict saw.  give_up_at: when it has run for too long, on the
    monotonic clock.
    """

    step: Step
    state: State
    reasons: tuple[Reason, ...]
    key: str | None = None
    task: int = 0
    attempts: int = 0
    give_up_at: float | None = None
    recovered: bool = False
    worker: WorkerId | None = None
    made: Mapping[str, Made] = field(default_factory=dict)
    outputs: Mapping[str, Output] | None = None
    judged: Mapping[str, Output | None] | None = None
    seconds: float | None = None
    peak_memory: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    log: Path | None = None
    failure: Failure | None = None
    because: NodeId | None = None

    @property
    def node(self) -> NodeId:
        """The node's id."""
        return self.step.node

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in _FINAL

    @property
    def is_lost(self) -> bool:
        """Whether it will give nothing."""
        return self.state in _LOST

    @property
    def is_available(self) -> bool:
        """Whether what it gave can be handed on, from memory or from the store."""
        return self.state in _KNOWN or self.state is State.STORING

    def result(self) -> StepResult:
        """What became of it.  Raises KeyError while it is on its way."""
        return StepResult(
            self.node,
            self.step.title,
            self.step.task.component.__component__.id,
            _FINAL[self.state],
            self.reasons,
            self.key,
            self.outputs if self.outputs and self.state in _KNOWN else {},
            self.seconds,
            self.peak_memory,
            self.started_at,
            self.finished_at,
            self.log,
            self.failure,
            self.because,
        )


class Steps:
    """The steps of a run, in the order of the plan."""

    def __init__(self, plan: Plan) -> None:
        self._all = {step.node: _first(step) for step in plan.steps}
        self._readers: dict[Pin, list[NodeId]] = {}
        for step in plan.steps:
            for pin in step.inputs.values():
                self._readers.setdefault(pin, []).append(step.node)

    def __iter__(self) -> Iterator[Progress]:
        return iter(self._all.values())

    def __getitem__(self, node: NodeId) -> Progress:
        return self._all[node]

    def of_task(self, task: int) -> Progress | None:
        """The step whose present attempt it is; None for one that was given up."""
        return next((p for p in self if p.task == task and not p.is_lost), None)

    def in_state(self, *states: State) -> list[Progress]:
        """The steps that stand there."""
        return [p for p in self if p.state in states]

    def inputs_available(self, progress: Progress) -> bool:
        """Whether all that feeds a step can be handed to it."""
        return all(self[pin.node].is_available for pin in progress.step.inputs.values())

    def lost_before(self, progress: Progress) -> NodeId | None:
        """The step above that failed or was cancelled, so that this one cannot run."""
        for pin in progress.step.inputs.values():
            above = self[pin.node]
            if above.is_lost:
                return above.because if above.because is not None else above.node
        return None

    def given(self, progress: Progress) -> dict[str, Output | None]:
        """What feeds a step, by port: None while it is not known; absent where nothing was given."""
        found: dict[str, Output | None] = {}
        for port, pin in progress.step.inputs.items():
            above = self[pin.node]
            if above.outputs is None or above.state not in _KNOWN:
                if above.state is not State.STORING or pin.port in above.made:
                    found[port] = None
            elif pin.port in above.outputs:
                found[port] = above.outputs[pin.port]
        return found

    def empty_input(self, progress: Progress) -> tuple[str, Pin] | None:
        """An input that must be there, and for which the step above gave nothing."""
        given = self.given(progress)
        for port in progress.step.task.component.__component__.inputs:
            pin = progress.step.inputs.get(port.name)
            if pin and not port.optional and port.name not in given:
                return port.name, pin
        return None

    def is_wanted(self, pin: Pin) -> bool:
        """Whether a step is still to read what an output gave."""
        return any(
            self[reader].state in (State.UNDECIDED, State.QUEUED, State.RUNNING)
            for reader in self._readers.get(pin, ())
        )


def _first(step: Step) -> Progress:
    if step.action != "run":
        state = State.REUSED
    else:
        state = State.QUEUED if step.certain else State.UNDECIDED
    outputs = step.outputs if step.action != "run" else None
    return Progress(step, state, step.reasons, step.key, outputs=outputs)
