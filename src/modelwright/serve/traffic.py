"""Several deployments at one address: each request goes to one of them, by their shares."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import cycle
from typing import Protocol

from modelwright.inference.errors import InputDataError, StepFailed
from modelwright.inference.scorer import Shape
from modelwright.serve.answers import Refusal
from modelwright.serve.lanes import Lane, Load
from modelwright.serve.meters import Meter
from modelwright.serve.settings import DeploymentSettings


class Onlooker(Protocol):
    """Somebody who gets a copy of requests and replies; it must neither wait nor raise."""

    def see(self, number: int, body: bytes, shape: Shape, reply: bytes) -> None:
        """Take a copy.  number: the deployment that answered."""
        ...


def turns(shares: Mapping[int, int]) -> tuple[int, ...]:
    """Deployments in the order in which requests go to them, again and again.

    As evenly spread as can be: of every hundred requests each deployment gets just its share, and of
    fewer, never more than one from it.  Of shares that add up to 0 nobody gets a turn.
    """
    due = dict.fromkeys(sorted(shares), 0)
    whole = sum(shares.values())
    found = []
    for _ in range(whole):
        for number in due:
            due[number] += shares[number]
        first = max(due, key=lambda n: (due[n], -n))
        due[first] -= whole
        found.append(first)
        if not any(due.values()):
            # From here on it would repeat itself.
            break
    return tuple(found)


class SharedLane:
    """Gives each request to the lane whose turn it is, counts, and shows it to onlookers."""

    def __init__(
        self,
        lanes: Mapping[int, Lane],
        shares: Mapping[int, int],
        meters: Mapping[int, Meter],
        onlookers: Sequence[Onlooker],
    ) -> None:
        """lanes, shares and meters: by number of the deployment."""
        self._lanes = dict(lanes)
        self._meters = meters
        self._onlookers = tuple(onlookers)
        self._turns = cycle(turns(shares))

    @property
    def load(self) -> Load:
        """That of all lanes together."""
        found = Load(0)
        for lane in self._lanes.values():
            found.slots += lane.load.slots
            found.busy += lane.load.busy
            found.queued += lane.load.queued
        return found

    @property
    def pids(self) -> list[int]:
        """Ids of the processes at work in any lane."""
        return sorted(pid for lane in self._lanes.values() for pid in lane.pids)

    async def answer(self, body: bytes, shape: Shape) -> bytes:
        """The reply.  Raises Refusal, InputDataError and StepFailed."""
        number = next(self._turns)
        begun = time.perf_counter()
        status: int = HTTPStatus.OK
        try:
            reply = await self._lanes[number].answer(body, shape)
        except Refusal as refusal:
            status = refusal.answer.status
            raise
        except (InputDataError, StepFailed):
            status = HTTPStatus.BAD_REQUEST
            raise
        except Exception:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            raise
        finally:
            self._meters[number].count(status, time.perf_counter() - begun)
        for onlooker in self._onlookers:
            onlooker.see(number, body, shape, reply)
        return reply

    def change(self, settings: DeploymentSettings) -> None:
        """Take other limits in every lane."""
        for lane in self._lanes.values():
            lane.change(settings)

    async def close(self) -> None:
        """Close every lane."""
        for lane in self._lanes.values():
            await lane.close()
