"""The settings that steps of a run tried: what was measured of each, and the best so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.actions.interrupted import end_interrupted_runs
from modelwright.actions.runs import find_run
from modelwright.workspace.records.runs import Event, StepStatus

if TYPE_CHECKING:
    from modelwright.actions.home import Home

REPORT = "step-report"
SWEEP = "sweep"

Told = Mapping[str, Any]
"""What a step told of one try, as docs/howto/find-good-settings.md has it."""


@dataclass(frozen=True)
class Sweep:
    """The settings that one step tried so far.

    run: where they were tried; an earlier run when the step took over its result.
    tries: what was told of each, in the order in which they were settled; at least one.
    """

    node: str
    run: str
    tries: tuple[Told, ...]

    @property
    def last(self) -> Told:
        """What was told last: it knows how many there are, and the best."""
        return self.tries[-1]

    def ranked(self) -> list[Told]:
        """The tries with the best first; those without a value last, in the order they came."""

        def rank(told: Told) -> tuple[bool, float, int]:
            value = value_of(told)
            if value is None:
                return True, 0.0, 0
            return False, value if told["smallest_is_best"] else -value, told["try"]

        return sorted(self.tries, key=rank)


def value_of(told: Told) -> float | None:
    """By what a try is ranked; None when it could not be trained or was given up."""
    return None if told["pruned"] else told.get("metrics", {}).get(told["metric"])


def sweeps_of(home: Home, run_id: str) -> tuple[Sweep, ...]:
    """The sweeps of a run, in the order of its plan.  Raises NotFound."""
    run = find_run(home, run_id)
    runs = home.workspace.runs
    steps = runs.steps.list(run.id)
    worked = runs.steps.worked([s.key for s in steps if s.status is StepStatus.REUSED and s.key])
    told = {
        other: _by_node(runs.events.list(other, kind=REPORT, limit=None))
        for other in {run.id, *(other for other, _ in worked.values())}
    }
    found = []
    for step in steps:
        place: tuple[str, str] = (run.id, step.node)
        if step.node not in told[run.id]:
            place = worked.get(step.key or "", place)
        if tries := told[place[0]].get(place[1]):
            found.append(Sweep(step.node, place[0], tries))
    return tuple(found)


def follow_run(
    home: Home,
    run_id: str,
    *,
    every_s: float = 0.5,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Event]:
    """What happens in a run, from its beginning until it has ended, whoever works on it.

    Raises NotFound.
    """
    run = find_run(home, run_id)
    since = 0
    while True:
        # Asked first: what was written before the end is then sure to be read after it.
        finished = home.workspace.runs.get(run.id).status.finished
        for event in home.workspace.runs.events.list(run.id, since=since, limit=None):
            since = event.seq
            yield event
        if finished:
            return
        wait(every_s)
        end_interrupted_runs(home)


def _by_node(events: Iterable[Event]) -> dict[str, tuple[Told, ...]]:
    found: dict[str, list[Told]] = {}
    for event in events:
        told: Told = event.data["report"]
        if told.get("about") != SWEEP:
            continue
        tries = found.setdefault(str(event.data["node"]), [])
        if told["settled"] == 1:
            # A step that lost its worker begins again, and tells all of it again.
            tries.clear()
        tries.append(told)
    return {node: tuple(tries) for node, tries in found.items()}
