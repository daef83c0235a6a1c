"""What a worker has in memory: values just made, and values it has loaded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from modelwright.data.artifact import Artifact

_SMALL = 1 << 20
_LEAST = 4096


@dataclass(slots=True)
class _Lying:
    artifact: Artifact
    size: int
    stored: bool


class Desk:
    """Values by name (a token or a digest), bounded by their size; those not stored yet stay.

    room: bytes that values may take together; the one used longest ago goes first.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._lying: OrderedDict[str, _Lying] = OrderedDict()
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()

    def put(self, name: str, artifact: Artifact, *, stored: bool) -> None:
        """Lay a value down under a name."""
        with self._lock:
            self._lying[name] = _Lying(artifact, max(artifact.size, _LEAST), stored)
            self._make_room()

    def stored(self, name: str, digest: str) -> None:
        """Note that a value is in the store under a digest: from now on it may go."""
        with self._lock:
            if lying := self._lying.get(name):
                lying.stored = True
                self._names[digest] = name
                self._make_room()

    def get(self, *names: str | None) -> Artifact | None:
        """The value under the first of the names that is known."""
        with self._lock:
            for name in names:
                key = self._names.get(name or "", name or "")
                if lying := self._lying.get(key):
                    self._lying.move_to_end(key)
                    return lying.artifact
        return None

    def forget(self, names: Iterable[str]) -> None:
        """Put values away; small ones stay while there is room, as the next run may want them."""
        with self._lock:
            for name in names:
                key = self._names.get(name, name)
                lying = self._lying.get(key)
                if lying and lying.size > _SMALL:
                    self._drop(key)

    def drop(self, name: str) -> None:
        """Put a value away, whatever its size."""
        with self._lock:
            self._drop(self._names.get(name, name))

    def _make_room(self) -> None:
        taken = sum(lying.size for lying in self._lying.values())
        for key in [k for k, lying in self._lying.items() if lying.stored]:
            if taken <= self._room:
                return
            taken -= self._drop(key)

    def _drop(self, key: str) -> int:
        lying = self._lying.pop(key, None)
        for digest in [d for d, name in self._names.items() if name == key]:
            del self._names[digest]
        return lying.size if lying else 0
