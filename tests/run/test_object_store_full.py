"""A machine of a cluster that has no room for what a step made."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from modelwright.graph.graph import NodeId
from modelwright.run.messages import Begin, Computed, Made, packed, unpacked
from modelwright.targets.contract import Delivery, Ended, Free, Gone, Message, Session, WorkerId
from tests.run.worlds import World, graph

ROOM = 80_000_000
MADE = 32_000_000


class FullMachine:
    """A target whose only machine ends each worker when it has made something."""

    name = "full"
    most = 1

    def session(self, deliver: Callable[[Delivery], None]) -> Session:
        return _FullSession(deliver)

    def close(self) -> None:
        pass


class _FullSession:
    def __init__(self, deliver: Callable[[Delivery], None]) -> None:
        self._deliver = deliver
        self._numbers = itertools.count(1)

    def take(self, wanted: Sequence[WorkerId] | None = None) -> WorkerId | None:
        return None if wanted is not None else WorkerId(f"full-{next(self._numbers)}")

    def grow(self) -> bool:
        return False

    def send(self, worker: WorkerId, body: bytes) -> None:
        begin = unpacked(body)
        if isinstance(begin, Begin):
            made = {"table": Made("table", {"rows": 4_000_000}, MADE)}
            self._deliver(Message(worker, packed(Computed(begin.task, made, 0.1, None))))
            self._deliver(Gone(worker, Ended(None, "no room", full=ROOM)))

    def free(self, worker: WorkerId) -> None:
        self._deliver(Free())

    def kill(self, worker: WorkerId) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_full_object_store_is_told_with_both_sizes_and_what_to_do(tmp_path: Path) -> None:
    world = World(tmp_path, FullMachine())
    result = world.run(graph({"n": ("numbers", {}), "a": ("add", {})}, "n.table > a.dataset"))
    (failure,) = result.failures
    assert (failure.node, failure.code) == ("n", "object-store-full")
    assert (failure.error["fields"]["results"], failure.error["fields"]["room"]) == (MADE, ROOM)
    assert "32 MB" in failure.message
    assert "80 MB" in failure.message
    assert "--object-store-memory" in failure.message
    assert result.steps[NodeId("a")].status == "skipped"
