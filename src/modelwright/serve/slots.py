"""Figures that the replicas of an endpoint share with its controller, through a mapped file.

A controller that follows on a dead one finds them where they were.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

MOST = 1000
"""Replicas of an endpoint at most; each has a slot of its own."""

_OWN = Struct("=QI4x")
_TOLD = Struct("=I4x")
_SIZE = _OWN.size + _TOLD.size


@dataclass(frozen=True, slots=True)
class Figures:
    """What a replica says of itself.  answered: requests since it began."""

    answered: int = 0
    connections: int = 0


class Slots:
    """The slots of an endpoint; a replica writes its figures, the controller what to shed."""

    def __init__(self, path: Path) -> None:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(handle, MOST * _SIZE)
            self._memory = mmap.mmap(handle, MOST * _SIZE)
        finally:
            os.close(handle)

    def clear(self, slot: int) -> None:
        """Make a slot fit for a new replica."""
        start = slot * _SIZE
        self._memory[start : start + _SIZE] = bytes(_SIZE)

    def say(self, slot: int, figures: Figures) -> None:
        """Write a replica's figures."""
        _OWN.pack_into(self._memory, slot * _SIZE, figures.answered, figures.connections)

    def figures(self, slot: int) -> Figures:
        """What the replica said last."""
        answered, connections = _OWN.unpack_from(self._memory, slot * _SIZE)
        return Figures(answered, connections)

    def shed(self, slot: int, connections: int) -> None:
        """Ask a replica to close so many connections, each after an answer."""
        _TOLD.pack_into(self._memory, slot * _SIZE + _OWN.size, connections)

    def asked_to_shed(self, slot: int) -> int:
        """How many connections the replica is asked to close; asked once."""
        (connections,) = _TOLD.unpack_from(self._memory, slot * _SIZE + _OWN.size)
        if connections:
            self.shed(slot, 0)
        return int(connections)
