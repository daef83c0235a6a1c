"""What came of a run or of a conversion, the same with a server and without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from modelwright.data.errors import ModelwrightError

if TYPE_CHECKING:
    import polars as pl

    from modelwright.client.pipeline import Pipeline


class NoResult(ModelwrightError):
    """A run has nothing on the port that is asked for."""

    code = "no-result"

    def __init__(self, run: str, pin: str, known: tuple[str, ...]) -> None:
        super().__init__(
            f"Run {run} has no result on {pin}.",
            remedy=f"Its results are: {', '.join(known) or 'none'}.",
            run=run,
            pin=pin,
            near=list(known),
        )


class Values(Protocol):
    """Gives stored values by digest."""

    def frame(self, digest: str) -> pl.DataFrame:
        """The rows of a stored table."""
        ...

    def learnt(self, digest: str) -> Mapping[str, Any]:
        """What a stored model or transformation learnt."""
        ...


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of a node.

    status: "done", "reused", "failed", "skipped" or "cancelled", or on its way while the run is.
    outputs: digest of what it left, by port.  error: as JSON.
    """

    node: str
    component: str
    status: str
    reason: str
    seconds: float | None
    outputs: Mapping[str, str]
    error: Mapping[str, Any] | None


@dataclass(frozen=True)
class RunOutcome:
    """What came of a run.

    status: "completed", "failed" or "cancelled", or "queued" or "running".
    metrics: what nodes measured, by node, input port and name.
    """

    id: str
    experiment: str
    status: str
    steps: tuple[StepOutcome, ...]
    metrics: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    error: Mapping[str, Any] | None = None
    values: Values | None = field(default=None, repr=False, compare=False)

    @property
    def counts(self) -> dict[str, int]:
        """How many steps ended in each way."""
        found: dict[str, int] = {}
        for step in self.steps:
            found[step.status] = found.get(step.status, 0) + 1
        return found

    @property
    def outputs(self) -> dict[str, str]:
        """The digest of everything the run left, by "node.port"."""
        return {f"{s.node}.{port}": d for s in self.steps for port, d in s.outputs.items()}

    def step(self, node: str) -> StepOutcome:
        """What became of a node.  Raises NoResult for one that was no part of the run."""
        for step in self.steps:
            if step.node == node:
                return step
        raise NoResult(self.id, node, tuple(s.node for s in self.steps))

    def frame(self, pin: str) -> pl.DataFrame:
        """The rows that the run left on "node.port".  Raises NoResult and NoRows."""
        return self._values().frame(self._digest(pin))

    def learnt(self, pin: str) -> Mapping[str, Any]:
        """What the model or transformation on "node.port" learnt.  Raises NoResult."""
        return self._values().learnt(self._digest(pin))

    def require_completed(self) -> RunOutcome:
        """The outcome itself, or the error of the first step that failed, raised."""
        if self.status == "completed":
            return self
        failed = next((s.error for s in self.steps if s.error), self.error)
        if failed is not None:
            raise ModelwrightError.from_json(failed)
        raise RunNotCompleted(self.id, self.status)

    def _digest(self, pin: str) -> str:
        outputs = self.outputs
        if pin not in outputs:
            raise NoResult(self.id, pin, tuple(outputs))
        return outputs[pin]

    def _values(self) -> Values:
        if self.values is None:
            raise NoResult(self.id, "(any)", ())
        return self.values


class RunNotCompleted(ModelwrightError):
    """A run has not come to a good end."""

    code = "run-not-completed"

    def __init__(self, run: str, status: str) -> None:
        super().__init__(
            f"Run {run} is {status}.",
            remedy="Wait until it has ended, or run the pipeline again.",
            run=run,
            status=status,
        )


@dataclass(frozen=True)
class Conversion:
    """An inference pipeline and how it came out of its training pipeline.

    changes: what became of every node, and why, as JSON.  parity: whether it scores as the training
    run did, as JSON; None for a batch pipeline.  draft_id: the draft it became on a server.
    """

    run_id: str
    pipeline: Pipeline
    changes: tuple[Mapping[str, Any], ...]
    parity: Mapping[str, Any] | None
    draft_id: str | None = None
