"""Runs: look at what ran, at what it left, and ask for its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.actions.files import reason
from modelwright.data.artifact import Artifact, Digest
from modelwright.data.errors import ModelwrightError, suggestion
from modelwright.graph.graph import NodeId, Pin
from modelwright.workspace.errors import NotFound
from modelwright.workspace.records.pages import Page
from modelwright.workspace.records.runs import Metric, Output, Run, RunStatus, Step

if TYPE_CHECKING:
    from modelwright.actions.home import Home

LATEST = "latest"
"""Stands for the id of the run that was begun last."""


class NoOutput(ModelwrightError):
    """A run has nothing on the port that is asked for."""

    code = "no-output"

    def __init__(self, run: str, pin: str, why: str, known: Sequence[str]) -> None:
        super().__init__(
            f"Run {run} has no result on {pin}: {why}.",
            remedy=f"{suggestion(pin, tuple(known))}Its results are: {', '.join(known) or 'none'}.",
            run=run,
            pin=pin,
            near=list(known),
        )


@dataclass(frozen=True)
class RunReport:
    """A run with its steps, in the order of its plan, and the figures that nodes measured."""

    run: Run
    steps: tuple[Step, ...]
    metrics: tuple[Metric, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many steps ended in each way."""
        found: dict[str, int] = {}
        for step in self.steps:
            found[step.status.value] = found.get(step.status.value, 0) + 1
        return found

    @property
    def seconds(self) -> float | None:
        """How long it took, once it has ended."""
        if self.run.started_at is None or self.run.finished_at is None:
            return None
        return (self.run.finished_at - self.run.started_at).total_seconds()

    def to_json(self) -> dict[str, Any]:
        """The run with its pipeline, steps, metrics, counts and seconds."""
        from modelwright.actions.as_json import as_json

        record: dict[str, Any] = as_json(self.run)
        return {
            **record,
            "seconds": self.seconds,
            "counts": self.counts,
            "steps": as_json(self.steps),
            "metrics": as_json(self.metrics),
        }


def list_runs(
    home: Home,
    *,
    experiment: str | None = None,
    statuses: Sequence[RunStatus] = (),
    draft_id: str | None = None,
    search: str = "",
    limit: int = 50,
    after: str | None = None,
) -> Page[Run]:
    """Runs, the latest first, a page at a time; arguments as `workspace.runs.list` has them."""
    return home.workspace.runs.list(
        experiment=experiment,
        statuses=statuses,
        draft_id=draft_id,
        search=search,
        limit=limit,
        after=after,
    )


def find_run(home: Home, run_id: str) -> Run:
    """A run by its id, or the last one for "latest".  Raises NotFound."""
    if run_id == LATEST:
        found = home.workspace.runs.list(limit=1).items
        if not found:
            raise NotFound("run", run_id, remedy="Run a pipeline first.")
        return found[0]
    return home.workspace.runs.get(run_id)


def show_run(home: Home, run_id: str) -> RunReport:
    """A run with its steps and metrics.  Raises NotFound."""
    run = find_run(home, run_id)
    runs = home.workspace.runs
    return RunReport(run, runs.steps.list(run.id), runs.metrics.list(run.id))


def outputs_of(home: Home, run_id: str) -> Mapping[Pin, Output]:
    """What a run left on each port.  Raises NotFound."""
    run = find_run(home, run_id)
    return {
        Pin(NodeId(step.node), port): output
        for step in home.workspace.runs.steps.list(run.id)
        for port, output in step.outputs.items()
    }


def load_output(home: Home, run_id: str, pin: Pin) -> Artifact:
    """The value that a run left on a port.

    Raises NotFound, NoOutput, and what `Store.get` raises for a value that is gone or damaged.
    """
    return home.store.get(find_output(home, run_id, pin))


def find_output(home: Home, run_id: str, pin: Pin) -> Digest:
    """The digest of the value that a run left on a port.  Raises NotFound and NoOutput."""
    run = find_run(home, run_id)
    found = outputs_of(home, run.id)
    if pin in found:
        return found[pin].digest
    steps = {s.node: s for s in home.workspace.runs.steps.list(run.id)}
    step = steps.get(pin.node)
    if step is None:
        why = f'"{pin.node}" was no part of it'
    elif step.outputs:
        why = f'"{pin.node}" has no such output'
    else:
        why = f'"{pin.node}" is {step.status}'
    raise NoOutput(run.id, str(pin), why, [str(p) for p in found])


def read_log(home: Home, run_id: str, node: str) -> str:
    """What a step of a run has written; empty for one that was reused.

    Raises NotFound.
    """
    run = find_run(home, run_id)
    step = home.workspace.runs.steps.get(run.id, node)
    if step.log is None:
        return ""
    try:
        return (home.folder / step.log).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise NotFound(
            "log", f"{run.id}, {node}", remedy=f"The system says: {reason(error)}."
        ) from None


def cancel_run(home: Home, run_id: str) -> Run:
    """Ask a run to end, whichever process works on it; one that has ended stays as it is."""
    return home.workspace.runs.ask_to_cancel(find_run(home, run_id).id)
