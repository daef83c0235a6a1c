"""Keeps a run's events: what happened to each step, in the workspace."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.run import events
from modelwright.run.outputs import Output
from modelwright.workspace.records.runs import NewEvent, StepChange, StepStatus
from modelwright.workspace.records.runs import Output as StoredOutput

if TYPE_CHECKING:
    from modelwright.workspace import Workspace

_LOOK_EVERY_S = 0.5
PASSING = (events.StepLog, events.StepProgress)
"""Events that are not kept."""


class Recorder:
    """Takes the events of one run and writes them on a thread of its own, many at a time.

    The run never waits for the database.  Lines of logs and progress pass by unwritten: the log
    files have the ones, and the others are soon untrue.  on_cancel is called once, from that thread,
    when someone has asked in the workspace for the run's end.
    """

    def __init__(
        self, workspace: Workspace, run_id: str, *, logs: Path, on_cancel: Callable[[], None]
    ) -> None:
        """logs: folder of the run's logs, a file NODE.log each."""
        self._workspace = workspace
        self._logs = logs
        self._run_id = run_id
        self._on_cancel = on_cancel
        self._asked = False
        self._failed: Exception | None = None
        self._waiting: queue.SimpleQueue[events.Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"record {run_id}", daemon=True)
        self._thread.start()

    def take(self, event: events.Event) -> None:
        """Write an event soon."""
        if not isinstance(event, PASSING):
            self._waiting.put(event)

    def close(self) -> None:
        """Wait until all is written.  Raises what kept it from being written."""
        self._waiting.put(None)
        self._thread.join()
        if self._failed is not None:
            raise self._failed

    def _work(self) -> None:
        looked = time.monotonic()
        while True:
            batch = self._batch()
            lasting = [e for e in batch if e is not None]
            try:
                if lasting and self._failed is None:
                    self._write(lasting)
                if not self._asked and time.monotonic() - looked >= _LOOK_EVERY_S:
                    looked = time.monotonic()
                    self._look_for_cancel()
            except Exception as error:  # noqa: BLE001  # raised again by close, on the run's thread
                self._failed = self._failed or error
            if None in batch:
                return

    def _batch(self) -> list[events.Event | None]:
        found: list[events.Event | None] = []
        try:
            found.append(self._waiting.get(timeout=_LOOK_EVERY_S))
            while True:
                found.append(self._waiting.get_nowait())
        except queue.Empty:
            return found

    def _write(self, batch: Sequence[events.Event]) -> None:
        runs = self._workspace.runs
        changes = [change for event in batch if (change := self._change(event))]
        with self._workspace.transaction():
            runs.events.append(self._run_id, [NewEvent(e.kind, _data(e)) for e in batch])
            runs.steps.change(self._run_id, changes)

    def _change(self, event: events.Event) -> StepChange | None:
        change = change_of(event)
        if isinstance(event, events.StepRunning) and change is not None:
            # Known as soon as it is written to, so that others can follow it.
            log = self._logs / f"{event.node}.log"
            return replace(change, log=str(log.relative_to(self._workspace.home)))
        return change

    def _look_for_cancel(self) -> None:
        if self._workspace.runs.get(self._run_id).cancel_asked_at is not None:
            self._asked = True
            self._on_cancel()


def _data(event: events.Event) -> dict[str, Any]:
    # The workspace counts the events it keeps; the runner has counted those that pass too.
    return {name: value for name, value in event.to_json().items() if name not in ("kind", "seq")}


def change_of(event: events.Event) -> StepChange | None:
    """What an event says of its step; None for one that changes none."""
    match event:
        case events.StepQueued():
            return StepChange(
                node=event.node,
                status=StepStatus.QUEUED,
                reason=" ".join(r.text for r in event.reasons),
            )
        case events.StepRunning():
            return StepChange(node=event.node, status=StepStatus.RUNNING, started_at=event.at)
        case events.StepReused():
            return StepChange(
                node=event.node,
                status=StepStatus.REUSED,
                key=event.key,
                reason=" ".join(r.text for r in event.reasons),
                finished_at=event.at,
                outputs=stored_outputs(event.outputs),
            )
        case events.StepDone():
            return StepChange(
                node=event.node,
                status=StepStatus.DONE,
                key=event.key,
                finished_at=event.at,
                duration_s=event.seconds,
                outputs=stored_outputs(event.outputs),
            )
        case events.StepFailed():
            return StepChange(
                node=event.node,
                status=StepStatus.FAILED,
                finished_at=event.at,
                duration_s=event.seconds,
                error=event.failure.to_json(),
            )
        case events.StepSkipped():
            return StepChange(
                node=event.node,
                status=StepStatus.SKIPPED,
                reason=f'Not run, because "{event.because}" did not finish.',
            )
        case events.StepCancelled():
            return StepChange(node=event.node, status=StepStatus.CANCELLED, finished_at=event.at)
    return None


def stored_outputs(outputs: Mapping[str, Output]) -> dict[str, StoredOutput]:
    """A step's outputs as the workspace keeps them."""
    return {
        port: StoredOutput(output.digest, output.rows, _whole(output.summary.get("columns")))
        for port, output in outputs.items()
    }


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
