"""Which worker gets which step: the one that has its inputs in memory, if it can be had."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from modelwright.graph.graph import Pin
from modelwright.targets.contract import Session, WorkerId


class Holdings:
    """Which workers have which outputs in memory, and how large those are."""

    def __init__(self) -> None:
        self._holders: dict[Pin, set[WorkerId]] = {}
        self._sizes: dict[Pin, int] = {}

    def add(self, pin: Pin, worker: WorkerId, size: int | None = None) -> None:
        """A worker has made or loaded an output; size in bytes where it is known."""
        self._holders.setdefault(pin, set()).add(worker)
        if size is not None:
            self._sizes[pin] = size

    def pins(self) -> tuple[Pin, ...]:
        """The outputs that some worker has in memory."""
        return tuple(self._holders)

    def holders(self, pin: Pin) -> frozenset[WorkerId]:
        """The workers that have an output in memory."""
        return frozenset(self._holders.get(pin, ()))

    def forget(self, pin: Pin) -> frozenset[WorkerId]:
        """Nobody is to have an output any more; the workers that had it."""
        return frozenset(self._holders.pop(pin, ()))

    def lose(self, worker: WorkerId) -> None:
        """A worker is gone, with all it had."""
        for holders in self._holders.values():
            holders.discard(worker)

    def best(self, pins: Collection[Pin]) -> list[WorkerId]:
        """Workers that have any of these outputs, those with the most bytes first."""
        bytes_held: dict[WorkerId, int] = {}
        for pin in pins:
            for worker in self._holders.get(pin, ()):
                bytes_held[worker] = bytes_held.get(worker, 0) + self._sizes.get(pin, 1)
        return sorted(bytes_held, key=lambda w: (-bytes_held[w], w))


def choose(
    session: Session, holdings: Holdings, inputs: Mapping[Pin, bool], *, handed_on: bool = False
) -> tuple[WorkerId | None, bool]:
    """Take a worker for a step with these inputs, each stored (True) or only in memory (False).

    handed_on: what is in a worker's memory can be had by the others, too.
    The second value: whether another worker, started for it, could do the step.
    """
    unstored = [pin for pin, stored in inputs.items() if not stored]
    if unstored and not handed_on:
        able = frozenset.intersection(*(holdings.holders(pin) for pin in unstored))
        return session.take([w for w in holdings.best(inputs) if w in able]), False
    best = holdings.best(inputs)
    worker = session.take(best) if best else None
    return (worker if worker is not None else session.take()), True
