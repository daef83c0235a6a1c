"""How a target is asked for workers, when steps differ in what they need."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from modelwright.run.places import Place
from modelwright.targets.contract import (
    Delivery,
    Ended,
    Free,
    Needs,
    NotStarted,
    Session,
    WorkerId,
)

SMALL, HUGE = Needs(cpus=1), Needs(cpus=64)


class Noted:
    """A target that notes which workers it is asked for.  Of those that are huge, none ever comes."""

    name = "farm"
    most = 100

    def __init__(self) -> None:
        self.asked: list[Needs] = []

    def session(self, deliver: Callable[[Delivery], None]) -> Session:
        return _NotedSession(self, Needs())

    def close(self) -> None:
        pass


class _NotedSession:
    hands_on = True

    def __init__(self, target: Noted, needs: Needs) -> None:
        self._target = target
        self._needs = needs

    def shaped(self, needs: Needs) -> Session:
        return _NotedSession(self._target, needs)

    def take(self, wanted: Sequence[WorkerId] | None = None) -> WorkerId | None:
        return None

    def grow(self) -> bool:
        self._target.asked.append(self._needs)
        return True

    def send(self, worker: WorkerId, body: bytes) -> None:
        pass

    def free(self, worker: WorkerId) -> None:
        pass

    def settle(self, worker: WorkerId) -> None:
        pass

    def kill(self, worker: WorkerId) -> None:
        pass

    def close(self) -> None:
        pass


def asked(place: Place, target: Noted, *starving: Needs) -> list[Needs]:
    """What the target is asked for while these steps have no worker."""
    target.asked.clear()
    for _ in range(10):
        place.begin_count()
        for needs in starving:
            place.starve(needs)
        # As if it had been patient for long.
        place.rest()
        place.ask(idle=True)
        place._starving_since = 0.0
        place.ask(idle=True)
    return target.asked


def test_one_that_never_comes_keeps_nobody_else_from_being_asked_for() -> None:
    target = Noted()
    place = Place(target, lambda place, delivery: None)
    assert asked(place, target, HUGE, SMALL) == [HUGE, SMALL]
    place.hear(Free(SMALL))
    # The one that came was taken by another step.
    assert asked(place, target, HUGE, SMALL) == [SMALL]


def test_one_that_did_not_start_is_asked_for_again() -> None:
    target = Noted()
    place = Place(target, lambda place, delivery: None)
    assert asked(place, target, HUGE, SMALL) == [HUGE, SMALL]
    place.hear(NotStarted(Ended(1), HUGE))
    assert asked(place, target, HUGE, SMALL) == [HUGE]
