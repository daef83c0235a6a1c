"""What workers on a Ray cluster hold of its machines, and which of them make room for another one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelwright.targets.contract import Needs, WorkerId

_SPARE_S = 0.3

Machine = Mapping[str, Any]
"""A machine of a cluster: id, name, cpus, gpus, memory in bytes."""


@dataclass(eq=False)
class Worker:
    """A worker, from the order to start it until its end.

    ordered_by: the session that asked for it; 0 for none.  late: it is long in coming.
    seen_by: the sessions for which it may hold what is not stored yet.
    """

    id: WorkerId
    number: int
    needs: Needs
    ordered_by: int = 0
    up: bool = False
    late: bool = False
    taken_by: int | None = None
    wanted: bool = True
    node: str = ""
    idle_since: float = 0.0
    seen_by: set[int] = field(default_factory=set)

    def is_spare(self, sessions: Collection[int], now: float, *, idle_s: float = _SPARE_S) -> bool:
        """Whether it has had nothing to do for so long, and nothing that any of the sessions needs."""
        free = self.up and self.wanted and self.taken_by is None
        return free and not self.seen_by & set(sessions) and now - self.idle_since >= idle_s


def fits(has: Needs, needs: Needs) -> bool:
    """Whether what is there is enough."""
    return has.cpus >= needs.cpus and has.gpus >= needs.gpus and has.memory >= needs.memory


def waste(needs: Needs) -> Callable[[Worker], tuple[float, float, float, float]]:
    """Orders workers: least above what is needed first, then the one used last."""
    return lambda w: (w.needs.gpus, w.needs.cpus, w.needs.memory, -w.idle_since)


def largest(machines: Iterable[Machine]) -> Needs:
    """The most that any single machine has."""
    listed = list(machines)
    return Needs(
        max((n["cpus"] for n in listed), default=0.0),
        max((n["gpus"] for n in listed), default=0.0),
        max((n["memory"] for n in listed), default=0),
    )


def has_room(machines: Iterable[Machine], workers: Iterable[Worker], needs: Needs) -> bool:
    """Whether some machine has as much left beside the workers that are there."""
    there = list(workers)
    return any(fits(_left(machine, there), needs) for machine in machines)


def in_the_way(
    machines: Iterable[Machine], workers: Iterable[Worker], spare: Sequence[Worker], needs: Needs
) -> list[Worker]:
    """The fewest of the spare workers without which some machine has what is needed; none if that is in vain.

    spare: none of which has what is needed.
    """
    there = list(workers)
    best: list[Worker] = []
    for machine in machines:
        ended: list[Worker] = []
        ending = (w for w in spare if w.node == machine["name"])
        while not (room := fits(_left(machine, [w for w in there if w not in ended]), needs)):
            if (worker := next(ending, None)) is None:
                break
            ended.append(worker)
        if room and ended and (not best or len(ended) < len(best)):
            best = ended
    return best


def _left(machine: Machine, workers: Iterable[Worker]) -> Needs:
    """What a machine has beside those of the workers that are on it."""
    held = [w.needs for w in workers if w.wanted and w.node == machine["name"]]
    return Needs(
        machine["cpus"] - sum(n.cpus for n in held),
        machine["gpus"] - sum(n.gpus for n in held),
        machine["memory"] - sum(n.memory for n in held),
    )
