"""What a running component may ask of the place where it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from modelwright import temporary

A = TypeVar("A")
B = TypeVar("B")


class Spread(Protocol):
    """A function over independent items, on several workers at a time where the place has them."""

    def __call__(
        self,
        function: Callable[[A], B],
        items: Iterable[A],
        *,
        heard: Callable[[int, B], None] | None = None,
    ) -> list[B]:
        """The function's results, in the order of the items.

        function, items, results: must survive pickling to be spread, or else the items are done here
        in order; what all items share belongs into the function (`functools.partial`), which is sent
        to a worker once.  heard: called in the calling thread with the number of an item and its
        result, as each comes in.  Raises what the function raised for an item that failed, as it
        was if it is a ModelwrightError; items not begun by then are left.

        This is the whole of what a target has to offer to tasks.  A runner that offers it as
        `modelwright.run.spread` does, by messages over its session, offers it on every target.
        """
        ...


class Notes(Protocol):
    """Small findings of a step that outlive the process: a step that was killed goes on from them."""

    def get(self, key: str) -> Mapping[str, Any] | None:
        """What was kept under the key, by this run of the step or by an earlier one; else None."""
        ...

    def keep(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep a finding, as JSON.

        key: names all that the finding depends on in the step's inputs; the step's settings and the
        source of its code, and of learners among its inputs, are added to it.
        """
        ...


class _Forgetful:
    """Notes that are not kept anywhere."""

    def get(self, key: str) -> None:
        return None

    def keep(self, key: str, value: Mapping[str, Any]) -> None:
        pass


def _quiet(message: str) -> None:
    """A log nobody reads."""


def _still(fraction: float) -> None:
    """A progress bar nobody sees."""


def _untold(report: Mapping[str, Any]) -> None:
    """A report nobody hears."""


def in_order(
    function: Callable[[A], B],
    items: Iterable[A],
    *,
    heard: Callable[[int, B], None] | None = None,
) -> list[B]:
    """A `Spread` of a place with one worker: one item after the other, here."""
    results = []
    for number, item in enumerate(items):
        results.append(function(item))
        if heard:
            heard(number, results[-1])
    return results


@dataclass(frozen=True)
class Context:
    """Given to `run` when it asks for it.

    log: a line for the step's log.  progress: 0 to 1.  scratch: a folder that is gone after the step.
    secret: the value of a named secret.  map: a function over independent items, on the target's
    workers where the place has them; results in order.  width: how many of them may work on items at
    a time.  report: JSON about the work so far for whoever watches the run; it adds to the reports
    before.  notes: findings kept beyond the end of the process.
    threads: that the step may use; None for all.  resident: the step will be done again and again, as
    for requests, so what takes long to start should stay.
    """

    log: Callable[[str], None] = _quiet
    progress: Callable[[float], None] = _still
    scratch: Path = field(default_factory=temporary.place)
    secret: Callable[[str], str | None] = lambda name: None
    map: Spread = in_order
    width: int = 1
    report: Callable[[Mapping[str, Any]], None] = _untold
    notes: Notes = field(default_factory=_Forgetful)
    threads: int | None = None
    resident: bool = False

    def within_item(self) -> Context:
        """What a task within an item of `map` may ask for: its share of the threads, and nothing else."""
        if self.width == 1:
            return Context(threads=self.threads)
        from os import cpu_count

        return Context(threads=max(1, (self.threads or cpu_count() or 1) // self.width))
