"""The course of a run: every step from the plan to its end, as workers answer."""

from __future__ import annotations

import itertools
import pickle
import secrets as chance
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from modelwright.data.errors import ModelwrightError
from modelwright.data.store import StepRecord
from modelwright.graph.graph import NodeId, Pin
from modelwright.run import events, reasons
from modelwright.run.failure import (
    EmptyInput,
    Failure,
    NotSendable,
    NoWorkers,
    ObjectStoreFull,
    OutOfMemory,
    StepTookTooLong,
    WorkerDied,
)
from modelwright.run.history import Past
from modelwright.run.messages import (
    Answer,
    Asked,
    Begin,
    Computed,
    Did,
    Failed,
    Forget,
    FromWorker,
    Gathered,
    Given,
    Lent,
    Logged,
    Progressed,
    Reported,
    Spread,
    Stored,
    ToWorker,
    Unreadable,
    packed,
    unpacked,
)
from modelwright.run.outputs import Output
from modelwright.run.placement import Holdings, choose
from modelwright.run.places import Place, Places
from modelwright.run.plan import Plan
from modelwright.run.progress import Progress, State, Steps
from modelwright.run.reasons import Reason
from modelwright.run.spread import Asking, Spreads
from modelwright.run.work import Secrets, token
from modelwright.targets.contract import (
    Delayed,
    Delivery,
    Ended,
    Gone,
    Message,
    Needs,
    WorkerId,
)

_GRACE_S = 0.7
_MOST_ATTEMPTS = 2
_MOST_ATTEMPTS_LOST = 4
_LOG_TAIL = 4000
_LOG_KEPT = 16_000

Tell = Callable[..., None]
"""Tells an event: its class, and its fields by name."""


class Course:
    """Moves the steps of a plan on, one delivery at a time; used by one thread.

    logs, scratch: folders for the steps' logs and working files.
    """

    def __init__(
        self,
        plan: Plan,
        places: Places,
        *,
        run: str,
        logs: Path,
        scratch: Path,
        tell: Tell,
        secrets: Secrets,
        now: Callable[[], datetime],
    ) -> None:
        self.steps = Steps(plan)
        self.finished: dict[NodeId, Past] = {}
        self._plan = plan
        self._judge = plan.judge
        self._places = places
        self._run = run
        self._logs = logs
        self._scratch = scratch
        self._tell = tell
        self._secrets = secrets
        self._now = now
        self._tasks = itertools.count(1)
        # Workers serve other runs, too, whose tasks have the same numbers.
        self._prefix = chance.token_hex(6)
        self._holdings = Holdings()
        self._spreads = Spreads(places, self._send)
        self._cancel_by: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether every step has come to its end."""
        return all(p.is_final for p in self.steps)

    def begin(self) -> None:
        """Tell how the steps stand at the start."""
        for p in self.steps:
            if p.state is State.REUSED:
                self._tell_reused(p)
            elif p.state is State.QUEUED:
                self._tell(events.StepQueued, node=p.node, reasons=p.reasons)

    def settle(self) -> None:
        """Decide what can be decided and begin what can begin."""
        moved = True
        while moved:
            for place in self._places:
                place.begin_count()
            moved = False
            for p in self.steps:
                moved = self._advance(p) or moved
        if self._cancel_by is None:
            self._spreads.deal()
        next(iter(self._places)).starve(Needs(), self._spreads.waiting)
        self._put_away()
        self._ask_for_workers()

    def wait_s(self) -> float | None:
        """Seconds after which to settle again even if nothing is heard; None for any time."""
        deadlines = [self._cancel_by] if self._cancel_by is not None else []
        running = self.steps.in_state(State.RUNNING)
        deadlines += [p.give_up_at for p in running if p.give_up_at is not None]
        deadlines += [p.patience_ends for p in self._places if p.patience_ends is not None]
        return max(0.0, min(deadlines) - time.monotonic()) if deadlines else None

    def cancel(self) -> None:
        """Begin nothing more, stop what runs, and let what is being stored be stored if it is quick."""
        if self._cancel_by is not None:
            return
        self._cancel_by = time.monotonic() + _GRACE_S

    def hear(self, place: Place, delivery: Delivery) -> None:
        """Take in what a worker or a target says."""
        place.hear(delivery)
        if isinstance(delivery, Message):
            self._answered(delivery.worker, unpacked(delivery.body))
        elif isinstance(delivery, Gone):
            self._gone(place, delivery.worker, delivery.how)
        elif isinstance(delivery, Delayed):
            self._tell_delay(place, delivery)

    # Deciding and beginning

    def _advance(self, p: Progress) -> bool:
        """Move a step on if that can be done now; whether it was."""
        if p.is_final:
            return False
        if self._cancel_by is not None and time.monotonic() >= self._cancel_by:
            self._stop(p)
            return True
        if self._cancel_by is not None and p.state in (State.UNDECIDED, State.QUEUED):
            self._cancelled(p)
            return True
        if (lost := self.steps.lost_before(p)) is not None:
            self._skip(p, lost)
            return True
        if p.state is State.UNDECIDED:
            return self._decide(p)
        if p.state is State.QUEUED:
            return self._place(p)
        if p.state is State.STORING:
            return self._finish(p)
        if p.give_up_at is not None and time.monotonic() >= p.give_up_at:
            self._give_up(p)
            return True
        return self._cancel_by is not None and self._stop_unless_storing(p)

    def _decide(self, p: Progress) -> bool:
        given = self.steps.given(p)
        if given == p.judged:
            return False
        p.judged = given
        verdict = self._judge.verdict(p.step.task, given)
        if verdict.action == "wait":
            return False
        p.reasons, p.key = verdict.reasons, verdict.key
        if verdict.action == "reuse":
            p.state, p.outputs = State.REUSED, verdict.outputs
            self._tell_reused(p)
        else:
            p.state = State.QUEUED
            self._tell(events.StepQueued, node=p.node, reasons=p.reasons)
        return True

    def _place(self, p: Progress) -> bool:
        if not self.steps.inputs_available(p):
            return False
        if empty := self.steps.empty_input(p):
            self._fail(p, EmptyInput(empty[0], str(empty[1])))
            return True
        pins = {
            pin: self.steps[pin.node].outputs is not None
            for port, pin in p.step.inputs.items()
            if port in self.steps.given(p)
        }
        place = self._places.of(p.node)
        worker, another_would_do = choose(
            self._places.workers(p.node), self._holdings, pins, handed_on=place.hands_on
        )
        if worker is None:
            place.starve(self._places.needs(p.node), int(another_would_do))
            return False
        try:
            values = _values(p)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            self._places.free(worker)
            self._fail(p, NotSendable(p.step.title, str(error)))
            return True
        self._start(p, worker, values)
        return True

    def _start(self, p: Progress, worker: WorkerId, values: bytes) -> None:
        kind = type(p.step.task.component)
        given = self.steps.given(p)
        p.task = next(self._tasks)
        p.attempts += 1
        p.state, p.worker, p.started_at = State.RUNNING, worker, self._now()
        longest = self._places.of(p.node).longest_step_s
        p.give_up_at = None if longest is None else time.monotonic() + longest
        p.log = self._logs / f"{p.node}.log"
        with suppress(OSError):
            p.log.unlink()
        begin = Begin(
            p.task,
            self._token(p),
            p.step.title,
            kind.__module__,
            getattr(sys.modules.get(kind.__module__), "__file__", None),
            kind.__qualname__,
            values,
            {port: self._handed(pin) for port, pin in p.step.inputs.items() if port in given},
            self._judge.store.url,
            str(p.log),
            str(self._scratch / f"{p.node}-{p.task}"),
            p.step.task.recipe,
        )
        for port, pin in p.step.inputs.items():
            if port in given:
                self._holdings.add(pin, worker)
        self._tell(events.StepRunning, node=p.node, worker=worker)
        self._send(worker, begin)

    def _asking(self, p: Progress, worker: WorkerId) -> Asking:
        """What another worker needs to know of a step to work on its items."""
        module = type(p.step.task.component).__module__
        return Asking(
            worker,
            p.step.title,
            module,
            getattr(sys.modules.get(module), "__file__", None),
            str(self._scratch / f"{p.node}-{p.task}-items"),
        )

    def _handed(self, pin: Pin) -> Given:
        above = self.steps[pin.node]
        digest = above.outputs[pin.port].digest if above.outputs is not None else None
        return Given(token(self._token(above), pin.port), digest)

    def _token(self, p: Progress) -> str:
        return f"{self._prefix}.{p.task}"

    def _ask_for_workers(self) -> None:
        """Have targets start workers for steps that nobody is there for."""
        for place in self._places:
            if self._cancel_by is not None:
                place.rest()
                continue
            running = self.steps.in_state(State.RUNNING)
            idle = not any(self._places.of(p.node) is place for p in running)
            how = place.ask(idle=idle)
            if how is None:
                continue
            for p in self.steps.in_state(State.QUEUED):
                if self._places.of(p.node) is place:
                    self._fail(p, NoWorkers(place.target.name, str(how), how.output))

    def _tell_delay(self, place: Place, delayed: Delayed) -> None:
        """Tell of steps that could begin and have no worker yet."""
        reason = reasons.worker_awaited(place.target.name, delayed.why)
        for p in self.steps.in_state(State.QUEUED):
            waits = self._places.of(p.node) is place and self.steps.inputs_available(p)
            meant = delayed.needs in (None, self._places.needs(p.node))
            if waits and meant and reason not in p.reasons:
                former = tuple(r for r in p.reasons if r.code != reason.code)
                p.reasons = (*former, reason)
                self._tell(events.StepQueued, node=p.node, reasons=p.reasons)

    # What workers say

    def _answered(self, worker: WorkerId, said: FromWorker) -> None:
        p = self.steps.of_task(said.task)
        if isinstance(said, (Computed, Unreadable, Lent)) or (
            isinstance(said, Failed) and not said.storing
        ):
            self._places.free(worker)
        if isinstance(said, (Computed, Unreadable, Failed)):
            self._spreads.end(said.task)
        self._hear_of(p, worker, said)
        if isinstance(said, (Stored, Lent, Failed, Unreadable)) and not self._holds(worker):
            self._places.settle(worker)

    def _holds(self, worker: WorkerId) -> bool:
        """Whether a worker is at a step, or has results that are not stored yet."""
        return any(
            p.worker == worker
            and (p.state is State.RUNNING or (p.state is State.STORING and p.outputs is None))
            for p in self.steps
        )

    def _hear_of(self, p: Progress | None, worker: WorkerId, said: FromWorker) -> None:
        if p is None:
            return
        if isinstance(said, (Did, Gathered, Lent)):
            self._spreads.hear(worker, said)
        elif isinstance(said, Spread):
            self._spreads.begin(said, self._asking(p, worker))
        elif isinstance(said, Computed):
            p.state, p.made = State.STORING, said.outputs
            p.seconds, p.peak_memory = said.seconds, said.peak_memory
            for port, made in said.outputs.items():
                self._holdings.add(Pin(p.node, port), worker, made.size)
        elif isinstance(said, Stored):
            p.outputs = {
                port: Output(digest, p.made[port].kind, p.made[port].summary)
                for port, digest in said.digests.items()
            }
        elif isinstance(said, Failed):
            p.seconds = p.seconds if said.storing else said.seconds
            self._fail(p, ModelwrightError.from_json(said.error), said.reference)
        elif isinstance(said, Unreadable):
            self._unreadable(p, said)
        elif isinstance(said, Asked):
            self._send(worker, Answer(said.asked, self._secrets(said.name)))
        elif isinstance(said, Progressed):
            self._tell(events.StepProgress, node=p.node, fraction=said.fraction)
        elif isinstance(said, Logged):
            _add_to_log(p, said.content)
        elif isinstance(said, Reported):
            self._tell(events.StepReport, node=p.node, report=said.report)
        else:
            self._tell(events.StepLog, node=p.node, lines=said.lines, omitted=said.omitted)

    def _unreadable(self, p: Progress, said: Unreadable) -> None:
        """Make an input anew that cannot be read; the step then gets another chance."""
        pin = p.step.inputs[said.port]
        above = self.steps[pin.node]
        for worker in self._holdings.forget(pin):
            self._forget(worker, pin, above)
        if above.outputs is not None and not said.stored and p.attempts < _MOST_ATTEMPTS_LOST:
            # It was only in the memory of a machine that is gone; by now it is in the store.
            self._again(p, reasons.handed_on_anew(said.port))
            return
        if above.step.action == "source" or above.recovered:
            self._fail(p, ModelwrightError.from_json(said.error))
            return
        above.recovered = True
        if above.outputs and pin.port in above.outputs:
            self._judge.store.quarantine(above.outputs[pin.port].digest)
        if above.is_available:
            self._again(above, reasons.result_corrupt(pin.port, p.step.title))
        p.state = State.QUEUED
        self._tell(events.StepQueued, node=p.node, reasons=p.reasons)

    def _gone(self, place: Place, worker: WorkerId, how: Ended) -> None:
        self._holdings.lose(worker)
        self._spreads.lose(worker, how)
        # A machine that is lost says nothing of the step; a step that takes too much will again.
        most = _MOST_ATTEMPTS_LOST if how.lost else 1 if how.starved else 1 + place.retries
        # What another step made had no room.
        most = max(most, _MOST_ATTEMPTS) if how.full else most
        for p in self.steps:
            if p.worker != worker:
                continue
            if p.state is State.RUNNING:
                self._spreads.end(p.task)
                if p.attempts < most and self._cancel_by is None:
                    self._again(p, reasons.worker_lost(str(how)))
                else:
                    self._fail(p, _died(how, p))
            elif p.state is State.STORING and p.outputs is None:
                if p.attempts < max(_MOST_ATTEMPTS, most):
                    self._again(p, reasons.result_lost(str(how)))
                else:
                    self._fail(p, _died(how, p))

    # Ends of steps

    def _finish(self, p: Progress) -> bool:
        """Record a step whose results are stored, once it is known what they were made of."""
        given = self.steps.given(p)
        if p.outputs is None or None in given.values():
            return False
        task = p.step.task
        p.key, p.finished_at = self._judge.key(task, given), self._now()
        if p.key and task.recipe and task.component.__component__.deterministic:
            try:
                self._record(p, p.key, task.recipe)
            except ModelwrightError as error:
                self._fail(p, error)
                return True
        p.state = State.DONE
        self.finished[p.node] = self._judge.past_of(task, given)
        self._tell(
            events.StepDone,
            node=p.node,
            outputs=p.outputs,
            seconds=p.seconds or 0.0,
            peak_memory=p.peak_memory,
            key=p.key,
        )
        return True

    def _record(self, p: Progress, key: str, recipe: str) -> None:
        store, when = self._judge.store, p.finished_at or self._now()
        outputs = {port: output.to_json() for port, output in (p.outputs or {}).items()}
        notes: Mapping[str, Any] = {
            "run": self._run,
            "pipeline": self._plan.pipeline,
            "node": p.node,
            "component": p.step.task.component.__component__.id,
            "peak_memory": p.peak_memory,
        }
        store.record(key, StepRecord(outputs, p.seconds or 0.0, when, _tail(p, _LOG_KEPT), notes))
        if store.result(recipe) is None:
            # Tells later plans that a result of this recipe may be found under some inputs.
            store.record(recipe, StepRecord({}, 0.0, when, notes={"recipe_of": notes["component"]}))

    def _again(self, p: Progress, why: Reason) -> None:
        p.state, p.reasons = State.QUEUED, (why,)
        p.task, p.outputs, p.made, p.worker = 0, None, {}, None
        self._tell(events.StepQueued, node=p.node, reasons=p.reasons)

    def _fail(self, p: Progress, error: ModelwrightError, reference: str | None = None) -> None:
        p.state, p.finished_at = State.FAILED, self._now()
        p.failure = Failure(p.node, error.to_json(), reference)
        self._tell(events.StepFailed, node=p.node, failure=p.failure, seconds=p.seconds)

    def _skip(self, p: Progress, because: NodeId) -> None:
        p.state, p.because = State.SKIPPED, because
        self._tell(events.StepSkipped, node=p.node, because=because)

    def _cancelled(self, p: Progress) -> None:
        p.state, p.finished_at = State.CANCELLED, self._now()
        self._tell(events.StepCancelled, node=p.node)

    def _stop(self, p: Progress) -> None:
        if p.state is State.RUNNING and p.worker is not None:
            self._spreads.end(p.task)
            self._places.kill(p.worker)
        self._cancelled(p)

    def _give_up(self, p: Progress) -> None:
        """End a step that has taken longer than any may."""
        if p.worker is not None:
            self._places.kill(p.worker)
        self._spreads.end(p.task)
        place = self._places.of(p.node)
        longest = place.longest_step_s or 0.0
        self._fail(p, StepTookTooLong(p.step.title, longest, place.target.name))

    def _stop_unless_storing(self, p: Progress) -> bool:
        storing = any(other.worker == p.worker for other in self.steps.in_state(State.STORING))
        if not storing:
            self._stop(p)
        return not storing

    def _tell_reused(self, p: Progress) -> None:
        self._tell(
            events.StepReused, node=p.node, reasons=p.reasons, outputs=p.outputs or {}, key=p.key
        )

    # Memory

    def _put_away(self) -> None:
        """Have workers forget what is stored and no step of this run will read again."""
        for pin in self._holdings.pins():
            above = self.steps[pin.node]
            settled = above.outputs is not None or above.is_lost
            if settled and not self.steps.is_wanted(pin):
                for worker in self._holdings.forget(pin):
                    self._forget(worker, pin, above)

    def _forget(self, worker: WorkerId, pin: Pin, above: Progress) -> None:
        names = [token(self._token(above), pin.port)]
        if above.outputs and pin.port in above.outputs:
            names.append(above.outputs[pin.port].digest)
        self._send(worker, Forget(tuple(names)))

    def _send(self, worker: WorkerId, message: ToWorker) -> None:
        self._places.send(worker, packed(message))


def _values(p: Progress) -> bytes:
    """The values of a component's parameters, to be sent."""
    component = p.step.task.component
    if "<locals>" in type(component).__qualname__:
        raise TypeError("its class is defined within a function")
    return pickle.dumps({name: getattr(component, name) for name in type(component).model_fields})


def _add_to_log(p: Progress, content: bytes) -> None:
    if p.log is not None:
        with suppress(OSError), p.log.open("ab") as file:
            file.write(content)


def _died(how: Ended, p: Progress) -> ModelwrightError:
    if how.starved:
        return OutOfMemory(p.step.title, how.output)
    if how.full:
        return ObjectStoreFull(p.step.title, sum(m.size for m in p.made.values()), how.full)
    return WorkerDied(str(how), how.signal, _tail(p, _LOG_TAIL) or how.output)


def _tail(p: Progress, length: int) -> str:
    """The end of a step's log."""
    if p.log is None:
        return ""
    try:
        with p.log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - length))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""
