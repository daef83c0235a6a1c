"""Runs a plan on a target's workers and tells what happens."""

from __future__ import annotations

import queue
import secrets as chance
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from modelwright import temporary
from modelwright.graph.graph import NodeId
from modelwright.run import events
from modelwright.run.course import Course
from modelwright.run.events import Event
from modelwright.run.places import Place, Places, Placing, Prepared
from modelwright.run.plan import Plan
from modelwright.run.progress import State
from modelwright.run.resources import placing_of
from modelwright.run.result import RunResult, RunStatus
from modelwright.run.work import Secrets
from modelwright.targets.contract import Delivery, Target

_LOOK_FOR_CANCEL_S = 0.05
_REMEMBER_EVERY_S = 1.0

Inbox = queue.SimpleQueue[tuple[Place, Delivery]]


class Cancel(Protocol):
    """Tells whether a run is to end early; a `threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether someone asked for the end."""
        ...


class _Never:
    def is_set(self) -> bool:
        return False


class Runner:
    """Runs plans on a target; any number at a time, each in the thread that calls `run`.

    others: targets by name, for nodes that name one.  logs: gets a folder for each run with a log for each step; by default the system's place for
    temporary files.  secrets: gives the secrets that steps ask for by name.  now: the clock.
    """

    def __init__(
        self,
        target: Target,
        *,
        others: Mapping[str, Target] | None = None,
        logs: Path | None = None,
        secrets: Secrets = lambda name: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._target = target
        self._others = dict(others or {})
        self._logs = logs
        self._secrets = secrets
        self._now = now

    def run(
        self,
        plan: Plan,
        *,
        run: str | None = None,
        on_event: Callable[[Event], None] = lambda event: None,
        cancel: Cancel | None = None,
    ) -> RunResult:
        """Run a plan to its end.

        run: names the run; by default by chance.  on_event: called in this thread, in the order of
        `seq`; what it raises ends the run and comes through.  cancel: looked at often.

        A step that fails takes the steps below it with it, not the run: see `RunResult.failures`.
        """
        run = run or chance.token_hex(8)
        logs = (self._logs or temporary.place() / "logs") / run
        logs.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=temporary.place()))
        inbox: Inbox = queue.SimpleQueue()
        placing = placing_of(plan, self._target.name)
        _prepare(plan, placing, {**self._others, self._target.name: self._target})
        places = Places(
            self._target,
            self._others,
            placing,
            lambda place, delivery: inbox.put((place, delivery)),
        )
        started, begun = self._now(), time.monotonic()
        teller = _Teller(on_event, self._now)
        course = Course(
            plan,
            places,
            run=run,
            logs=logs,
            scratch=scratch,
            tell=teller.tell,
            secrets=self._secrets,
            now=self._now,
        )
        try:
            steps = tuple(step.to_json() for step in plan.steps)
            teller.tell(events.RunStarted, run=run, pipeline=plan.pipeline, steps=steps)
            course.begin()
            self._drive(course, plan, inbox, cancel or _Never())
        finally:
            places.close()
            shutil.rmtree(scratch, ignore_errors=True)
            _remember(plan, course)
        result = RunResult(
            run,
            plan.pipeline,
            _status(course),
            {p.node: p.result() for p in course.steps},
            started,
            self._now(),
            time.monotonic() - begun,
        )
        teller.tell(
            events.RunFinished,
            run=run,
            status=result.status,
            seconds=result.seconds,
            counts=result.counts,
        )
        return result

    def _drive(self, course: Course, plan: Plan, inbox: Inbox, cancel: Cancel) -> None:
        remembered = time.monotonic()
        while True:
            if cancel.is_set():
                course.cancel()
            course.settle()
            if course.is_over:
                return
            waits = [course.wait_s(), None if isinstance(cancel, _Never) else _LOOK_FOR_CANCEL_S]
            with suppress(queue.Empty):
                course.hear(
                    *inbox.get(timeout=min((w for w in waits if w is not None), default=None))
                )
                while True:
                    course.hear(*inbox.get_nowait())
            if time.monotonic() - remembered > _REMEMBER_EVERY_S:
                _remember(plan, course)
                remembered = time.monotonic()


def _prepare(plan: Plan, placing: Mapping[NodeId, Placing], targets: Mapping[str, Target]) -> None:
    """Look at each target that steps are to run on, before the first of them begins."""
    steps = [step.node for step in plan.steps if step.action == "run"]
    for name, target in targets.items():
        needs = {n: placing[n].needs for n in steps if placing[n].target == name}
        if needs and isinstance(target, Prepared):
            target.prepare(plan.judge.store, needs)


class _Teller:
    def __init__(self, on_event: Callable[[Event], None], now: Callable[[], datetime]) -> None:
        self._on_event = on_event
        self._now = now
        self._told = 0

    def tell(self, kind: type[Event], **fields: Any) -> None:
        self._told += 1
        self._on_event(kind(seq=self._told, at=self._now(), **fields))


def _remember(plan: Plan, course: Course) -> None:
    if plan.history and course.finished:
        plan.history.remember(plan.pipeline, course.finished)
        course.finished.clear()


def _status(course: Course) -> RunStatus:
    if course.steps.in_state(State.CANCELLED):
        return "cancelled"
    return "failed" if course.steps.in_state(State.FAILED) else "completed"
