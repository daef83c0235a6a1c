"""How a run comes along: a bar a step on a terminal, a line a step elsewhere; on standard error."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from modelwright.cli.printing import console, seconds, tell
from modelwright.cli.sweeps import so_far
from modelwright.run import events

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from modelwright.run.plan import Plan


class Watch(Protocol):
    """Shows a run while it is open."""

    def take(self, event: events.Event) -> None:
        """Show what happened."""
        ...

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Show no more."""
        ...


def watch(plan: Plan, *, verbose: bool = False) -> Watch:
    """What shows this plan's run: bars on a terminal, lines elsewhere.

    verbose: what the steps write too.
    """
    return Bars(plan, verbose=verbose) if sys.stderr.isatty() else Lines(plan, verbose=verbose)


class Lines:
    """A line for each step that ends."""

    def __init__(self, plan: Plan, *, verbose: bool = False) -> None:
        self._titles = {step.node: step.title for step in plan.steps}
        self._count = len(plan.steps)
        self._ended = 0
        self._verbose = verbose

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def take(self, event: events.Event) -> None:
        """Write a line if a step has ended."""
        if isinstance(event, events.StepLog) and self._verbose:
            for line in event.lines:
                tell(f"    {line}")
        if isinstance(event, events.StepReport) and self._verbose and (so_far := sweep(event)):
            tell(f"    {self._titles[event.node]}: {so_far}")
        if isinstance(event, events.StepEvent) and (end := ending(event)):
            self._ended += 1
            tell(f"[{self._ended}/{self._count}] {self._titles[event.node]}: {end}")


class Bars:
    """A bar for each step, all at once."""

    def __init__(
        self, plan: Plan, *, verbose: bool = False, terminal: Console | None = None
    ) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress: Progress = Progress(
            TextColumn("{task.fields[mark]}", markup=False),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}", markup=False),
            console=terminal or console(stderr=True),
        )
        self._verbose = verbose
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {
            step.node: self._progress.add_task(
                step.title, total=1.0, mark=" ", note="", start=False
            )
            for step in plan.steps
        }

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def take(self, event: events.Event) -> None:
        """Move the bar of the step that the event is about."""
        if not isinstance(event, events.StepEvent):
            return
        task = self._tasks[event.node]
        with self._lock:
            if isinstance(event, events.StepRunning):
                self._progress.start_task(task)
                self._progress.update(task, mark="·", note="running", completed=0)
            elif isinstance(event, events.StepProgress):
                self._progress.update(task, completed=event.fraction)
            elif isinstance(event, events.StepReport):
                if so_far := sweep(event):
                    self._progress.update(task, note=so_far)
            elif isinstance(event, events.StepLog):
                if self._verbose:
                    for line in event.lines:
                        self._progress.console.print(f"  {line}")
            elif end := ending(event):
                whole = isinstance(event, events.StepDone | events.StepReused)
                self._progress.start_task(task)
                mark = "✓" if whole else "✗"
                self._progress.update(task, mark=mark, note=end, completed=1.0 if whole else None)
                if not whole:
                    self._progress.stop_task(task)


def sweep(event: events.StepReport) -> str:
    """How far a sweep has come, and its best so far; empty for a report of anything else."""
    return so_far(event.report) if event.report.get("about") == "sweep" else ""


def ending(event: events.StepEvent) -> str:
    """How a step ended, in a few words; empty for an event that ends none."""
    match event:
        case events.StepDone():
            return f"done in {seconds(event.seconds)}"
        case events.StepReused():
            sources = all(reason.code in ("stored", "request-only") for reason in event.reasons)
            return "stored" if sources else "reused"
        case events.StepFailed():
            return f"failed [{event.failure.code}]"
        case events.StepSkipped():
            return f'skipped, since "{event.because}" did not finish'
        case events.StepCancelled():
            return "cancelled"
    return ""
