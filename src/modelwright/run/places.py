"""The targets of a run: which step goes where, and how each target is asked for workers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from modelwright.data.store import Store
from modelwright.graph.graph import NodeId
from modelwright.targets.contract import (
    Delayed,
    Delivery,
    Ended,
    Free,
    Needs,
    NotStarted,
    Session,
    ShapedSession,
    Target,
    WorkerId,
)

_PATIENCE_S = 0.1
_MOST_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a step runs: the name of a target, and what it needs there."""

    target: str
    needs: Needs = field(default_factory=Needs)


@runtime_checkable
class Prepared(Protocol):
    """A target that must be looked at before a run begins."""

    def prepare(self, store: Store, needs: Mapping[NodeId, Needs]) -> None:
        """Raise ModelwrightError unless steps with these needs can run there on that store."""
        ...


class Place:
    """A target in a run: its session, and how many workers are asked for.

    retries: how often a step whose worker crashed is begun again.
    """

    def __init__(self, target: Target, deliver: Callable[[Place, Delivery], None]) -> None:
        self.target = target
        self.session = target.session(lambda delivery: deliver(self, delivery))
        self.retries = int(getattr(target, "retries", 0))
        self.longest_step_s: float | None = getattr(target, "longest_step_s", None)
        self.delayed = ""
        self._starving: dict[Needs, int] = {}
        self._starving_since: float | None = None
        self._coming: Counter[Needs] = Counter()
        self._not_started: list[Ended] = []

    @property
    def hands_on(self) -> bool:
        """Whether a value in one worker's memory can be had by the others."""
        return isinstance(self.session, ShapedSession) and self.session.hands_on

    def workers(self, needs: Needs) -> Session:
        """The session, as far as it is about workers that have what is needed."""
        return (
            self.session.shaped(needs) if isinstance(self.session, ShapedSession) else self.session
        )

    def hear(self, delivery: Delivery) -> None:
        """Take in what the target says of its workers."""
        if isinstance(delivery, (NotStarted, Free)):
            came = delivery.needs or next(iter(self._coming.most_common(1)), (Needs(), 0))[0]
            self._coming[came] = max(0, self._coming[came] - 1)
        if isinstance(delivery, NotStarted):
            self._not_started.append(delivery.how)
        elif isinstance(delivery, Free):
            self._not_started.clear()
            self.delayed = ""
        elif isinstance(delivery, Delayed):
            self.delayed = delivery.why

    def begin_count(self) -> None:
        """Forget for how many steps nobody is there."""
        self._starving.clear()

    def starve(self, needs: Needs, count: int = 1) -> None:
        """Note that nobody is there for so many steps or items with these needs."""
        if count:
            self._starving[needs] = self._starving.get(needs, 0) + count

    @property
    def patience_ends(self) -> float | None:
        """When it is to be asked for workers again, if nothing is heard before."""
        return None if self._starving_since is None else self._starving_since + _PATIENCE_S

    def ask(self, *, idle: bool) -> Ended | None:
        """Have the target start workers for what nobody is there for; how it failed, for good.

        idle: no step runs there.
        """
        if not self._starving:
            self._starving_since = None
            return None
        now = time.monotonic()
        if self._starving_since is None:
            self._starving_since = now
        if len(self._not_started) >= _MOST_ATTEMPTS and idle:
            return self._not_started[-1]
        # A short step is done sooner by a worker that is about to be free than by a new one.
        coming = self._coming.total()
        patient = now - self._starving_since < _PATIENCE_S and not (idle and not coming)
        lacking = [n for n, count in self._starving.items() if self._coming[n] < count]
        if not patient and lacking:
            for needs in lacking:
                if self.workers(needs).grow():
                    self._coming[needs] += 1
                    break
            self._starving_since = now
        elif not lacking:
            self._starving_since = now
        return None

    def rest(self) -> None:
        """Ask for nothing any more."""
        self._starving_since = None


class Places:
    """All targets of a run.  As a session it is that of the default target, and of each worker's own.

    default, others: targets by name.  placing: of each node; the default target for a node without.
    """

    def __init__(
        self,
        default: Target,
        others: Mapping[str, Target],
        placing: Mapping[NodeId, Placing],
        deliver: Callable[[Place, Delivery], None],
    ) -> None:
        self._placing = placing
        self._owners: dict[WorkerId, Place] = {}
        self._default = Place(default, deliver)
        self._all = {default.name: self._default}
        wanted = {p.target for p in placing.values()}
        try:
            for name, target in others.items():
                if name not in self._all and name in wanted:
                    self._all[name] = Place(target, deliver)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Place]:
        return iter(self._all.values())

    def of(self, node: NodeId) -> Place:
        """Where a node's step runs."""
        placing = self._placing.get(node)
        return self._default if placing is None else self._all.get(placing.target, self._default)

    def of_worker(self, worker: WorkerId) -> Place:
        """Whose worker it is."""
        return self._owners.get(worker, self._default)

    def needs(self, node: NodeId) -> Needs:
        """What a node's step needs of its worker."""
        placing = self._placing.get(node)
        return Needs() if placing is None else placing.needs

    def workers(self, node: NodeId) -> Session:
        """The workers that may do a node's step."""
        place = self.of(node)
        return _Noting(place, self._owners, place.workers(self.needs(node)))

    def take(self, wanted: Sequence[WorkerId] | None = None) -> WorkerId | None:
        """A free worker of the default target, for an item of a step."""
        return _Noting(self._default, self._owners, self._default.session).take(wanted)

    def grow(self) -> bool:
        """Ask the default target for one more worker."""
        return self._default.session.grow()

    def send(self, worker: WorkerId, body: bytes) -> None:
        """Give a worker a message."""
        self.of_worker(worker).session.send(worker, body)

    def free(self, worker: WorkerId) -> None:
        """Give a worker back."""
        self.of_worker(worker).session.free(worker)

    def settle(self, worker: WorkerId) -> None:
        """A worker holds nothing any more that would be lost with it."""
        session = self.of_worker(worker).session
        if isinstance(session, ShapedSession):
            session.settle(worker)

    def kill(self, worker: WorkerId) -> None:
        """End a worker."""
        self.of_worker(worker).session.kill(worker)

    def close(self) -> None:
        """End every session."""
        for place in self._all.values():
            place.session.close()


class _Noting:
    """A session that remembers which place its workers are from."""

    def __init__(self, place: Place, owners: dict[WorkerId, Place], session: Session) -> None:
        self._place = place
        self._owners = owners
        self._session = session

    def take(self, wanted: Sequence[WorkerId] | None = None) -> WorkerId | None:
        worker = self._session.take(wanted)
        if worker is not None:
            self._owners[worker] = self._place
        return worker

    def grow(self) -> bool:
        return self._session.grow()

    def send(self, worker: WorkerId, body: bytes) -> None:
        self._session.send(worker, body)

    def free(self, worker: WorkerId) -> None:
        self._session.free(worker)

    def kill(self, worker: WorkerId) -> None:
        self._session.kill(worker)

    def close(self) -> None:
        self._session.close()
