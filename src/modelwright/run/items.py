"""Independent items of a step, in the worker: spread by the step, and worked on for another's step."""

from __future__ import annotations

import itertools
import pickle
import queue
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from modelwright.components.context import in_order
from modelwright.data.errors import ModelwrightError
from modelwright.run.capture import Capture
from modelwright.run.messages import Did, FromWorker, Gathered, Lend, Lent, Own, Part, Spread
from modelwright.run.spread import function_name

A = TypeVar("A")
B = TypeVar("B")

_TEXT = 4000

Told = Callable[[str, BaseException, Path], Mapping[str, Any]]
"""An exception in a component of that title, as an error in JSON; a traceback of ours goes into the file."""


class Items:
    """The items of one step that runs here.

    say: tells the runner.  log: a line for the step's log.
    """

    def __init__(
        self, task: int, say: Callable[[FromWorker], None], log: Callable[[str], None]
    ) -> None:
        self._task = task
        self._say = say
        self._log = log
        self._numbers = itertools.count(1)
        self._inboxes: dict[int, queue.SimpleQueue[Own | Part]] = {}

    def hear(self, message: Own | Part) -> None:
        """Take in what the runner says; on the thread that listens."""
        if inbox := self._inboxes.get(message.call):
            inbox.put(message)

    def map(
        self,
        function: Callable[[A], B],
        items: Iterable[A],
        *,
        heard: Callable[[int, B], None] | None = None,
    ) -> list[B]:
        """The function's results, as `modelwright.components.context.Spread` says."""
        listed = list(items)
        if len(listed) < 2:
            return in_order(function, listed, heard=heard)
        try:
            packed = pickle.dumps(function, protocol=pickle.HIGHEST_PROTOCOL)
            arguments = tuple(pickle.dumps(item, pickle.HIGHEST_PROTOCOL) for item in listed)
        except (pickle.PicklingError, AttributeError, TypeError):
            return in_order(function, listed, heard=heard)
        call = next(self._numbers)
        inbox = self._inboxes[call] = queue.SimpleQueue()
        results: dict[int, B] = {}
        self._say(Spread(self._task, call, packed, arguments))
        try:
            while len(results) < len(listed):
                message = inbox.get()
                number = message.item
                if isinstance(message, Own):
                    results[number] = function(listed[number])
                    self._say(Did(self._task, call, number))
                else:
                    results[number] = self._result(message)
                if heard:
                    heard(number, results[number])
        finally:
            self._say(Gathered(self._task, call))
            del self._inboxes[call]
        return [results[number] for number in range(len(listed))]

    def _result(self, part: Part) -> Any:
        if part.text:
            self._log(part.text)
        if part.result is None:
            raise ModelwrightError.from_json(part.error or {})
        # Packed by a worker of the same user, over a line nobody else can open.
        return pickle.loads(part.result)  # noqa: S301


class Lending:
    """Works on items of steps that run elsewhere.

    find_module: has the module of a step's component loaded, as the function may come from it.
    """

    def __init__(
        self, capture: Capture, find_module: Callable[[str, str | None], None], told: Told
    ) -> None:
        self._capture = capture
        self._find_module = find_module
        self._told = told
        self._functions: dict[tuple[int, str], Callable[[Any], Any]] = {}

    def forget(self, session: int, names: Iterable[str]) -> None:
        """These functions will not be asked for again."""
        for name in names:
            self._functions.pop((session, name), None)

    def work(self, session: int, lend: Lend) -> Lent:
        """The result of an item, or why there is none."""
        scratch = Path(lend.scratch)
        log = scratch / f"{lend.call}-{lend.item}.log"
        result: bytes | None = None
        error: Mapping[str, Any] | None = None
        try:
            scratch.mkdir(parents=True, exist_ok=True)
            with self._capture.to(log, lambda lines, omitted: None):
                value = self._function(session, lend)(pickle.loads(lend.argument))  # noqa: S301
                result = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        except KeyboardInterrupt:
            raise
        except BaseException as wrong:  # noqa: BLE001  # the function is a component author's code
            error = self._told(lend.title, wrong, log)
        return Lent(lend.task, lend.call, lend.item, result, error, _taken(log))

    def _function(self, session: int, lend: Lend) -> Callable[[Any], Any]:
        key = session, function_name(lend.task, lend.call)
        if lend.function is not None:
            self._find_module(lend.module, lend.file)
            self._functions[key] = pickle.loads(lend.function)  # noqa: S301
        return self._functions[key]


def _taken(log: Path) -> str:
    """The end of what was printed; the file is removed."""
    text = ""
    with suppress(OSError):
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TEXT))
            text = file.read().decode("utf-8", "replace").strip()
        log.unlink()
    return text
