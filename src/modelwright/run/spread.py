"""Items of a running step, dealt to the workers that have nothing else to do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from modelwright.data.errors import ModelwrightError
from modelwright.run.failure import WorkerDied
from modelwright.run.messages import Did, Forget, Gathered, Lend, Lent, Own, Part, Spread, ToWorker
from modelwright.targets.contract import Ended, Session, WorkerId

_MOST_ATTEMPTS = 2

Send = Callable[[WorkerId, ToWorker], None]


@dataclass(frozen=True)
class Asking:
    """The step whose items they are: its worker, its component, and where its items may keep files."""

    worker: WorkerId
    title: str
    module: str
    file: str | None
    scratch: str


@dataclass(eq=False)
class _Call:
    """Items of one call, until the step has all it wants."""

    asking: Asking
    said: Spread
    waiting: deque[int]
    busy: bool = False
    at: dict[WorkerId, int] = field(default_factory=dict)
    informed: set[WorkerId] = field(default_factory=set)
    attempts: dict[int, int] = field(default_factory=dict)


class Spreads:
    """Deals the items of running steps, one at a time to each worker; used by the runner's thread.

    The step's own worker takes part.  Other workers are taken from the session while nobody else of
    this run wants them, and given back after each item, so that no step waits longer than an item.
    An item whose worker died is given to another one once.
    """

    def __init__(self, session: Session, send: Send) -> None:
        self._session = session
        self._send = send
        self._calls: dict[tuple[int, int], _Call] = {}

    @property
    def waiting(self) -> int:
        """How many items nobody works on yet."""
        return sum(len(call.waiting) for call in self._calls.values())

    def begin(self, said: Spread, asking: Asking) -> None:
        """Take in the items of a call."""
        self._calls[said.task, said.call] = _Call(asking, said, deque(range(len(said.items))))

    def deal(self) -> None:
        """Give waiting items to the steps themselves, and to free workers."""
        for call in self._calls.values():
            if call.waiting and not call.busy:
                call.busy = True
                self._send(call.asking.worker, Own(call.said.call, call.waiting.popleft()))
        for call in self._calls.values():
            while call.waiting:
                # One that has the function already need not be sent it again.
                worker = self._session.take(sorted(call.informed)) if call.informed else None
                worker = worker if worker is not None else self._session.take()
                if worker is None:
                    return
                self._lend(call, worker)

    def _lend(self, call: _Call, worker: WorkerId) -> None:
        item = call.waiting.popleft()
        said, asking = call.said, call.asking
        call.at[worker] = item
        lend = Lend(
            said.task,
            said.call,
            item,
            None if worker in call.informed else said.function,
            said.items[item],
            asking.title,
            asking.module,
            asking.file,
            asking.scratch,
        )
        call.informed.add(worker)
        self._send(worker, lend)

    def hear(self, worker: WorkerId, said: Did | Gathered | Lent) -> None:
        """Take in what became of items."""
        call = self._calls.get((said.task, said.call))
        if call is None:
            return
        if isinstance(said, Did):
            call.busy = False
        elif isinstance(said, Lent):
            if call.at.pop(worker, None) == said.item:
                part = Part(said.call, said.item, said.result, said.error, said.text)
                self._send(call.asking.worker, part)
        else:
            self._end(said.task, said.call)

    def lose(self, worker: WorkerId, how: Ended) -> None:
        """A worker is gone: its item is done elsewhere, or given up when that happened before."""
        for call in self._calls.values():
            call.informed.discard(worker)
            item = call.at.pop(worker, None)
            if item is None:
                continue
            call.attempts[item] = call.attempts.get(item, 0) + 1
            if call.attempts[item] < _MOST_ATTEMPTS:
                call.waiting.appendleft(item)
            else:
                error: ModelwrightError = WorkerDied(str(how), how.signal, how.output)
                part = Part(call.said.call, item, None, error.to_json(), "")
                self._send(call.asking.worker, part)

    def end(self, task: int) -> None:
        """A step has come to its end: what it left is not wanted any more."""
        for key in [key for key in self._calls if key[0] == task]:
            self._end(*key)

    def _end(self, task: int, number: int) -> None:
        call = self._calls.pop((task, number))
        for worker in call.informed:
            self._send(worker, Forget((function_name(task, number),)))


def function_name(task: int, call: int) -> str:
    """Names the function of a call in the memory of a worker that was lent an item."""
    return f"call {task}.{call}"
