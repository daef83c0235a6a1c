"""What a worker on a Ray cluster does: the same work as any other, with its log and values sent along."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from modelwright import temporary
from modelwright.data.artifact import Artifact, Digest
from modelwright.data.schema import Schema
from modelwright.data.store import Store
from modelwright.run.capture import Descriptors
from modelwright.run.desk import Desk
from modelwright.run.messages import (
    Begin,
    Computed,
    Failed,
    Lend,
    Logged,
    Unreadable,
    packed,
    unpacked,
)
from modelwright.run.work import Beside, Work
from modelwright.run.worker import bound_memory
from modelwright.targets.ray_worker import Answer, Held, Keep

_DESK = 256 << 20
_UNSTORED = 1 << 30
_LOOK_EVERY_S = 0.25
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Parcel:
    """A value on its way to another worker: Arrow columns that are not copied, files, or a digest.

    kind: the class that reads the files.  digest: for one that was too large for the object store.
    """

    kind: type[Artifact]
    columns: Any = None
    marks: Schema | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    digest: Digest | None = None


def wrap(artifact: Artifact) -> Parcel:
    """A value as a parcel; the columns of a table are taken as they are."""
    from modelwright.data.table import Table

    if type(artifact) is Table:
        return Parcel(Table, columns=artifact.frame.to_arrow(), marks=artifact.schema)
    with tempfile.TemporaryDirectory(prefix="parcel-", dir=temporary.place()) as folder:
        artifact.save(Path(folder))
        paths = [p for p in Path(folder).rglob("*") if p.is_file()]
        files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}
    return Parcel(type(artifact), files=files)


def unwrap(parcel: Parcel) -> Artifact:
    """The value in a parcel; a table's columns stay where they are."""
    from modelwright.data.table import Table

    if parcel.columns is not None:
        import polars as pl

        frame = pl.from_arrow(parcel.columns, rechunk=False)
        if not isinstance(frame, pl.DataFrame):
            raise TypeError("a table's columns are expected")
        return Table(frame, parcel.marks or ())
    with tempfile.TemporaryDirectory(prefix="parcel-", dir=temporary.place()) as folder:
        for name, content in parcel.files.items():
            place = Path(folder, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return parcel.kind.load(Path(folder))


class HandingDesk(Desk):
    """A desk that hands what is made on to other workers, and finds there what they made.

    largest: bytes; a larger value is handed on through the store.
    """

    def __init__(self, room: int, keep: Callable[[str, Parcel], None], *, largest: int) -> None:
        super().__init__(room)
        self._keep = keep
        self._largest = largest
        self._held: Held | None = None
        self._store: Callable[[], Store] | None = None

    def receive(self, held: Held, store: Callable[[], Store]) -> None:
        """What others have handed on for the step that begins, and where larger values are."""
        self._held, self._store = held, store

    def put(self, name: str, artifact: Artifact, *, stored: bool) -> None:
        """Lay a value down, and hand it on when it has just been made."""
        super().put(name, artifact, stored=stored)
        if stored:
            return
        if artifact.size <= self._largest or self._store is None:
            self._keep(name, wrap(artifact))
        else:
            self._keep(name, Parcel(type(artifact), digest=self._store().put(artifact)))

    def get(self, *names: str | None) -> Artifact | None:
        """The value here, or else in this machine's object store, or else, not stored yet, in another's."""
        found = super().get(*names)
        if found is not None or self._held is None or not names[0]:
            return found
        is_stored = any(names[1:])
        parcel = self._held.get(names[0], near=is_stored)
        if not isinstance(parcel, Parcel):
            return None
        if parcel.digest is not None:
            return self._store().get(parcel.digest) if self._store else None
        return unwrap(parcel)


class StepProgram:
    """Runs steps in an actor.  options: threads, width, memory (bytes, 0 for no bound), largest (bytes)."""

    def __init__(self, answer: Answer, keep: Keep, options: Mapping[str, Any]) -> None:
        # What this process has seen of modules is not what programs started by a step should see.
        os.environ.pop("PYTHONPATH", None)
        self._answer = answer
        self._hand_on = keep
        self._session = 0
        self._folder = Path(tempfile.mkdtemp(prefix="step-", dir=temporary.place()))
        self._logs: dict[tuple[int, int], _LogReader] = {}
        self._stores: dict[str, Store] = {}
        self._desk = HandingDesk(_DESK, self._keep, largest=int(options["largest"]))
        self._storing = Beside(_UNSTORED)
        self._work = Work(
            self._say,
            capture=Descriptors(),
            desk=self._desk,
            aside=self._storing,
            threads=int(options["threads"]),
            width=int(options["width"]),
        )
        bound_memory(int(options.get("memory") or 0))
        import polars as pl

        from modelwright.components.library import library

        with suppress(Exception):
            # A component that cannot be imported fails the step that wants it, and says so there.
            library().load()
        pl.LazyFrame({"x": [1]}).select(pl.col("x") + 1).collect()

    def handle(self, session: int, body: bytes, held: Held) -> None:
        """Do what a message says."""
        message = unpacked(body)
        if isinstance(message, Begin):
            self._storing.wait_for_room()
            self._session = session
            address = message.store
            self._desk.receive(held, lambda: self._store_at(address))
            log = self._folder / f"{session}-{message.task}.log"
            reader = _LogReader(
                log, lambda c: self._answer(session, packed(Logged(message.task, c)))
            )
            self._logs[session, message.task] = reader
            scratch = str(self._folder / f"{session}-{message.task}")
            body = packed(replace(message, log=str(log), scratch=scratch))
        elif isinstance(message, Lend):
            body = packed(replace(message, scratch=str(self._folder / f"{session}-items")))
        self._work.handle(session, body)

    def _say(self, session: int, body: bytes) -> None:
        said = unpacked(body)
        ends = isinstance(said, (Computed, Failed, Unreadable))
        # All of the log comes before the step's end.
        if ends and (reader := self._logs.pop((session, said.task), None)):
            reader.close()
        self._answer(session, body)

    def _keep(self, name: str, parcel: Parcel) -> None:
        self._hand_on(self._session, name, parcel)

    def _store_at(self, address: str) -> Store:
        if address not in self._stores:
            self._stores[address] = Store.open(address)
        return self._stores[address]


class _LogReader:
    """Sends what is added to a file, as it is."""

    def __init__(self, path: Path, send: Callable[[bytes], None]) -> None:
        self._path = path
        self._send = send
        self._place = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="send the log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Send what is left."""
        self._over.set()
        self._thread.join()
        with suppress(OSError):
            self._path.unlink()

    def _work(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            self._look()
        self._look()

    def _look(self) -> None:
        with suppress(OSError), self._path.open("rb") as file:
            file.seek(self._place)
            while chunk := file.read(_CHUNK):
                self._place += len(chunk)
                self._send(chunk)
