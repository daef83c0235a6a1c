"""What a worker does with a message: runs a step, stores its results, and answers."""

from __future__ import annotations

import errno
import inspect
import itertools
import queue
import secrets
import shutil
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from modelwright.components.context import Context, in_order
from modelwright.components.contract import Component, outputs_by_port
from modelwright.data.artifact import Artifact, CorruptArtifact
from modelwright.data.errors import ModelwrightError
from modelwright.data.store import Store
from modelwright.data.store_errors import MissingArtifact
from modelwright.run.capture import Capture
from modelwright.run.desk import Desk
from modelwright.run.failure import (
    DiskFull,
    OutOfMemory,
    StepBroke,
    StepExited,
    WrongResult,
)
from modelwright.run.items import Items, Lending
from modelwright.run.messages import (
    Answer,
    Asked,
    Begin,
    Computed,
    Failed,
    Forget,
    FromWorker,
    Lend,
    Made,
    Progressed,
    Reported,
    Stored,
    ToWorker,
    Unreadable,
    Wrote,
    packed,
    unpacked,
)
from modelwright.run.notes import StoreNotes
from modelwright.run.peak import PeakMemory
from modelwright.run.room import require_room

_PROGRESS_EVERY_S = 0.1

Secrets = Callable[[str], str | None]
"""Gives the value of a named secret, or None."""


class _CannotRead(Exception):
    """An input of the step is missing from the store or damaged."""

    def __init__(self, port: str, error: ModelwrightError) -> None:
        super().__init__(port)
        self.port = port
        self.error = error


class Work:
    """The worker's program, the same in a process of its own and within another.

    answer: sends bytes to a session.  aside: takes what may be done beside the next step, such as
    storing.  secret: where secrets come from; the runner is asked when it is None.  width: how many
    workers there may be for the independent items of a step; with one they are done here in order.
    """

    def __init__(
        self,
        answer: Callable[[int, bytes], None],
        *,
        capture: Capture,
        desk: Desk,
        aside: Callable[[Callable[[], None], int], None],
        threads: int | None = None,
        secret: Secrets | None = None,
        width: int = 1,
    ) -> None:
        self._answer = answer
        self._capture = capture
        self._desk = desk
        self._aside = aside
        self._threads = threads
        self._secret = secret
        self._stores: dict[str, Store] = {}
        self._asked: dict[int, queue.SimpleQueue[str | None]] = {}
        self._unstorable: set[str] = set()
        self._numbers = itertools.count(1)
        self._width = width
        self._items: tuple[int, Items] | None = None
        self._lending = Lending(capture, _find_module, lambda *wrong: _told(*wrong)[0])

    def handle(self, session: int, body: bytes) -> None:
        """Do what a message says; a step is run before this returns."""
        message: ToWorker = unpacked(body)
        if isinstance(message, Begin):
            self._begin(session, message)
        elif isinstance(message, Lend):
            self._say(session, self._lending.work(session, message))
        elif isinstance(message, Forget):
            self._desk.forget(message.names)
            self._lending.forget(session, message.names)
        elif isinstance(message, Answer):
            if waiting := self._asked.pop(message.asked, None):
                waiting.put(message.value)
        elif self._items is not None and self._items[0] == session:
            self._items[1].hear(message)

    def _say(self, session: int, message: FromWorker) -> None:
        self._answer(session, packed(message))

    def _begin(self, session: int, begin: Begin) -> None:
        started = time.perf_counter()
        peak = PeakMemory()
        log = Path(begin.log)

        def tell(lines: tuple[str, ...], omitted: int) -> None:
            self._say(session, Wrote(begin.task, lines, omitted))

        made: dict[str, Artifact] = {}
        try:
            with self._capture.to(log, tell):
                made, outcome = self._attempt(session, begin)
        except OSError as error:
            # The log itself cannot be written, for want of room or of a right.
            outcome = _failed(begin, error, 0.0)
        if isinstance(outcome, Computed):
            outcome = replace(
                outcome, seconds=time.perf_counter() - started, peak_memory=peak.growth()
            )
        for port, value in made.items():
            self._desk.put(token(begin.token, port), value, stored=False)
        self._say(session, outcome)
        if isinstance(outcome, Computed):
            size = sum(o.size for o in outcome.outputs.values())
            self._aside(lambda: self._store(session, begin, made), size)

    def _attempt(self, session: int, begin: Begin) -> tuple[dict[str, Artifact], FromWorker]:
        """The step's results by port, and what is to be said of them."""
        started = time.perf_counter()
        # Anything may come out of a component: this is the rim.
        try:
            # What a library warns of once in a process, it shall warn of in each step.
            with warnings.catch_warnings():
                made = self._run(session, begin)
            outputs = {
                port: Made(value.kind, value.summary(), value.size) for port, value in made.items()
            }
        except _CannotRead as wrong:
            return {}, Unreadable(
                begin.task,
                wrong.port,
                wrong.error.to_json(),
                stored=begin.inputs[wrong.port].digest is not None,
            )
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # sys.exit in a user's script, too
            return {}, _failed(begin, error, time.perf_counter() - started)
        return made, Computed(begin.task, outputs, 0.0, None)

    def _run(self, session: int, begin: Begin) -> dict[str, Artifact]:
        component = _configured(begin)
        inputs = {port: self._input(begin, port) for port in begin.inputs}
        require_room(component, inputs.values())
        scratch = Path(begin.scratch)
        scratch.mkdir(parents=True, exist_ok=True)
        arguments: dict[str, Any] = dict(inputs)
        for port in component.__component__.inputs:
            arguments.setdefault(port.name, None)
        if "context" in inspect.signature(component.run).parameters:
            arguments["context"] = self._context(session, begin, scratch, inputs)
        try:
            return _checked(component, component.run(**arguments))
        finally:
            self._items = None
            shutil.rmtree(scratch, ignore_errors=True)

    def _input(self, begin: Begin, port: str) -> Artifact:
        given = begin.inputs[port]
        held = self._desk.get(given.token, given.digest)
        if held is not None:
            return held
        try:
            if given.digest is None:
                raise MissingArtifact(given.token, begin.store)
            loaded = self._store_at(begin.store).get(given.digest)
        except (CorruptArtifact, MissingArtifact) as error:
            raise _CannotRead(port, error) from error
        self._desk.put(given.digest, loaded, stored=True)
        return loaded

    def _store_at(self, address: str) -> Store:
        if address not in self._stores:
            self._stores[address] = Store.open(address)
        return self._stores[address]

    def _context(
        self, session: int, begin: Begin, scratch: Path, inputs: Mapping[str, Artifact]
    ) -> Context:
        told, task = 0.0, begin.task
        # As it is now: a component may redirect prints to the log, which would lead back to itself.
        out = sys.stdout

        def progress(fraction: float) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told >= _PROGRESS_EVERY_S or fraction >= 1:
                told = now
                self._say(session, Progressed(task, min(1.0, max(0.0, float(fraction)))))

        def log(message: str) -> None:
            print(message, file=out, flush=True)

        items = Items(task, lambda message: self._say(session, message), log)
        self._items = session, items
        return Context(
            log=log,
            progress=progress,
            scratch=scratch,
            secret=self._secret or (lambda name: self._ask(session, task, name)),
            map=items.map if self._width > 1 else in_order,
            width=self._width,
            report=lambda report: self._say(session, Reported(task, report)),
            notes=StoreNotes(lambda: self._store_at(begin.store), begin.recipe, inputs),
            threads=self._threads,
        )

    def _ask(self, session: int, task: int, name: str) -> str | None:
        number = next(self._numbers)
        answer = self._asked[number] = queue.SimpleQueue()
        self._say(session, Asked(task, number, name))
        return answer.get()

    def _store(self, session: int, begin: Begin, made: Mapping[str, Artifact]) -> None:
        digests = {}
        if any(given.token in self._unstorable for given in begin.inputs.values()):
            # What it was made of is not in the store, so nobody could ever find it there.
            self._give_up(begin, made)
            return
        for port, value in made.items():
            try:
                digests[port] = self._store_at(begin.store).put(value)
            except Exception as error:  # noqa: BLE001  # `save` is a component author's code, too
                self._give_up(begin, made)
                self._say(session, _failed(begin, error, None))
                return
            self._desk.stored(token(begin.token, port), digests[port])
        self._say(session, Stored(begin.task, digests))

    def _give_up(self, begin: Begin, made: Mapping[str, Artifact]) -> None:
        for port in made:
            self._unstorable.add(token(begin.token, port))
            self._desk.drop(token(begin.token, port))


def token(attempt: str, port: str) -> str:
    """Names an output of an attempt in the memory of the worker that makes it."""
    return f"{attempt}.{port}"


class Beside:
    """Does work in a thread, in order; `room` bytes may wait, then the next one to come waits too."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._taken = 0
        self._changed = threading.Condition()
        self._jobs: queue.SimpleQueue[tuple[Callable[[], None], int]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="storing", daemon=True).start()

    def __call__(self, job: Callable[[], None], size: int) -> None:
        """Do the job after those before it."""
        with self._changed:
            self._taken += size
        self._jobs.put((job, size))

    def wait_for_room(self) -> None:
        """Return when no more than the allowed bytes are waiting."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken <= self._room)

    def _work(self) -> None:
        while True:
            job, size = self._jobs.get()
            job()
            # What the job held must not live until the next one comes.
            del job
            with self._changed:
                self._taken -= size
                self._changed.notify_all()


def at_once(job: Callable[[], None], size: int) -> None:
    """Do the job now."""
    job()


def _configured(begin: Begin) -> Component:
    """The component as it was configured: made of its checked values, which are not checked again."""
    _find_module(begin.module, begin.file)
    found: Any = sys.modules[begin.module]
    for part in begin.name.split("."):
        found = getattr(found, part)
    component: Component = found.model_construct(**unpacked(begin.values))
    return component


def _find_module(name: str, file: str | None) -> None:
    """Have the module of a component loaded, by its name, or else from its file."""
    if name in sys.modules:
        return
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        if file is None or (error.name or "") not in (name, *_parents(name)):
            raise
        spec = spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _checked(component: Component, result: Any) -> dict[str, Artifact]:
    """The outputs by port, those that are there.  Raises WrongResult for what the ports do not promise."""
    spec = component.__component__
    names = ", ".join(p.name for p in spec.outputs)
    if len(spec.outputs) > 1 and not (
        isinstance(result, tuple) and len(result) == len(spec.outputs)
    ):
        raise WrongResult(spec.title, None, f"a value for each of {names}", _described(result))
    if not spec.outputs and result is not None:
        raise WrongResult(spec.title, None, "nothing", _described(result))
    found = outputs_by_port(component, result)
    for port in spec.outputs:
        value = found[port.name]
        if not isinstance(value, port.type) and not (value is None and port.optional):
            raise WrongResult(spec.title, port.name, f'a "{port.type.kind}"', _described(value))
    return {port: value for port, value in found.items() if value is not None}


def _described(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Artifact):
        return f'a "{value.kind}"'
    if isinstance(value, tuple):
        return f"{len(value)} values"
    return f"a value of type {type(value).__name__}"


def _failed(begin: Begin, error: BaseException, seconds: float | None) -> Failed:
    told, reference = _told(begin.title, error, Path(begin.log))
    return Failed(begin.task, told, reference, seconds, storing=seconds is None)


def _told(title: str, error: BaseException, log: Path) -> tuple[Mapping[str, Any], str | None]:
    """The error as JSON, and a fault of ours under a reference, with its traceback in the log."""
    reference = None
    if isinstance(error, MemoryError):
        error = OutOfMemory(title, str(error))
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        error = DiskFull(title, str(error))
    elif isinstance(error, SystemExit):
        error = StepExited(title, str(error.code))
    elif not isinstance(error, ModelwrightError):
        reference = secrets.token_hex(4)
        text = "".join(traceback.format_exception(error))
        with suppress(OSError), log.open("a", encoding="utf-8") as file:
            file.write(f"\nreference {reference}\n{text}")
        error = StepBroke(title, reference)
    return error.to_json(), reference
